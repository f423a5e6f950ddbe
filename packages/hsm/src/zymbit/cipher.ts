/**
 * Encryption and MACs with a key pair of the device. The device multiplies a point by the secret key and puts
 * the result through HKDF, so the key itself never leaves it, and destroying it destroys what it sealed.
 *
 *   encrypt   salt: 16 random bytes. key 32 ‖ nonce 12 = HKDF(secret, salt, tag). AES-256-GCM with the AAD.
 *             What this process holds for a moment opens one message and no other.
 *   MAC       32 = HKDF(secret, tag, tag ‖ SHA-256(message)), which is HMAC-SHA-256 of that info under a key
 *             that nobody sees: the tag is made in the device alone.
 *
 * The point is the public key itself: to find d²·G out of d·G is as hard as Diffie–Hellman, and it is a point
 * in the form that this device writes and reads.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { concatBytes, Fault, TAGS, tagged, utf8, wipe } from '@quorate/base'
import type { Encrypted } from '../provider.ts'
import type { ZymbitContext } from './context.ts'

const SALT_BYTES = 16
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** The key pair that stands for a secret key. */
type KeyPair = {
  readonly slot: number
  /** Its public key as the device exports it. */
  readonly exported: Uint8Array
}

/** Key and nonce of one message. Wipe them. */
const messageKey = (context: ZymbitContext, { slot, exported }: KeyPair, salt: Uint8Array) =>
  context.deriveSecret(slot, exported, {
    salt,
    info: utf8(TAGS.hsmZymbitCipher),
    length: KEY_BYTES + NONCE_BYTES,
  })

/** The IV is the salt. Treats `plaintext` as secret. */
export function encrypt(
  context: ZymbitContext,
  pair: KeyPair,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Encrypted {
  const iv = new Uint8Array(randomBytes(SALT_BYTES))
  const secret = messageKey(context, pair, iv)
  try {
    const [key, nonce] = [secret.subarray(0, KEY_BYTES), secret.subarray(KEY_BYTES)]
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    cipher.setAAD(aad)
    const body = cipher.update(plaintext)
    return { iv, ciphertext: concatBytes(body, cipher.final(), cipher.getAuthTag()) }
  } finally {
    wipe(secret)
  }
}

/** @throws hsm/cannot-open */
export function decrypt(
  context: ZymbitContext,
  pair: KeyPair,
  { iv, ciphertext }: Encrypted,
  aad: Uint8Array,
): Uint8Array {
  const end = ciphertext.length - TAG_BYTES
  if (iv.length !== SALT_BYTES || end < 0) throw new Fault('hsm/cannot-open')
  const secret = messageKey(context, pair, iv)
  let body: Uint8Array | undefined
  try {
    const [key, nonce] = [secret.subarray(0, KEY_BYTES), secret.subarray(KEY_BYTES)]
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(aad)
    decipher.setAuthTag(ciphertext.subarray(end))
    body = decipher.update(ciphertext.subarray(0, end))
    decipher.final()
    return new Uint8Array(body)
  } catch {
    throw new Fault('hsm/cannot-open')
  } finally {
    wipe(secret, body)
  }
}

/** 32 bytes. */
export const mac = (
  context: ZymbitContext,
  { slot, exported }: KeyPair,
  message: Uint8Array,
): Uint8Array =>
  context.deriveSecret(slot, exported, {
    salt: utf8(TAGS.hsmZymbitMac),
    info: tagged(TAGS.hsmZymbitMac, createHash('sha256').update(message).digest()),
    length: 32,
  })
