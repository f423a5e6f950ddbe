/**
 * Keys of recovery recipients, and what is sealed to them: X25519 with a fresh key for each message,
 * HKDF-SHA-256, AES-256-GCM.
 *
 *   z     = X25519(fresh, recipient)                refused where it is zero (RFC 7748, section 6.1)
 *   key   = HKDF(z, salt = fresh public ‖ recipient, info = tag ‖ context)
 *   sealed = fresh public (32) ‖ AES-256-GCM(key, IV 0, plaintext) ‖ tag (16): each key is used once
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import { concatBytes, Fault, fromHex, Secret, TAGS, tagged, wipe } from '@quorate/base'

const PUBLIC = fromHex('302a300506032b656e032100')
const PRIVATE = fromHex('302e020100300506032b656e04220420')
const KEY_BYTES = 32
const TAG_BYTES = 16
const IV = new Uint8Array(12)

const publicKeyFrom = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.from(concatBytes(PUBLIC, raw)), format: 'der', type: 'spki' })

function privateKeyFrom(raw: Uint8Array): KeyObject {
  const der = Buffer.from(concatBytes(PRIVATE, raw))
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } finally {
    wipe(der)
  }
}

const rawOf = (key: KeyObject): Uint8Array =>
  new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES))

/** The public key of a secret one, 32 bytes each. Treats `secret` as secret. */
export const recipientKeyOf = (secret: Uint8Array): Uint8Array =>
  rawOf(createPublicKey(privateKeyFrom(secret)))

/** A new pair. The caller disposes of the secret, 32 bytes. */
export function newRecipientKey(): {
  readonly key: Uint8Array
  readonly secret: Secret<Uint8Array>
} {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  const der = privateKey.export({ format: 'der', type: 'pkcs8' })
  const secret = new Secret(new Uint8Array(der.subarray(-KEY_BYTES)))
  wipe(der)
  return { key: rawOf(publicKey), secret }
}

function keyBetween(
  own: KeyObject,
  other: KeyObject,
  ends: { readonly fresh: Uint8Array; readonly recipient: Uint8Array },
  context: Uint8Array,
): Uint8Array {
  const shared = diffieHellman({ privateKey: own, publicKey: other })
  const salt = concatBytes(ends.fresh, ends.recipient)
  try {
    return new Uint8Array(
      hkdfSync('sha256', shared, salt, tagged(TAGS.backupRecipient, context), KEY_BYTES),
    )
  } finally {
    wipe(shared)
  }
}

/** `plain` for the holder of the secret to `recipient`, bound to `context`. Treats `plain` as secret. */
export function sealTo(recipient: Uint8Array, plain: Uint8Array, context: Uint8Array): Uint8Array {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  const fresh = rawOf(publicKey)
  const key = keyBetween(privateKey, publicKeyFrom(recipient), { fresh, recipient }, context)
  try {
    return concatBytes(fresh, encryptOnce(key, plain, context))
  } finally {
    wipe(key)
  }
}

/** What was sealed to the key of `secret`. The caller wipes it. @throws enclave/backup-unreadable, whatever is wrong */
export function openWith(secret: Uint8Array, sealed: Uint8Array, context: Uint8Array): Uint8Array {
  let key: Uint8Array | undefined
  try {
    const own = privateKeyFrom(secret)
    const fresh = sealed.slice(0, KEY_BYTES)
    const ends = { fresh, recipient: rawOf(createPublicKey(own)) }
    key = keyBetween(own, publicKeyFrom(fresh), ends, context)
    return decryptOnce(key, sealed.subarray(KEY_BYTES), context)
  } catch (cause) {
    throw new Fault('enclave/backup-unreadable', { cause })
  } finally {
    wipe(key)
  }
}

/** AES-256-GCM under a key that encrypts nothing else. */
export function encryptOnce(key: Uint8Array, plain: Uint8Array, aad: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, IV)
  cipher.setAAD(aad)
  return concatBytes(cipher.update(plain), cipher.final(), cipher.getAuthTag())
}

/** The plaintext of `encryptOnce`; the caller wipes it. @throws enclave/backup-unreadable */
export function decryptOnce(key: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, IV)
    decipher.setAAD(aad)
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
    const body = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES))
    const plain = concatBytes(body, decipher.final())
    wipe(body)
    return plain
  } catch (cause) {
    throw new Fault('enclave/backup-unreadable', { cause })
  }
}
