/** Signatures, checked by two libraries that are not ours. */
import assert from 'node:assert/strict'
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { equalBytes } from '@quorate/base'
import { deriveChild, type Element, secp256k1 } from '@quorate/math'
import type { EcdsaKey } from '#src/cggmp24/key.js'
import { digestOf, type Message, type Prehash } from '#src/cggmp24/sign/message.js'
import type { EcdsaSignature } from '#src/cggmp24/sign/signature.js'

const HALF_ORDER = noble.Point.Fn.ORDER >> 1n

/** The key at a path below the group key. */
export const keyAt = (key: EcdsaKey, path: readonly number[]): Element =>
  path.length === 0 ? key.groupKey : deriveChild(key.groupKey, key.chainCode, path).publicKey

/**
 * Asserts that the signature is good for noble, its s low and its recovery id right, and, where SHA-256
 * of `bytes` was signed, that it is good for OpenSSL.
 */
export function assertSigns(
  publicKey: Element,
  message: Message | Prehash,
  { bytes, recovery }: EcdsaSignature,
  preimage: Uint8Array | undefined = message.kind === 'message' && message.hash === 'sha256'
    ? message.bytes
    : undefined,
): void {
  const encoded = secp256k1.encode(publicKey)
  const digest = digestOf(message)
  assert.ok(noble.verify(bytes, digest, encoded, { prehash: false, lowS: true }))
  const signature = noble.Signature.fromBytes(bytes)
  assert.ok(signature.s <= HALF_ORDER)
  const recovered = signature.addRecoveryBit(recovery).recoverPublicKey(digest)
  assert.deepEqual(recovered.toBytes(true), encoded)
  if (preimage === undefined) return
  assert.ok(equalBytes(sha256(preimage), digest))
  const key = opensslKey(encoded)
  assert.ok(verify('sha256', preimage, { key, dsaEncoding: 'ieee-p1363' }, bytes))
  assert.ok(!verify('sha256', digest, { key, dsaEncoding: 'ieee-p1363' }, bytes))
}

function opensslKey(encoded: Uint8Array): KeyObject {
  const point = noble.Point.fromBytes(encoded).toBytes(false)
  const part = (from: number): string =>
    Buffer.from(point.subarray(from, from + 32)).toString('base64url')
  return createPublicKey({
    key: { kty: 'EC', crv: 'secp256k1', x: part(1), y: part(33) },
    format: 'jwk',
  })
}
