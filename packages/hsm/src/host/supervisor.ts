/**
 * Keeps one provider host alive: starts it, notices that it has ended, decides when to start the
 * next, and stops for good when going on could do harm.
 */
import { type Fault, isFault, type Logger } from '@quorate/base'
import type { DeviceSettings } from '../device.ts'
import { DeviceFault } from '../errors.ts'
import { Breaker, type BreakerLimits, type BreakerState } from './breaker.ts'
import { type HostEnd, HostProcess } from './host-process.ts'
import { SessionPool } from './pool.ts'
import type { PoolOptions } from './pool-limits.ts'
import { needsNewHost } from './trouble.ts'

export type SupervisorState =
  | 'starting'
  | 'up'
  /** Between two hosts. */
  | 'waiting'
  /** The device refused the PIN; only `reopen` goes on. */
  | 'latched'
  | 'closed'

export type SupervisorOptions = PoolOptions & {
  /** For each start anew, because what is known of the token grows. */
  readonly settings: () => DeviceSettings
  /** The PIN in UTF-8, asked for before each start and wiped after it. */
  readonly readPin: (() => Promise<Uint8Array>) | undefined
  readonly breaker: BreakerLimits
  readonly logger: Logger
  readonly entry: URL
}

export type SupervisorFigures = {
  readonly state: SupervisorState
  readonly breaker: BreakerState
  readonly pid: number | undefined
  /** Hosts started after the first. */
  readonly restarts: number
  readonly ends: { readonly [Reason in HostEnd]: number }
  /** Hosts that ended within the window of the breaker. */
  readonly recentEnds: number
  readonly lastFault: { readonly code: string; readonly time: number } | undefined
}

/** A device that fails so often without doing anything in between gets a new host. */
const FAULTS_IN_A_ROW = 2

type Opening = {
  readonly done: Promise<void>
  resolve(): void
  reject(fault: Fault): void
}

function newOpening(): Opening {
  let resolve = (): void => undefined
  let reject = (_fault: Fault): void => undefined
  const done = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { done, resolve, reject }
}

