/**
 * The operations of a provider that keeps each key in a file of its own and computes in this process.
 * Which key seals the files, and when the device answers at all, is for the class that extends it.
 *
 * No key is kept in memory between operations: each reads the file it needs and wipes what it read.
 * So several processes may use one directory. Putting back an older copy of it is not noticed.
 */
import { randomBytes } from 'node:crypto'
import { bug, type Clock, equalBytes, Fault, isFault, wipe } from '@quorate/base'
import { DeviceFault } from '../errors.ts'
import {
  type Encrypted,
  type HsmProvider,
  type Importer,
  type KeyAlgorithm,
  type KeyId,
  type KeyInfo,
  type KeyQuery,
  type KeyRequest,
  type KeyWrapper,
  type ProviderHealth,
  type ProviderInfo,
  parseKeyId,
  type SignInput,
  type SigningAlgorithm,
  type WrappableRequest,
} from '../provider.ts'
import { GENERATE, hmacSha256, type KeyMaterial, materialOf, SIGNING } from './algorithms.ts'
import type { PrivateDirectory } from './directory.ts'
import { openGcm, sealGcm } from './gcm.ts'
import type { StoredKey } from './stored-key.ts'
import { unwrapStored, wrapStored } from './wrapped-key.ts'

/** What turns a key into the content of a file and back. */
export type KeySealing = {
  seal(name: string, key: StoredKey): Uint8Array
  /** @throws hsm/object-damaged */
  open(name: string, content: Uint8Array): StoredKey
}

const SUFFIX = '.key'

export const FILE_ALGORITHMS = Object.keys(GENERATE) as readonly KeyAlgorithm[]

/** What sets a key apart from others of its algorithm. */
type Duties = Pick<StoredKey, 'use' | 'isWrappable'>

