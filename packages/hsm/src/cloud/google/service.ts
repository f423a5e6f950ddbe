/**
 * Google Cloud KMS by its official client, keys of protection level HSM only. A key of ours is one crypto key
 * with one version, the first: further versions are not looked at. Names are never free again, so the id of a
 * destroyed key stays taken.
 *
 * Spec: google.cloud.kms.v1, and its guide on data integrity.
 */
import type { KeyManagementServiceClient, protos } from '@google-cloud/kms'
import { Fault, utf8 } from '@quorate/base'
import type { Encrypted, KeyAlgorithm, KeyId } from '../../provider.ts'
import type { Calls } from '../calls.ts'
import { networkFailure, ServiceFailure } from '../failure.ts'
import { mapLimited } from '../limit.ts'
import { publicKeyFromSpki, signatureFromDer } from '../public-key.ts'
import type { CloudFacts, CloudKey, CloudService, NewKey, VendorStatement } from '../service.ts'
import { statementIn } from './attestation.ts'
import { checksumOf, confirmed, intact, onWire } from './checked.ts'
import { ALGORITHMS, algorithmOf, GONE, HARDWARE, MAKING, SHAPES } from './keys.ts'
import { cryptoKeyId, keyIdOf, labelIn, labelsOf } from './names.ts'

type CryptoKey = protos.google.cloud.kms.v1.ICryptoKey
type Version = protos.google.cloud.kms.v1.ICryptoKeyVersion
/** The name of the version. */
type Ref = string
type Key = CloudKey<Ref>

/** Together with the data that is authenticated, 8192. */
const MAX_PLAINTEXT = 7168
const MAX_MAC_MESSAGE = 16_384
const MIN_RANDOM = 8
const IV_BYTES = 12
const TAG_BYTES = 16
const DAY_S = 86_400
const WIDTH = 8
/** Until a key is made: about a minute and a half. */
const MAX_POLLS = 24

export type GoogleHsmOptions = {
  readonly client: KeyManagementServiceClient
  readonly calls: Calls
  /** projects/…/locations/… */
  readonly location: string
  /** projects/…/locations/…/keyRings/… */
  readonly keyRing: string
  readonly deletionDays: number
}

export class GoogleHsm implements CloudService<Ref> {
  readonly facts: CloudFacts
  readonly #client: KeyManagementServiceClient
  readonly #calls: Calls
  readonly #location: string
  readonly #keyRing: string
  readonly #options: { readonly timeout: number; readonly retry: { readonly retryCodes: number[] } }

  constructor({ client, calls, location, keyRing, deletionDays }: GoogleHsmOptions) {
    this.#client = client
    this.#calls = calls
    this.#location = location
    this.#keyRing = keyRing
    this.#options = { timeout: calls.timeoutMs, retry: { retryCodes: [] } }
    this.facts = {
      type: 'google-hsm',
      name: `Google Cloud HSM ${keyRing}`,
      serial: keyRing,
      algorithms: ALGORITHMS,
      limits: { plaintext: MAX_PLAINTEXT, macMessage: MAX_MAC_MESSAGE },
      deletionDays,
    }
  }

  async look(id: KeyId): Promise<Key | undefined> {
    const name = this.#nameOf(id)
    try {
      const [[key], version] = await Promise.all([
        this.#ask(() => this.#client.getCryptoKey({ name }, this.#options)),
        this.#version(`${name}/cryptoKeyVersions/1`),
      ])
      return GONE.has(version.state) ? undefined : await this.#keyOf(id, key, version)
    } catch (error) {
      if (isKind(error, 'absent')) return undefined
      throw error
    }
  }

