/**
 * A service in a cloud as an HSM: what is the same for AWS, Azure and Google.
 *
 * A key is pinned when it is first met: every signature is verified under that public key before it leaves,
 * and a service that names another one later is refused. Keys are asked for once, so signing is one request.
 * Destroying is what the service makes of it: most can bring a key back for some days, and `info` says how many.
 */
import { randomBytes } from 'node:crypto'
import { type Clock, concatBytes, Fault, isFault, type Logger } from '@quorate/base'
import { proofMessage, vendorAttestation } from '../attest/verify.ts'
import { DeviceFault } from '../errors.ts'
import {
  checkInput,
  dataOf,
  normalised,
  type PublicKey,
  SignatureJudge,
} from '../host/signatures.ts'
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
} from '../provider.ts'
import { type Calls, MAX_ATTEMPTS } from './calls.ts'
import { faultOf, isAmbiguous, isRetried, ServiceFailure } from './failure.ts'
import { type Known, Pins } from './pins.ts'
import type { CloudKey, CloudService, NewKey, VendorStatement } from './service.ts'

const MAX_RANDOM = 1024
const MAX_LABEL = 128
const LONG_MS = 60_000

/** First byte of the IV, and of the data that is authenticated: services take no empty plaintext. */
const FORM = { whole: 0, empty: 1 } as const

export type CloudProviderPorts = { readonly clock: Clock; readonly logger: Logger }

export class CloudProvider<Ref> implements HsmProvider {
  readonly attestKey?: Attester['attestKey']
  readonly #service: CloudService<Ref>
  readonly #calls: Calls
  readonly #ports: CloudProviderPorts
  readonly #judge = new SignatureJudge()
  readonly #pins = new Pins<Ref>()

  constructor(service: CloudService<Ref>, calls: Calls, ports: CloudProviderPorts) {
    this.#service = service
    this.#calls = calls
    this.#ports = ports
    const { attest } = service
    if (attest !== undefined)
      this.attestKey = (id, nonce) => this.#run(() => this.#attest(attest, id, nonce))
  }

