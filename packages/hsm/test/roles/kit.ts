/** A custody over software keys that claim to be hardware, with everything about it written down. */
import type { TestContext } from 'node:test'
import { Fault } from '@quorate/base'
import {
  type Custody,
  type HsmProvider,
  hsmEvents,
  type MemoryState,
  memoryHsmState,
  type SoftwareHsm,
} from '@quorate/hsm'
import { ManualTime } from '@quorate/platform'
import { type CustodyPolicy, custodyPolicyFromPlain } from '@quorate/policy'
import { auditEntryOf, type HsmAuditRecord } from '#src/audit/record.js'
import type { HsmEvent } from '#src/events.js'
import type { FailoverSlot } from '#src/failover/options.js'
import { type CustodyOptions, RoleCustody } from '#src/roles/custody.js'
import { openSoftwareIn, scratch } from '../kit.ts'

const BOOT_ID = new Uint8Array(16)
export const SECRET: Uint8Array = new Uint8Array(32).fill(9)

/** What reached a provider, by operation. */
export type Recording = { readonly provider: HsmProvider; readonly calls: string[] }

export function recording(provider: HsmProvider): Recording {
  const calls: string[] = []
  const recorder = new Proxy(provider, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: readonly unknown[]): unknown => {
        calls.push(String(name))
        return Reflect.apply(value, target, args) as unknown
      }
    },
  })
  return { provider: recorder, calls }
}

export class Bench {
  readonly time: ManualTime = new ManualTime()
  readonly records: HsmAuditRecord[] = []
  readonly events: HsmEvent[] = []
  readonly #t: TestContext
  state: MemoryState = memoryHsmState()
  isAuditing = true
  /** Runs while a record is being written. */
  whileAuditing: () => void | Promise<void> = () => undefined

  constructor(t: TestContext) {
    this.#t = t
  }

  async software(): Promise<SoftwareHsm> {
    const hsm = await openSoftwareIn(scratch(this.#t))
    this.#t.after(() => hsm.close())
    return hsm
  }

  slot(name: string, provider: HsmProvider, changes: Partial<FailoverSlot> = {}): FailoverSlot {
    const custody: Custody = changes.custody ?? 'hardware'
    return {
      name,
      place: 'primary',
      maxRetries: 0,
      retryIntervalMs: 1000,
      custody,
      open: async () => ({ provider, custody, close: async () => undefined }),
      ...changes,
    }
  }

  async open(
    devices: readonly FailoverSlot[],
    plain: object = {},
    changes: Partial<CustodyOptions> = {},
  ): Promise<RoleCustody> {
    const events = hsmEvents()
    events.on((event) => this.events.push(event))
    const policy: CustodyPolicy = custodyPolicyFromPlain(plain)
    const custody = await RoleCustody.open(
      { name: 'test', environment: 'production', policy, devices, ...changes },
      {
        clock: this.time,
        timers: this.time,
        state: this.state,
        events,
        audit: {
          append: async (record) => {
            await this.whileAuditing()
            if (!this.isAuditing) throw new Fault('platform/disk-full')
            // As the log itself would: a record that it cannot hold is a fault.
            auditEntryOf(record, BOOT_ID)
            this.records.push(record)
          },
        },
      },
    )
    this.#t.after(() => custody.close())
    return custody
  }

  /** As after `kill -9`: only what is on disk is left. */
  restart(): void {
    this.state = memoryHsmState(this.state.contents())
  }

  get audited(): readonly (readonly [string, string, string | undefined])[] {
    return this.records.map(({ operation, result, code }) => [operation, result, code])
  }
}
