/**
 * Sends the chain to one place besides the files, at its own pace. Where it stands is kept beside the
 * files: after a restart it goes on from the last record that was taken.
 */
import { existsSync } from 'node:fs'
import { type Clock, Fault, fromUtf8, isFault, type Logger, utf8 } from '@quorate/base'
import { type Cancel, readFile, type Timers, writeFileAtomic } from '@quorate/platform'
import type { HsmEvents } from '../events.ts'
import type { AuditDelivery, AuditLine } from './delivery.ts'

export type ForwarderPorts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  readonly events?: HsmEvents | undefined
}

/** Where lines come from that no longer are in memory. */
export type LineSource = {
  /** Number of the last record. */
  readonly last: () => number
  /** The first records after number `after`, at most `limit`. */
  readonly read: (after: number, limit: number) => readonly AuditLine[]
}

export type ForwarderFigures = {
  readonly name: string
  readonly confirms: boolean
  readonly waiting: number
  readonly failures: number
}

const BATCH = 500
const WINDOW = 5000
const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 30_000
/** How often its place is written down; more is sent twice after a crash. */
const KEEP_MS = 1000

type Waiter = {
  readonly seq: number
  readonly resolve: () => void
  readonly reject: (error: Fault) => void
  readonly cancel: Cancel
}

export class Forwarder {
  readonly #delivery: AuditDelivery
  readonly #source: LineSource
  readonly #placeFile: string
  readonly #ports: ForwarderPorts
  /** Records that were taken. */
  #taken: number
  #kept: number
  #keptAt = Number.NEGATIVE_INFINITY
  /** What follows `#taken` without a hole, where it is in memory. */
  #window: AuditLine[] = []
  #waiters: Waiter[] = []
  #failures = 0
  #isFailing = false
  #running: Promise<void> | undefined
  #isClosed = false
  #pause: { readonly cancel: Cancel; readonly end: () => void } | undefined

  /** @throws hsm/audit-tampered where its place is beyond the end of the chain */
  constructor(
    delivery: AuditDelivery,
    source: LineSource,
    placeFile: string,
    ports: ForwarderPorts,
  ) {
    this.#delivery = delivery
    this.#source = source
    this.#placeFile = placeFile
    this.#ports = ports
    this.#taken = placeIn(placeFile)
    this.#kept = this.#taken
    if (this.#taken > source.last())
      throw new Fault('hsm/audit-tampered', {
        detail: `${delivery.name} has records up to ${this.#taken}, the files end at ${source.last()}`,
      })
    this.#start()
  }

  get figures(): ForwarderFigures {
    const { name, confirms } = this.#delivery
    return { name, confirms, waiting: this.#source.last() - this.#taken, failures: this.#failures }
  }

  /** New records, which are on disk. */
  push(lines: readonly AuditLine[]): void {
    const [first] = lines
    const follows = first?.seq === this.#taken + this.#window.length + 1
    // What has no room is read from the files once it is its turn.
    if (follows && this.#window.length + lines.length <= WINDOW) this.#window.push(...lines)
    this.#start()
  }

  /** Resolves once the other side has record `seq`. @throws hsm/audit-unavailable after `timeoutMs` */
  reached(seq: number, timeoutMs: number): Promise<void> {
    if (seq <= this.#taken) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const cancel = this.#ports.timers.after(timeoutMs, () => {
        this.#waiters = this.#waiters.filter((each) => each !== waiter)
        reject(this.#unavailable())
      })
      const waiter = { seq, resolve, reject, cancel }
      this.#waiters.push(waiter)
    })
  }

  /** Gives up waiting for the other side; what it has not taken is sent by the next one that opens the log. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#pause?.cancel()
    this.#pause?.end()
    await this.#running
    this.#keep()
    for (const { cancel, reject } of this.#waiters.splice(0)) {
      cancel()
      reject(this.#unavailable())
    }
    await this.#delivery.close()
  }

  #unavailable(): Fault {
    return new Fault('hsm/audit-unavailable', { detail: this.#delivery.name })
  }

  get #hasWork(): boolean {
    return !this.#isClosed && this.#taken < this.#source.last()
  }

  #start(): void {
    if (this.#running === undefined && this.#hasWork) this.#running = this.#run()
  }

  async #run(): Promise<void> {
    let pauseMs = 0
    while (this.#hasWork) {
      try {
        const batch =
          this.#window.length > 0
            ? this.#window.slice(0, BATCH)
            : this.#source.read(this.#taken, BATCH)
        await this.#delivery.deliver(batch)
        this.#took(batch)
        pauseMs = 0
      } catch (error) {
        pauseMs = Math.min(MAX_PAUSE_MS, Math.max(FIRST_PAUSE_MS, pauseMs * 2))
        this.#failed(error)
        await this.#wait(pauseMs)
      }
    }
    // In the same step as the last look for work: what comes later starts anew.
    this.#running = undefined
  }

  #took(batch: readonly AuditLine[]): void {
    const last = batch.at(-1)?.seq ?? this.#taken
    this.#taken = last
    this.#window = this.#window.filter(({ seq }) => seq > last)
    const reached = this.#waiters.filter(({ seq }) => seq <= last)
    this.#waiters = this.#waiters.filter(({ seq }) => seq > last)
    for (const { resolve, cancel } of reached) {
      cancel()
      resolve()
    }
    if (this.#ports.clock.monotonic() - this.#keptAt >= KEEP_MS) this.#keep()
    if (this.#isFailing) this.#tell(false)
  }

  #failed(error: unknown): void {
    this.#failures++
    if (!this.#isFailing) this.#tell(true)
    this.#ports.logger.log('warn', 'hsm/audit-sink-failed', {
      sink: this.#delivery.name,
      waiting: this.#source.last() - this.#taken,
      code: isFault(error) ? error.code : undefined,
    })
  }

  #tell(isFailing: boolean): void {
    this.#isFailing = isFailing
    const { events, clock } = this.#ports
    events?.emit({
      kind: isFailing ? 'audit.lost' : 'audit.restored',
      component: 'audit',
      time: clock.now(),
      sink: this.#delivery.name,
    })
  }

  /** Its place may be older than it is, never newer. */
  #keep(): void {
    if (this.#kept === this.#taken) return
    try {
      writeFileAtomic(this.#placeFile, utf8(`${this.#taken}\n`))
      this.#kept = this.#taken
      this.#keptAt = this.#ports.clock.monotonic()
    } catch (error) {
      this.#ports.logger.log('warn', 'hsm/audit-place-not-kept', {
        sink: this.#delivery.name,
        code: isFault(error) ? error.code : undefined,
      })
    }
  }

  #wait(ms: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        this.#pause = undefined
        resolve()
      }
      this.#pause = { cancel: this.#ports.timers.after(ms, end), end }
    })
  }
}

function placeIn(path: string): number {
  if (!existsSync(path)) return 0
  const text = fromUtf8(readFile(path, { maxBytes: 32 })) ?? ''
  if (!/^(0|[1-9]\d{0,14})\n$/.test(text))
    throw new Fault('hsm/audit-tampered', { detail: `${path} is no place in the log` })
  return Number(text)
}
