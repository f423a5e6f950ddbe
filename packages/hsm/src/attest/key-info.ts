/** Public keys of certificates in the form that the rest of the layer uses, and messages under them. */
import { verify } from 'node:crypto'
import { equalBytes } from '@quorate/base'
import { DER, DerReader, derOid } from '@quorate/trust'
import { PublicKey } from '../host/signatures.ts'
import type { SigningAlgorithm } from '../provider.ts'
import { refused, refusing } from './certificate.ts'

export type AttestedKey = {
  readonly algorithm: SigningAlgorithm
  /** In the form of `KeyInfo.publicKey`. */
  readonly publicKey: Uint8Array
}

const ED25519 = derOid('1.3.101.112')
const EC = derOid('1.2.840.10045.2.1')
const CURVES: readonly (readonly [algorithm: 'p256' | 'secp256k1', oid: Uint8Array])[] = [
  ['p256', derOid('1.2.840.10045.3.1.7')],
  ['secp256k1', derOid('1.3.132.0.10')],
]

/** The compressed form (33 bytes) of a point in either form (SEC 1, 2.3.3). @throws hsm/attestation-invalid */
export function compressedPoint(point: Uint8Array): Uint8Array {
  if (point.length === 33 && (point[0] === 2 || point[0] === 3)) return point.slice()
  if (point.length !== 65 || point[0] !== 4) return refused('a public key that is no point')
  const compressed = point.slice(0, 33)
  compressed[0] = 2 + (point[64]! & 1)
  return compressed
}

/** The key of a SubjectPublicKeyInfo. @throws hsm/attestation-invalid for a key that this layer does not use */
export const keyOfSpki = (spki: Uint8Array): AttestedKey =>
  refusing('a malformed public key', () => keyIn(spki))

function keyIn(spki: Uint8Array): AttestedKey {
  const whole = new DerReader(spki)
  const parts = whole.enter(DER.sequence)
  whole.end()
  const algorithm = parts.enter(DER.sequence)
  const oid = algorithm.read(DER.oid).raw
  const key = parts.bitString()
  parts.end()
  if (equalBytes(oid, ED25519) && algorithm.isAtEnd && key.length === 32)
    return { algorithm: 'ed25519', publicKey: key.slice() }
  if (!equalBytes(oid, EC) || algorithm.nextTag !== DER.oid) return refused('a key of another kind')
  const curve = algorithm.read(DER.oid).raw
  const found = CURVES.find(([, each]) => equalBytes(each, curve))
  if (found === undefined || !algorithm.isAtEnd) return refused('a key on another curve')
  return { algorithm: found[0], publicKey: compressedPoint(key) }
}

export const isSameKey = (a: AttestedKey, b: AttestedKey): boolean =>
  a.algorithm === b.algorithm && equalBytes(a.publicKey, b.publicKey)

/** Whether `signature` (64 bytes) of the message holds under the key. Never throws. */
export function holdsUnder(
  { algorithm, publicKey }: AttestedKey,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64) return false
  try {
    const { key } = new PublicKey(algorithm, publicKey)
    return algorithm === 'ed25519'
      ? verify(null, message, key, signature)
      : verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
  } catch {
    return false
  }
}

/** A SHA-256 fingerprint in small hex digits, from one with or without colons. @throws hsm/attestation-invalid */
export function fingerprintOf(text: string): string {
  const plain = text.replaceAll(':', '').toLowerCase()
  return /^[0-9a-f]{64}$/.test(plain)
    ? plain
    : refused('a SHA-256 fingerprint of 64 hex digits is needed')
}
