/** AES-256-GCM with a random IV of 12 bytes and a tag of 16, over the platform's crypto library. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { concatBytes } from '@quorate/base'

export const IV_BYTES = 12
const TAG_BYTES = 16

/** IV and ciphertext, the tag at its end. For at most 2^32 seals under one key. Treats `key` and `plaintext` as secret. */
export function sealGcm(
  key: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): { iv: Uint8Array; ciphertext: Uint8Array } {
  const iv = new Uint8Array(randomBytes(IV_BYTES))
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(aad)
  const body = cipher.update(plaintext)
  return { iv, ciphertext: concatBytes(body, cipher.final(), cipher.getAuthTag()) }
}

/** The plaintext, or `undefined` where key, IV, ciphertext and AAD do not belong together. */
export function openGcm(
  key: Uint8Array,
  iv: Uint8Array,
  ciphertext: Uint8Array,
  aad: Uint8Array,
): Uint8Array | undefined {
  if (iv.length !== IV_BYTES || ciphertext.length < TAG_BYTES) return undefined
  const end = ciphertext.length - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
  decipher.setAAD(aad)
  decipher.setAuthTag(ciphertext.subarray(end))
  const body = decipher.update(ciphertext.subarray(0, end))
  try {
    return concatBytes(body, decipher.final())
  } catch {
    return undefined
  } finally {
    body.fill(0)
  }
}
