/**
 * A key of a file, wrapped under another: for any provider in files that holds the same wrapping key.
 * Algorithm and public key stand beside the secret and are authenticated with it.
 */
import {
  bytes,
  type Codec,
  decode,
  encode,
  Fault,
  field,
  oneOf,
  optional,
  record,
  TAGS,
  tagged,
  wipe,
} from '@quorate/base'
import type { KeyAlgorithm } from '../provider.ts'
import { openGcm, sealGcm } from './gcm.ts'

type Content = {
  readonly algorithm: KeyAlgorithm
  readonly publicKey?: Uint8Array | undefined
}
const contentFields = {
  algorithm: field(1, oneOf('ed25519', 'p256', 'secp256k1', 'aes-256', 'hmac-sha256')),
  publicKey: optional(2, bytes({ min: 32, max: 33 })),
} as const
const content: Codec<Content> = record(contentFields)
type Wrapped = Content & {
  readonly v: 1
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
}
const wrapped: Codec<Wrapped> = record({
  v: field(0, oneOf(1)),
  ...contentFields,
  iv: field(3, bytes(12)),
  ciphertext: field(4, bytes(48)),
})
const MAX_WRAPPED_BYTES = 512

const context = ({ algorithm, publicKey }: Content): Uint8Array =>
  tagged(TAGS.hsmWrapped, encode(content, { algorithm, publicKey }))

/** Treats `wrapping` (32 bytes) and the secret of `key` as secret. */
export function wrapStored(
  wrapping: Uint8Array,
  { algorithm, publicKey, secret }: Content & { readonly secret: Uint8Array },
): Uint8Array {
  const sealed = sealGcm(wrapping, secret, context({ algorithm, publicKey }))
  return encode(wrapped, { v: 1, algorithm, publicKey, ...sealed })
}

/** The key in `wrappedKey`; wipe its secret. Treats `wrapping` as secret. @throws hsm/cannot-open */
export function unwrapStored(
  wrapping: Uint8Array,
  wrappedKey: Uint8Array,
): Content & { readonly secret: Uint8Array } {
  const { algorithm, publicKey, iv, ciphertext } = parse(wrappedKey)
  const secret = openGcm(wrapping, iv, ciphertext, context({ algorithm, publicKey }))
  if (secret === undefined) throw new Fault('hsm/cannot-open')
  if (secret.length === 32) return { algorithm, publicKey, secret }
  wipe(secret)
  throw new Fault('hsm/cannot-open')
}

function parse(wrappedKey: Uint8Array): Wrapped {
  try {
    return decode(wrapped, wrappedKey, { maxBytes: MAX_WRAPPED_BYTES })
  } catch (cause) {
    throw new Fault('hsm/cannot-open', { cause })
  }
}
