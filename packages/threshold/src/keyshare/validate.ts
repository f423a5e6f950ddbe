/** Key shares that fit their own public data, and the keys they belong to. */
import { equalBytes, Fault, isFault } from '@quorate/base'
import {
  type Commitment,
  type Element,
  evaluateCommitment,
  type Group,
  secp256k1,
} from '@quorate/math'
import { type EcdsaKey, keyOfCommitment } from '../cggmp24/key.ts'
import { levelOf } from '../cggmp24/level.ts'
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
 * Parses a FROST key and checks that it holds together. Variable-time: public inputs only.
 * @throws threshold/inconsistent-share, threshold/unknown-suite
 */
export function parseWalletKey(record: WalletKey): ParsedKey {
  const suite = frostSuite(record.suite)
  if (record.protocol !== 'frost') refuse('the suite belongs to another protocol')
  const { commitment, verifyingShares } = parseSharing(suite.group, record)
  const { threshold } = record
  return { key: { suite, threshold, groupKey: commitment[0]!, verifyingShares }, commitment }
}

/** A threshold ECDSA key as its wallet records it. */
export function describeEcdsaKey(key: EcdsaKey, aux: Uint8Array): EcdsaFields {
  const write = (element: Element): Uint8Array => secp256k1.encode(element)
  return {
    suite: key.level.id,
    threshold: key.threshold,
    groupKey: write(key.groupKey),
    tweaks: [],
    verifyingShares: [...key.verifyingShares.values()].map(write),
    commitment: key.commitment.map(write),
    chainCode: key.chainCode,
    rid: key.rid,
    aux,
  }
}
type EcdsaFields = Pick<
  WalletKey,
  | 'suite'
  | 'threshold'
  | 'groupKey'
  | 'tweaks'
  | 'verifyingShares'
  | 'commitment'
  | 'chainCode'
  | 'rid'
  | 'aux'
>

/** The same for a threshold ECDSA key. @throws threshold/inconsistent-share, threshold/unknown-suite */
export function parseEcdsaKey(record: WalletKey): EcdsaKey {
  const level = levelOf(record.suite)
  const { chainCode, rid } = record
  if (record.protocol !== 'cggmp24') refuse('the suite belongs to another protocol')
  if (chainCode === undefined || rid === undefined || record.aux === undefined)
    refuse('a key of CGGMP24 has a chain code, an rid and auxiliary information')
  if (record.tweaks.length > 0) refuse('a key of CGGMP24 is not tweaked')
  const { commitment } = parseSharing(secp256k1, record)
  return keyOfCommitment(
    { level, commitment, chainCode, rid },
    record.parties.map(({ index }) => index),
  )
}

/** One group key, t coefficients, and verifying shares that are the commitment evaluated at every party's index. */
function parseSharing(
  group: Group,
  record: WalletKey,
): {
  readonly commitment: Commitment
  readonly verifyingShares: ReadonlyMap<PartyId, Element>
} {
  const { threshold, parties } = record
  const commitment = decoding(() => record.commitment.map((each) => group.decode(each)))
  if (commitment.length !== threshold || threshold > parties.length)
    refuse('the commitment is not one for this threshold')
  if (parties.some(({ index }, i) => i > 0 && parties[i - 1]!.index >= index))
    refuse('parties are not in ascending order')
  if (!equalBytes(record.groupKey, record.commitment[0]!))
    refuse('the group key is not the committed one')
  if (record.verifyingShares.length !== parties.length)
    refuse('there is not one verifying share for each party')
  const verifyingShares = new Map(
    parties.map(({ index }): [PartyId, Element] => [
      index,
      evaluateCommitment(group, commitment, BigInt(index)),
    ]),
  )
  const isDerived = parties.every(({ index }, i) =>
    equalBytes(group.encode(verifyingShares.get(index)!), record.verifyingShares[i]!),
  )
  if (!isDerived) refuse('a verifying share is not the one that was committed to')
  return { commitment, verifyingShares }
}

/** Checks a whole share record of FROST: its key, and secret·G = verifying share. Treats the secret as such. @throws threshold/inconsistent-share, threshold/unknown-suite */
export function validateShare(share: KeyShare): ParsedKey {
  const parsed = parseWalletKey(share.key)
  checkSecret(parsed.key.suite.group, share, parsed.key.verifyingShares)
  return parsed
}

/** The same for CGGMP24. @throws threshold/inconsistent-share, threshold/unknown-suite */
export function validateEcdsaShare(share: KeyShare): EcdsaKey {
  const key = parseEcdsaKey(share.key)
  checkSecret(secp256k1, share, key.verifyingShares)
  return key
}

function checkSecret(
  group: Group,
  { party, secret }: KeyShare,
  verifyingShares: ReadonlyMap<PartyId, Element>,
): void {
  const expected = verifyingShares.get(party) ?? refuse('the party is none of the key')
  const scalar = decoding(() => group.decodeScalar(secret.expose()))
  if (!group.equals(group.mulBase(scalar), expected))
    refuse('the secret is not that of the verifying share')
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
