/** The signature that the signers' shares add up to. */

import { isFault } from '@quorate/base'
import {
  fromBytesBe,
  inverse,
  isEcdsaVouchedFor,
  mod,
  secp256k1,
  toUnsignedBytes,
} from '@quorate/math'
import { Abort } from '../../session/abort.ts'
import type { PartyId } from '../../session/party.ts'
import {
  NO_SHIFT,
  nonceOf,
  type PublicPresignature,
  type Shift,
  scalarOfDigest,
} from '../presign/presignature.ts'
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
export function verifyEcdsa(
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64 || digest.length !== 32) return false
  if (isEcdsaVouchedFor(publicKey, digest, signature)) return true
  const { order, generator } = secp256k1
  const [r, s] = [fromBytesBe(signature.subarray(0, 32)), fromBytesBe(signature.subarray(32))]
  if (r === 0n || r >= order || s === 0n || s > order >> 1n) return false
  try {
    const key = secp256k1.decode(publicKey)
    const scale = inverse(s, order)
    const point = secp256k1.msm(
      [mod(scalarOfDigest(digest) * scale, order), mod(r * scale, order)],
      [generator, key],
    )
    return (
      !secp256k1.isIdentity(point) &&
      mod(fromBytesBe(secp256k1.encode(point).subarray(1)), order) === r
    )
  } catch (error) {
    if (isFault(error)) return false
    throw error
  }
}

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
    readonly shift?: Shift | undefined
  }[],
  sharesOf: (party: PartyId) => readonly bigint[],
): readonly EcdsaSignature[] {
  const others = o.signers.filter((party) => party !== o.self)
  if (!o.replay.isPlausible(o.round, others)) o.replay.judge(o.round, others)
  const shares = o.signers.map(sharesOf)
  return items.map(({ of, digest, shift }, i) => {
    const signature = combineShares(
      of,
      digest,
      shares.map((each) => each[i]!),
      shift,
    )
    if (signature !== undefined) return signature
    o.replay.judge(o.round, others)
    throw new Abort('threshold/degenerate')
  })
}

/** The signature of these shares, if it verifies under the presignature's key shifted by τ. */
function combineShares(
  of: PublicPresignature,
  digest: Uint8Array,
  shares: readonly bigint[],
  shift: Shift = NO_SHIFT,
): EcdsaSignature | undefined {
  const { order } = secp256k1
  const { r, recovery } = nonceOf(of, shift)
  const sum = shares.reduce((total, share) => mod(total + share, order), 0n)
  const isHigh = sum > order >> 1n
  const s = isHigh ? order - sum : sum
  const bytes = new Uint8Array(64)
  bytes.set(toUnsignedBytes(r, 32))
  bytes.set(toUnsignedBytes(s, 32), 32)
  const key =
    shift.tweak === 0n ? of.publicKey : secp256k1.add(of.publicKey, secp256k1.mulBase(shift.tweak))
  if (!verifyEcdsa(secp256k1.encode(key), digest, bytes)) return undefined
  return { bytes, recovery: isHigh ? recovery ^ 1 : recovery }
}
