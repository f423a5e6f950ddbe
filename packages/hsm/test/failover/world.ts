/** Devices that fail as they are told, and a disk and a log that a crash can stop at any step. */
import { type Codec, Fault } from '@quorate/base'
import { DeviceFault, type HsmProvider, hsmEvents, memoryHsmState } from '@quorate/hsm'
import { ManualTime } from '@quorate/platform'
import {
  type CustodyPolicy,
  custodyPolicyFromPlain,
  decideCustody,
  type KeyOperation,
} from '@quorate/policy'
import { auditEntryOf, type HsmAuditRecord } from '#src/audit/record.js'
import type { EventKind } from '#src/events.js'
import { Failover } from '#src/failover/failover.js'
import type { SlotPlace } from '#src/failover/machine.js'
import type {
  FailoverOptions,
  FailoverPorts,
  FailoverSlot,
  FallbackSlot,
  Work,
} from '#src/failover/options.js'
import type { HsmState } from '#src/state/store.js'

const BOOT_ID = new Uint8Array(16)
export const MODES = ['works', 'same', 'next', 'never', 'busy'] as const
export type Mode = (typeof MODES)[number]

const FAULTS: { readonly [M in Exclude<Mode, 'works'>]: () => Fault } = {
  same: () => new DeviceFault('hsm/unavailable'),
  next: () => new DeviceFault('hsm/token-absent'),
  never: () => new DeviceFault('hsm/pin-locked'),
  busy: () => new DeviceFault('hsm/busy'),
}

export type Made = { readonly by: string; readonly number: number }

export class FakeDevice {
  readonly name: string
  mode: Mode = 'works'
  /** Operations that reached it, by role. */
  readonly touchedBy: string[] = []
  readonly made: Made[] = []
  opened = 0
  readonly #step: () => Promise<void>

  constructor(name: string, step: () => Promise<void>) {
    this.name = name
    this.#step = step
  }

  get provider(): HsmProvider {
    return this as unknown as HsmProvider
  }

  async use(role: string): Promise<Made> {
    await this.#step()
    this.touchedBy.push(role)
    if (this.mode !== 'works') throw FAULTS[this.mode]()
    const made = { by: this.name, number: this.made.length }
    this.made.push(made)
    await this.#step()
    return made
  }

  async health(): Promise<{ readonly state: string; readonly reason?: string }> {
    return this.mode === 'works' ? { state: 'ok' } : { state: 'failed', reason: 'hsm/unavailable' }
  }

  async close(): Promise<void> {}
}

export const NAMES = ['main', 'backup', 'last'] as const
const PLACES: { readonly [name: string]: SlotPlace } = {
  main: 'primary',
  backup: 'secondary',
  last: 'emergency',
}

export const POLICY: CustodyPolicy = custodyPolicyFromPlain({
  requireHsmForRoles: ['validator'],
  roles: { relayer: { allowSoftwareFallback: true } },
  emergency: { maxTransactions: 5, maxTimeSeconds: 100 },
})

/** `nodes` of the disk survive a crash; everything else is dropped. */
export class World {
  readonly time: ManualTime = new ManualTime()
  readonly devices: { readonly [name: string]: FakeDevice }
  readonly software: FakeDevice
  readonly records: HsmAuditRecord[] = []
  readonly events: EventKind[] = []
  policy: CustodyPolicy = POLICY
  isAuditing = true
  failover!: Failover
  /** Steps until everything stops, as `kill -9` would stop it. */
  #stepsLeft = Number.POSITIVE_INFINITY
  #disk: ReadonlyMap<string, Uint8Array> = new Map()
  #contents: () => ReadonlyMap<string, Uint8Array> = () => this.#disk
  /** A process that is dead does nothing more, whatever its promises would. */
  #life = 0

  constructor() {
    const step = (): Promise<void> => this.#step()
    this.devices = Object.fromEntries(NAMES.map((name) => [name, new FakeDevice(name, step)]))
    this.software = new FakeDevice('software', step)
  }

  async #step(life = this.#life): Promise<void> {
    if (life !== this.#life || this.#stepsLeft <= 0) await new Promise(() => undefined)
    this.#stepsLeft--
  }

