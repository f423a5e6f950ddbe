/**
 * What changed in a failover, until it is told and on disk: first in the audit log, so that a crash leaves
 * no switch that the log does not have, then the limits that go with it, then the state. Nothing follows a
 * change before that. What could not be written is tried again by the next that waits for it.
 */
import type { FailoverChange, FailoverState } from './machine.ts'
import type { FailoverOptions, FailoverPorts } from './options.ts'
import { type FailoverRecord, failoverRecord, stateName } from './record.ts'
import { FailoverReport } from './report.ts'
import type { StandIns } from './stand-ins.ts'

type Entry = { readonly change: FailoverChange; isTold: boolean }

export class FailoverJournal {
  readonly report: FailoverReport
  readonly #options: FailoverOptions
  readonly #ports: FailoverPorts
  readonly #standIns: StandIns
  readonly #stateNow: () => FailoverState
  #record: FailoverRecord
  /** Oldest first. */
  readonly #entries: Entry[] = []
  #isDirty = true
  #writing: Promise<void> | undefined

  /** Over what was kept last; `stateNow` is asked whenever the state is written. */
  constructor(
    options: FailoverOptions,
    ports: FailoverPorts,
    standIns: StandIns,
    kept: FailoverRecord | undefined,
    stateNow: () => FailoverState,
  ) {
    this.report = new FailoverReport(ports, options.slots, options.emergency)
    this.#options = options
    this.#ports = ports
    this.#standIns = standIns
    this.#stateNow = stateNow
    this.#record = this.#recordNow(kept)
  }

  note(changes: readonly FailoverChange[]): void {
    if (changes.length === 0) return
    this.#entries.push(...changes.map((change) => ({ change, isTold: false })))
    this.#isDirty = true
    // What waits for it hears of a failure.
    this.settled().catch(() => undefined)
  }

  /** Resolves once every change so far is in the audit log and on disk. @throws why it cannot be */
  settled(): Promise<void> {
    if (this.#isDirty || this.#entries.length > 0) this.#writing ??= this.#write()
    return this.#writing ?? Promise.resolve()
  }

  async #write(): Promise<void> {
    try {
      while (this.#isDirty || this.#entries.length > 0) {
        const [entry] = this.#entries
        if (entry === undefined) await this.#save()
        else {
          await this.#tell(entry)
          this.#entries.shift()
        }
      }
    } finally {
      this.#writing = undefined
    }
  }

  async #tell(entry: Entry): Promise<void> {
    const { change } = entry
    if (!entry.isTold) await this.report.changed(change)
    entry.isTold = true
    if (change.kind === 'opened' || change.kind === 'closed') return
    const { from, to } = change
    await this.#standIns.switched(this.#placeOf(from), this.#placeOf(to))
    const reason = change.kind === 'switched' ? change.reason : null
    this.#record = {
      ...this.#record,
      switches: this.#record.switches + 1,
      lastSwitch: { from: this.#nameOf(from), to: this.#nameOf(to), reason, time: this.#wall() },
    }
    this.#isDirty = true
  }

  async #save(): Promise<void> {
    this.#isDirty = false
    try {
      this.#record = this.#recordNow(this.#record)
      await this.#ports.state.write(stateName(this.#options.name), failoverRecord, this.#record)
    } catch (error) {
      this.#isDirty = true
      throw error
    }
  }

  #recordNow(kept: FailoverRecord | undefined): FailoverRecord {
    const { slots, fallback, emergency } = this.#options
    const state = this.#stateNow()
    return {
      v: 1,
      slots: slots.map(({ name, place }, at) => {
        const slot = state[at]
        const downBecause = slot?.is === 'down' ? slot.reason : null
        const before = kept?.slots.find((each) => each.name === name)
        const since = before?.downBecause === downBecause ? before.since : this.#wall()
        return { name, place, downBecause, since }
      }),
      switches: kept?.switches ?? 0,
      lastSwitch: kept?.lastSwitch,
      emergency: slots.some(({ place }) => place === 'emergency') ? emergency : undefined,
      maxFallbackOperations: fallback?.maxOperations,
    }
  }

  #nameOf(slot: number | undefined): string | null {
    return (slot === undefined ? undefined : this.#options.slots[slot]?.name) ?? null
  }

  #placeOf(slot: number | undefined): FailoverRecord['slots'][number]['place'] | undefined {
    return slot === undefined ? undefined : this.#options.slots[slot]?.place
  }

  #wall(): number {
    return Math.max(0, Math.floor(this.#ports.clock.now()))
  }
}
