/**
 * The key operations of envelopes, as a port: a node serves it from its epoch keys (for instance by
 * node:crypto), third parties need `verify` only. The implementation here is @noble/curves.
 */
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import type { Random, Secret } from '@quorate/base'

export type SignatureVerifier = {
  /** Whether `signature` (64 bytes) is an Ed25519 signature (RFC 8032) of `message` by `publicKey` (32 bytes). Never throws. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}

export type EnvelopeCrypto = SignatureVerifier & {
  /** Ed25519 signature, 64 bytes, by this party's epoch key. */
  sign(message: Uint8Array): Uint8Array
  /** A fresh X25519 key and its secret with a peer's sealing prekey, 32 bytes each. The caller wipes `shared`. Throws for a prekey of low order. */
  encapsulate(prekey: Uint8Array): { readonly ephemeral: Uint8Array; readonly shared: Uint8Array }
  /** The secret that a peer's fresh key has with this party's sealing prekey. The caller wipes it. Throws for a key of low order. */
  decapsulate(ephemeral: Uint8Array): Uint8Array
}

export const nobleVerifier: SignatureVerifier = {
  verify(publicKey, message, signature) {
    try {
      // zip215: false is the strict verification of RFC 8032, so that all nodes agree on each signature.
      return ed25519.verify(signature, message, publicKey, { zip215: false })
    } catch {
      return false
    }
  },
}

export type EpochSecrets = {
  /** Ed25519 seed, 32 bytes. */
  readonly signingKey: Secret<Uint8Array>
  /** X25519 secret, 32 bytes. */
  readonly sealingKey: Secret<Uint8Array>
}

/** Envelope operations in plain JavaScript. Treats both keys as secret, as far as JavaScript can. */
export function nobleEnvelopeCrypto(secrets: EpochSecrets, random: Random): EnvelopeCrypto {
  return {
    ...nobleVerifier,
    sign: (message) => ed25519.sign(message, secrets.signingKey.expose()),
    encapsulate(prekey) {
      const secret = random.bytes(32)
      try {
        return {
          ephemeral: x25519.getPublicKey(secret),
          shared: x25519.getSharedSecret(secret, prekey),
        }
      } finally {
        secret.fill(0)
      }
    },
    decapsulate: (ephemeral) => x25519.getSharedSecret(secrets.sealingKey.expose(), ephemeral),
  }
}
