/**
 * Keys of one link: X25519 of two ephemeral keys, one for each direction out of it by HKDF. Who holds
 * the ephemeral keys, the two greetings say, which are bound to the hash that stands here.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import { concatBytes, TAGS, taggedHash, utf8, wipe } from '@quorate/base'

export type EphemeralKey = {
  /** X25519, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly privateKey: KeyObject
}

export type LinkKeys = {
  /** 32 bytes for the greetings; its beginning names the link. */
  readonly channel: Uint8Array
  readonly sending: LinkCipher
  readonly receiving: LinkCipher
}

export type Ends = {
  readonly dialler: number
  readonly listener: number
  /** The ephemeral public keys. */
  readonly key: Uint8Array
  readonly offer: Uint8Array
}

const SPKI_X25519 = Uint8Array.from(Buffer.from('302a300506032b656e032100', 'hex'))
const CIPHER = 'aes-256-gcm'
const MAC_BYTES = 16

export function makeEphemeralKey(): EphemeralKey {
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  const der = publicKey.export({ format: 'der', type: 'spki' })
  return { publicKey: new Uint8Array(der.subarray(-32)), privateKey }
}

/** What both greetings of a link are bound to: who meets whom with which keys. 32 bytes. */
export const channelOf = ({ dialler, listener, key, offer }: Ends): Uint8Array =>
  taggedHash(TAGS.busLink, Uint8Array.of(dialler, listener), key, offer)

/** The keys of a link as `role` uses them. Throws for a public key of small order. */
export function linkKeys(own: EphemeralKey, role: 'dialler' | 'listener', ends: Ends): LinkKeys {
  const channel = channelOf(ends)
  const theirs = role === 'dialler' ? ends.offer : ends.key
  // OpenSSL refuses an all-zero result (RFC 7748 §6.1).
  const secret = diffieHellman({
    privateKey: own.privateKey,
    publicKey: createPublicKey({
      key: Buffer.concat([SPKI_X25519, theirs]),
      format: 'der',
      type: 'spki',
    }),
  })
  const cipher = (of: 'dialler' | 'listener'): LinkCipher => {
    const info = concatBytes(utf8(TAGS.busKey), utf8(of))
    return new LinkCipher(new Uint8Array(hkdfSync('sha256', secret, channel, info, 32)))
  }
  const keys = { dialler: cipher('dialler'), listener: cipher('listener') }
  wipe(secret)
  return {
    channel,
    sending: keys[role],
    receiving: keys[role === 'dialler' ? 'listener' : 'dialler'],
  }
}

/** AES-256-GCM with the packet's number as nonce. */
export class LinkCipher {
  readonly #key: Uint8Array

  constructor(key: Uint8Array) {
    this.#key = key
  }

  seal(number: number, plaintext: Uint8Array): Uint8Array {
    const cipher = createCipheriv(CIPHER, this.#key, nonceOf(number))
    const sealed = cipher.update(plaintext)
    return concatBytes(sealed, cipher.final(), cipher.getAuthTag())
  }

  /** The plaintext, or nothing where the box is not of this link, direction and number. */
  open(number: number, box: Uint8Array): Uint8Array | undefined {
    if (box.length < MAC_BYTES) return undefined
    const decipher = createDecipheriv(CIPHER, this.#key, nonceOf(number), {
      authTagLength: MAC_BYTES,
    })
    decipher.setAuthTag(box.subarray(-MAC_BYTES))
    const plaintext = decipher.update(box.subarray(0, -MAC_BYTES))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    return new Uint8Array(plaintext)
  }

  /** Forgets the key. */
  wipe(): void {
    wipe(this.#key)
  }
}

function nonceOf(number: number): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setBigUint64(4, BigInt(number))
  return nonce
}
