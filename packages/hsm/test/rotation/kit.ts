/** A device in memory that survives crashes of its user, and a user that crashes where it is told to. */
import { randomBytes } from 'node:crypto'
import { type Codec, Fault } from '@quorate/base'
import {
  type HsmEventFact,
  type HsmProvider,
  type HsmState,
  hsmEvents,
  type KeyId,
  type KeyInfo,
  type KeyRequest,
  type MemoryState,
  memoryHsmState,
  parseKeyId,
} from '@quorate/hsm'
import { ManualTime, systemRandom } from '@quorate/platform'
import { generateEd25519Key, signEd25519, verifyEd25519 } from '#src/ed25519.js'
import { DeviceFault } from '#src/errors.js'
import { type KeyRoles, openKeyRoles } from '#src/roles/bindings.js'
import { type RotationConfig, type RotationValues, rotationConfig } from '#src/rotation/config.js'
import type { RotationConsumer, RotationPorts } from '#src/rotation/ports.js'
import { Rotations } from '#src/rotation/rotations.js'

export const ROLE = 'validator'
export const DAY = 86_400_000

/** What a killed process would be: nothing it does afterwards has an effect. */
export class Crash extends Error {}

/** Counts effects, and crashes before or after the one that it is armed for. */
export class Doom {
  #left: number | undefined
  #isBefore = false
  isDead = false

  arm(effects: number, isBefore: boolean): void {
    this.#left = effects
    this.#isBefore = isBefore
  }

  async around<T>(effect: () => Promise<T>): Promise<T> {
    if (this.isDead) throw new Crash()
    const isNow = this.#left !== undefined && this.#left-- === 0
    if (isNow && this.#isBefore) {
      this.isDead = true
      throw new Crash()
    }
    const result = await effect()
    if (isNow) {
      this.isDead = true
      throw new Crash()
    }
    return result
  }
}

type MemoryKey = { readonly info: KeyInfo; readonly secret: Uint8Array }

/** Ed25519 keys in memory. */
export class MemoryDevice {
  readonly keys = new Map<KeyId, MemoryKey>()
  isDown = false
  made = 0

  provider(doom: Doom): HsmProvider {
    const key = (id: KeyId): MemoryKey => {
      if (this.isDown) throw new DeviceFault('hsm/unavailable')
      const found = this.keys.get(id)
      if (found === undefined) throw new Fault('hsm/key-not-found')
      return found
    }
    const absent = (): never => {
      throw new Fault('hsm/bad-argument')
    }
    return {
      info: async () => ({ type: 'memory', name: 'memory', serial: '1', algorithms: ['ed25519'] }),
      health: async () => ({ state: 'ok' }),
      generateKey: ({ id = parseKeyId(randomBytes(8).toString('hex')), label }: KeyRequest) =>
        doom.around(async () => {
          if (this.isDown) throw new DeviceFault('hsm/unavailable')
          if (this.keys.has(id)) throw new Fault('hsm/key-exists')
          const { secret, publicKey } = generateEd25519Key()
          const info: KeyInfo = {
            id,
            label,
            algorithm: 'ed25519',
            publicKey,
            isExtractable: false,
            isSensitive: true,
            createdAt: 0,
          }
          this.keys.set(id, { info, secret })
          this.made++
          return info
        }),
      find: async ({ id }) => (id === undefined ? absent() : key(id).info),
      list: async () => [...this.keys.values()].map(({ info }) => info),
      publicKey: async (id) => key(id).info.publicKey!,
      sign: async (id, input) =>
        'message' in input ? signEd25519(key(id).secret, input.message) : absent(),
      verify: async (id, input, signature) =>
        'message' in input && verifyEd25519(key(id).info.publicKey!, input.message, signature),
      encrypt: async () => absent(),
      decrypt: async () => absent(),
      hmac: async () => absent(),
      random: async (length) => new Uint8Array(randomBytes(length)),
      destroy: (id, { label }) =>
        doom.around(async () => {
          if (key(id).info.label !== label) throw new Fault('hsm/label-mismatch')
          this.keys.delete(id)
        }),
      close: async () => undefined,
    }
  }
}

/** One life of a process that rotates. */
export type Life = {
  readonly rotations: Rotations
  readonly roles: KeyRoles
  readonly state: MemoryState
  readonly doom: Doom
}

const doomed = (state: MemoryState, doom: Doom): HsmState => ({
  read: (name, codec) => state.read(name, codec),
  names: (prefix) => state.names(prefix),
  write: (name, codec, value) => doom.around(() => state.write(name, codec, value)),
  update: <T>(name: string, codec: Codec<T>, next: (old: T | undefined) => T) =>
    doom.around(() => state.update(name, codec, next)),
  close: () => state.close(),
})

export class Bench {
  readonly time = new ManualTime()
  readonly device = new MemoryDevice()
  readonly told: HsmEventFact[] = []
  readonly config: RotationConfig
  readonly more: Partial<RotationPorts>
  life: Life
  /** What the one consumer says. */
  isAccepting = true
  readonly offered = new Set<string>()
  onLook: () => void = () => undefined

  private constructor(values: RotationValues, more: Partial<RotationPorts>) {
    this.config = rotationConfig(values)
    this.more = more
    this.life = this.#live(memoryHsmState())
  }

  /** With a first key of the role `validator`. */
  static async open(
    values: RotationValues = { enabled: true },
    more: Partial<RotationPorts> = {},
  ): Promise<Bench> {
    const bench = new Bench(values, more)
    const { id, label, publicKey } = await bench.device
      .provider(bench.life.doom)
      .generateKey({ label: 'validator', algorithm: 'ed25519' })
    await bench.life.roles.bind(ROLE, {
      provider: 'main',
      keyId: id,
      label,
      algorithm: 'ed25519',
      publicKey: publicKey!,
      boundAt: bench.time.now(),
    })
    return bench
  }

  #live(state: MemoryState): Life {
    const doom = new Doom()
    const guarded = doomed(state, doom)
    const roles = openKeyRoles(guarded)
    const events = hsmEvents()
    events.on((event) => this.told.push(event))
    const consumer: RotationConsumer = {
      name: 'verifier',
      uses: () => true,
      accept: async (_role, next) => {
        this.offered.add(next.keyId)
        return this.isAccepting
      },
    }
    const provider = this.device.provider(doom)
    const rotations = new Rotations({
      config: this.config,
      roles,
      devices: { provider: async () => provider },
      consumers: [consumer],
      state: guarded,
      clock: this.time,
      timers: this.time,
      random: systemRandom,
      events,
      ...this.more,
    })
    return { rotations, roles, state, doom }
  }

  /** The process is gone; the next one has what was on disk. */
  restart(): void {
    this.life.doom.isDead = true
    this.life = this.#live(memoryHsmState(this.life.state.contents()))
  }

  /** One look; a crash in it is followed by a restart. */
  async run(): Promise<void> {
    await this.act(() => this.life.rotations.run())
    this.onLook()
  }

  async act(what: () => Promise<unknown>): Promise<void> {
    const { doom } = this.life
    try {
      await what()
    } catch (error) {
      if (!(error instanceof Crash)) throw error
    }
    if (doom.isDead) this.restart()
  }

  /** Lets time pass, with a look every `step`. */
  async pass(ms: number, step = 6 * 3_600_000): Promise<void> {
    for (let left = ms; left > 0; left -= step) {
      this.time.advance(Math.min(step, left))
      await this.run()
    }
  }

  kinds(): readonly string[] {
    return this.told.map(({ kind }) => kind)
  }
}
