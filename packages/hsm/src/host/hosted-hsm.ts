/**
 * An HSM behind a provider host: the device is used in a process of its own, and what it answers is
 * believed only as far as it can be checked here.
 *
 * A key is pinned when it is first seen, or by the caller: from then on no other key answers under its
 * id. ECDSA signatures are normalised and verified before they leave. What a host leaves undone when it ends is repeated,
 * and a key whose making was interrupted is looked for before another is made.
 */
import { type Clock, Fault, isFault } from '@quorate/base'
import type { DeviceSettings, ObjectFacts, PinnedKey, TokenFacts } from '../device.ts'
import { DeviceFault } from '../errors.ts'
import type {
  Deriver,
  Encrypted,
  HsmProvider,
  Importer,
  KeyAlgorithm,
  KeyId,
  KeyInfo,
  KeyQuery,
  KeyWrapper,
  ProviderHealth,
  ProviderInfo,
  SignInput,
  Tamper,
  TamperEvent,
} from '../provider.ts'
import type { ZymbitOperations } from '../zymbit/operations.ts'
import { type DeviceHosts, type HostedHsmOptions, hostsOf } from './device-hosts.ts'
import { type HostedKeyRequest, KeyMaker } from './key-making.ts'
import { type OperationName, type RequestOf, type ResponseOf, timesOf } from './operations.ts'
import { eventsOf, PerimeterWatch } from './perimeter-watch.ts'
import { type Pin, Pins } from './pins.ts'
import { checkInput, dataOf, normalised, SignatureJudge } from './signatures.ts'
import type { Statistics } from './statistics.ts'
import type { HsmStatus } from './status.ts'
import type { Supervisor } from './supervisor.ts'
import { isBusy, isTrouble } from './trouble.ts'

export type { HostedHsmOptions } from './device-hosts.ts'

const MAX_RANDOM_BYTES = 1024
/** How often a key is tried to be destroyed. */
const MAX_TRIES = 3
/** Of an IV and a tag, by the vendors' several forms. */
const IV_BYTES = { min: 12, max: 16 }
const TAG_BYTES = 16

export class HostedHsm implements HsmProvider {
  /** Only where the token has them. */
  readonly wrapKey?: KeyWrapper['wrapKey']
  readonly unwrapKey?: KeyWrapper['unwrapKey']
  readonly importKey?: Importer['importKey']
  readonly generateWrappableKey?: KeyWrapper['generateWrappableKey']
  readonly makeWrappingKey?: KeyWrapper['makeWrappingKey']
  readonly deriveKey?: Deriver['deriveKey']
  readonly tamperEvents?: Tamper['tamperEvents']
  readonly onTamper?: Tamper['onTamper']
  readonly #supervisor: Supervisor
  /** Only where the device has a perimeter. */
  readonly #watch: PerimeterWatch | undefined
  readonly #statistics: Statistics
  readonly #clock: Clock
  readonly #judge = new SignatureJudge()
  readonly #pins: Pins
  readonly #facts: TokenFacts
  readonly #maker: KeyMaker
  readonly #driver: DeviceSettings['driver']
  #wrongResults = 0

