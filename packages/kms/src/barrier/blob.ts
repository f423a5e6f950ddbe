/**
 * One sealed value: header ‖ nonce ‖ ciphertext ‖ tag, AES-256-GCM (SP 800-38D) with a random nonce of 96
 * bits. The header is format, algorithm and key version; it is authenticated together with where the value
 * stands, so a blob opens at its own place of its own store only.
 *
 *   header      0x01 ‖ algorithm (1 byte, 1 = AES-256-GCM) ‖ key version (4 bytes, big endian)
 *   AAD         tag ‖ header ‖ CBOR [store, part …]
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { bug, encodeCbor, Fault, type Random, type Tag, wipe } from '@quorate/base'

const FORMAT = 1
const AES_256_GCM = 1
const ALGORITHM = 'aes-256-gcm'
const HEADER_BYTES = 6
const NONCE_BYTES = 12
const TAG_BYTES = 16
const OVERHEAD: number = HEADER_BYTES + NONCE_BYTES + TAG_BYTES

/** What the associated data says besides the header. Texts are ASCII: ids and names of ours. */
export type Context = {
  readonly tag: Tag
  readonly parts: readonly (string | number)[]
}

const MAX_AAD = 2048
const scratch: Buffer = Buffer.allocUnsafeSlow(MAX_AAD)
const ASCII = /^[\x20-\x7e]{0,255}$/

/** The associated data in a buffer that the next call uses again. */
function associated(header: Uint8Array, { tag, parts }: Context): Uint8Array {
  let at = scratch.write(tag, 0, 'latin1')
  scratch.set(header.subarray(0, HEADER_BYTES), at)
  at += HEADER_BYTES
  scratch[at++] = 0x80 | parts.length
  for (const part of parts) {
    if (typeof part === 'string' && ASCII.test(part)) {
      if (part.length < 24) scratch[at++] = 0x60 | part.length
      else {
        scratch[at++] = 0x78
        scratch[at++] = part.length
      }
      at += scratch.write(part, at, 'latin1')
    } else {
      const bytes = typeof part === 'number' ? encodeCbor(part) : bug('a place is named in ASCII')
      scratch.set(bytes, at)
      at += bytes.length
    }
    if (at > MAX_AAD - 300) bug('a place with too long a name')
  }
  return scratch.subarray(0, at)
}

const POOL_BYTES = 3072

/** Nonces out of a larger draw: the system's generator costs as much for twelve bytes as for thousands. */
export class Nonces {
  readonly #random: Random
  #pool: Uint8Array = new Uint8Array(0)
  #at = 0

  constructor(random: Random) {
    this.#random = random
  }

  next(): Uint8Array {
    if (this.#at + NONCE_BYTES > this.#pool.length) {
      this.#pool = this.#random.bytes(POOL_BYTES)
      this.#at = 0
    }
    const nonce = this.#pool.subarray(this.#at, this.#at + NONCE_BYTES)
    this.#at += NONCE_BYTES
    return nonce
  }
}

/** The blob. Treats `key` and `plaintext` as secret. */
export function sealBlob(
  key: KeyObject,
  version: number,
  nonce: Uint8Array,
  context: Context,
  plaintext: Uint8Array,
): Uint8Array {
  const blob = new Uint8Array(OVERHEAD + plaintext.length)
  blob[0] = FORMAT
  blob[1] = AES_256_GCM
  blob[2] = version >>> 24
  blob[3] = version >>> 16
  blob[4] = version >>> 8
  blob[5] = version
  blob.set(nonce, HEADER_BYTES)
  const cipher = createCipheriv(ALGORITHM, key, nonce)
  cipher.setAAD(associated(blob, context))
  blob.set(cipher.update(plaintext), HEADER_BYTES + NONCE_BYTES)
  cipher.final()
  blob.set(cipher.getAuthTag(), blob.length - TAG_BYTES)
  return blob
}

const unreadable = (): Fault => new Fault('kms/does-not-open')

/** The version of the key that sealed it; not believed before the blob opened. @throws kms/does-not-open */
export function keyVersionOf(blob: Uint8Array): number {
  if (blob.length < OVERHEAD || blob[0] !== FORMAT || blob[1] !== AES_256_GCM) throw unreadable()
  return ((blob[2]! << 24) | (blob[3]! << 16) | (blob[4]! << 8) | blob[5]!) >>> 0
}

/**
 * The plaintext, in memory of its own. Treats `key` as secret.
 * @throws kms/does-not-open for a wrong key, place or blob alike
 */
export function openBlob(key: KeyObject, context: Context, blob: Uint8Array): Uint8Array {
  keyVersionOf(blob)
  const nonce = blob.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES)
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(associated(blob, context))
  decipher.setAuthTag(blob.subarray(blob.length - TAG_BYTES))
  const plaintext = decipher.update(
    blob.subarray(HEADER_BYTES + NONCE_BYTES, blob.length - TAG_BYTES),
  )
  try {
    decipher.final()
    // No Buffer, whose slices would share its memory and be wiped with it; and no copy.
    return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength)
  } catch {
    wipe(plaintext)
    throw unreadable()
  }
}

/** The first bytes of every blob of that key version: for counting by the database. */
export function headerOf(version: number): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES)
  header[0] = FORMAT
  header[1] = AES_256_GCM
  header.writeUInt32BE(version, 2)
  return new Uint8Array(header)
}
