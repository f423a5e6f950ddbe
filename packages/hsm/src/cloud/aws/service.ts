/**
 * AWS KMS by its official client. Keys are those of its own modules (FIPS 140-3, level 3), or of a CloudHSM
 * key store; imported ones and those of external key stores are refused.
 *
 * Spec: AWS KMS API Reference, 2014-11-01.
 */
import { createHash } from 'node:crypto'
import type { KeyMetadata, KMSClient } from '@aws-sdk/client-kms'
import { concatBytes, Fault } from '@quorate/base'
import type { Encrypted, KeyId } from '../../provider.ts'
import type { Calls } from '../calls.ts'
import { ServiceFailure } from '../failure.ts'
import { mapLimited } from '../limit.ts'
import { publicKeyFromSpki, signatureFromDer } from '../public-key.ts'
import type { CloudFacts, CloudKey, CloudService, NewKey } from '../service.ts'
import { ALGORITHMS, algorithmOf, isHardware, isThere, type Names, SHAPES } from './keys.ts'
import { type Account, aliasesIn, unnamedKeysIn } from './search.ts'

/** The ARN. */
type Ref = string
type Key = CloudKey<Ref>

const MAX_BYTES = 4096
const TAG_BYTES = 16
const WIDTH = 8

export type AwsKmsOptions = Account & {
  readonly names: Names
  readonly region: string
  readonly deletionDays: number
}

export class AwsKms implements CloudService<Ref> {
  readonly facts: CloudFacts
  readonly #account: Account
  readonly #kms: Account['kms']
  readonly #client: KMSClient
  readonly #calls: Calls
  readonly #names: Names
  readonly #deletionDays: number
  /** Keys made by this process: AWS may take seconds until it knows an alias everywhere. */
  readonly #made = new Map<KeyId, Ref>()

  constructor({ kms, client, calls, names, region, deletionDays }: AwsKmsOptions) {
    this.#account = { kms, client, calls }
    this.#kms = kms
    this.#client = client
    this.#calls = calls
    this.#names = names
    this.#deletionDays = deletionDays
    this.facts = {
      type: 'aws-kms',
      name: `AWS KMS ${region}`,
      serial: region,
      algorithms: ALGORITHMS,
      limits: { plaintext: MAX_BYTES, macMessage: MAX_BYTES, ed25519Message: MAX_BYTES },
      deletionDays,
    }
  }

  async look(id: KeyId, thorough: boolean): Promise<Key | undefined> {
    const made = this.#made.get(id)
    const named = await this.#describe(this.#names.alias(id))
    const data = named ?? (made === undefined ? undefined : await this.#describe(made))
    if (data !== undefined && isThere(data)) return this.#keyOf(id, data)
    const lost = thorough ? await this.#withoutAlias(id) : undefined
    return lost === undefined ? undefined : this.#keyOf(id, await this.#named(id, lost))
  }

  async list(): Promise<readonly Key[]> {
    const named = (await aliasesIn(this.#account)).flatMap(({ AliasName, TargetKeyId }) => {
      const id = this.#names.idOf(AliasName)
      return id === undefined || TargetKeyId === undefined ? [] : [{ id, target: TargetKeyId }]
    })
    const found = await mapLimited(named, WIDTH, async ({ id, target }) => {
      const data = await this.#describe(target)
      const isOurs = data !== undefined && isThere(data) && isHardware(data)
      return isOurs && algorithmOf(data) !== undefined ? this.#keyOf(id, data) : undefined
    })
    return found.filter((key) => key !== undefined)
  }

  async create(key: NewKey): Promise<Key> {
    const { CreateKeyCommand } = this.#kms
    const { spec, usage } = SHAPES[key.algorithm]
    const command = new CreateKeyCommand({
      KeySpec: spec,
      KeyUsage: usage,
      Description: this.#names.description(key),
      Tags: [{ TagKey: 'quorate-id', TagValue: key.id }],
    })
    // A second attempt could be a second key: whether there is one is asked first, by the caller.
    const { KeyMetadata: data } = await this.#calls.run(
      (abortSignal) => this.#client.send(command, { abortSignal }),
      { attempts: 1 },
    )
    if (data?.Arn === undefined) throw new ServiceFailure('wrong-result')
    const made = await this.#keyOf(key.id, await this.#named(key.id, data))
    this.#made.set(key.id, data.Arn)
    return made
  }

