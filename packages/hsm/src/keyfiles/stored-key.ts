/** One key as it lies in a file: sealed, and bound to the name of the file. */
import {
  bool,
  bytes,
  type Codec,
  concatBytes,
  decode,
  encode,
  field,
  int,
  oneOf,
  optional,
  record,
  TAGS,
  tagged,
  text,
  utf8,
  wipe,
} from '@quorate/base'
import { DeviceFault } from '../errors.ts'
import type { KeyAlgorithm } from '../provider.ts'
import { IV_BYTES, openGcm, sealGcm } from './gcm.ts'

/** A key at rest. */
export type StoredKey = {
  readonly v: 1
  readonly label: string
  readonly algorithm: KeyAlgorithm
  readonly createdAt: number
  readonly publicKey?: Uint8Array | undefined
  /** Seed, scalar or symmetric key, 32 bytes. */
  readonly secret: Uint8Array
  /** It wraps and unwraps other keys, and does nothing else. */
  readonly use?: 'wrapping' | undefined
  /** It may leave under such a key. */
  readonly isWrappable?: boolean | undefined
}
const storedKey: Codec<StoredKey> = record({
  v: field(0, oneOf(1)),
  label: field(1, text(128)),
  algorithm: field(2, oneOf('ed25519', 'p256', 'secp256k1', 'aes-256', 'hmac-sha256')),
  createdAt: field(3, int()),
  publicKey: optional(4, bytes({ min: 32, max: 33 })),
  secret: field(5, bytes(32)),
  use: optional(6, oneOf('wrapping')),
  isWrappable: optional(7, bool),
})

/** The name is authenticated, and the key is the device's own: a file counts only where it was written. */
const context = (name: string): Uint8Array => tagged(TAGS.hsmObject, utf8(name))

/** The content of the file `name` that holds `key`. Treats `sealingKey` as secret. */
export function sealKeyFile(sealingKey: Uint8Array, name: string, key: StoredKey): Uint8Array {
  const plaintext = encode(storedKey, key)
  try {
    const { iv, ciphertext } = sealGcm(sealingKey, plaintext, context(name))
    return concatBytes(iv, ciphertext)
  } finally {
    wipe(plaintext)
  }
}

/** The key in the file `name`; wipe its secret after use. @throws hsm/object-damaged */
export function openKeyFile(sealingKey: Uint8Array, name: string, content: Uint8Array): StoredKey {
  const [iv, ciphertext] = [content.subarray(0, IV_BYTES), content.subarray(IV_BYTES)]
  const plaintext = openGcm(sealingKey, iv, ciphertext, context(name))
  if (plaintext === undefined)
    throw new DeviceFault('hsm/object-damaged', { detail: `file ${name}` })
  try {
    return decode(storedKey, plaintext, { maxBytes: 1024 })
  } finally {
    wipe(plaintext)
  }
}
