/** The algorithms of providers that compute in this process, one row each. */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { Fault } from '@quorate/base'
import { type EcdsaAlgorithm, generateEcdsaKey, signDigest, verifyDigest } from '../ecdsa.ts'
import { generateEd25519Key, signEd25519, verifyEd25519 } from '../ed25519.ts'
import { publicKeyOfSecret } from '../pkcs11/ec.ts'
import type { KeyAlgorithm, SignInput, SigningAlgorithm } from '../provider.ts'

export type KeyMaterial = { readonly secret: Uint8Array; readonly publicKey?: Uint8Array }

type SigningScheme = {
  sign(secret: Uint8Array, input: SignInput): Uint8Array
  verify(publicKey: Uint8Array, input: SignInput, signature: Uint8Array): boolean
}

function messageOf(input: SignInput): Uint8Array {
  if ('message' in input) return input.message
  throw new Fault('hsm/bad-argument', { detail: 'Ed25519 signs messages, not digests' })
}

function digestOf(input: SignInput): Uint8Array {
  if ('message' in input) return new Uint8Array(createHash('sha256').update(input.message).digest())
  if (input.digest.length !== 32)
    throw new Fault('hsm/bad-argument', { detail: 'a digest of 32 bytes is needed' })
  return input.digest
}

const ecdsa = (algorithm: EcdsaAlgorithm): SigningScheme => ({
  sign: (secret, input) => signDigest(algorithm, secret, digestOf(input)),
  verify: (publicKey, input, signature) =>
    verifyDigest(algorithm, publicKey, digestOf(input), signature),
})

export const SIGNING: { readonly [A in SigningAlgorithm]: SigningScheme } = {
  ed25519: {
    sign: (secret, input) => signEd25519(secret, messageOf(input)),
    verify: (publicKey, input, signature) => verifyEd25519(publicKey, messageOf(input), signature),
  },
  p256: ecdsa('p256'),
  secp256k1: ecdsa('secp256k1'),
}

/** The key whose secret (32 bytes) was made elsewhere. Treats `secret` as secret. @throws hsm/bad-argument */
export function materialOf(algorithm: KeyAlgorithm, secret: Uint8Array): KeyMaterial {
  if (secret.length !== 32)
    throw new Fault('hsm/bad-argument', { detail: 'a key of 32 bytes is needed' })
  if (algorithm === 'aes-256' || algorithm === 'hmac-sha256') return { secret }
  return { secret, publicKey: publicKeyOfSecret(algorithm, secret) }
}

const symmetric = (): KeyMaterial => ({ secret: new Uint8Array(randomBytes(32)) })

export const GENERATE: { readonly [A in KeyAlgorithm]: () => KeyMaterial } = {
  ed25519: generateEd25519Key,
  p256: () => generateEcdsaKey('p256'),
  secp256k1: () => generateEcdsaKey('secp256k1'),
  'aes-256': symmetric,
  'hmac-sha256': symmetric,
}

/** HMAC-SHA-256. Treats `key` as secret. */
export const hmacSha256 = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  new Uint8Array(createHmac('sha256', key).update(message).digest())
