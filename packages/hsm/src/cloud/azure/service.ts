/**
 * Azure Managed HSM by its official client. A key of ours is called `quorate-ID`; its label and the call that
 * made it are tags. It is the first version of that name: later ones, of a rotation by the service or of
 * somebody who made the same key at the same time, are not looked at.
 *
 * Spec: Azure Key Vault REST API, 2025-07-01.
 */
import type { CryptographyClient, KeyClient, KeyVaultKey } from '@azure/keyvault-keys'
import { concatBytes, Fault } from '@quorate/base'
import type { Encrypted, KeyAlgorithm, KeyId } from '../../provider.ts'
import type { Calls } from '../calls.ts'
import { ServiceFailure } from '../failure.ts'
import { mapLimited } from '../limit.ts'
import { publicKeyFromPoint } from '../public-key.ts'
import type { CloudFacts, CloudKey, CloudService, NewKey } from '../service.ts'

/** `crypto` speaks for one version of the key. */
type Ref = { readonly crypto: CryptographyClient; readonly name: string }
type Key = CloudKey<Ref>

const NAME = /^quorate-((?:[0-9a-f]{2}){1,32})$/
const nameOf = (id: KeyId): string => `quorate-${id}`

const CURVES = { p256: 'P-256', secp256k1: 'P-256K' } as const
const SIGNATURES = { p256: 'ES256', secp256k1: 'ES256K' } as const
type Curve = keyof typeof CURVES

const CIPHER = 'A256GCM'
const TAG_BYTES = 16
const MAX_RANDOM = 128
const MAX_PLAINTEXT = 1 << 16
const WIDTH = 8
const POLL_MS = 1000

export type AzureHsmOptions = {
  readonly client: KeyClient
  readonly calls: Calls
  readonly host: string
  readonly purge: boolean
  /** Speaks for exactly this version of a key. */
  readonly cryptoFor: (key: KeyVaultKey) => CryptographyClient
}

export class AzureHsm implements CloudService<Ref> {
  readonly facts: CloudFacts
  readonly #client: KeyClient
  readonly #calls: Calls
  readonly #purge: boolean
  readonly #cryptoFor: (key: KeyVaultKey) => CryptographyClient

  constructor({ client, calls, host, purge, cryptoFor }: AzureHsmOptions) {
    this.#client = client
    this.#calls = calls
    this.#purge = purge
    this.#cryptoFor = cryptoFor
    this.facts = {
      type: 'azure-hsm',
      name: `Azure Managed HSM ${host}`,
      serial: host,
      algorithms: ['p256', 'secp256k1', 'aes-256'],
      limits: { plaintext: MAX_PLAINTEXT, macMessage: 0 },
    }
  }