  async list(): Promise<readonly Key[]> {
    const [keys] = await this.#ask(() =>
      this.#client.listCryptoKeys({ parent: this.#keyRing }, this.#options),
    )
    const found = await mapLimited(keys, WIDTH, async (key) => {
      const id = keyIdOf(key.name ?? '')
      if (id === undefined || algorithmOf(key) === undefined) return undefined
      const version = await this.#version(`${key.name}/cryptoKeyVersions/1`).catch(unlessAbsent)
      const isOurs = HARDWARE.has(version?.protectionLevel) && !GONE.has(version?.state)
      return version !== undefined && isOurs ? this.#keyOf(id, key, version) : undefined
    })
    return found.filter((key) => key !== undefined)
  }

  async create({ id, label, algorithm, request }: NewKey): Promise<Key> {
    const { purpose, algorithm: version } = SHAPES[algorithm]
    const name = this.#nameOf(id)
    try {
      const [key] = await this.#ask(
        () =>
          this.#client.createCryptoKey(
            {
              parent: this.#keyRing,
              cryptoKeyId: cryptoKeyId(id),
              cryptoKey: {
                purpose,
                versionTemplate: { algorithm: version, protectionLevel: 'HSM' },
                labels: labelsOf(label, request),
                destroyScheduledDuration: { seconds: (this.facts.deletionDays ?? 1) * DAY_S },
              },
            },
            this.#options,
          ),
        { attempts: 1 },
      )
      return await this.#keyOf(id, key, await this.#version(`${name}/cryptoKeyVersions/1`))
    } catch (error) {
      // Not every location has modules with every curve.
      throw isKind(error, 'rejected') ? new ServiceFailure('unsupported') : error
    }
  }

  async sign({ algorithm, ref: name }: Key, data: Uint8Array): Promise<Uint8Array> {
    const isEdwards = algorithm === 'ed25519'
    return this.#use(name, async () => {
      const [answer] = await this.#client.asymmetricSign(
        isEdwards
          ? { name, data: onWire(data), dataCrc32c: checksumOf(data) }
          : { name, digest: { sha256: onWire(data) }, digestCrc32c: checksumOf(data) },
        this.#options,
      )
      confirmed(isEdwards ? answer.verifiedDataCrc32c : answer.verifiedDigestCrc32c)
      checkAnswer(name, answer)
      const signature = intact(answer.signature, answer.signatureCrc32c)
      return algorithm === 'p256' || algorithm === 'secp256k1'
        ? signatureFromDer(algorithm, signature)
        : signature
    })
  }

  async encrypt({ ref: name }: Key, plaintext: Uint8Array, aad: Uint8Array): Promise<Encrypted> {
    return this.#use(name, async () => {
      const [answer] = await this.#client.rawEncrypt(
        {
          name,
          plaintext: onWire(plaintext),
          plaintextCrc32c: checksumOf(plaintext),
          additionalAuthenticatedData: onWire(aad),
          additionalAuthenticatedDataCrc32c: checksumOf(aad),
        },
        this.#options,
      )
      confirmed(answer.verifiedPlaintextCrc32c, answer.verifiedAdditionalAuthenticatedDataCrc32c)
      checkAnswer(name, answer)
      const iv = intact(answer.initializationVector, answer.initializationVectorCrc32c)
      const ciphertext = intact(answer.ciphertext, answer.ciphertextCrc32c)
      const isGcm = iv.length === IV_BYTES && answer.tagLength === TAG_BYTES
      if (!isGcm || ciphertext.length !== plaintext.length + TAG_BYTES)
        throw new ServiceFailure('wrong-result')
      return { iv, ciphertext }
    })
  }

  async decrypt(
    { ref: name }: Key,
    { iv, ciphertext }: Encrypted,
    aad: Uint8Array,
  ): Promise<Uint8Array> {
    if (iv.length !== IV_BYTES) throw new ServiceFailure('cannot-open')
    try {
      return await this.#use(name, async () => {
        const [answer] = await this.#client.rawDecrypt(
          {
            name,
            ciphertext: onWire(ciphertext),
            ciphertextCrc32c: checksumOf(ciphertext),
            additionalAuthenticatedData: onWire(aad),
            additionalAuthenticatedDataCrc32c: checksumOf(aad),
            initializationVector: onWire(iv),
            initializationVectorCrc32c: checksumOf(iv),
            tagLength: TAG_BYTES,
          },
          this.#options,
        )
        confirmed(
          answer.verifiedCiphertextCrc32c,
          answer.verifiedAdditionalAuthenticatedDataCrc32c,
          answer.verifiedInitializationVectorCrc32c,
        )
        return intact(answer.plaintext, answer.plaintextCrc32c)
      })
    } catch (error) {
      // It does not tell a wrong tag from a wrong argument, and the arguments are right.
      throw isKind(error, 'rejected') ? new ServiceFailure('cannot-open') : error
    }
  }

  async hmac({ ref: name }: Key, message: Uint8Array): Promise<Uint8Array> {
    return this.#use(name, async () => {
      const [answer] = await this.#client.macSign(
        { name, data: onWire(message), dataCrc32c: checksumOf(message) },
        this.#options,
      )
      confirmed(answer.verifiedDataCrc32c)
      checkAnswer(name, answer)
      return intact(answer.mac, answer.macCrc32c)
    })
  }

  async random(length: number): Promise<Uint8Array> {
    const lengthBytes = Math.max(length, MIN_RANDOM)
    return this.#ask(async () => {
      const [{ data, dataCrc32c }] = await this.#client.generateRandomBytes(
        { location: this.#location, lengthBytes, protectionLevel: 'HSM' },
        this.#options,
      )
      const bytes = intact(data, dataCrc32c)
      if (bytes.length !== lengthBytes) throw new ServiceFailure('wrong-result')
      return bytes.subarray(0, length)
    })
  }

  async destroy({ ref: name }: Key): Promise<Date | undefined> {
    try {
      const [{ destroyTime }] = await this.#ask(() =>
        this.#client.destroyCryptoKeyVersion({ name }, this.#options),
      )
      return new Date(millisecondsOf(destroyTime))
    } catch (error) {
      if (!isKind(error, 'disabled')) throw error
      // An earlier attempt, whose answer was lost, has done it.
      const { state, destroyTime } = await this.#version(name)
      if (!GONE.has(state)) throw error
      return new Date(millisecondsOf(destroyTime))
    }
  }

  readonly attest = async ({ ref }: Key): Promise<VendorStatement> =>
    statementIn((await this.#version(ref)).attestation)

  close(): void {
    this.#client.close().catch(() => undefined)
  }

  #nameOf(id: KeyId): string {
    return `${this.#keyRing}/cryptoKeys/${cryptoKeyId(id)}`
  }

  /** One request, with credentials that are there: what goes wrong with these is no answer of the service. */
  #ask<T>(send: () => Promise<T>, options: { readonly attempts?: number } = {}): Promise<T> {
    return this.#calls.run(async () => {
      try {
        await this.#client.auth.getRequestHeaders()
      } catch (error) {
        throw new ServiceFailure(networkFailure(error) ?? 'no-credentials')
      }
      return send()
    }, options)
  }

  /** An operation with a version: where its state forbids it, one that is being destroyed is none. */
  async #use<T>(name: Ref, send: () => Promise<T>): Promise<T> {
    try {
      return await this.#ask(send)
    } catch (error) {
      if (!isKind(error, 'disabled')) throw error
      throw GONE.has((await this.#version(name)).state) ? new ServiceFailure('absent') : error
    }
  }

  /** The version once it is made. */
  async #version(name: Ref): Promise<Version> {
    for (let attempt = 1; ; attempt++) {
      const [version] = await this.#ask(() =>
        this.#client.getCryptoKeyVersion({ name }, this.#options),
      )
      if (!MAKING.has(version.state)) return version
      if (attempt >= MAX_POLLS) throw new ServiceFailure('unavailable')
      await this.#calls.pause(attempt)
    }
  }

  async #keyOf(id: KeyId, key: CryptoKey, version: Version): Promise<Key> {
    if (!HARDWARE.has(version.protectionLevel))
      throw new Fault('hsm/weak-custody', {
        detail: 'the key is of another protection level than HSM',
      })
    // Made elsewhere, and imported.
    if (key.importOnly === true || (version.importTime ?? undefined) !== undefined)
      throw new Fault('hsm/weak-custody', { detail: 'the key was imported' })
    const algorithm = algorithmOf(key)
    const { name } = version
    if (algorithm === undefined || SHAPES[algorithm].algorithm !== version.algorithm)
      throw new ServiceFailure('unsupported')
    if (name !== `${this.#nameOf(id)}/cryptoKeyVersions/1`) throw new ServiceFailure('wrong-result')
    const { label = id, request } = labelIn(key.labels ?? {})
    const createdAt = millisecondsOf(key.createTime)
    const common = { id, label, algorithm, createdAt, request, ref: name }
    if (algorithm === 'aes-256' || algorithm === 'hmac-sha256') return common
    return { ...common, publicKey: await this.#publicKey(name, algorithm) }
  }

  #publicKey(name: Ref, algorithm: KeyAlgorithm): Promise<Uint8Array> {
    return this.#ask(async () => {
      const [answer] = await this.#client.getPublicKey({ name }, this.#options)
      const pem = utf8(answer.pem ?? '')
      intact(pem, answer.pemCrc32c)
      checkAnswer(name, answer)
      const found = publicKeyFromSpki(answer.pem ?? '')
      if (found.algorithm !== algorithm) throw new ServiceFailure('wrong-result')
      return found.publicKey
    })
  }
}

/** Demands that exactly this version answered, from a module. */
function checkAnswer(
  asked: Ref,
  { name, protectionLevel }: { readonly name?: unknown; readonly protectionLevel?: unknown },
): void {
  if (name !== asked || !HARDWARE.has(protectionLevel)) throw new ServiceFailure('wrong-result')
}

const millisecondsOf = (time: protos.google.protobuf.ITimestamp | null | undefined): number =>
  Number(time?.seconds ?? 0) * 1000 + Math.floor((time?.nanos ?? 0) / 1e6)

const isKind = (error: unknown, kind: ServiceFailure['kind']): boolean =>
  error instanceof ServiceFailure && error.kind === kind

function unlessAbsent(error: unknown): undefined {
  if (!isKind(error, 'absent')) throw error
}