export abstract class FileProvider<S extends KeySealing = KeySealing>
  implements HsmProvider, KeyWrapper, Importer
{
  protected readonly directory: PrivateDirectory
  protected readonly clock: Clock

  protected constructor(directory: PrivateDirectory, clock: Clock) {
    this.directory = directory
    this.clock = clock
  }

  /** Refuses where the device must not answer, and lends `action` what opens its files. */
  protected abstract run<T>(
    operation: string,
    key: KeyId | undefined,
    action: (sealing: S) => T | Promise<T>,
  ): Promise<T>

  abstract info(): Promise<ProviderInfo>
  abstract close(): Promise<void>

  async health(): Promise<ProviderHealth> {
    try {
      await this.run('health', undefined, () => undefined)
      return { state: 'ok' }
    } catch (error) {
      return { state: 'failed', reason: isFault(error) ? error.code : 'hsm/unavailable' }
    }
  }

  generateKey(request: KeyRequest): Promise<KeyInfo> {
    return this.#create('generateKey', request, () => GENERATE[request.algorithm]())
  }

  generateWrappableKey({ withTrusted, ...request }: WrappableRequest): Promise<KeyInfo> {
    const make = (): KeyMaterial => {
      if (withTrusted === true)
        throw new DeviceFault('hsm/unsupported', { detail: 'nobody here trusts wrapping keys' })
      return GENERATE[request.algorithm]()
    }
    return this.#create('generateWrappableKey', request, make, { isWrappable: true })
  }

  makeWrappingKey(
    request: Pick<KeyRequest, 'id' | 'label'>,
    secret?: Uint8Array,
  ): Promise<KeyInfo> {
    const make = (): KeyMaterial =>
      secret === undefined ? GENERATE['aes-256']() : materialOf('aes-256', secret.slice())
    const whole = { ...request, algorithm: 'aes-256' } as const
    return this.#create('makeWrappingKey', whole, make, { use: 'wrapping' })
  }

  importKey(request: KeyRequest, secret: Uint8Array): Promise<KeyInfo> {
    return this.#create('importKey', request, () => materialOf(request.algorithm, secret.slice()))
  }

  wrapKey(wrapping: KeyId, target: KeyId): Promise<Uint8Array> {
    return this.run('wrapKey', target, async (sealing) => {
      const by = await this.#wrappingSecret(sealing, wrapping)
      try {
        return await this.with(sealing, target, (key) => {
          if (key.isWrappable !== true)
            throw new DeviceFault('hsm/forbidden', { detail: 'the key may not leave' })
          return wrapStored(by, key)
        })
      } finally {
        wipe(by)
      }
    })
  }

  unwrapKey(wrapping: KeyId, wrapped: Uint8Array, request: KeyRequest): Promise<KeyInfo> {
    return this.#create('unwrapKey', request, async (sealing) => {
      const by = await this.#wrappingSecret(sealing, wrapping)
      try {
        const { algorithm, publicKey, secret } = unwrapStored(by, wrapped)
        if (algorithm !== request.algorithm)
          throw new Fault('hsm/bad-argument', { detail: `the wrapped key is for ${algorithm}` })
        const material = materialOf(algorithm, secret)
        if (!isSame(material.publicKey, publicKey)) throw new Fault('hsm/cannot-open')
        return material
      } finally {
        wipe(by)
      }
    })
  }

  /** A new key of what `make` gives, which is wiped after. */
  #create(
    operation: string,
    { label, algorithm, id = parseKeyId(randomBytes(16).toString('hex')) }: KeyRequest,
    make: (sealing: S) => KeyMaterial | Promise<KeyMaterial>,
    duties: Duties = {},
  ): Promise<KeyInfo> {
    return this.run(operation, id, async (sealing) => {
      if (label.length === 0 || label.length > 128)
        throw new Fault('hsm/bad-argument', { detail: 'a label has 1 to 128 characters' })
      if (!Object.hasOwn(GENERATE, algorithm))
        throw new Fault('hsm/bad-argument', { detail: 'no such algorithm' })
      const material = await make(sealing)
      const createdAt = this.clock.now()
      const stored: StoredKey = { v: 1, label, algorithm, createdAt, ...material, ...duties }
      try {
        if (!(await this.directory.create(fileOf(id), sealing.seal(fileOf(id), stored))))
          throw new Fault('hsm/key-exists')
        return infoOf(id, stored)
      } finally {
        wipe(material.secret)
      }
    })
  }

  /** Wipe it. */
  #wrappingSecret(sealing: S, id: KeyId): Promise<Uint8Array> {
    return this.with(sealing, id, ({ use, secret }) => {
      if (use !== 'wrapping')
        throw new Fault('hsm/bad-argument', { detail: 'a wrapping key is needed' })
      return secret.slice()
    })
  }

  find({ id, label }: KeyQuery): Promise<KeyInfo> {
    return this.run('find', id, async (sealing) => {
      if (id === undefined && label === undefined)
        throw new Fault('hsm/bad-argument', { detail: 'an id or a label is needed' })
      const candidates =
        id === undefined
          ? await this.#all(sealing)
          : [await this.with(sealing, id, (key) => infoOf(id, key))]
      const [found, another] = candidates.filter(
        (key) => label === undefined || key.label === label,
      )
      if (found === undefined) throw new Fault('hsm/key-not-found')
      if (another !== undefined) throw new Fault('hsm/key-ambiguous')
      return found
    })
  }

  list(): Promise<readonly KeyInfo[]> {
    return this.run('list', undefined, (sealing) => this.#all(sealing))
  }

  publicKey(id: KeyId): Promise<Uint8Array> {
    return this.run('publicKey', id, (sealing) => this.with(sealing, id, publicKeyOf))
  }

  sign(id: KeyId, input: SignInput): Promise<Uint8Array> {
    return this.run('sign', id, (sealing) =>
      this.with(sealing, id, (key) => SIGNING[signingAlgorithm(key)].sign(key.secret, input)),
    )
  }

  verify(id: KeyId, input: SignInput, signature: Uint8Array): Promise<boolean> {
    return this.run('verify', id, (sealing) =>
      this.with(sealing, id, (key) =>
        SIGNING[signingAlgorithm(key)].verify(publicKeyOf(key), input, signature),
      ),
    )
  }

  encrypt(id: KeyId, plaintext: Uint8Array, aad: Uint8Array): Promise<Encrypted> {
    return this.run('encrypt', id, (sealing) =>
      this.with(sealing, id, (key) => sealGcm(secretOf(key, 'aes-256'), plaintext, aad)),
    )
  }

  decrypt(id: KeyId, { iv, ciphertext }: Encrypted, aad: Uint8Array): Promise<Uint8Array> {
    return this.run('decrypt', id, (sealing) =>
      this.with(sealing, id, (key) => {
        const plaintext = openGcm(secretOf(key, 'aes-256'), iv, ciphertext, aad)
        if (plaintext === undefined) throw new Fault('hsm/cannot-open')
        return plaintext
      }),
    )
  }

  hmac(id: KeyId, message: Uint8Array): Promise<Uint8Array> {
    return this.run('hmac', id, (sealing) =>
      this.with(sealing, id, (key) => hmacSha256(secretOf(key, 'hmac-sha256'), message)),
    )
  }

  random(length: number): Promise<Uint8Array> {
    return this.run('random', undefined, () => {
      if (!Number.isInteger(length) || length < 1 || length > 1024)
        throw new Fault('hsm/bad-argument', { detail: '1 to 1024 random bytes at once' })
      return new Uint8Array(randomBytes(length))
    })
  }

  destroy(id: KeyId, { label }: { readonly label: string }): Promise<void> {
    return this.run('destroy', id, async (sealing) => {
      const isConfirmed = await this.with(sealing, id, (key) => key.label === label)
      if (!isConfirmed) throw new Fault('hsm/label-mismatch')
      if (!(await this.directory.remove(fileOf(id)))) throw new Fault('hsm/key-not-found')
    })
  }

  /** What `use` makes of the key, whose secret is wiped after. */
  protected async with<T>(sealing: KeySealing, id: KeyId, use: (key: StoredKey) => T): Promise<T> {
    const content = await this.directory.read(fileOf(id))
    if (content === undefined) throw new Fault('hsm/key-not-found')
    const key = sealing.open(fileOf(id), content)
    try {
      return use(key)
    } finally {
      wipe(key.secret)
    }
  }

  async #all(sealing: KeySealing): Promise<readonly KeyInfo[]> {
    const found: KeyInfo[] = []
    for (const name of [...(await this.directory.names())].sort()) {
      if (!isKeyFile(name)) continue
      const id = parseKeyId(name.slice(0, -SUFFIX.length))
      try {
        found.push(await this.with(sealing, id, (key) => infoOf(id, key)))
      } catch (error) {
        // Another process may destroy a key between the two reads.
        if (!isFault(error, 'hsm/key-not-found')) throw error
      }
    }
    return found
  }
}

/** Whether a file of that name holds a key; the name is its id. */
export const isKeyFile = (name: string): boolean => /^([0-9a-f]{2}){1,32}\.key$/.test(name)

const fileOf = (id: KeyId): string => `${parseKeyId(id)}${SUFFIX}`

export const infoOf = (
  id: KeyId,
  { label, algorithm, createdAt, publicKey, isWrappable = false }: StoredKey,
): KeyInfo => ({
  id,
  label,
  algorithm,
  createdAt,
  ...(publicKey === undefined ? {} : { publicKey }),
  isExtractable: isWrappable,
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

const isSame = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : equalBytes(a, b)

function secretOf({ algorithm, secret, use }: StoredKey, needed: KeyAlgorithm): Uint8Array {
  // What wraps keys does not decrypt: it would tell what it wrapped.
  if (use !== undefined)
    throw new Fault('hsm/bad-argument', { detail: 'the key wraps others and does nothing else' })
  if (algorithm !== needed)
    throw new Fault('hsm/bad-argument', {
      detail: `it takes a key for ${needed}, this one is for ${algorithm}`,
    })
  return secret
}
