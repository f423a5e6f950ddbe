/**
 * Whether a node can do its work now: what a load balancer asks before it sends requests. The answer
 * names which check fails and nothing else, for it is open to whoever reaches the server.
 */
import { type Clock, Fault } from '@quorate/base'
import type { HttpRoute, Timers } from '@quorate/platform'

export const CHECKS = ['serving', 'store', 'signer', 'hsm', 'peers', 'clock'] as const
export type CheckName = (typeof CHECKS)[number]
export type ReadyJson = {
  readonly status: 'ready' | 'unready'
  readonly checks: { readonly [name in CheckName]: boolean }
}
/** Each says whether all is well; a rejection says that it is not. */
export type Probes = { readonly [name in CheckName]: () => boolean | Promise<boolean> }

/** For how long one answer serves all who ask. */
const FRESH_MS = 1_000
/** What takes longer is not well. */
const PROBE_MS = 2_000

export class Readiness {
  readonly #probes: Probes
  readonly #clock: Clock
  readonly #timers: Timers
  #last: { readonly time: number; readonly report: Promise<ReadyJson> } | undefined
  #checks: ReadyJson['checks'] | undefined

  constructor(o: { readonly probes: Probes; readonly clock: Clock; readonly timers: Timers }) {
    this.#probes = o.probes
    this.#clock = o.clock
    this.#timers = o.timers
  }

  /** As the last look found it; nothing before the first. */
  get known(): ReadyJson['checks'] | undefined {
    return this.#checks
  }

  async look(): Promise<ReadyJson> {
    const time = this.#clock.monotonic()
    if (this.#last === undefined || time - this.#last.time >= FRESH_MS)
      this.#last = { time, report: this.#ask() }
    const { checks } = await this.#last.report
    // That it stops is known at once.
    return reportOf({ ...checks, serving: checks.serving && (await this.#probe('serving')) })
  }

  async #ask(): Promise<ReadyJson> {
    const found = await Promise.all(
      CHECKS.map(async (name) => [name, await this.#probe(name)] as const),
    )
    const checks = Object.fromEntries(found) as ReadyJson['checks']
    this.#checks = checks
    return reportOf(checks)
  }

  async #probe(name: CheckName): Promise<boolean> {
    let cancel = (): void => {}
    const late = new Promise<boolean>((resolve) => {
      cancel = this.#timers.after(PROBE_MS, () => resolve(false))
    })
    const asked = (async () => this.#probes[name]())().catch(() => false)
    return Promise.race([asked, late]).finally(() => cancel())
  }
}

const reportOf = (checks: ReadyJson['checks']): ReadyJson => ({
  status: CHECKS.every((name) => checks[name]) ? 'ready' : 'unready',
  checks,
})

/** `GET /ready`: 200, or 503 with a problem whose detail names the checks that fail. */
export const readyRoute = <Principal>(readiness: Readiness): HttpRoute<Principal> => ({
  method: 'GET',
  path: '/ready',
  isPublic: true,
  handle: async () => {
    const report = await readiness.look()
    const failing = CHECKS.filter((name) => !report.checks[name])
    if (failing.length > 0) throw new Fault('node/not-ready', { detail: failing.join(', ') })
    return { body: report }
  },
})

/** No program of this version ran before. */
const EARLIEST = Date.UTC(2025, 0, 1)
/** How long a node is held for one whose clock is wrong, after it was last told so. */
const SKEW_MS = 60_000

/** Whether the clock can be believed: it is after the making of this program, and nobody found it skewed lately. */
export class ClockCheck {
  readonly #clock: Clock
  #skewedAt: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Sessions and requests end with this code where the others' clocks are far from ours. */
  heard(code: unknown): void {
    if (code === 'node/clock-skew') this.#skewedAt = this.#clock.monotonic()
  }

  get isSane(): boolean {
    const isSkewed =
      this.#skewedAt !== undefined && this.#clock.monotonic() - this.#skewedAt < SKEW_MS
    return this.#clock.now() >= EARLIEST && !isSkewed
  }
}
