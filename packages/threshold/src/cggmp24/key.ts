/** A threshold ECDSA key, as all parties know it, and what one of them holds of it. */
import { sha256 } from '@noble/hashes/sha2.js'
import type { Secret } from '@quorate/base'
import {
  type Commitment,
  type Element,
  evaluateCommitment,
  secp256k1,
  Transcript,
} from '@quorate/math'
import type { PartyId } from '../session/party.ts'
import type { Level } from './level.ts'

export type EcdsaKey = {
  readonly level: Level
  readonly threshold: number
  /** X = x·G. */
  readonly groupKey: Element
  /** Xⱼ = xⱼ·G, in ascending order of parties. */
  readonly verifyingShares: ReadonlyMap<PartyId, Element>
  /** Feldman's commitment to the joint polynomial: `threshold` elements, the first of them X. */
  readonly commitment: Commitment
  /** For derivation by BIP-32, 32 bytes. */
  readonly chainCode: Uint8Array
  /** What all parties contributed to when these shares were made: 32 bytes that no party chose. */
  readonly rid: Uint8Array
}

export type SharedEcdsaKey = {
  readonly key: EcdsaKey
  /** xᵢ: encoded scalar, 32 bytes. */
  readonly share: Secret<Uint8Array>
}

/** The key that a commitment stands for among `parties`. Variable-time: public inputs only. */
export const keyOfCommitment = (
  facts: Pick<EcdsaKey, 'level' | 'commitment' | 'chainCode' | 'rid'>,
  parties: readonly PartyId[],
): EcdsaKey => ({
  ...facts,
  threshold: facts.commitment.length,
  groupKey: facts.commitment[0]!,
  verifyingShares: new Map(
    parties.map((party): [PartyId, Element] => [
      party,
      evaluateCommitment(secp256k1, facts.commitment, BigInt(party)),
    ]),
  ),
})

/** 32 bytes over everything public about a generation of the key. */
export function keyDigest({
  level,
  commitment,
  chainCode,
  rid,
  verifyingShares,
}: EcdsaKey): Uint8Array {
  const transcript = new Transcript('cggmp24-key', sha256)
    .text('level', level.id)
    .bytes('chain code', chainCode)
    .bytes('rid', rid)
    .number('threshold', commitment.length)
  for (const element of commitment) transcript.element('commitment', secp256k1, element)
  // They follow from the commitment, but whoever is handed a key need not have made sure of it.
  for (const [party, share] of verifyingShares)
    transcript.number('party', party).element('share', secp256k1, share)
  return transcript.digest()
}
