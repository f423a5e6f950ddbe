/**
 * The keys that this process has met. One keeps its public key for as long as the process lives, whatever the
 * service says of it later, also after it said that there is none: only destroying it here ends that.
 */
import { bug, equalBytes, Fault } from '@quorate/base'
import { PublicKey } from '../host/signatures.ts'
import type { KeyId } from '../provider.ts'
import type { CloudKey } from './service.ts'

export type Known<Ref> = {
  readonly key: CloudKey<Ref>
  /** Absent for secret keys. */
  readonly publicKey: PublicKey | undefined
}

const NONE = new Uint8Array()

export class Pins<Ref> {
  readonly #known = new Map<KeyId, Known<Ref>>()

  get(id: KeyId): Known<Ref> | undefined {
    return this.#known.get(id)
  }

  /** Pins a key that was not met before. @throws hsm/key-changed */
  meet(key: CloudKey<Ref>): Known<Ref> {
    const before = this.#known.get(key.id)
    if (before !== undefined) {
      if (!isSame(before.key, key)) throw new Fault('hsm/key-changed')
      return before
    }
    const { algorithm, publicKey } = key
    const known: Known<Ref> = {
      key,
      publicKey:
        algorithm === 'aes-256' || algorithm === 'hmac-sha256'
          ? undefined
          : new PublicKey(algorithm, publicKey ?? bug('a signing key without public key')),
    }
    this.#known.set(key.id, known)
    return known
  }

  forget(id: KeyId): void {
    this.#known.delete(id)
  }
}

const isSame = (a: CloudKey<unknown>, b: CloudKey<unknown>): boolean =>
  a.algorithm === b.algorithm && equalBytes(a.publicKey ?? NONE, b.publicKey ?? NONE)
