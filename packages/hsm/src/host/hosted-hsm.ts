/**
 * An HSM behind a provider host: the device is used in a process of its own, and what it answers is
 * believed only as far as it can be checked here.
 *
 * A key is pinned when it is first seen, or by the caller: from then on no other key answers under its
 * id. ECDSA signatures are normalised and verified before they leave. What a host leaves undone when it ends is repeated,
 * and a key whose making was interrupted is looked for before another is made.
 */
import { type Clock, Fault, isFault, type Logger, type Meter } from '@quorate/base'
import { systemClock, systemTimers, type Timers } from '@quorate/platform'
import type { DeviceSettings, ObjectFacts, PinnedKey, TokenFacts } from '../device.ts'
import { DeviceFault } from '../errors.ts'
import type {
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
} from '../provider.ts'
import { BREAKER_LIMITS, type BreakerLimits } from './breaker.ts'
import { type HostedKeyRequest, KeyMaker } from './key-making.ts'
import {
  type OperationName,
  type RequestOf,
  type ResponseOf,
  type TimesOverride,
  timesOf,
} from './operations.ts'
import { type Pin, Pins } from './pins.ts'
import { POOL_LIMITS, type PoolLimits } from './pool-limits.ts'
import { checkInput, dataOf, normalised, SignatureJudge } from './signatures.ts'
import { Statistics } from './statistics.ts'
import type { HsmStatus } from './status.ts'
import { Supervisor } from './supervisor.ts'
import { isBusy, isTrouble } from './trouble.ts'

export type HostedHsmOptions = {
  readonly settings: DeviceSettings
  /** Gives the PIN in UTF-8, before each start of a host; the bytes are wiped after use. */
  readonly readPin?: () => Promise<Uint8Array>
  readonly logger: Logger
  readonly pool?: Partial<PoolLimits>
  readonly times?: TimesOverride
  readonly breaker?: Partial<BreakerLimits>
  /** Keys that the caller knows already. */
  readonly pins?: readonly PinnedKey[]
  readonly meter?: Meter
  /** Of the names of metrics; `quorate_` unless told. */
  readonly metricsPrefix?: string
  readonly clock?: Clock
  readonly timers?: Timers
  /** The module that the host's process runs; for tests with a device of their own. */
  readonly entry?: URL
}

const CHILD = new URL('./child.js', import.meta.url)
const MAX_RANDOM_BYTES = 1024
/** How often a key is tried to be destroyed. */
const MAX_TRIES = 3
/** Of an IV and a tag, by the vendors' several forms. */
const IV_BYTES = { min: 12, max: 16 }
const TAG_BYTES = 16

type Parts = {
  readonly supervisor: Supervisor
  readonly statistics: Statistics
  readonly clock: Clock
  readonly options: HostedHsmOptions
}

export class HostedHsm implements HsmProvider {
  /** Only where the token has them. */
  readonly wrapKey?: KeyWrapper['wrapKey']
  readonly unwrapKey?: KeyWrapper['unwrapKey']
  readonly importKey?: Importer['importKey']
  readonly #supervisor: Supervisor
  readonly #statistics: Statistics
  readonly #clock: Clock
  readonly #judge = new SignatureJudge()
  readonly #pins: Pins
  readonly #facts: TokenFacts
  readonly #maker: KeyMaker
  #wrongResults = 0

  private constructor({ supervisor, statistics, clock, options }: Parts, facts: TokenFacts) {
    this.#supervisor = supervisor
    this.#statistics = statistics
    this.#clock = clock
    this.#pins = new Pins(options.pins ?? [])
    this.#facts = facts
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
    }
    if (facts.capabilities.includes('import'))
      this.importKey = (request, secret) => this.#importKey(request, secret)
  }

  /**
   * Starts the host and resolves when the device is ready.
   * @throws what opening the device throws, after which nothing is left running; hsm/bad-argument
   */
  static async open(options: HostedHsmOptions): Promise<HostedHsm> {
    const { settings, clock = systemClock, timers = systemTimers, logger } = options
    const statistics = new Statistics(clock, options.meter, options.metricsPrefix ?? 'quorate_')
    let facts: TokenFacts | undefined
    const supervisor = new Supervisor({
      // Once it is known which token this is, no other will do.
      settings: () => (facts === undefined ? settings : settingsOf(settings, facts)),
      readPin: options.readPin,
      limits: { ...POOL_LIMITS, ...options.pool },
      times: options.times ?? {},
      breaker: { ...BREAKER_LIMITS, ...options.breaker },
      entry: options.entry ?? CHILD,
      clock,
      timers,
      statistics,
      logger,
    })
    try {
      await supervisor.open()
      facts = await supervisor.pool.submit('token', undefined)
      if (facts.maxSessions !== undefined) supervisor.pool.limitTo(facts.maxSessions)
      return new HostedHsm({ supervisor, statistics, clock, options }, facts)
    } catch (error) {
      await supervisor.close()
      throw error
    }
  }

  async info(): Promise<ProviderInfo> {
    this.#mustBeOpen()
    const { manufacturer, model, serial, algorithms } = this.#facts
    return { type: 'pkcs11', name: `${manufacturer} ${model}`.trim(), serial, algorithms }
  }

  async health(): Promise<ProviderHealth> {
    const since = this.#clock.monotonic()
    try {
      await this.#ask('probe', undefined)
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
    await Promise.all([this.#supervisor.close(), this.#judge.close()])
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

/** The settings that find this very token. */
const settingsOf = (settings: DeviceSettings, { serial }: TokenFacts): DeviceSettings =>
  serial === '' ? settings : { ...settings, token: { ...settings.token, serial } }
