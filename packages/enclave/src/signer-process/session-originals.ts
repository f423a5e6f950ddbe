/** What signed originals say, checked with epoch keys that are given as data. */
import { equalBytes, isFault } from '@quorate/base'
import {
  type KeyLookup,
  type OriginalClaim,
  type PartyId,
  readEnvelope,
  stripEnvelope,
} from '@quorate/threshold'
import { verifyEd25519 } from './node-crypto.ts'

/** The key that signs a party's envelopes of one epoch. */
export type SigningKeyOf = {
  readonly party: PartyId
  /** 16 bytes. */
  readonly epoch: Uint8Array
  /** Ed25519, 32 bytes. */
  readonly envelopeKey: Uint8Array
}

/** What an original says and who signed it; `undefined` for one that does not verify. */
export function readClaim(original: Uint8Array, keys: KeyLookup): OriginalClaim | undefined {
  try {
    const { header } = readEnvelope(original, keys, { verify: verifyEd25519 })
    return { ...header, proof: stripEnvelope(original) }
  } catch (error) {
    if (isFault(error)) return undefined
    throw error
  }
}

export const lookupIn = (keys: readonly SigningKeyOf[]): KeyLookup => ({
  epochKey: (from, epoch) =>
    keys.find((each) => each.party === from && equalBytes(each.epoch, epoch))?.envelopeKey,
})
