/** A signer's commitment to its entropy for re-randomising a presignature. */
import { sha256 } from '@noble/hashes/sha2.js'
import { Transcript } from '@quorate/math'
import type { PartyId } from '../../session/party.ts'

/** 32 bytes; binding and, since the entropy has 32 random bytes, hiding. `context` is that of presigning. */
export const entropyCommitment = (
  context: Uint8Array,
  item: number,
  party: PartyId,
  entropy: Uint8Array,
): Uint8Array =>
  new Transcript('cggmp24-entropy', sha256)
    .bytes('context', context)
    .number('item', item)
    .number('party', party)
    .bytes('entropy', entropy)
    .digest()
