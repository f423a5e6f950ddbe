/**
 * A simulated HSM for development: the full interface in this process, keys sealed on disk.
 * It protects nothing against whoever reads its directory, and says so wherever it is shown.
 *
 * Nothing is kept in memory between operations: each reads the device key and the one object it
 * needs, and wipes both. So several processes may use one directory, and a compromise that one
 * of them marks stops all. Putting back an older copy of the directory is not noticed.
 */
import { randomBytes } from 'node:crypto'
import { bug, type Clock, Fault, isFault, toHex, wipe } from '@quorate/base'
import { DeviceFault } from '../errors.ts'
import {
  type Attestation,
  type Attester,
  type Encrypted,
  type HsmProvider,
  type KeyAlgorithm,
  type KeyId,
  type KeyInfo,
  type KeyQuery,
  type KeyRequest,
  type ProviderHealth,
  type ProviderInfo,
  parseKeyId,
  type SignInput,
  type SigningAlgorithm,
} from '../provider.ts'
import { GENERATE, hmacSha256, SIGNING } from './algorithms.ts'
import { attestSimulated } from './attestation.ts'
import { Device, isKeyFile, openGcm, type StoredKey, sealGcm } from './device.ts'
import { PrivateDirectory } from './directory.ts'

const SUFFIX = '.key'
const MAX_LOG = 1000

/** One line of the operation log. It names keys, never what was done with them. */
export type LoggedOperation = {
  readonly time: number
  readonly operation: string
  readonly key: KeyId | undefined
  /** `ok` or an error code. */
  readonly outcome: string
}

export class SimulatedHsm implements HsmProvider, Attester {
  readonly #directory: PrivateDirectory
  readonly #clock: Clock
  readonly #log: LoggedOperation[] = []
  #isClosed = false

  private constructor(directory: PrivateDirectory, clock: Clock) {
    this.#directory = directory
    this.#clock = clock
  }

  /** The device in the directory at `path`, made where that is missing or empty. @throws platform/directory-mode, hsm/loose-permissions, hsm/object-damaged, hsm/unavailable */
  static async open(path: string, clock: Clock): Promise<SimulatedHsm> {
    const directory = await PrivateDirectory.open(path)
    await Device.initialise(directory)
    const device = await Device.read(directory)
    device[Symbol.dispose]()
    return new SimulatedHsm(directory, clock)
  }

  /** The last thousand operations, oldest first. */
  operations(): readonly LoggedOperation[] {
    return [...this.#log]
  }

  /** From now on every operation of this device fails, in every process and after every restart. */
  async simulateCompromise(): Promise<void> {
    const device = await Device.read(this.#directory)
    try {
      await device.markCompromised(this.#directory)
    } finally {
      device[Symbol.dispose]()
    }
  }

  /** The public key (32 bytes) under which `verifySimulatedAttestation` accepts this device. */
  attestationRoot(): Promise<Uint8Array> {
    return this.#run('attestationRoot', undefined, (device) => device.attestationRoot)
  }

  info(): Promise<ProviderInfo> {
    return this.#run('info', undefined, (device) => ({
      type: 'simulated',
      name: 'SIMULATED HSM (protects nothing, for development only)',
      serial: toHex(device.id),
      algorithms: Object.keys(GENERATE) as KeyAlgorithm[],
    }))
  }

  async health(): Promise<ProviderHealth> {
    try {
      await this.#run('health', undefined, () => undefined)
      return { state: 'ok' }
    } catch (error) {
      return { state: 'failed', reason: isFault(error) ? error.code : 'hsm/unavailable' }
    }
  }

  generateKey({
    label,
    algorithm,
    id = parseKeyId(randomBytes(16).toString('hex')),
  }: KeyRequest): Promise<KeyInfo> {
    return this.#run('generateKey', id, async (device) => {
      if (label.length === 0 || label.length > 128)
        throw new Fault('hsm/bad-argument', { detail: 'a label has 1 to 128 characters' })
      if (!Object.hasOwn(GENERATE, algorithm))
        throw new Fault('hsm/bad-argument', { detail: 'no such algorithm' })
      const material = GENERATE[algorithm]()
      const stored: StoredKey = {
        v: 1,
        label,
        algorithm,
        createdAt: this.#clock.now(),
        ...material,
      }
      try {
        if (!(await this.#directory.create(fileOf(id), device.seal(fileOf(id), stored))))
          throw new Fault('hsm/key-exists')
        return infoOf(id, stored)
      } finally {
        wipe(material.secret)
      }
    })
  }

