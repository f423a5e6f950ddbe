/** Keys of the SIMULATED services, and what real services compute with them. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'

export type Curve = 'p256' | 'secp256k1' | 'ed25519'
export type Kind = Curve | 'secret'

export class SimulatedKey {
  readonly kind: Kind
  readonly #secret: Uint8Array
  readonly #private: KeyObject | undefined

  constructor(kind: Kind) {
    this.kind = kind
    if (kind === 'secret') {
      this.#secret = randomBytes(32)
      return
    }
    const { privateKey } =
      kind === 'ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: kind === 'p256' ? 'prime256v1' : 'secp256k1' })
    this.#private = privateKey
    this.#secret = Buffer.from(String(privateKey.export({ format: 'jwk' }).d), 'base64url')
  }

  get spki(): Buffer {
    return this.#publicKey().export({ format: 'der', type: 'spki' })
  }

  get pem(): string {
    return String(this.#publicKey().export({ format: 'pem', type: 'spki' }))
  }

  get jwk(): { readonly x?: string | undefined; readonly y?: string | undefined } {
    const { x, y } = this.#publicKey().export({ format: 'jwk' })
    return { x, y }
  }

  /** Over a digest; s is in whichever half it falls. */
  signDigest(digest: Uint8Array, format: 'der' | 'compact'): Uint8Array {
    const curve = this.kind === 'p256' ? p256 : secp256k1
    return curve.sign(digest, this.#secret, {
      prehash: false,
      lowS: false,
      format,
      extraEntropy: true,
    })
  }

  signMessage(message: Uint8Array): Uint8Array {
    if (this.#private === undefined) throw new Error('a secret key')
    return sign(null, message, this.#private)
  }

  hmac(message: Uint8Array): Buffer {
    return createHmac('sha256', this.#secret).update(message).digest()
  }

  seal(plaintext: Uint8Array, aad: Uint8Array): { iv: Buffer; ciphertext: Buffer; tag: Buffer } {
    const iv = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#secret, iv).setAAD(aad)
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
    return { iv, ciphertext, tag: cipher.getAuthTag() }
  }

  /** The plaintext, or `undefined`. */
  open(
    iv: Uint8Array,
    ciphertext: Uint8Array,
    tag: Uint8Array,
    aad: Uint8Array,
  ): Buffer | undefined {
    try {
      const cipher = createDecipheriv('aes-256-gcm', this.#secret, iv, { authTagLength: 16 })
      cipher.setAAD(aad).setAuthTag(tag)
      return Buffer.concat([cipher.update(ciphertext), cipher.final()])
    } catch {
      return undefined
    }
  }

  #publicKey(): KeyObject {
    if (this.#private === undefined) throw new Error('a secret key')
    return createPublicKey(createPrivateKey(this.#private.export({ format: 'pem', type: 'pkcs8' })))
  }
}