  device(name: string): FakeDevice {
    return this.devices[name]!
  }

  crashAfter(steps: number): void {
    this.#stepsLeft = steps
  }

  /** A new process over what the last one left on disk. */
  async start(changes: Partial<FailoverOptions> = {}): Promise<void> {
    this.#disk = this.#contents()
    this.#life++
    this.#stepsLeft = Number.POSITIVE_INFINITY
    const kept = memoryHsmState(this.#disk)
    this.#contents = kept.contents
    const events = hsmEvents()
    const life = this.#life
    events.on(({ kind }) => {
      if (life === this.#life) this.events.push(kind)
    })
    const ports: FailoverPorts = {
      clock: this.time,
      timers: this.time,
      events,
      state: this.#stepping(kept, life),
      audit: {
        append: async (record) => {
          await this.#step(life)
          if (!this.isAuditing) throw new Fault('platform/disk-full')
          // As the log itself would: a record that it cannot hold is a fault.
          auditEntryOf(record, BOOT_ID)
          this.records.push(record)
          await this.#step(life)
        },
      },
    }
    this.failover = await Failover.open({ ...this.options(), ...changes }, ports)
  }

  #stepping(state: HsmState, life: number): HsmState {
    return {
      read: (name, codec) => state.read(name, codec),
      names: (prefix) => state.names(prefix),
      close: () => state.close(),
      write: async (name, codec, value) => {
        await this.#step(life)
        await state.write(name, codec, value)
        await this.#step(life)
      },
      update: async <T>(name: string, codec: Codec<T>, next: (old: T | undefined) => T) => {
        await this.#step(life)
        const value = await state.update(name, codec, next)
        await this.#step(life)
        return value
      },
    }
  }

  slot(name: string, changes: Partial<FailoverSlot> = {}): FailoverSlot {
    const device = this.device(name)
    return {
      name,
      place: PLACES[name] ?? 'secondary',
      maxRetries: 3,
      retryIntervalMs: name === 'main' ? 5000 : 10_000,
      custody: 'hardware',
      open: async () => {
        device.opened++
        return { provider: device.provider, custody: 'hardware', close: async () => undefined }
      },
      ...changes,
    }
  }

  fallback(changes: Partial<FallbackSlot> = {}): FallbackSlot {
    return {
      name: 'software',
      custody: 'software',
      isAutomatic: true,
      timeoutMs: 5000,
      maxOperations: 3,
      open: async () => ({
        provider: this.software.provider,
        custody: 'software',
        close: async () => undefined,
      }),
      ...changes,
    }
  }

  options(): FailoverOptions {
    return {
      name: 'test',
      slots: NAMES.map((name) => this.slot(name)),
      emergency: this.policy.emergency,
    }
  }

  work(role: string, operation: KeyOperation = 'sign'): Work<Made> & { readonly late: Made[] } {
    const late: Made[] = []
    return {
      role,
      decide: (where) =>
        decideCustody(this.policy, { role, operation, environment: 'production', ...where }),
      perform: (provider) => (provider as unknown as FakeDevice).use(role),
      discard: (made) => late.push(made),
      late,
    }
  }

  sign(role = 'transaction_signer'): Promise<Made> {
    return this.failover.run(this.work(role))
  }

  /** What `work` comes to, time passing as long as it must; `undefined` where it comes to nothing. */
  async outcome<T>(work: Promise<T>, maxMs = 200_000): Promise<Outcome<T> | undefined> {
    let outcome: Outcome<T> | undefined
    work.then(
      (value) => {
        outcome = { value }
      },
      (error: unknown) => {
        outcome = { error }
      },
    )
    for (let waited = 0; ; waited += 1000) {
      await settled()
      if (outcome !== undefined || waited >= maxMs) return outcome
      this.time.advance(1000)
    }
  }

  async value<T>(work: Promise<T>): Promise<T> {
    const outcome = await this.outcome(work)
    if (outcome === undefined) throw new Error('it came to nothing')
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }
}

export type Outcome<T> = { readonly value: T } | { readonly error: unknown }

/** Lets everything run that waits for no time. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}