  find({ id, label }: KeyQuery): Promise<KeyInfo> {
    return this.#run('find', id, async (device) => {
      if (id === undefined && label === undefined)
        throw new Fault('hsm/bad-argument', { detail: 'an id or a label is needed' })
      const candidates =
        id === undefined
          ? await this.#all(device)
          : [await this.#with(device, id, (key) => infoOf(id, key))]
      const [found, another] = candidates.filter(
        (key) => label === undefined || key.label === label,
      )
      if (found === undefined) throw new Fault('hsm/key-not-found')
      if (another !== undefined) throw new Fault('hsm/key-ambiguous')
      return found
    })
  }

  list(): Promise<readonly KeyInfo[]> {
    return this.#run('list', undefined, (device) => this.#all(device))
  }

  publicKey(id: KeyId): Promise<Uint8Array> {
    return this.#run('publicKey', id, (device) => this.#with(device, id, publicKeyOf))
  }

  sign(id: KeyId, input: SignInput): Promise<Uint8Array> {
    return this.#run('sign', id, (device) =>
      this.#with(device, id, (key) => SIGNING[signingAlgorithm(key)].sign(key.secret, input)),
    )
  }

  verify(id: KeyId, input: SignInput, signature: Uint8Array): Promise<boolean> {
    return this.#run('verify', id, (device) =>
      this.#with(device, id, (key) =>
        SIGNING[signingAlgorithm(key)].verify(publicKeyOf(key), input, signature),
      ),
    )
  }

  encrypt(id: KeyId, plaintext: Uint8Array, aad: Uint8Array): Promise<Encrypted> {
    return this.#run('encrypt', id, (device) =>
      this.#with(device, id, (key) => sealGcm(secretOf(key, 'aes-256'), plaintext, aad)),
    )
  }

  decrypt(id: KeyId, { iv, ciphertext }: Encrypted, aad: Uint8Array): Promise<Uint8Array> {
    return this.#run('decrypt', id, (device) =>
      this.#with(device, id, (key) => {
        const plaintext = openGcm(secretOf(key, 'aes-256'), iv, ciphertext, aad)
        if (plaintext === undefined) throw new Fault('hsm/cannot-open')
        return plaintext
      }),
    )
  }

  hmac(id: KeyId, message: Uint8Array): Promise<Uint8Array> {
    return this.#run('hmac', id, (device) =>
      this.#with(device, id, (key) => hmacSha256(secretOf(key, 'hmac-sha256'), message)),
    )
  }

  random(length: number): Promise<Uint8Array> {
    return this.#run('random', undefined, () => {
      if (!Number.isInteger(length) || length < 1 || length > 1024)
        throw new Fault('hsm/bad-argument', { detail: '1 to 1024 random bytes at once' })
      return new Uint8Array(randomBytes(length))
    })
  }

  destroy(id: KeyId, { label }: { readonly label: string }): Promise<void> {
    return this.#run('destroy', id, async (device) => {
      const isConfirmed = await this.#with(device, id, (key) => key.label === label)
      if (!isConfirmed) throw new Fault('hsm/label-mismatch')
      if (!(await this.#directory.remove(fileOf(id)))) throw new Fault('hsm/key-not-found')
    })
  }

  attestKey(id: KeyId, nonce: Uint8Array): Promise<Attestation> {
    return this.#run('attestKey', id, (device) =>
      this.#with(device, id, (key) =>
        attestSimulated(device, infoOf(id, key), nonce, this.#clock.now()),
      ),
    )
  }

  close(): Promise<void> {
    this.#isClosed = true
    return Promise.resolve()
  }

  /** Reads the device, refuses where it must not answer, and writes down how the operation ended. */
  async #run<T>(
    operation: string,
    key: KeyId | undefined,
    action: (device: Device) => T | Promise<T>,
  ): Promise<T> {
    const write = (outcome: string): void => {
      if (this.#log.length >= MAX_LOG) this.#log.shift()
      this.#log.push({ time: this.#clock.now(), operation, key, outcome })
    }
    try {
      if (this.#isClosed) throw new DeviceFault('hsm/closed')
      const device = await Device.read(this.#directory)
      try {
        if (device.isCompromised) throw new DeviceFault('hsm/compromised')
        const result = await action(device)
        write('ok')
        return result
      } finally {
        device[Symbol.dispose]()
      }
    } catch (error) {
      write(isFault(error) ? error.code : 'base/bug')
      throw error
    }
  }

  /** What `use` makes of the key, whose secret is wiped after. */
  async #with<T>(device: Device, id: KeyId, use: (key: StoredKey) => T): Promise<T> {
    const content = await this.#directory.read(fileOf(id))
    if (content === undefined) throw new Fault('hsm/key-not-found')
    const key = device.open(fileOf(id), content)
    try {
      return use(key)
    } finally {
      wipe(key.secret)
    }
  }

  async #all(device: Device): Promise<readonly KeyInfo[]> {
    const found: KeyInfo[] = []
    for (const name of [...(await this.#directory.names())].sort()) {
      if (!isKeyFile(name)) continue
      const id = parseKeyId(name.slice(0, -SUFFIX.length))
      try {
        found.push(await this.#with(device, id, (key) => infoOf(id, key)))
      } catch (error) {
        // Another process may destroy a key between the two reads.
        if (!isFault(error, 'hsm/key-not-found')) throw error
      }
    }
    return found
  }
}

const fileOf = (id: KeyId): string => `${parseKeyId(id)}${SUFFIX}`

const infoOf = (id: KeyId, { label, algorithm, createdAt, publicKey }: StoredKey): KeyInfo => ({
  id,
  label,
  algorithm,
  createdAt,
  ...(publicKey === undefined ? {} : { publicKey }),
  isExtractable: false,
  isSensitive: true,
})

function signingAlgorithm({ algorithm }: StoredKey): SigningAlgorithm {
  if (algorithm === 'aes-256' || algorithm === 'hmac-sha256')
    throw new Fault('hsm/bad-argument', { detail: `a key for ${algorithm} does not sign` })
  return algorithm
}

function publicKeyOf(key: StoredKey): Uint8Array {
  signingAlgorithm(key)
  return key.publicKey ?? bug('a signing key without public key')
}

function secretOf({ algorithm, secret }: StoredKey, needed: KeyAlgorithm): Uint8Array {
  if (algorithm !== needed)
    throw new Fault('hsm/bad-argument', {
      detail: `it takes a key for ${needed}, this one is for ${algorithm}`,
    })
  return secret
}
