/**
 * Several devices that hold the same keys, used as one: an operation goes to the first that policy lets it
 * use and that works. In: operations of the role layer. Out: their results, and what changed, each change
 * being in the audit log and on disk before an operation follows it.
 *
 * Only faults of a device move an operation on (`failoverOf`). A wrong argument, a refused PIN, a denial, a
 * key that is missing or another one: these end it where it is. So does a device that has too much to do,
 * for to go elsewhere would bring the next one down too.
 */
import { Fault, isFault } from '@quorate/base'
import { systemTimers } from '@quorate/platform'
import { type CustodyDecision, checkCustodyAllowed } from '@quorate/policy'
import { DeviceFault, failoverOf } from '../errors.ts'
import { isBusy } from '../host/trouble.ts'
import type { Custody, HsmProvider } from '../provider.ts'
import { FailoverJournal } from './journal.ts'
import {
  activeSlot,
  type FailoverEvent,
  type FailoverState,
  initialState,
  step,
} from './machine.ts'
import { checkSlots, type FailoverOptions, type FailoverPorts, type Work } from './options.ts'
import { Prober } from './prober.ts'
import { type FailoverStatus, failoverRecord, readFailoverStatus, stateName } from './record.ts'
import { Slot } from './slot.ts'
import { SoftwareFallback } from './software.ts'
import { StandIns } from './stand-ins.ts'
import { Turns } from './turns.ts'
import { holdingTimers, Waits } from './wait.ts'

/** The caller may stop waiting; an operation of an emergency is counted once, however often it is tried. */
type Ticket = { isAbandoned: boolean; isCharged: boolean }

const NOTHING = (): void => undefined

export class Failover {
  readonly #options: FailoverOptions
  readonly #ports: FailoverPorts
  readonly #slots: readonly Slot[]
  readonly #standIns: StandIns
  readonly #journal: FailoverJournal
  readonly #software: SoftwareFallback | undefined
  readonly #waits: Waits
  readonly #turns: Turns
  readonly #prober: Prober
  #state: FailoverState
  #isClosed = false

  private constructor(options: FailoverOptions, ports: FailoverPorts) {
    const { name, slots, fallback } = options
    const { state, timers } = ports
    this.#options = options
    this.#ports = ports
    this.#slots = slots.map((slot) => new Slot(slot))
    const kept = state.read(stateName(name), failoverRecord)
    this.#state = initialState(
      slots,
      (slot) => kept?.slots.find((each) => each.name === slot.name)?.downBecause ?? undefined,
      this.#now(),
    )
    this.#standIns = new StandIns(options, ports)
    this.#journal = new FailoverJournal(options, ports, this.#standIns, kept, () => this.#state)
    this.#software =
      fallback && new SoftwareFallback(fallback, this.#standIns, this.#journal.report)
    this.#waits = new Waits(timers ?? holdingTimers)
    this.#turns = new Turns(this.#waits)
    this.#prober = new Prober(timers ?? systemTimers, (slot) => this.#probe(slot))
  }