export class Supervisor {
  readonly pool: SessionPool
  readonly #options: SupervisorOptions
  readonly #breaker: Breaker
  #state: SupervisorState = 'waiting'
  #host: HostProcess | undefined
  #opening: Opening | undefined
  #pause: NodeJS.Timeout | undefined
  #starts = 0
  #faultsInARow = 0
  #lastFault: { fault: Fault; time: number } | undefined
  readonly #ends: Record<HostEnd, number> = {
    crash: 0,
    hang: 0,
    malformed: 0,
    device: 0,
    closed: 0,
  }

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#breaker = new Breaker(options.clock, options.breaker)
    this.pool = new SessionPool(options, {
      opened: () => this.#opened(),
      refused: (fault) => this.#giveUp(fault),
      hung: () => this.#host?.kill('hang'),
      pinRefused: (fault) => this.#latch(fault),
      failing: (fault) => this.#failing(fault),
      working: () => {
        this.#faultsInARow = 0
        this.#breaker.succeeded()
      },
    })
  }

  get figures(): SupervisorFigures {
    const last = this.#lastFault
    return {
      state: this.#state,
      breaker: this.#breaker.state,
      pid: this.#host?.pid,
      restarts: Math.max(0, this.#starts - 1),
      ends: { ...this.#ends },
      recentEnds: this.#breaker.recentEnds,
      lastFault: last && { code: last.fault.code, time: last.time },
    }
  }

  /**
   * Starts a host now; resolves when it has a session. Goes on trying if it has none, except after a refused PIN.
   * @throws why it has none, hsm/closed
   */
  async open(): Promise<void> {
    if (this.#state === 'waiting' || this.#state === 'latched') await this.#host?.ended
    if (this.#isClosed) throw new DeviceFault('hsm/closed')
    if (this.#state === 'up') return
    clearTimeout(this.#pause)
    this.#breaker.reset()
    this.pool.block(undefined)
    this.#opening ??= newOpening()
    const { done } = this.#opening
    if (this.#state !== 'starting') void this.#start()
    await done
  }

  /** The host gave a result that is wrong: none of its memory is to be trusted. */
  distrust(fault: Fault): void {
    this.#note(fault)
    this.#host?.kill('device')
  }

  /** Ends the host and fails all requests with hsm/closed. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    clearTimeout(this.#pause)
    const closed = new DeviceFault('hsm/closed')
    this.pool.block(closed)
    this.#opening?.reject(closed)
    await this.#host?.close()
    this.pool.stop()
  }

  async #start(): Promise<void> {
    this.#state = 'starting'
    this.#breaker.starting()
    this.#starts++
    let pin: Uint8Array | undefined
    try {
      pin = await this.#options.readPin?.()
      if (this.#isClosed) return
      const { settings, logger, entry } = this.#options
      const sessions = this.pool.capacity
      this.#host = new HostProcess(
        { settings: settings(), pin, sessions, logger, entry },
        {
          response: (place, frame) => this.pool.response(place, frame),
          condemned: () => this.#condemned(),
          ended: (reason, how) => this.#ended(reason, how),
        },
      )
    } catch (error) {
      this.#notStarted(
        isFault(error) ? error : new DeviceFault('hsm/unavailable', { cause: error }),
      )
      return
    } finally {
      pin?.fill(0)
    }
    this.pool.attach(this.#host)
  }

  /** The state, in words that the type checker does not remember over an `await`. */
  get #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #opened(): void {
    this.#state = 'up'
    if (this.#breaker.state === 'half-open') {
      this.#breaker.admitted()
      this.pool.block(undefined)
    }
    this.#options.logger.log('info', 'hsm/host-up', { pid: this.#host?.pid })
    this.#opening?.resolve()
    this.#opening = undefined
  }

  /** The host cannot have a session, so it is of no use. */
  #giveUp(fault: Fault): void {
    this.#note(fault)
    this.#host?.kill('device')
  }

  #latch(fault: Fault): void {
    this.#note(fault)
    if (this.#state === 'closed') return
    this.#state = 'latched'
    this.#options.logger.log('error', 'hsm/pin-refused', { code: fault.code })
    this.pool.block(fault)
    this.#host?.kill('device')
  }

  #failing(fault: Fault): void {
    this.#note(fault)
    if (++this.#faultsInARow < FAULTS_IN_A_ROW && !needsNewHost(fault)) return
    this.#host?.kill('device')
  }

  /** The next is started when this one has ended: it may still be making a key. */
  #condemned(): void {
    if (this.#state === 'up') this.#state = 'waiting'
    this.pool.detach()
  }

  #ended(reason: HostEnd, how: string): void {
    this.#host = undefined
    this.#faultsInARow = 0
    this.#ends[reason]++
    this.#options.statistics.event(reason)
    this.#options.logger.log(reason === 'closed' ? 'info' : 'warn', 'hsm/host-ended', {
      reason,
      how,
    })
    if (reason === 'crash' || reason === 'hang' || reason === 'malformed')
      this.#note(new DeviceFault('hsm/unavailable', { detail: `its host ended: ${reason}` }))
    this.pool.detach()
    this.#next()
  }

  /** Without a host there was nothing to end. */
  #notStarted(fault: Fault): void {
    this.#note(fault)
    this.#options.logger.log('warn', 'hsm/host-not-started', { code: fault.code })
    this.#next()
  }

  #next(): void {
    if (this.#isClosed) return
    const fault = this.#lastFault?.fault ?? new DeviceFault('hsm/unavailable')
    if (this.#state !== 'latched') {
      this.#state = 'waiting'
      const pauseMs = this.#breaker.ended()
      if (this.#breaker.state === 'open') {
        this.#options.logger.log('error', 'hsm/breaker-open', { code: fault.code, pauseMs })
        this.pool.block(new DeviceFault('hsm/unavailable', { failover: 'next', cause: fault }))
      }
      // Not one of the timers that let a process end: requests may be waiting for this one.
      this.#pause = setTimeout(() => void this.#start(), pauseMs)
    }
    this.#opening?.reject(fault)
    this.#opening = undefined
  }

  #note(fault: Fault): void {
    this.#lastFault = { fault, time: this.#options.clock.now() }
  }
}
