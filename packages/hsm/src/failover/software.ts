/** Keys in files for roles that may fall back to them, when the devices fail or take too long. */
import { isFault } from '@quorate/base'
import type { CustodyDecision } from '@quorate/policy'
import type { FallbackSlot, Work } from './options.ts'
import type { FailoverReport } from './report.ts'
import { Slot } from './slot.ts'
import type { StandIns } from './stand-ins.ts'

export class SoftwareFallback {
  readonly slot: Slot
  readonly timeoutMs: number
  readonly #options: FallbackSlot
  readonly #standIns: StandIns
  readonly #report: FailoverReport

  constructor(options: FallbackSlot, standIns: StandIns, report: FailoverReport) {
    this.slot = new Slot(options)
    this.timeoutMs = options.timeoutMs
    this.#options = options
    this.#standIns = standIns
    this.#report = report
  }

  get name(): string {
    return this.#options.name
  }

  /** Whether it may take over. Whether an operation of it is left is asked when one is needed. */
  mayServe<T>(work: Work<T>): boolean {
    if (!this.#options.isAutomatic && work.wantsFallback !== true) return false
    return this.#decide(work, 1).decision === 'allow'
  }

  /** Does it with software keys. @throws `instead` where no operation is left */
  async serve<T>(work: Work<T>, instead: unknown): Promise<T> {
    const { fallback } = this.#standIns
    if (this.#decide(work, fallback.left).decision === 'deny') {
      if (!this.#standIns.isFallbackOver) this.#report.fallbackExhausted(work.role)
      this.#standIns.isFallbackOver = true
      throw instead
    }
    const provider = await this.slot.provider()
    const used = await fallback.charge()
    const reason = isFault(instead) ? instead.code : 'hsm/unavailable'
    const { maxOperations: max } = fallback.limits
    await this.#report.fallbackUsed(work.role, { used, max }, reason)
    return work.perform(provider, this.name)
  }

  #decide<T>({ decide }: Work<T>, left: number): CustodyDecision {
    const device = { place: 'software', custody: this.slot.custody } as const
    return decide({ device, fallback: { isEnabled: true, left } })
  }
}