  /**
   * The failover as it was when its state was last written: a device that was down is asked before it is used.
   * Devices are opened when they are first needed. @throws hsm/bad-config, hsm/state-damaged
   */
  static async open(options: FailoverOptions, ports: FailoverPorts): Promise<Failover> {
    checkSlots(options.slots)
    const failover = new Failover(options, ports)
    const active = activeSlot(failover.#state)
    await failover.#standIns.resume(active === undefined ? undefined : options.slots[active]?.place)
    await failover.#journal.settled()
    failover.#prober.schedule(failover.#state, failover.#now())
    return failover
  }

  /** How it stands, without asking any device. */
  status(): FailoverStatus {
    const { state, clock } = this.#ports
    return readFailoverStatus(state, this.#options.name, clock.now())
  }

  /**
   * What `work` gives, made by one device.
   * @throws what made an end of it; hsm/unavailable where no device that policy allows is left;
   *   policy/role-denied where policy allows none
   */
  async run<T>(work: Work<T>): Promise<T> {
    const ticket: Ticket = { isAbandoned: false, isCharged: false }
    const software = this.#software
    if (software?.mayServe(work) !== true) return this.#onDevices(work, ticket)
    const onDevices = this.#onDevices(work, ticket)
    try {
      const done = await this.#waits.within(software.timeoutMs, onDevices)
      if (done !== undefined) return done.value
    } catch (error) {
      if (endsHere(error)) throw error
      return software.serve(work, error)
    }
    ticket.isAbandoned = true
    onDevices.then(work.discard, NOTHING)
    const late = new DeviceFault('hsm/unavailable', { detail: 'no answer in time' })
    return software.serve(work, late)
  }

  /** Asks every device that is down and due whether it works again. */
  probe(): Promise<void> {
    return this.#prober.probeDue(this.#state, this.#now())
  }

  /** The device called `name`, for what must be done there and nowhere else, as making a key. @throws what opening it throws */
  providerOf(name: string): Promise<HsmProvider> {
    return this.#called(name).provider()
  }

  /** How far the device called `name` is trusted, as far as that is known. @throws hsm/bad-argument */
  custodyOf(name: string): Custody {
    return this.#called(name).custody
  }

  /** Goes on with a device that refused the PIN, once an operator has put it right. @throws hsm/bad-argument */
  reopen(name: string): void {
    this.#called(name).reopen()
  }

  /** Closes all devices; operations that wait fail with hsm/closed. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#prober.stop()
    this.#waits.endAll()
    await Promise.allSettled([this.#journal.settled()])
    await Promise.all(this.#slots.map((slot) => slot.close()))
    await this.#software?.slot.close()
  }

  async #onDevices<T>(work: Work<T>, ticket: Ticket): Promise<T> {
    for (let last: Error | undefined; ; ) {
      // What a switch begins, as the limits of an emergency, is judged by.
      await this.#journal.settled()
      if (this.#isClosed || ticket.isAbandoned) throw new DeviceFault('hsm/closed')
      const at = await this.#route(work, last)
      if (at === undefined) continue
      const state = this.#state[at]!
      const end =
        state.is === 'retrying' ? await this.#turns.take(at, state, () => this.#now()) : NOTHING
      if (end === undefined) continue
      try {
        const result = await this.#attempt(work, ticket, at, state.epoch)
        if (result !== undefined) return result.value
      } catch (error) {
        if (!(error instanceof Error) || endsHere(error)) throw error
        last = error
      } finally {
        end()
      }
    }
  }

  /** What the device gives; `undefined` where it is not the one to ask, or no longer. */
  async #attempt<T>(
    work: Work<T>,
    ticket: Ticket,
    at: number,
    epoch: number,
  ): Promise<{ readonly value: T } | undefined> {
    const { name, place } = this.#options.slots[at]!
    const isStale = (): boolean =>
      this.#state[at]!.epoch !== epoch || this.#isClosed || ticket.isAbandoned
    if (isStale()) return undefined
    try {
      const provider = await this.#slots[at]!.provider()
      // What was opened may be less than its configuration said.
      if (isStale() || this.#decide(work, at).decision === 'deny') return undefined
      if (place === 'emergency' && !ticket.isCharged) {
        const used = await this.#standIns.emergency.charge()
        ticket.isCharged = true
        this.#journal.report.emergencyUsed(name, used)
      }
      const value = await work.perform(provider, name)
      this.#apply({ slot: at, epoch, at: this.#now(), kind: 'succeeded' })
      return { value }
    } catch (error) {
      if (!endsHere(error)) {
        const reason = isFault(error) ? error.code : 'hsm/unavailable'
        const isFinal = failoverOf(error) === 'next'
        this.#apply({ slot: at, epoch, at: this.#now(), kind: 'failed', reason, isFinal })
        this.#ports.logger?.log('warn', 'hsm/device-failed', { slot: name, code: reason })
      }
      throw error
    }
  }

  /** The first device that works and may do it; `undefined` once devices were asked that may be back. @throws why there is none */
  async #route<T>(work: Work<T>, last: Error | undefined): Promise<number | undefined> {
    const active = activeSlot(this.#state)
    let denied: CustodyDecision | undefined
    const missing: number[] = []
    for (const [at, { is }] of this.#state.entries()) {
      // The last resort is for when all else is down, not for what the others may not do.
      if (this.#options.slots[at]!.place === 'emergency' && at !== active && is !== 'down') continue
      const decision = this.#decide(work, at)
      if (is === 'down') {
        if (decision.decision === 'allow') missing.push(at)
      } else if (decision.decision === 'allow') return at
      else denied = decision
    }
    if (missing.some((at) => this.#isDue(at))) {
      await this.probe()
      return undefined
    }
    if (denied?.rule === 'emergency') this.#emergencyOver(denied)
    if (denied !== undefined && (missing.length === 0 || denied.rule === 'emergency'))
      checkCustodyAllowed(denied)
    if (last !== undefined) throw last
    const because = denied && becauseOf(denied)
    throw new DeviceFault('hsm/unavailable', {
      failover: 'next',
      detail:
        because === undefined ? 'all devices are down' : `what is left may not do it: ${because}`,
    })
  }

  #isDue(at: number): boolean {
    const slot = this.#state[at]
    return slot?.is === 'down' && slot.probeAt <= this.#now()
  }

  #decide<T>({ decide }: Work<T>, at: number): CustodyDecision {
    const { place } = this.#options.slots[at]!
    const device = { place, custody: this.#slots[at]!.custody }
    return place === 'emergency'
      ? decide({ device, emergency: this.#standIns.emergency.use })
      : decide({ device })
  }

  /** Told once for each emergency. */
  #emergencyOver(decision: CustodyDecision): void {
    const active = activeSlot(this.#state)
    const { emergency, isEmergencyOver } = this.#standIns
    if (isEmergencyOver || active === undefined || emergency.left > 0) return
    this.#standIns.isEmergencyOver = true
    const { name } = this.#options.slots[active]!
    this.#journal.report.emergencyExhausted(name, becauseOf(decision))
  }

  #called(name: string): Slot {
    const at = this.#options.slots.findIndex((each) => each.name === name)
    const slot = name === this.#software?.name ? this.#software.slot : this.#slots[at]
    if (slot !== undefined) return slot
    throw new Fault('hsm/bad-argument', { detail: `there is no device called ${name}` })
  }

  #apply(event: FailoverEvent): void {
    const { state, changes } = step(this.#options.slots, this.#state, event)
    this.#state = state
    this.#journal.note(changes)
    this.#prober.schedule(state, this.#now())
  }

  async #probe(at: number): Promise<void> {
    const { epoch } = this.#state[at]!
    const works = await this.#slots[at]!.works()
    if (this.#isClosed) return
    this.#apply({ slot: at, epoch, at: this.#now(), kind: 'probed', works })
    await this.#journal.settled().catch(NOTHING)
  }

  #now(): number {
    return this.#ports.clock.monotonic()
  }
}

/** Whether no other device is to try it. */
const endsHere = (error: unknown): boolean =>
  failoverOf(error) === 'never' || (isFault(error) && isBusy(error))

const becauseOf = ({ rule, reasons }: CustodyDecision): string =>
  reasons.find((each) => each.rule === rule)?.because ?? ''
