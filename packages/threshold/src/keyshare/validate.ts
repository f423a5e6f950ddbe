/** Key shares that fit their own public data, and the FROST key they belong to. */
import { equalBytes, Fault, isFault } from '@quorate/base'
import { type Commitment, evaluateCommitment } from '@quorate/math'
import type { SharedKey } from '../frost/keygen/keygen.ts'
import type { GroupKey } from '../frost/sign/key.ts'
import { frostSuite } from '../frost/suites/table.ts'
import type { PartyId } from '../session/party.ts'
import type { KeyShare, WalletKey } from './key-share.ts'

/** The public fields that follow from a key as key generation or refresh yields it. Variable-time: public inputs only. */
export function describeKey({
  key,
  commitment,
  tweaks,
}: Pick<SharedKey, 'key' | 'commitment' | 'tweaks'>): Pick<
  WalletKey,
  'suite' | 'threshold' | 'groupKey' | 'tweaks' | 'verifyingShares' | 'commitment'
> {
  const { suite, threshold, groupKey, verifyingShares } = key
  return {
    suite: suite.id,
    threshold,
    groupKey: suite.group.encode(groupKey),
    tweaks,
    verifyingShares: [...verifyingShares.values()].map((each) => suite.group.encode(each)),
    commitment: commitment.map((each) => suite.group.encode(each)),
  }
}

/** A record's key with its elements parsed. */
export type ParsedKey = { readonly key: GroupKey; readonly commitment: Commitment }

/**
 * Parses a FROST key and checks that it holds together: one group key, t coefficients, and verifying
 * shares that are the commitment evaluated at every party's index. Variable-time: public inputs only.
 * @throws threshold/inconsistent-share, threshold/unknown-suite
 */
export function parseWalletKey(record: WalletKey): ParsedKey {
  const suite = frostSuite(record.suite)
  const { group } = suite
  const { threshold, parties } = record
  const commitment = decoding(() => record.commitment.map((each) => group.decode(each)))
  if (record.protocol !== 'frost') refuse('the suite belongs to another protocol')
  if (commitment.length !== threshold || threshold > parties.length)
    refuse('the commitment is not one for this threshold')
  if (parties.some(({ index }, i) => i > 0 && parties[i - 1]!.index >= index))
    refuse('parties are not in ascending order')
  if (!equalBytes(record.groupKey, record.commitment[0]!))
    refuse('the group key is not the committed one')
  if (record.verifyingShares.length !== parties.length)
    refuse('there is not one verifying share for each party')
  const verifyingShares = new Map(
    parties.map(({ index }): [PartyId, ReturnType<typeof evaluateCommitment>] => [
      index,
      evaluateCommitment(group, commitment, BigInt(index)),
    ]),
  )
  const isDerived = parties.every(({ index }, i) =>
    equalBytes(group.encode(verifyingShares.get(index)!), record.verifyingShares[i]!),
  )
  if (!isDerived) refuse('a verifying share is not the one that was committed to')
  return { key: { suite, threshold, groupKey: commitment[0]!, verifyingShares }, commitment }
}

/** Checks a whole share record: its key, and secret·G = verifying share. Treats the secret as such. @throws threshold/inconsistent-share, threshold/unknown-suite */
export function validateShare({ key: record, party, secret }: KeyShare): ParsedKey {
  const parsed = parseWalletKey(record)
  const { suite, verifyingShares } = parsed.key
  const expected = verifyingShares.get(party) ?? refuse('the party is none of the key')
  const scalar = decoding(() => suite.group.decodeScalar(secret.expose()))
  if (!suite.group.equals(suite.group.mulBase(scalar), expected))
    refuse('the secret is not that of the verifying share')
  return parsed
}

function refuse(detail: string): never {
  throw new Fault('threshold/inconsistent-share', { detail })
}

function decoding<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isFault(cause)) throw cause
    throw new Fault('threshold/inconsistent-share', {
      detail: 'a value lies outside the group',
      cause,
    })
  }
}
