/** Shaped like an `HsmProvider`, as far as signing goes: hashes nothing but SHA-256, knows no network. */

import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { Scheme } from '@quorate/api'
import type { HsmSignInput } from '@quorate/sdk'

type KeyId = string & { readonly __brand: 'KeyId' }
type Info = { readonly algorithm: 'ed25519' | 'p256' | 'secp256k1'; readonly publicKey: Uint8Array }

export class FakeHsm {
  readonly #keys = new Map<KeyId, Info & { readonly secret: Uint8Array }>()
  /** What it was asked to sign. */
  readonly inputs: HsmSignInput[] = []

  add(scheme: Scheme | 'p256', secret: Uint8Array): KeyId {
    const id = `0${this.#keys.size}` as KeyId
    this.#keys.set(id, {
      secret,
      ...(scheme === 'ed25519'
        ? { algorithm: 'ed25519', publicKey: ed25519.getPublicKey(secret) }
        : {
            algorithm: scheme === 'p256' ? 'p256' : 'secp256k1',
            publicKey: secp256k1.getPublicKey(secret, true),
          }),
    })
    return id
  }

  find({ id }: { readonly id?: KeyId }): Promise<Info> {
    return Promise.resolve(this.#keys.get(id!)!)
  }

  sign(id: KeyId, input: HsmSignInput): Promise<Uint8Array> {
    this.inputs.push(input)
    const { algorithm, secret } = this.#keys.get(id)!
    if (algorithm === 'ed25519') {
      if ('digest' in input) throw new Error('Ed25519 keys take messages only')
      return Promise.resolve(ed25519.sign(input.message, secret))
    }
    const isDigest = 'digest' in input
    return Promise.resolve(
      secp256k1.sign(isDigest ? input.digest : input.message, secret, { prehash: !isDigest }),
    )
  }
}
