/** Keys of a provider behind the ports that the rest of the product knows: `Sealer` and `Signer`. */
import {
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  mapped,
  oneOf,
  record,
  type Sealer,
  type Signer,
  TAGS,
  tagged,
  text,
} from '@quorate/base'
import { verifyEd25519 } from './ed25519.ts'
import { type HsmProvider, type KeyId, parseKeyId } from './provider.ts'

type Sealed = {
  readonly v: 1
  readonly key: KeyId
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
}
/** What one seal may hold. */
const MAX_PLAINTEXT = 1 << 24
const sealed: Codec<Sealed> = record({
  v: field(0, oneOf(1)),
  key: field(1, mapped(text(64), parseKeyId, parseKeyId)),
  iv: field(2, bytes({ min: 12, max: 512 })),
  ciphertext: field(3, bytes({ min: 16, max: MAX_PLAINTEXT + 16 })),
})

const unreadable = (): Fault => new Fault('hsm/cannot-open')

/**
 * Seals under the AES key `id`, with the context as associated data. Opening fails with
 * hsm/cannot-open for a wrong key, context or ciphertext alike; faults of the device stay themselves.
 */
export function hsmSealer(provider: HsmProvider, id: KeyId): Sealer {
  const aad = (context: Uint8Array): Uint8Array => tagged(TAGS.hsmSeal, context)
  return {
    async seal(plaintext, context) {
      const encrypted = await provider.encrypt(id, plaintext, aad(context))
      return encode(sealed, { v: 1, key: id, ...encrypted })
    },
    async open(content, context) {
      const { key, iv, ciphertext } = parse(content)
      if (key !== id) throw unreadable()
      return provider.decrypt(id, { iv, ciphertext }, aad(context))
    },
  }
}

function parse(content: Uint8Array): Sealed {
  try {
    return decode(sealed, content, { maxBytes: MAX_PLAINTEXT + 256 })
  } catch {
    throw unreadable()
  }
}

/**
 * Signs with the Ed25519 key `id`, whose public key is pinned now: `expected` where the caller
 * knows it, else what the device says. Every signature is verified under it before it is given
 * out, so neither a replaced key nor a faulty computation leaves.
 * @throws hsm/key-changed, hsm/bad-argument for a key of another algorithm, hsm/key-not-found
 */
export async function hsmSigner(
  provider: HsmProvider,
  id: KeyId,
  expected?: Uint8Array,
): Promise<Signer> {
  const { algorithm, publicKey } = await provider.find({ id })
  if (algorithm !== 'ed25519' || publicKey === undefined)
    throw new Fault('hsm/bad-argument', { detail: 'an Ed25519 key is needed' })
  if (expected !== undefined && !equalBytes(publicKey, expected)) throw new Fault('hsm/key-changed')
  return {
    scheme: 'ed25519',
    publicKey,
    async sign(message) {
      const signature = await provider.sign(id, { message })
      if (!verifyEd25519(publicKey, message, signature)) throw new Fault('hsm/key-changed')
      return signature
    },
  }
}