  async sign(key: Key, data: Uint8Array): Promise<Uint8Array> {
    const { SignCommand } = this.#kms
    const { algorithm } = key
    const isEdwards = algorithm === 'ed25519'
    const command = new SignCommand({
      KeyId: key.ref,
      Message: data,
      MessageType: isEdwards ? 'RAW' : 'DIGEST',
      SigningAlgorithm: isEdwards ? 'ED25519_SHA_512' : 'ECDSA_SHA_256',
    })
    const { Signature = new Uint8Array() } = await this.#use(key, (abortSignal) =>
      this.#client.send(command, { abortSignal }),
    )
    return algorithm === 'p256' || algorithm === 'secp256k1'
      ? signatureFromDer(algorithm, Signature)
      : Signature
  }

  async encrypt(key: Key, plaintext: Uint8Array, aad: Uint8Array): Promise<Encrypted> {
    const { EncryptCommand } = this.#kms
    const command = new EncryptCommand({
      KeyId: key.ref,
      Plaintext: plaintext,
      EncryptionContext: contextOf(aad),
    })
    const { CiphertextBlob: blob = new Uint8Array(), KeyId } = await this.#use(key, (abortSignal) =>
      this.#client.send(command, { abortSignal }),
    )
    // The blob ends with the ciphertext proper and its tag; all of it is authenticated.
    const at = blob.length - plaintext.length - TAG_BYTES
    if (at < 1 || KeyId !== key.ref) throw new ServiceFailure('wrong-result')
    return { iv: blob.slice(0, at), ciphertext: blob.slice(at) }
  }

  async decrypt(key: Key, { iv, ciphertext }: Encrypted, aad: Uint8Array): Promise<Uint8Array> {
    const { DecryptCommand } = this.#kms
    const command = new DecryptCommand({
      KeyId: key.ref,
      CiphertextBlob: concatBytes(iv, ciphertext),
      EncryptionContext: contextOf(aad),
    })
    const { Plaintext } = await this.#use(key, (abortSignal) =>
      this.#client.send(command, { abortSignal }),
    )
    if (Plaintext === undefined) throw new ServiceFailure('wrong-result')
    return Plaintext
  }

  async hmac(key: Key, message: Uint8Array): Promise<Uint8Array> {
    const { GenerateMacCommand } = this.#kms
    // It takes no empty message.
    if (message.length === 0)
      throw new Fault('hsm/bad-argument', { detail: 'AWS KMS makes no HMAC of an empty message' })
    const command = new GenerateMacCommand({
      KeyId: key.ref,
      Message: message,
      MacAlgorithm: 'HMAC_SHA_256',
    })
    const { Mac, KeyId } = await this.#use(key, (abortSignal) =>
      this.#client.send(command, { abortSignal }),
    )
    if (Mac === undefined || KeyId !== key.ref) throw new ServiceFailure('wrong-result')
    return Mac
  }

  async random(length: number): Promise<Uint8Array> {
    const { GenerateRandomCommand } = this.#kms
    const { Plaintext = new Uint8Array() } = await this.#calls.run((abortSignal) =>
      this.#client.send(new GenerateRandomCommand({ NumberOfBytes: length }), { abortSignal }),
    )
    return Plaintext
  }

  async destroy({ id, ref }: Key): Promise<Date | undefined> {
    const { DeleteAliasCommand } = this.#kms
    const until = await this.#schedule(ref)
    this.#made.delete(id)
    const unname = new DeleteAliasCommand({ AliasName: this.#names.alias(id) })
    try {
      await this.#calls.run((abortSignal) => this.#client.send(unname, { abortSignal }))
    } catch (error) {
      // Gone already: an earlier attempt did it.
      if (!isKind(error, 'absent')) throw error
    }
    return until
  }

  /** When the key will be gone. */
  async #schedule(ref: Ref): Promise<Date | undefined> {
    const { ScheduleKeyDeletionCommand } = this.#kms
    const command = new ScheduleKeyDeletionCommand({
      KeyId: ref,
      PendingWindowInDays: this.#deletionDays,
    })
    try {
      const { DeletionDate } = await this.#calls.run((abortSignal) =>
        this.#client.send(command, { abortSignal }),
      )
      return DeletionDate
    } catch (error) {
      if (!isKind(error, 'disabled')) throw error
      // An earlier attempt, whose answer was lost, has done it.
      const data = await this.#describe(ref)
      if (data !== undefined && isThere(data)) throw error
      return data?.DeletionDate
    }
  }

  close(): void {
    this.#client.destroy()
  }

  /** An operation with a key: where its state forbids it, one that is being destroyed is none. */
  async #use<T>(key: Key, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await this.#calls.run(send)
    } catch (error) {
      if (!isKind(error, 'disabled')) throw error
      const data = await this.#describe(key.ref)
      throw data === undefined || !isThere(data) ? new ServiceFailure('absent') : error
    }
  }

  /** The key of that ARN, id or alias; `undefined` where there is none. */
  async #describe(named: string): Promise<KeyMetadata | undefined> {
    const { DescribeKeyCommand } = this.#kms
    try {
      const { KeyMetadata: data } = await this.#calls.run((abortSignal) =>
        this.#client.send(new DescribeKeyCommand({ KeyId: named }), { abortSignal }),
      )
      return data
    } catch (error) {
      if (isKind(error, 'absent')) return undefined
      throw error
    }
  }

  /** A key of that id whose alias was not made any more: the oldest, where there are several. */
  async #withoutAlias(id: KeyId): Promise<KeyMetadata | undefined> {
    const unnamed = await unnamedKeysIn(this.#account)
    const candidates = await mapLimited(unnamed, WIDTH, (each) => this.#describe(each))
    const [oldest] = candidates
      .filter((data) => data !== undefined)
      .filter((data) => isThere(data) && this.#names.described(data.Description)?.id === id)
      .sort((a, b) => timeOf(a) - timeOf(b))
    return oldest
  }

  /** Gives the key its alias, which an alias of a key that is being destroyed does not stop. */
  async #named(id: KeyId, data: KeyMetadata): Promise<KeyMetadata> {
    const { CreateAliasCommand, UpdateAliasCommand } = this.#kms
    const alias = { AliasName: this.#names.alias(id), TargetKeyId: data.KeyId }
    try {
      await this.#calls.run((abortSignal) =>
        this.#client.send(new CreateAliasCommand(alias), { abortSignal }),
      )
      return data
    } catch (error) {
      if (!isKind(error, 'exists')) throw error
    }
    const holder = await this.#describe(alias.AliasName)
    // An attempt whose answer was lost has made it.
    if (holder?.KeyId === data.KeyId) return data
    if (holder !== undefined && isThere(holder)) {
      // Somebody else was faster: theirs is the key of that id, and ours must not stay.
      await this.#schedule(data.KeyId ?? '')
      throw new Fault('hsm/key-exists')
    }
    await this.#calls.run((abortSignal) =>
      this.#client.send(new UpdateAliasCommand(alias), { abortSignal }),
    )
    return data
  }

  async #keyOf(id: KeyId, data: KeyMetadata): Promise<Key> {
    const { Arn: ref } = data
    const algorithm = algorithmOf(data)
    if (!isHardware(data))
      throw new Fault('hsm/weak-custody', {
        detail: 'the key was imported, or is in a key store outside AWS',
      })
    if (ref === undefined || algorithm === undefined) throw new ServiceFailure('unsupported')
    const described = this.#names.described(data.Description)
    // An alias that was moved to the key of another id.
    if (described !== undefined && described.id !== id) throw new Fault('hsm/key-changed')
    const label = described?.label ?? (data.Description || id)
    const common = {
      id,
      label,
      algorithm,
      createdAt: timeOf(data),
      ref,
      request: described?.request,
    }
    if (algorithm === 'aes-256' || algorithm === 'hmac-sha256') return common
    const publicKey = await this.#publicKey(ref)
    if (publicKey.algorithm !== algorithm) throw new ServiceFailure('wrong-result')
    return { ...common, publicKey: publicKey.publicKey }
  }

  async #publicKey(ref: Ref): Promise<ReturnType<typeof publicKeyFromSpki>> {
    const { GetPublicKeyCommand } = this.#kms
    const { PublicKey = new Uint8Array() } = await this.#calls.run((abortSignal) =>
      this.#client.send(new GetPublicKeyCommand({ KeyId: ref }), { abortSignal }),
    )
    return publicKeyFromSpki(PublicKey)
  }
}

const isKind = (error: unknown, kind: ServiceFailure['kind']): boolean =>
  error instanceof ServiceFailure && error.kind === kind

const timeOf = ({ CreationDate }: KeyMetadata): number => CreationDate?.getTime() ?? 0

/** AWS writes the context into its logs, so it is a hash of ours. */
const contextOf = (aad: Uint8Array): { readonly [name: string]: string } => ({
  'quorate-aad-sha256': createHash('sha256').update(aad).digest('hex'),
})
