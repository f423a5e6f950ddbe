/** Public keys and signatures as services give them, in the forms of ours. Variable-time: public inputs only. */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes } from '@quorate/base'
import type { EcdsaAlgorithm } from '../ecdsa.ts'
import type { SigningAlgorithm } from '../provider.ts'
import { ServiceFailure } from './failure.ts'

const CURVES: { readonly [name: string]: SigningAlgorithm } = {
  'P-256': 'p256',
  secp256k1: 'secp256k1',
  Ed25519: 'ed25519',
}

export type AnyPublicKey = { readonly algorithm: SigningAlgorithm; readonly publicKey: Uint8Array }

/** The key in a SubjectPublicKeyInfo, DER or PEM. @throws ServiceFailure wrong-result for what is no key of a curve of ours */
export function publicKeyFromSpki(spki: Uint8Array | string): AnyPublicKey {
  return publicKeyOf(() =>
    typeof spki === 'string'
      ? createPublicKey({ key: spki, format: 'pem' })
      : createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }),
  )
}

/** The key at a point, whose coordinates are big-endian. @throws ServiceFailure wrong-result */
export function publicKeyFromPoint(
  crv: 'P-256' | 'secp256k1',
  x: Uint8Array,
  y: Uint8Array,
): AnyPublicKey {
  // Some leave out leading zeros.
  const text = (integer: Uint8Array): string =>
    Buffer.concat([Buffer.alloc(Math.max(0, 32 - integer.length)), integer]).toString('base64url')
  const key: JsonWebKey = { kty: 'EC', crv, x: text(x), y: text(y) }
  return publicKeyOf(() => createPublicKey({ key, format: 'jwk' }))
}

function publicKeyOf(parse: () => KeyObject): AnyPublicKey {
  try {
    const { crv = '', x = '', y } = parse().export({ format: 'jwk' })
    const algorithm = Object.hasOwn(CURVES, crv) ? CURVES[crv] : undefined
    if (algorithm !== undefined) {
      const first = Buffer.from(x, 'base64url')
      if (y === undefined) return { algorithm, publicKey: new Uint8Array(first) }
      const isOdd = ((Buffer.from(y, 'base64url').at(-1) ?? 0) & 1) === 1
      return { algorithm, publicKey: concatBytes(Uint8Array.of(isOdd ? 3 : 2), first) }
    }
  } catch {
    // Said below: what is no key says nothing that people could use.
  }
  throw new ServiceFailure('wrong-result')
}

/** r ‖ s of an ECDSA-Sig-Value in DER (RFC 3279, §2.2.3). @throws ServiceFailure wrong-result */
export function signatureFromDer(algorithm: EcdsaAlgorithm, der: Uint8Array): Uint8Array {
  const { Signature } = algorithm === 'p256' ? p256 : secp256k1
  try {
    return Signature.fromBytes(der, 'der').toBytes('compact')
  } catch {
    throw new ServiceFailure('wrong-result')
  }
}
