/** Which key stands behind each id, once that is known. */
import { equalBytes, Fault } from '@quorate/base'
import type { PinnedKey } from '../device.ts'
import type { KeyAlgorithm, KeyId, SigningAlgorithm } from '../provider.ts'
import { PublicKey } from './signatures.ts'

export type Pin = {
  /** What goes to the device with every use. */
  readonly key: PinnedKey
  /** Absent for secret keys. */
  readonly publicKey: PublicKey | undefined
}

const PUBLIC_KEY_BYTES: { readonly [A in KeyAlgorithm]: number | undefined } = {
  ed25519: 32,
  p256: 33,
  secp256k1: 33,
  'aes-256': undefined,
  'hmac-sha256': undefined,
}

export class Pins {
  readonly #pins = new Map<KeyId, Pin>()

  constructor(known: readonly PinnedKey[]) {
    for (const key of known) this.add(key)
  }

  get(id: KeyId): Pin | undefined {
    return this.#pins.get(id)
  }

  /** `key` itself. @throws hsm/key-changed where another key has that id, hsm/bad-argument for a public key of a wrong form */
  add<Key extends PinnedKey>(key: Key): Key {
    const known = this.#pins.get(key.id)
    if (known === undefined) this.#pins.set(key.id, pinOf(key))
    else if (!isSame(known.key, key)) throw new Fault('hsm/key-changed')
    return key
  }

  forget(id: KeyId): void {
    this.#pins.delete(id)
  }
}

function pinOf({ id, algorithm, publicKey }: PinnedKey): Pin {
  if (publicKey?.length !== PUBLIC_KEY_BYTES[algorithm])
    throw new Fault('hsm/bad-argument', { detail: 'a public key of another length' })
  if (publicKey === undefined) return { key: { id, algorithm }, publicKey }
  const bytes = publicKey.slice()
  return {
    key: { id, algorithm, publicKey: bytes },
    publicKey: new PublicKey(algorithm as SigningAlgorithm, bytes),
  }
}

const isSame = (a: PinnedKey, b: PinnedKey): boolean =>
  a.algorithm === b.algorithm &&
  (a.publicKey === undefined || b.publicKey === undefined
    ? a.publicKey === b.publicKey
    : equalBytes(a.publicKey, b.publicKey))