  private constructor(hosts: DeviceHosts, options: HostedHsmOptions, facts: TokenFacts) {
    const { supervisor, statistics, clock } = hosts
    this.#supervisor = supervisor
    this.#statistics = statistics
    this.#clock = clock
    this.#pins = new Pins(options.pins ?? [])
    this.#facts = facts
    this.#driver = options.settings.driver
    this.#maker = new KeyMaker({
      algorithms: facts.algorithms,
      ask: (name, request, deadline) => this.#ask(name, request, deadline),
      deadlineFor: (name) => clock.monotonic() + timesOf(name, options.times ?? {}).deadlineMs,
      destroy: (id, confirm) => this.destroy(id, confirm),
      wrongResult: (detail) => this.#wrongResult(detail),
    })
    if (facts.capabilities.includes('wrap')) {
      this.wrapKey = (wrapping, target) => this.#wrapKey(wrapping, target)
      this.unwrapKey = (wrapping, wrapped, request) => this.#unwrapKey(wrapping, wrapped, request)
      this.generateWrappableKey = (request) => this.generateKey({ ...request, isWrappable: true })
      this.makeWrappingKey = (named, secret) => {
        const request = { ...named, algorithm: 'aes-256', use: 'wrapping' } as const
        return secret === undefined ? this.generateKey(request) : this.#importKey(request, secret)
      }
    }
    if (facts.capabilities.includes('derive'))
      this.deriveKey = (parent, path, request) => this.#deriveKey(parent, path, request)
    if (facts.capabilities.includes('tamper')) {
      const watch = new PerimeterWatch(hosts.newWatcher, clock, options.logger)
      this.#watch = watch
      this.tamperEvents = () => this.#tamperEvents()
      this.onTamper = (listener) => watch.listen(listener)
    }
    if (facts.capabilities.includes('import'))
      this.importKey = (request, secret) => this.#importKey(request, secret)
  }

  /**
   * Starts the host and resolves when the device is ready.
   * @throws what opening the device throws, after which nothing is left running; hsm/bad-argument
   */
  static async open(options: HostedHsmOptions): Promise<HostedHsm> {
    let facts: TokenFacts | undefined
    const hosts = hostsOf(options, () => facts)
    const { supervisor } = hosts
    try {
      await supervisor.open()
      facts = await supervisor.pool.submit('token', undefined)
      if (facts.maxSessions !== undefined) supervisor.pool.limitTo(facts.maxSessions)
      return new HostedHsm(hosts, options, facts)
    } catch (error) {
      await supervisor.close()
      throw error
    }
  }

  async info(): Promise<ProviderInfo> {
    this.#mustBeOpen()
    const { manufacturer, model, serial, algorithms } = this.#facts
    return { type: this.#driver, name: `${manufacturer} ${model}`.trim(), serial, algorithms }
  }

  async health(): Promise<ProviderHealth> {
    const since = this.#clock.monotonic()
    try {
      await this.#ask('probe', undefined)
      if (this.#watch?.isLost === true) return { state: 'failed', reason: 'hsm/watch-lost' }
      return { state: 'ok' }
    } catch (error) {
      // One that has no time for a probe, because it does its work, is well.
      if (isFault(error) && isBusy(error) && this.#statistics.lastDone > since)
        return { state: 'ok' }
      return { state: 'failed', reason: isFault(error) ? error.code : 'hsm/unavailable' }
    }
  }

  /** What the provider and its host have done, and how they are. */
  status(): HsmStatus {
    const { operations, rates } = this.#statistics
    return {
      component: this.#facts.label,
      ...this.#supervisor.figures,
      pool: this.#supervisor.pool.figures,
      wrongResults: this.#wrongResults,
      ...rates,
      operations,
    }
  }

  /** What the token says of itself now. */
  token(): Promise<TokenFacts> {
    return this.#ask('token', undefined)
  }

  /** Every object of the token that its user can see. */
  objects(): Promise<readonly ObjectFacts[]> {
    return this.#ask('objects', undefined)
  }

  /** From now on only this key answers under its id. @throws hsm/key-changed where another is pinned already */
  pin(key: PinnedKey): void {
    this.#pins.add(key)
  }

  /** Goes on after the PIN was refused, or at once instead of later. @throws why it cannot */
  reopen(): Promise<void> {
    return this.#supervisor.open()
  }

  async generateKey(request: HostedKeyRequest): Promise<KeyInfo> {
    return this.#pins.add(
      await this.#maker.make(request, 'generateKey', (identified) => identified),
    )
  }

  async find(query: KeyQuery): Promise<KeyInfo> {
    if (query.id === undefined && query.label === undefined)
      throw new Fault('hsm/bad-argument', { detail: 'an id or a label is needed' })
    const info = await this.#ask('find', query)
    if ((query.id ?? info.id) !== info.id || (query.label ?? info.label) !== info.label)
      throw this.#wrongResult('another key than the one asked for')
    this.#pins.add(info)
    return info
  }

  async list(): Promise<readonly KeyInfo[]> {
    const all = await this.#ask('list', undefined)
    for (const info of all) this.#pins.add(info)
    return all
  }

  async publicKey(id: KeyId): Promise<Uint8Array> {
    const { publicKey } = await this.#pinOf(id)
    if (publicKey === undefined)
      throw new Fault('hsm/bad-argument', { detail: 'a secret key has no public key' })
    return publicKey.bytes.slice()
  }

  async sign(id: KeyId, input: SignInput): Promise<Uint8Array> {
    const { key, publicKey } = this.#pins.get(id) ?? (await this.#pinOf(id))
    if (publicKey === undefined) throw wrongPurpose('sign')
    const data = dataOf(publicKey, input)
    const raw = await this.#ask('sign', { key, data: data instanceof Promise ? await data : data })
    const signature = normalised(publicKey, raw)
    // An Ed25519 signature has one form, and whoever gives it out (`hsmSigner`, the adapters of networks)
    // verifies it: a second time here would cost more than everything else of this layer.
    const holds =
      signature !== undefined &&
      (publicKey.algorithm === 'ed25519' || (await this.#judge.holds(publicKey, input, signature)))
    if (!holds) throw this.#wrongResult('a signature does not hold')
    return signature
  }

  async verify(id: KeyId, input: SignInput, signature: Uint8Array): Promise<boolean> {
    const { publicKey } = await this.#pinOf(id)
    if (publicKey === undefined) throw wrongPurpose('verify')
    checkInput(publicKey, input)
    return signature.length === 64 && this.#judge.holds(publicKey, input, signature)
  }

  async encrypt(id: KeyId, plaintext: Uint8Array, aad: Uint8Array): Promise<Encrypted> {
    const key = await this.#keyFor('aes-256', id)
    const encrypted = await this.#ask('encrypt', { key, plaintext, aad })
    if (!isSealed(encrypted) || encrypted.ciphertext.length < plaintext.length + TAG_BYTES)
      throw this.#wrongResult('a ciphertext is too short')
    return encrypted
  }

  async decrypt(id: KeyId, encrypted: Encrypted, aad: Uint8Array): Promise<Uint8Array> {
    const key = await this.#keyFor('aes-256', id)
    if (!isSealed(encrypted)) throw new Fault('hsm/cannot-open')
    return this.#ask('decrypt', { key, encrypted, aad })
  }

  async hmac(id: KeyId, message: Uint8Array): Promise<Uint8Array> {
    const tag = await this.#ask('hmac', { key: await this.#keyFor('hmac-sha256', id), message })
    if (tag.length !== 32) throw this.#wrongResult('a tag has another length')
    return tag
  }

  async random(length: number): Promise<Uint8Array> {
    if (!Number.isInteger(length) || length < 1 || length > MAX_RANDOM_BYTES)
      throw new Fault('hsm/bad-argument', { detail: `1 to ${MAX_RANDOM_BYTES} bytes` })
    const bytes = await this.#ask('random', length)
    if (bytes.length !== length) throw this.#wrongResult('random bytes have another length')
    return bytes
  }

  async destroy(id: KeyId, { label }: { readonly label: string }): Promise<void> {
    for (let tries = 1; ; tries++)
      try {
        await this.#ask('destroy', { id, label })
        break
      } catch (error) {
        // Gone, by the try that was interrupted.
        if (tries > 1 && isFault(error, 'hsm/key-not-found')) break
        if (!isTrouble(error) || tries === MAX_TRIES) throw error
      }
    this.#pins.forget(id)
  }

  async close(): Promise<void> {
    await Promise.all([this.#supervisor.close(), this.#watch?.close(), this.#judge.close()])
  }

  async #wrapKey(wrapping: KeyId, target: KeyId): Promise<Uint8Array> {
    return this.#ask('wrapKey', {
      wrapping: (await this.#pinOf(wrapping)).key,
      target: (await this.#pinOf(target)).key,
    })
  }

  async #unwrapKey(
    wrapping: KeyId,
    wrapped: Uint8Array,
    request: HostedKeyRequest,
  ): Promise<KeyInfo> {
    const { key } = await this.#pinOf(wrapping)
    const made = await this.#maker.make(request, 'unwrapKey', (identified) => ({
      wrapping: key,
      wrapped,
      request: identified,
    }))
    return this.#pins.add(made)
  }

  async #importKey(request: HostedKeyRequest, secret: Uint8Array): Promise<KeyInfo> {
    const made = await this.#maker.make(request, 'importKey', (identified) => ({
      request: identified,
      secret,
    }))
    return this.#pins.add(made)
  }

  async #deriveKey(parent: KeyId, path: string, request: HostedKeyRequest): Promise<KeyInfo> {
    const made = await this.#maker.make(request, 'deriveKey', (identified) => ({
      parent,
      path,
      request: identified,
    }))
    return this.#pins.add(made)
  }

  async #tamperEvents(): Promise<readonly TamperEvent[]> {
    return eventsOf(await this.#ask('perimeter', { known: [], waitMs: 0 }))
  }

  async #pinOf(id: KeyId): Promise<Pin> {
    this.#mustBeOpen()
    const known = this.#pins.get(id)
    if (known !== undefined) return known
    await this.find({ id })
    return this.#pins.get(id) ?? this.#pinOf(id)
  }

  async #keyFor(algorithm: KeyAlgorithm, id: KeyId): Promise<PinnedKey> {
    const { key } = this.#pins.get(id) ?? (await this.#pinOf(id))
    if (key.algorithm !== algorithm) throw wrongPurpose(`work as ${algorithm}`)
    return key
  }

  /** What the device answers to an operation of its own kind. The types of `operations.ts` say which there are. */
  ask<Name extends keyof ZymbitOperations>(
    name: Name,
    request: RequestOf<Name>,
  ): Promise<ResponseOf<Name>> {
    return this.#ask(name, request)
  }

  #ask<Name extends OperationName>(
    name: Name,
    request: RequestOf<Name>,
    deadline?: number,
  ): Promise<ResponseOf<Name>> {
    return this.#supervisor.pool.submit(name, request, deadline)
  }

  #wrongResult(detail: string): Fault {
    this.#wrongResults++
    const fault = new DeviceFault('hsm/wrong-result', { detail })
    this.#statistics.event('wrong-result')
    this.#supervisor.distrust(fault)
    return fault
  }

  #mustBeOpen(): void {
    if (this.#supervisor.figures.state === 'closed') throw new DeviceFault('hsm/closed')
  }
}

const wrongPurpose = (what: string): Fault =>
  new Fault('hsm/bad-argument', { detail: `the key does not ${what}` })

const isSealed = ({ iv, ciphertext }: Encrypted): boolean =>
  iv.length >= IV_BYTES.min && iv.length <= IV_BYTES.max && ciphertext.length >= TAG_BYTES
