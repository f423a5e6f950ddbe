/**
 * ECDSA over secp256k1 as the networks demand it: 64 bytes r ‖ s, big-endian, with s in the lower
 * half of the group order (EIP-2, BIP-146), over a hash that is made here from the whole message.
 * All functions are variable-time: public inputs only.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { Fault, isFault, toHex } from '@quorate/base'
import {
  type Element,
  secp256k1 as group,
  hasLowS,
  recoveryId,
  verifyEcdsa as verifies,
} from '@quorate/math'
import type { ItemHash, KeyRef, MessageHash } from './adapter.ts'

/** The security levels of the protocol make the same keys and signatures; the stronger one is for use. */
export const ECDSA_SUITES = [
  'CGGMP24-secp256k1-SHA256-128-v1',
  'CGGMP24-secp256k1-SHA256-112-v1',
] as const

const HASHES: { readonly [H in MessageHash]: (message: Uint8Array) => Uint8Array } = {
  sha256d: (message) => sha256(sha256(message)),
  keccak256: keccak_256,
}

/** 32 bytes. @throws chains/malformed-transaction for a prehash of another length */
export function digestOf(hash: ItemHash, message: Uint8Array): Uint8Array {
  if (hash !== 'prehash') return HASHES[hash](message)
  if (message.length !== 32)
    throw new Fault('chains/malformed-transaction', { detail: 'a digest has 32 bytes' })
  return message
}

/** The group key of a wallet of any secp256k1 scheme: a compressed point. @throws chains/wrong-scheme, chains/bad-key */
export function compressedKey({ scheme, publicKey }: KeyRef, wanted: KeyRef['scheme']): Uint8Array {
  if (scheme !== wanted) throw new Fault('chains/wrong-scheme')
  if (publicKey.length !== 33)
    throw new Fault('chains/bad-key', { detail: 'expected 33 compressed bytes' })
  if (keyPoint(publicKey) === null)
    throw new Fault('chains/bad-key', { detail: 'not a point of secp256k1' })
  return publicKey.slice()
}

type Signature = ReturnType<typeof secp256k1.Signature.fromBytes>

/** r and s of 64 bytes, or why they are no signature. */
function readSignature(signature: Uint8Array): Signature | string {
  if (signature.length !== 64) return 'it is not 64 bytes long'
  let read: Signature
  try {
    read = secp256k1.Signature.fromBytes(signature, 'compact')
  } catch {
    return 'r or s is not between 1 and the group order'
  }
  return read.hasHighS() ? 's is in the upper half of the group order' : read
}

export type RecoveredKey = {
  /** 0 to 3: the parity of the y of the nonce point, plus 2 where its x is above the group order. */
  readonly recoveryId: number
  /** 33 bytes, compressed. */
  readonly publicKey: Uint8Array
}

/** Every key under which `signature` verifies, at most four; none for what is no signature. Never throws. */
export function recoverKeys(
  hash: ItemHash,
  message: Uint8Array,
  signature: Uint8Array,
): readonly RecoveredKey[] {
  const read = readSignature(signature)
  if (typeof read === 'string') return []
  const digest = digestOf(hash, message)
  return [0, 1, 2, 3].flatMap((recoveryId) => {
    try {
      const point = read.addRecoveryBit(recoveryId).recoverPublicKey(digest)
      return [{ recoveryId, publicKey: point.toBytes(true) }]
    } catch {
      // No point of the curve has this x coordinate.
      return []
    }
  })
}

/** The recovery id with which `signature` names `publicKey`, or in words why there is none. Never throws. */
export function recoveryIdOf(
  publicKey: Uint8Array,
  hash: ItemHash,
  message: Uint8Array,
  signature: Uint8Array,
): number | string {
  const read = readSignature(signature)
  if (typeof read === 'string') return read
  const key = keyPoint(publicKey)
  const id = key && recoveryId(key, digestOf(hash, message), signature)
  return id ?? 'it is not one of this key over this message'
}

/** Keys that were looked at lately: a wallet signs again and again. */
const known = new Map<string, Element | null>()
const MAX_KNOWN = 256

/** The point of a compressed key; `null` for bytes that are none. */
export function keyPoint(publicKey: Uint8Array): Element | null {
  const name = toHex(publicKey)
  const found = known.get(name)
  if (found !== undefined) return found
  if (known.size === MAX_KNOWN) known.clear()
  const point = decoded(publicKey)
  known.set(name, point)
  return point
}

function decoded(publicKey: Uint8Array): Element | null {
  try {
    return publicKey.length === 33 ? group.decode(publicKey) : null
  } catch (error) {
    if (isFault(error)) return null
    throw error
  }
}

/** Whether `signature` is one of `publicKey` (33 bytes) over `message`. Never throws. */
export function verifyEcdsa(
  publicKey: Uint8Array,
  hash: ItemHash,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (message.length !== 32 && hash === 'prehash') return false
  return hasLowS(signature) && verifies(publicKey, digestOf(hash, message), signature)
}