  async look(id: KeyId): Promise<Key | undefined> {
    try {
      const version = await this.#firstVersion(nameOf(id))
      if (version === undefined) return undefined
      const key = await this.#calls.run((abortSignal) =>
        this.#client.getKey(nameOf(id), { version, abortSignal }),
      )
      return this.#keyOf(id, key)
    } catch (error) {
      if (isKind(error, 'absent')) return undefined
      throw error
    }
  }

  async list(): Promise<readonly Key[]> {
    const ids = await this.#calls.run(async (abortSignal) => {
      const found: KeyId[] = []
      for await (const { name } of this.#client.listPropertiesOfKeys({ abortSignal })) {
        const [, id] = NAME.exec(name) ?? []
        if (id !== undefined) found.push(id as KeyId)
      }
      return found
    })
    const keys = await mapLimited(ids, WIDTH, (id) => this.look(id).catch(unlessForeign))
    return keys.filter((key) => key !== undefined)
  }

  async create({ id, label, algorithm, request }: NewKey): Promise<Key> {
    const tags = { 'quorate-label': label, 'quorate-request': request }
    const isSecret = algorithm === 'aes-256'
    const name = nameOf(id)
    // Where the name is taken, the service makes another version: whether it is was asked by the caller.
    const key = await this.#calls.run(
      (abortSignal) =>
        this.#client.createKey(name, isSecret ? 'oct-HSM' : 'EC-HSM', {
          ...(isSecret ? { keySize: 256 } : { curve: CURVES[algorithm as Curve] }),
          keyOps: isSecret ? ['encrypt', 'decrypt'] : ['sign', 'verify'],
          exportable: false,
          tags,
          abortSignal,
        }),
      { attempts: 1 },
    )
    const { version = '' } = key.properties
    if ((await this.#firstVersion(name)) === version) return this.#keyOf(id, key)
    // Somebody else was faster: theirs is the key of that id, and ours must not be used.
    await this.#calls.run((abortSignal) =>
      this.#client.updateKeyProperties(name, version, { enabled: false, abortSignal }),
    )
    throw new Fault('hsm/key-exists')
  }

  async sign({ algorithm, ref }: Key, data: Uint8Array): Promise<Uint8Array> {
    const { result } = await this.#calls.run((abortSignal) =>
      ref.crypto.sign(SIGNATURES[algorithm as Curve], data, { abortSignal }),
    )
    return result
  }

  async encrypt({ ref }: Key, plaintext: Uint8Array, aad: Uint8Array): Promise<Encrypted> {
    const { result, iv, authenticationTag } = await this.#calls.run((abortSignal) =>
      ref.crypto.encrypt(
        { algorithm: CIPHER, plaintext, additionalAuthenticatedData: aad },
        { abortSignal },
      ),
    )
    if (iv === undefined || authenticationTag?.length !== TAG_BYTES)
      throw new ServiceFailure('wrong-result')
    return { iv, ciphertext: concatBytes(result, authenticationTag) }
  }

  async decrypt({ ref }: Key, { iv, ciphertext }: Encrypted, aad: Uint8Array): Promise<Uint8Array> {
    const at = ciphertext.length - TAG_BYTES
    try {
      const { result } = await this.#calls.run((abortSignal) =>
        ref.crypto.decrypt(
          {
            algorithm: CIPHER,
            ciphertext: ciphertext.subarray(0, at),
            iv,
            authenticationTag: ciphertext.subarray(at),
            additionalAuthenticatedData: aad,
          },
          { abortSignal },
        ),
      )
      return result
    } catch (error) {
      // It does not tell a wrong tag from a wrong argument, and the arguments are right.
      throw isKind(error, 'rejected') ? new ServiceFailure('cannot-open') : error
    }
  }

  hmac(): Promise<Uint8Array> {
    return Promise.reject(new ServiceFailure('unsupported'))
  }

  async random(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    for (let left = length; left > 0; left -= MAX_RANDOM) {
      const count = Math.min(left, MAX_RANDOM)
      const part = await this.#calls.run((abortSignal) =>
        this.#client.getRandomBytes(count, { abortSignal }),
      )
      if (part.length !== count) throw new ServiceFailure('wrong-result')
      parts.push(part)
    }
    return concatBytes(...parts)
  }

  async destroy({ ref: { name } }: Key): Promise<Date | undefined> {
    const poller = await this.#calls
      .run((abortSignal) =>
        this.#client.beginDeleteKey(name, { abortSignal, intervalInMs: POLL_MS }),
      )
      .catch(unlessAbsent)
    if (!this.#purge) {
      const deleted = await this.#calls.run((abortSignal) =>
        this.#client.getDeletedKey(name, { abortSignal }),
      )
      return deleted.properties.scheduledPurgeDate
    }
    await this.#calls.run((abortSignal) => poller?.pollUntilDone({ abortSignal }) ?? nothing)
    await this.#calls
      .run((abortSignal) => this.#client.purgeDeletedKey(name, { abortSignal }))
      .catch(unlessAbsent)
    return undefined
  }

  close(): void {
    // Its client keeps nothing open.
  }

  /** The oldest version of that name. */
  async #firstVersion(name: string): Promise<string | undefined> {
    const versions = await this.#calls.run(async (abortSignal) => {
      const found: { readonly version: string; readonly time: number }[] = []
      const all = this.#client.listPropertiesOfKeyVersions(name, { abortSignal })
      for await (const { version, createdOn } of all)
        if (version !== undefined) found.push({ version, time: createdOn?.getTime() ?? 0 })
      return found
    })
    const [first] = versions.sort((a, b) => a.time - b.time || (a.version < b.version ? -1 : 1))
    return first?.version
  }

  #keyOf(id: KeyId, key: KeyVaultKey): Key {
    const { keyType, properties } = key
    const { tags = {}, createdOn, name } = properties
    if (keyType !== 'EC-HSM' && keyType !== 'oct-HSM')
      throw new Fault('hsm/weak-custody', { detail: 'the key is not in an HSM' })
    if (properties.exportable === true)
      throw new Fault('hsm/weak-custody', { detail: 'the key can be released from the HSM' })
    return {
      id,
      label: tags['quorate-label'] ?? name,
      ...materialOf(key),
      createdAt: createdOn?.getTime() ?? 0,
      request: tags['quorate-request'],
      ref: { crypto: this.#cryptoFor(key), name },
    }
  }
}

function materialOf({ key, keyType }: KeyVaultKey): {
  algorithm: KeyAlgorithm
  publicKey?: Uint8Array
} {
  if (keyType === 'oct-HSM') return { algorithm: 'aes-256' }
  const { crv, x, y } = key ?? {}
  if (crv !== 'P-256' && crv !== 'P-256K') throw new ServiceFailure('unsupported')
  if (x === undefined || y === undefined) throw new ServiceFailure('wrong-result')
  return publicKeyFromPoint(crv === 'P-256' ? 'P-256' : 'secp256k1', x, y)
}

const isKind = (error: unknown, kind: ServiceFailure['kind']): boolean =>
  error instanceof ServiceFailure && error.kind === kind

const nothing = Promise.resolve(undefined)

/** An earlier attempt, whose answer was lost, has done it. */
function unlessAbsent(error: unknown): undefined {
  if (!isKind(error, 'absent')) throw error
}

/** Keys that somebody else put there are no keys of ours. */
function unlessForeign(error: unknown): undefined {
  if (error instanceof Fault && error.code === 'hsm/weak-custody') return undefined
  if (isKind(error, 'unsupported')) return undefined
  throw error
}