  /** The statement of the module has no nonce in it, so the key itself signs one. */
  async #attest(
    attest: (key: CloudKey<Ref>) => Promise<VendorStatement>,
    id: KeyId,
    nonce: Uint8Array,
  ): Promise<Attestation> {
    if (nonce.length < 16 || nonce.length > 64) throw bad('a nonce of 16 to 64 bytes is needed')
    const known = await this.#get(id)
    signing(known)
    const { format, blob, certificates } = await attest(known.key)
    const time = this.#ports.clock.now()
    const signature = await this.sign(id, { message: proofMessage(nonce, time) })
    return vendorAttestation(format, { certificates, blob, proof: { time, signature } })
  }

  info(): Promise<ProviderInfo> {
    const { type, name, serial, algorithms, limits, deletionDays } = this.#service.facts
    const { ed25519Message } = limits
    return this.#run(() =>
      Promise.resolve({
        type,
        name,
        serial,
        algorithms,
        ...(ed25519Message !== undefined && { maxEd25519Message: ed25519Message }),
        ...(deletionDays !== undefined && { deletionDays }),
      }),
    )
  }

  async health(): Promise<ProviderHealth> {
    try {
      await this.random(1)
      return { state: 'ok' }
    } catch (error) {
      return { state: 'failed', reason: isFault(error) ? error.code : 'hsm/unavailable' }
    }
  }

  generateKey(request: KeyRequest): Promise<KeyInfo> {
    const { label, algorithm, id = parseKeyId(randomBytes(16).toString('hex')) } = request
    return this.#run(async () => {
      if (label.length === 0 || label.length > MAX_LABEL)
        throw bad(`a label has 1 to ${MAX_LABEL} characters`)
      if (!this.#service.facts.algorithms.includes(algorithm))
        throw new DeviceFault('hsm/unsupported', { detail: `it has no ${algorithm}` })
      if ((await this.#service.look(parseKeyId(id), true)) !== undefined)
        throw new Fault('hsm/key-exists')
      const made = await this.#makeOnce({
        id,
        label,
        algorithm,
        request: randomBytes(16).toString('hex'),
      })
      if (made.algorithm !== algorithm) throw new ServiceFailure('wrong-result')
      return infoOf(this.#pins.meet(made).key)
    })
  }

  /** After an answer that was lost, the service is asked for the key before another is made. */
  async #makeOnce(key: NewKey): Promise<CloudKey<Ref>> {
    for (let attempt = 1; ; attempt++)
      try {
        return await this.#service.create(key)
      } catch (error) {
        if (!(error instanceof ServiceFailure)) throw error
        const { kind } = error
        if (kind !== 'exists' && !isRetried(kind)) throw error
        if (kind === 'exists' || isAmbiguous(kind)) {
          const found = await this.#service.look(key.id, true)
          if (found !== undefined && found.request === key.request) return found
          if (found !== undefined || kind === 'exists') throw new Fault('hsm/key-exists')
        }
        if (attempt >= MAX_ATTEMPTS) throw error
        await this.#calls.pause(attempt)
      }
  }

  find({ id, label }: KeyQuery): Promise<KeyInfo> {
    return this.#run(async () => {
      const candidates = id === undefined ? await this.#all() : [await this.#ask(id)]
      const [found, another] = candidates.filter(
        ({ key }) => label === undefined || key.label === label,
      )
      if (found === undefined) throw new Fault('hsm/key-not-found')
      if (another !== undefined) throw new Fault('hsm/key-ambiguous')
      return infoOf(found.key)
    })
  }

  list(): Promise<readonly KeyInfo[]> {
    return this.#run(async () => (await this.#all()).map(({ key }) => infoOf(key)))
  }

  publicKey(id: KeyId): Promise<Uint8Array> {
    return this.#run(async () => signing(await this.#ask(id)).bytes)
  }

  sign(id: KeyId, input: SignInput): Promise<Uint8Array> {
    return this.#use(id, async (known) => {
      const publicKey = signing(known)
      checkInput(publicKey, input)
      const { ed25519Message: most } = this.#service.facts.limits
      if (publicKey.algorithm === 'ed25519' && 'message' in input)
        checkLength('a message', input.message, most)
      const data = await dataOf(publicKey, input)
      const signature = normalised(publicKey, await this.#service.sign(known.key, data))
      if (signature === undefined || !(await this.#holds(publicKey, input, signature)))
        throw new ServiceFailure('wrong-result')
      return signature
    })
  }

  verify(id: KeyId, input: SignInput, signature: Uint8Array): Promise<boolean> {
    return this.#run(async () => {
      const publicKey = signing(await this.#get(id))
      checkInput(publicKey, input)
      return signature.length === 64 && (await this.#holds(publicKey, input, signature))
    })
  }

  encrypt(id: KeyId, plaintext: Uint8Array, aad: Uint8Array): Promise<Encrypted> {
    return this.#use(id, async ({ key }) => {
      needs('aes-256', key)
      checkLength('what is encrypted', plaintext, this.#service.facts.limits.plaintext)
      const isEmpty = plaintext.length === 0
      const form = Uint8Array.of(isEmpty ? FORM.empty : FORM.whole)
      const { iv, ciphertext } = await this.#service.encrypt(
        key,
        isEmpty ? new Uint8Array(1) : plaintext,
        concatBytes(form, aad),
      )
      return { iv: concatBytes(form, iv), ciphertext }
    })
  }

  decrypt(id: KeyId, { iv, ciphertext }: Encrypted, aad: Uint8Array): Promise<Uint8Array> {
    return this.#use(id, async ({ key }) => {
      needs('aes-256', key)
      const form = iv.subarray(0, 1)
      if (iv.length < 2 || ciphertext.length < 17) throw new ServiceFailure('cannot-open')
      const plaintext = await this.#service.decrypt(
        key,
        { iv: iv.subarray(1), ciphertext },
        concatBytes(form, aad),
      )
      return form[0] === FORM.empty ? plaintext.subarray(1) : plaintext
    })
  }

  hmac(id: KeyId, message: Uint8Array): Promise<Uint8Array> {
    return this.#use(id, async ({ key }) => {
      needs('hmac-sha256', key)
      checkLength('a message', message, this.#service.facts.limits.macMessage)
      const tag = await this.#service.hmac(key, message)
      if (tag.length !== 32) throw new ServiceFailure('wrong-result')
      return tag
    })
  }

  random(length: number): Promise<Uint8Array> {
    return this.#run(async () => {
      if (!Number.isInteger(length) || length < 1 || length > MAX_RANDOM)
        throw bad(`1 to ${MAX_RANDOM} random bytes at once`)
      const bytes = await this.#service.random(length)
      if (bytes.length !== length) throw new ServiceFailure('wrong-result')
      return bytes
    })
  }

  destroy(id: KeyId, { label }: { readonly label: string }): Promise<void> {
    return this.#run(async () => {
      const { key } = await this.#ask(id)
      if (key.label !== label) throw new Fault('hsm/label-mismatch')
      const until = await this.#service.destroy(key)
      this.#pins.forget(id)
      if (until !== undefined)
        this.#ports.logger.log('warn', 'hsm/key-recoverable', {
          key: id,
          until: until.toISOString(),
        })
    })
  }

  async close(): Promise<void> {
    this.#calls.close()
    this.#service.close()
    await this.#judge.close()
  }

  /** The judge's threads do not keep the process alive, but somebody waits for what they say. */
  async #holds(key: PublicKey, input: SignInput, signature: Uint8Array): Promise<boolean> {
    const waiting = setInterval(() => undefined, LONG_MS)
    try {
      return await this.#judge.holds(key, input, signature)
    } finally {
      clearInterval(waiting)
    }
  }

  /** An operation with the key `id`. */
  #use<T>(id: KeyId, action: (known: Known<Ref>) => Promise<T>): Promise<T> {
    return this.#run(async () => action(await this.#get(id)))
  }

  async #run<T>(action: () => Promise<T>): Promise<T> {
    this.#calls.checkOpen()
    try {
      return await action()
    } catch (error) {
      throw error instanceof ServiceFailure ? faultOf(error.kind) : error
    }
  }

  /** The key as it was met, else as the service has it. @throws hsm/key-not-found */
  async #get(id: KeyId): Promise<Known<Ref>> {
    return this.#pins.get(id) ?? this.#ask(id)
  }

  /** The key as the service has it now. @throws hsm/key-not-found, hsm/key-changed */
  async #ask(id: KeyId): Promise<Known<Ref>> {
    const key = await this.#service.look(parseKeyId(id), false)
    if (key === undefined) throw new Fault('hsm/key-not-found')
    return this.#pins.meet(key)
  }

  async #all(): Promise<readonly Known<Ref>[]> {
    return (await this.#service.list()).map((key) => this.#pins.meet(key))
  }
}

const bad = (detail: string): Fault => new Fault('hsm/bad-argument', { detail })

function checkLength(what: string, bytes: Uint8Array, most: number | undefined): void {
  if (most !== undefined && bytes.length > most)
    throw bad(`${what} has at most ${most} bytes with this service`)
}

function needs(algorithm: KeyAlgorithm, key: CloudKey<unknown>): void {
  if (key.algorithm !== algorithm)
    throw bad(`it takes a key for ${algorithm}, this one is for ${key.algorithm}`)
}

/** @throws hsm/bad-argument for a secret key */
function signing({ key, publicKey }: Known<unknown>): PublicKey {
  if (publicKey === undefined) throw bad(`a key for ${key.algorithm} does not sign`)
  return publicKey
}

const infoOf = <Ref>({ id, label, algorithm, publicKey, createdAt }: CloudKey<Ref>): KeyInfo => ({
  id,
  label,
  algorithm,
  ...(publicKey !== undefined && { publicKey }),
  isExtractable: false,
  isSensitive: true,
  createdAt,
})
