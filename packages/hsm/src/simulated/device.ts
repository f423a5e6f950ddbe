/**
 * The device key of a simulated HSM and what is sealed under it.
 *
 * The device key stands in one file beside the objects, so this protects single files, their
 * integrity and their place, and nothing against whoever reads the whole directory.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import {
  bool,
  bytes,
  type Codec,
  concatBytes,
  decode,
  encode,
  field,
  int,
  oneOf,
  optional,
  record,
  TAGS,
  type Tag,
  tagged,
  text,
  utf8,
  wipe,
} from '@quorate/base'
import { ed25519PublicKey, signEd25519 } from '../ed25519.ts'
import { DeviceFault } from '../errors.ts'
import type { KeyAlgorithm } from '../provider.ts'
import type { PrivateDirectory } from './directory.ts'

const DEVICE_FILE = 'device.key'

/** Whether a file of that name holds a key; the name is its id. */
export const isKeyFile = (name: string): boolean => /^([0-9a-f]{2}){1,32}\.key$/.test(name)

const IV_BYTES = 12
const TAG_BYTES = 16

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

/** A key at rest. */
export type StoredKey = {
  readonly v: 1
  readonly label: string
  readonly algorithm: KeyAlgorithm
  readonly createdAt: number
  readonly publicKey?: Uint8Array | undefined
  /** Seed, scalar or symmetric key, 32 bytes. */
  readonly secret: Uint8Array
}
const storedKey: Codec<StoredKey> = record({
  v: field(0, oneOf(1)),
  label: field(1, text(128)),
  algorithm: field(2, oneOf('ed25519', 'p256', 'secp256k1', 'aes-256', 'hmac-sha256')),
  createdAt: field(3, int()),
  publicKey: optional(4, bytes({ min: 32, max: 33 })),
  secret: field(5, bytes(32)),
})

/** AES-256-GCM under a random IV of 12 bytes, so for at most 2^32 seals under one key. Treats `key` and `plaintext` as secret. */
export function sealGcm(
  key: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): { iv: Uint8Array; ciphertext: Uint8Array } {
  const iv = new Uint8Array(randomBytes(IV_BYTES))
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(aad)
  const body = cipher.update(plaintext)
  return { iv, ciphertext: concatBytes(body, cipher.final(), cipher.getAuthTag()) }
}

/** The plaintext, or `undefined` where key, IV, ciphertext and AAD do not belong together. */
export function openGcm(
  key: Uint8Array,
  iv: Uint8Array,
  ciphertext: Uint8Array,
  aad: Uint8Array,
): Uint8Array | undefined {
  if (iv.length !== IV_BYTES || ciphertext.length < TAG_BYTES) return undefined
  const end = ciphertext.length - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
  decipher.setAAD(aad)
  decipher.setAuthTag(ciphertext.subarray(end))
  const body = decipher.update(ciphertext.subarray(0, end))
  try {
    return concatBytes(body, decipher.final())
  } catch {
    return undefined
  } finally {
    body.fill(0)
  }
}

export class Device {
  readonly #state: DeviceState

  private constructor(state: DeviceState) {
    this.#state = state
  }

  /** Makes the device key where the directory is empty. @throws hsm/object-damaged where keys are there without it */
  static async initialise(directory: PrivateDirectory): Promise<void> {
    if ((await directory.read(DEVICE_FILE)) !== undefined) return
    // Another process may be making it at this moment, so look again after seeing keys.
    if (
      (await directory.names()).some(isKeyFile) &&
      (await directory.read(DEVICE_FILE)) === undefined
    )
      throw new DeviceFault('hsm/object-damaged', { detail: 'the device key is missing' })
    const state = {
      v: 1,
      id: new Uint8Array(randomBytes(16)),
      key: new Uint8Array(randomBytes(32)),
      isCompromised: false,
    } as const
    const encoded = encode(deviceState, state)
    await directory.create(DEVICE_FILE, encoded)
    wipe(encoded, state.key)
  }

  /** The device as it is on disk now; dispose of it after use. @throws hsm/object-damaged, hsm/loose-permissions */
  static async read(directory: PrivateDirectory): Promise<Device> {
    const encoded = await directory.read(DEVICE_FILE)
    if (encoded === undefined)
      throw new DeviceFault('hsm/object-damaged', { detail: 'the device key is missing' })
    await directory.checkPrivate(DEVICE_FILE)
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

  /** The file content that holds `key` under the name `name`. */
  seal(name: string, key: StoredKey): Uint8Array {
    const plaintext = encode(storedKey, key)
    const sealingKey = this.#derive(TAGS.hsmDeviceKey)
    try {
      const { iv, ciphertext } = sealGcm(sealingKey, plaintext, this.#context(name))
      return concatBytes(iv, ciphertext)
    } finally {
      wipe(plaintext, sealingKey)
    }
  }

  /** The key in a file; wipe its secret after use. @throws hsm/object-damaged */
  open(name: string, content: Uint8Array): StoredKey {
    const sealingKey = this.#derive(TAGS.hsmDeviceKey)
    const plaintext = openGcm(
      sealingKey,
      content.subarray(0, IV_BYTES),
      content.subarray(IV_BYTES),
      this.#context(name),
    )
    wipe(sealingKey)
    if (plaintext === undefined)
      throw new DeviceFault('hsm/object-damaged', { detail: `file ${name}` })
    try {
      return decode(storedKey, plaintext, { maxBytes: 1024 })
    } finally {
      wipe(plaintext)
    }
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

  #withAttestationSeed<T>(use: (seed: Uint8Array) => T): T {
    const seed = this.#derive(TAGS.hsmAttestation)
    try {
      return use(seed)
    } finally {
      wipe(seed)
    }
  }

  #derive(purpose: Tag): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#state.key, this.#state.id, utf8(purpose), 32))
  }

  /** The name is authenticated, and the key is the device's own: a file counts only where it was written. */
  #context(name: string): Uint8Array {
    return tagged(TAGS.hsmObject, utf8(name))
  }
}
