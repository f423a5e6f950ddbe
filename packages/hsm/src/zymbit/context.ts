/** One context of the library, and its calls about keys and data in terms of JavaScript. */
import { fromUtf8 } from '@quorate/base'
import type { EcdsaAlgorithm } from '../ecdsa.ts'
import { DeviceFault } from '../errors.ts'
import { type FunctionName, KEY_TYPES, ZymbitLibrary } from './library.ts'

/** ZK_KDF_RFC5869_SHA256. */
const HKDF_SHA256 = 0

export type SlotList = {
  /** Size of the store. */
  readonly capacity: number
  readonly slots: readonly number[]
}

/** Throws ZymbitError for whatever the library refuses. */
export class ZymbitContext {
  readonly library: ZymbitLibrary
  readonly #context: number
  #isOpen = true

  /** @throws hsm/library-missing, ZymbitError */
  constructor(path: string) {
    this.library = new ZymbitLibrary(path)
    this.#context = this.scope((library) => {
      const out = library.out()
      library.call('zkOpen', out)
      return Number(library.arena.readUlong(out))
    })
  }

  /** What `use` gives; what it put into native memory is zeroed afterwards. */
  scope<T>(use: (library: ZymbitLibrary) => T): T {
    return this.library.arena.scope(() => use(this.library))
  }

  /** From zero up. @throws ZymbitError */
  call(name: FunctionName, ...args: readonly (number | boolean)[]): number {
    return this.library.call(name, this.#context, ...args)
  }

  /** Below zero too. */
  ask(name: FunctionName, ...args: readonly (number | boolean)[]): number {
    return this.library.ask(name, this.#context, ...args)
  }

  random(length: number): Uint8Array {
    return this.scope((library) => {
      const out = library.out()
      this.call('zkGetRandBytes', out, length)
      return library.takeBytes(out, length)
    })
  }

  /** The slot of a new key. */
  generateKeyPair(algorithm: EcdsaAlgorithm): number {
    return this.call('zkGenKeyPair', KEY_TYPES[algorithm])
  }

  removeKey(slot: number): void {
    this.call('zkRemoveKey', slot, false)
  }

  /** As the library writes it: x ‖ y of a point, with or without a prefix. */
  exportPublicKey(slot: number): Uint8Array {
    return this.scope((library) => {
      const [out, size] = [library.out(), library.out()]
      this.call('zkExportPubKey', out, size, slot, false)
      return library.takeBytes(out, library.readInt(size))
    })
  }

  slots(): SlotList {
    return this.scope((library) => {
      const [capacity, list, count] = [library.out(), library.out(), library.out()]
      this.call('zkGetAllocSlotsList', false, capacity, list, count)
      const length = library.readInt(count)
      const bytes = length === 0 ? new Uint8Array() : library.takeBytes(list, 4 * length)
      library.drop(list)
      const slots = new Int32Array(bytes.buffer, bytes.byteOffset, length)
      return { capacity: library.readInt(capacity), slots: [...slots] }
    })
  }

  /** r ‖ s with s in either half. `digest`: 32 bytes. */
  signDigest(slot: number, digest: Uint8Array): Uint8Array {
    return this.scope((library) => {
      const [out, size] = [library.out(), library.out()]
      this.call('zkGenECDSASigFromDigest', library.arena.put(digest), slot, out, size)
      return library.takeBytes(out, library.readInt(size))
    })
  }

  /**
   * HKDF-SHA-256 over the x of the key's multiple of `peer`, a point as the library exports it. `salt` and
   * `info`: 1 to 128 bytes.
   */
  deriveSecret(
    slot: number,
    peer: Uint8Array,
    { salt, info, length }: { salt: Uint8Array; info: Uint8Array; length: number },
  ): Uint8Array {
    return this.scope((library) => {
      const { arena } = library
      const [at, saltAt, infoAt] = [arena.put(peer), arena.put(salt), arena.put(info)]
      const out = library.out()
      this.call(
        'zkDoECDHAndKDF',
        HKDF_SHA256,
        slot,
        at,
        peer.length,
        saltAt,
        salt.length,
        infoAt,
        info.length,
        0,
        length,
        out,
      )
      return library.takeBytes(out, length)
    })
  }

  /** Sealed by the device for this machine alone. */
  lock(plaintext: Uint8Array): Uint8Array {
    return this.#transform('zkLockDataB2B', plaintext)
  }

  unlock(locked: Uint8Array): Uint8Array {
    return this.#transform('zkUnlockDataB2B', locked)
  }

  text(name: FunctionName): string {
    return this.scope((library) => {
      const out = library.out()
      this.call(name, out)
      return this.readText(out)
    })
  }

  /** The text at `out`, which is no secret. */
  readText(out: number): string {
    const text = fromUtf8(this.library.takeText(out))
    if (text !== undefined) return text
    throw new DeviceFault('hsm/wrong-result', { detail: 'a text that is not UTF-8' })
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.ask('zkClose')
    this.library.arena.free()
  }

  #transform(name: 'zkLockDataB2B' | 'zkUnlockDataB2B', input: Uint8Array): Uint8Array {
    return this.scope((library) => {
      const [out, size] = [library.out(), library.out()]
      const at = library.arena.put(input)
      this.call(name, at, input.length, out, size, false)
      const length = library.readInt(size)
      if (length > 0) return library.takeBytes(out, length)
      library.drop(out)
      return new Uint8Array()
    })
  }
}
