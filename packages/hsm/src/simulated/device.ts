/**
 * The device key of a simulated HSM and what is sealed under it.
 *
 * The device key stands in one file beside the objects, so this protects single files, their
 * integrity and their place, and nothing against whoever reads the whole directory.
 */
import { hkdfSync, randomBytes } from 'node:crypto'
import {
  bool,
  bytes,
  type Codec,
  decode,
  encode,
  field,
  oneOf,
  record,
  TAGS,
  type Tag,
  utf8,
  wipe,
} from '@quorate/base'
import { ed25519PublicKey, signEd25519 } from '../ed25519.ts'
import { DeviceFault } from '../errors.ts'
import type { PrivateDirectory } from '../keyfiles/directory.ts'
import type { KeySealing } from '../keyfiles/provider.ts'
import { ensureRootFile, readRootFile } from '../keyfiles/root-file.ts'
import { openKeyFile, type StoredKey, sealKeyFile } from '../keyfiles/stored-key.ts'

const DEVICE_FILE = 'device.key'

type DeviceState = {
  readonly v: 1
  readonly id: Uint8Array
  readonly key: Uint8Array
  readonly isCompromised: boolean
}
const deviceState: Codec<DeviceState> = record({
  v: field(0, oneOf(1)),
  id: field(1, bytes(16)),
  key: field(2, bytes(32)),
  isCompromised: field(3, bool),
})

export class Device implements KeySealing {
  readonly #state: DeviceState

  private constructor(state: DeviceState) {
    this.#state = state
  }

  /** Makes the device key where the directory is empty. @throws hsm/object-damaged where keys are there without it */
  static initialise(directory: PrivateDirectory): Promise<void> {
    return ensureRootFile(directory, DEVICE_FILE, () => {
      const state = {
        v: 1,
        id: new Uint8Array(randomBytes(16)),
        key: new Uint8Array(randomBytes(32)),
        isCompromised: false,
      } as const
      const encoded = encode(deviceState, state)
      wipe(state.key)
      return encoded
    })
  }

  /** The device as it is on disk now; dispose of it after use. @throws hsm/object-damaged, hsm/loose-permissions */
  static async read(directory: PrivateDirectory): Promise<Device> {
    const encoded = await readRootFile(directory, DEVICE_FILE)
    try {
      return new Device(decode(deviceState, encoded, { maxBytes: 256 }))
    } catch (error) {
      throw new DeviceFault('hsm/object-damaged', { detail: 'the device key', cause: error })
    } finally {
      wipe(encoded)
    }
  }

  get id(): Uint8Array {
    return this.#state.id
  }

  get isCompromised(): boolean {
    return this.#state.isCompromised
  }

  /** Writes down that the device was compromised, for every process that uses it, for good. */
  async markCompromised(directory: PrivateDirectory): Promise<void> {
    const encoded = encode(deviceState, { ...this.#state, isCompromised: true })
    await directory.replace(DEVICE_FILE, encoded)
    wipe(encoded)
  }

  seal(name: string, key: StoredKey): Uint8Array {
    return this.#withSealingKey((sealingKey) => sealKeyFile(sealingKey, name, key))
  }

  open(name: string, content: Uint8Array): StoredKey {
    return this.#withSealingKey((sealingKey) => openKeyFile(sealingKey, name, content))
  }

  /** Ed25519 key that signs attestations, 32 bytes. */
  get attestationRoot(): Uint8Array {
    return this.#withAttestationSeed(ed25519PublicKey)
  }

  signAttestation(message: Uint8Array): Uint8Array {
    return this.#withAttestationSeed((seed) => signEd25519(seed, message))
  }

  [Symbol.dispose](): void {
    wipe(this.#state.key)
  }

  #withSealingKey<T>(use: (key: Uint8Array) => T): T {
    return this.#withDerived(TAGS.hsmDeviceKey, use)
  }

  #withAttestationSeed<T>(use: (seed: Uint8Array) => T): T {
    return this.#withDerived(TAGS.hsmAttestation, use)
  }

  #withDerived<T>(purpose: Tag, use: (key: Uint8Array) => T): T {
    const { key, id } = this.#state
    const derived = new Uint8Array(hkdfSync('sha256', key, id, utf8(purpose), 32))
    try {
      return use(derived)
    } finally {
      wipe(derived)
    }
  }
}
