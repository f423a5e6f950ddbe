/** The signature that the signers' shares add up to. */

import { hasLowS, mod, secp256k1, toUnsignedBytes, verifyEcdsa as verifies } from '@quorate/math'
import { Abort } from '../../session/abort.ts'
import type { PartyId } from '../../session/party.ts'
import { nonceOf, type PublicPresignature, type SignatureNonce } from '../presign/presignature.ts'
import type { Replay } from '../replay.ts'

export type EcdsaSignature = {
  /** r ‖ s, 64 bytes, big-endian; s is at most q/2. */
  readonly bytes: Uint8Array
  /** 0…3: which of the keys that the signature fits is the signer's (SEC 1, §4.1.6). */
  readonly recovery: number
}

/**
 * Whether r ‖ s signs the digest under a compressed public key (SEC 1, §4.1.4), with s at most q/2.
 * Variable-time: public inputs only. Never throws.
 */
export const verifyEcdsa = (
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean => hasLowS(signature) && verifies(publicKey, digest, signature)

/**
 * The signatures that all signers' shares add up to, in the order of the items. One that verifies shows
 * by itself that it is right, so shares are judged one by one only where one does not.
 * @throws Abort naming whose shares are wrong; threshold/degenerate, blaming nobody, for s = 0
 */
export function combineAll(
  o: {
    readonly replay: Replay
    readonly round: number
    readonly self: PartyId
    readonly signers: readonly PartyId[]
  },
  items: readonly {
    readonly of: PublicPresignature
    readonly digest: Uint8Array
    readonly nonce?: SignatureNonce | undefined
  }[],
  sharesOf: (party: PartyId) => readonly bigint[],
): readonly EcdsaSignature[] {
  const others = o.signers.filter((party) => party !== o.self)
  if (!o.replay.isPlausible(o.round, others)) o.replay.judge(o.round, others)
  const shares = o.signers.map(sharesOf)
  return items.map(({ of, digest, nonce }, i) => {
    const signature = combineShares(
      nonce ?? nonceOf(of),
      digest,
      shares.map((each) => each[i]!),
    )
    if (signature !== undefined) return signature
    o.replay.judge(o.round, others)
    throw new Abort('threshold/degenerate')
  })
}

/** The signature of these shares, if it verifies under the key that the nonce is for. */
function combineShares(
  { r, recovery, publicKey }: SignatureNonce,
  digest: Uint8Array,
  shares: readonly bigint[],
): EcdsaSignature | undefined {
  const { order } = secp256k1
  const sum = shares.reduce((total, share) => mod(total + share, order), 0n)
  const isHigh = sum > order >> 1n
  const s = isHigh ? order - sum : sum
  const bytes = new Uint8Array(64)
  bytes.set(toUnsignedBytes(r, 32))
  bytes.set(toUnsignedBytes(s, 32), 32)
  if (!verifyEcdsa(secp256k1.encode(publicKey), digest, bytes)) return undefined
  return { bytes, recovery: isHigh ? recovery ^ 1 : recovery }
}
