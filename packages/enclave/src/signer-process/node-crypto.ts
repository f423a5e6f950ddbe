/** Ed25519 and X25519 through Node's OpenSSL, for envelopes and every signed document. */
import {
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import type { VerifySignature } from '@quorate/api'
import { concatBytes, fromHex, type Random, type Signer } from '@quorate/base'
import { isVouchedFor } from '@quorate/math'
import { hastenEd25519 } from '@quorate/math/native'
import type { EnvelopeCrypto } from '@quorate/threshold'

const SPKI = {
  ed25519: fromHex('302a300506032b6570032100'),
  x25519: fromHex('302a300506032b656e032100'),
} as const

const publicKeyOf = (kind: keyof typeof SPKI, raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.from(concatBytes(SPKI[kind], raw)), format: 'der', type: 'spki' })

const rawOf = (key: KeyObject): Uint8Array =>
  new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(-32))

/** Keys that verified lately: parsing one costs as much as using it. */
const parsed = new Map<string, KeyObject>()
const MAX_PARSED = 256

/** Has the fastest backend that can be loaded verify signatures in this process from now on; the same ones hold. */
export async function hastenVerification(backend: 'fastest' | 'noble'): Promise<void> {
  if (backend === 'fastest') await hastenEd25519()
}

/** Whether `signature` is one of RFC 8032. Never throws. */
export const verifyEd25519: VerifySignature = (publicKey, message, signature) => {
  try {
    if (isVouchedFor(publicKey, message, signature)) return true
    const name = Buffer.from(publicKey).toString('latin1')
    let key = parsed.get(name)
    if (key === undefined) {
      key = publicKeyOf('ed25519', publicKey)
      if (parsed.size >= MAX_PARSED) parsed.clear()
      parsed.set(name, key)
    }
    return signature.length === 64 && verify(null, message, key, signature)
  } catch {
    return false
  }
}

/** The keys of one epoch. They exist in this process's memory alone and are dropped with it. */
export class EpochKeys {
  /** 16 bytes, drawn with the keys. */
  readonly epoch: Uint8Array
  /** Ed25519, 32 bytes. */
  readonly envelopeKey: Uint8Array
  /** X25519, 32 bytes. */
  readonly sealingKey: Uint8Array
  readonly crypto: EnvelopeCrypto
  /** Signs receipts and greetings. */
  readonly signer: Signer

  constructor(random: Random) {
    const envelope = generateKeyPairSync('ed25519')
    const sealing = generateKeyPairSync('x25519')
    this.epoch = random.bytes(16)
    this.envelopeKey = rawOf(envelope.publicKey)
    this.sealingKey = rawOf(sealing.publicKey)
    const signBytes = (message: Uint8Array): Uint8Array =>
      new Uint8Array(sign(null, message, envelope.privateKey))
    this.signer = {
      scheme: 'ed25519',
      publicKey: this.envelopeKey,
      sign: (message) => Promise.resolve(signBytes(message)),
    }
    this.crypto = {
      verify: verifyEd25519,
      sign: signBytes,
      // OpenSSL refuses an all-zero shared secret (RFC 7748, section 6.1), hence every low-order key.
      encapsulate(prekey) {
        const fresh = generateKeyPairSync('x25519')
        const shared = diffieHellman({
          privateKey: fresh.privateKey,
          publicKey: publicKeyOf('x25519', prekey),
        })
        return { ephemeral: rawOf(fresh.publicKey), shared: new Uint8Array(shared) }
      },
      decapsulate: (ephemeral) =>
        new Uint8Array(
          diffieHellman({
            privateKey: sealing.privateKey,
            publicKey: publicKeyOf('x25519', ephemeral),
          }),
        ),
    }
  }
}
