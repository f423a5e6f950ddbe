/**
 * The sessions of a provider host and the requests that wait for one. It outlives hosts: what a
 * host leaves unfinished when it ends is done by the next one, where doing it twice does no harm.
 *
 * A request is one write and one read; there is one timer, for whatever falls due first.
 */
import { Fault, wipe } from '@quorate/base'
import { DeviceFault } from '../errors.ts'
import { Alarm } from './alarm.ts'
import { type Call, CallQueue, newCall } from './calls.ts'
import { type Answer, readResponse, setId } from './frames.ts'
import {
  type Operation,
  type OperationName,
  type RequestOf,
  type ResponseOf,
  timesOf,
} from './operations.ts'
import type { PoolFigures, PoolHost, PoolListener, PoolOptions } from './pool-limits.ts'
import { SessionLimit } from './session-limit.ts'
import type { Outcome } from './statistics.ts'
import { isAboutPin, isBusy, isTrouble, lacksSessions } from './trouble.ts'
import { nothing } from './wire.ts'

type Session = {
  readonly place: number
  state: 'absent' | 'starting' | 'idle' | 'busy' | 'closing' | 'resting'
  call: Call | undefined
  /** When the state is over: a start or a call hangs, a rest ends, an idle session may go. */
  until: number
}

const NEVER = Number.POSITIVE_INFINITY
/** A request that so many hosts ended or failed with is given up. */
const MAX_ATTEMPTS = 4
/** A queue that empties sooner is no reason for one more session. */
const OVERFLOW_AFTER_MS = 20
/** A session that was told "busy" leaves the device alone for so long. */
const REST_MS = 50

export class SessionPool {
  readonly #options: PoolOptions
  readonly #listener: PoolListener
  readonly #sessions: readonly Session[]
  readonly #limit: SessionLimit
  readonly #alarm: Alarm
  readonly #queue = new CallQueue()
  #host: PoolHost | undefined
  #isUp = false
  #isWorking = false
  #blocked: Fault | undefined
  #lastId = 0
  #lastSequence = 0

  constructor(options: PoolOptions, listener: PoolListener) {
    this.#options = options
    this.#listener = listener
    const most = options.limits.size + options.limits.maxOverflow
    this.#limit = new SessionLimit(options.clock, most)
    this.#alarm = new Alarm(options.clock, options.timers, () => this.#sweep())
    this.#sessions = Array.from({ length: most }, (_, place) => ({
      place,
      state: 'absent',
      call: undefined,
      until: NEVER,
    }))
  }

  /** How many sessions a host must be able to have. */
  get capacity(): number {
    return this.#sessions.length
  }

  get figures(): PoolFigures {
    const count = (...states: readonly Session['state'][]): number =>
      this.#sessions.filter(({ state }) => states.includes(state)).length
    return {
      open: count('idle', 'busy', 'closing', 'resting'),
      busy: count('busy'),
      limit: this.#limit.now,
      queued: this.#queue.length,
    }
  }

  /**
   * What the device answers. `deadline` is a time of the monotonic clock.
   * @throws hsm/bad-argument for what is too large, hsm/busy where no session comes free in time,
   *   hsm/unavailable after the deadline, and where a host has ended with an operation that may not be
   *   repeated or with one too often; and what the session throws
   */
  submit<Name extends OperationName>(
    name: Name,
    request: RequestOf<Name>,
    deadline?: number,
  ): Promise<ResponseOf<Name>> {
    return new Promise((resolve, reject) => {
      if (this.#blocked !== undefined) throw this.#blocked
      const call = this.#call(name, request, deadline)
      call.resolve = resolve as Call['resolve']
      call.reject = reject
      this.#dispatch(call)
    })
  }

  /** Uses this host from now on. */
  attach(host: PoolHost): void {
    this.#host = host
    this.#start(this.#sessions[0]!)
  }

  /** The host has ended, or is about to. */
  detach(): void {
    this.#host = undefined
    this.#isUp = false
    this.#isWorking = false
    const unfinished = this.#sessions.flatMap(({ call }) => (call === undefined ? [] : [call]))
    for (const session of this.#sessions) this.#set(session, 'absent')
    for (const call of unfinished) {
      landed(call)
      this.#again(call, unavailable('its host ended; whether it was done is not known'))
    }
  }

  /** Fails all requests, those to come too, until it is called with `undefined`. */
  block(fault: Fault | undefined): void {
    this.#blocked = fault
    if (fault === undefined) return
    for (const call of this.#queue.takeAll()) this.#fail(call, fault)
  }

  /** No timer is left behind. */
  stop(): void {
    this.#alarm.stop()
  }

  /** The token has no more sessions than this. */
  limitTo(sessions: number): void {
    this.#limit.cap(sessions)
  }

  /** A whole frame of that session. @throws base/malformed */
  response(place: number, frame: Uint8Array): void {
    const session = this.#sessions[place]!
    const { call } = session
    if (session.state === 'starting') this.#started(session, readAnswer(frame, nothing, 0))
    else if (call === undefined)
      throw new Fault('base/malformed', { detail: 'frame: an answer to nothing' })
    else this.#answered(session, call, readAnswer(frame, call.operation.response, call.id))
  }

  #call<Name extends OperationName>(
    name: Name,
    request: RequestOf<Name>,
    latest: number = NEVER,
  ): Call {
    const { times, limits } = this.#options
    const submittedAt = this.#now
    const { callMs, deadlineMs } = timesOf(name, times)
    const deadline = Math.min(latest, submittedAt + deadlineMs)
    const queuedUntil = Math.min(deadline, submittedAt + limits.acquireTimeoutMs)
    const sequence = ++this.#lastSequence
    return newCall(name, request, { sequence, submittedAt, callMs, deadline, queuedUntil })
  }

  #dispatch(call: Call): void {
    const idle = this.#sessions.find(({ state }) => state === 'idle')
    if (idle !== undefined) this.#assign(idle, call)
    else if (this.#queue.length >= this.#options.limits.maxQueue)
      this.#fail(call, full('as many requests wait as may'))
    else {
      this.#queue.push(call)
      this.#alarm.set(Math.min(call.queuedUntil, call.submittedAt + OVERFLOW_AFTER_MS))
      this.#grow()
    }
  }

  #assign(session: Session, call: Call): void {
    call.id = this.#lastId = (this.#lastId % 0xffff_ffff) + 1
    call.attempts++
    call.isInFlight = true
    setId(call.frame, call.id)
    session.call = call
    session.state = 'busy'
    session.until = this.#now + call.callMs
    this.#alarm.set(Math.min(session.until, call.deadline))
    this.#host?.send(session.place, call.frame)
  }

  #set(session: Session, state: Session['state'], until: number = NEVER): void {
    session.state = state
    session.until = until
    session.call = undefined
    this.#alarm.set(until)
  }

  /** Gives the session its next request, or lets it be idle. */
  #free(session: Session): void {
    const { size, idleTimeoutMs } = this.#options.limits
    const next = this.#queue.shift()
    if (next !== undefined) this.#assign(session, next)
    else this.#set(session, 'idle', session.place < size ? NEVER : this.#now + idleTimeoutMs)
  }

  #start(session: Session): void {
    this.#set(session, 'starting', this.#now + this.#options.limits.openTimeoutMs)
    this.#host?.start(session.place)
  }

  #started(session: Session, answer: Answer<void>): void {
    if ('fault' in answer) {
      this.#set(session, 'absent')
      const { fault } = answer
      if (isAboutPin(fault)) this.#listener.pinRefused(fault)
      else if (!this.#isUp) this.#listener.refused(fault)
      else {
        this.#limit.lower(this.figures.open)
        if (isTrouble(fault)) this.#doubt(fault)
      }
      return
    }
    if (!this.#isUp) {
      this.#isUp = true
      this.#listener.opened()
    }
    this.#free(session)
    this.#limit.opened(this.figures.open)
    this.#grow()
  }

  #answered(session: Session, call: Call, answer: Answer<unknown>): void {
    landed(call)
    if (session.state === 'closing') {
      this.#set(session, 'absent')
      return
    }
    if (!('fault' in answer)) {
      this.#free(session)
      this.#working()
      if (this.#settled(call, 'done')) call.resolve(answer.value)
      return
    }
    const { fault } = answer
    if (isBusy(fault)) {
      if (lacksSessions(fault)) this.#limit.lower(this.figures.open - 1)
      this.#set(session, 'resting', this.#now + REST_MS)
      call.attempts--
      this.#again(call, fault)
      return
    }
    if (isTrouble(fault) && !isAboutPin(fault)) {
      // Whether the host stays comes first: nothing more is asked of one that is about to end.
      const host = this.#host
      this.#set(session, 'resting', NEVER)
      this.#doubt(fault)
      if (this.#host === host) this.#free(session)
      this.#again(call, fault)
      return
    }
    this.#free(session)
    if (isAboutPin(fault)) {
      this.#fail(call, fault)
      this.#listener.pinRefused(fault)
    } else {
      this.#working()
      if (this.#settled(call, 'refused')) call.reject(fault)
    }
  }

  #working(): void {
    if (this.#isWorking) return
    this.#isWorking = true
    this.#listener.working()
  }

  #doubt(fault: Fault): void {
    this.#isWorking = false
    this.#listener.failing(fault)
  }

  /** Lets the request have another try, or fails it with `fault` where there may be none. */
  #again(call: Call, fault: Fault): void {
    if (call.isSettled) return
    if (!call.operation.isRepeatable || call.attempts >= MAX_ATTEMPTS) this.#fail(call, fault)
    else if (this.#blocked !== undefined) this.#fail(call, this.#blocked)
    else {
      call.lastFault = fault
      call.queuedUntil = call.deadline
      this.#queue.putBack(call)
      this.#alarm.set(call.queuedUntil)
      const idle = this.#sessions.find(({ state }) => state === 'idle')
      if (idle !== undefined) this.#free(idle)
    }
  }

  #fail(call: Call, fault: Fault): void {
    if (this.#settled(call, 'failed')) call.reject(fault)
  }

  /** Whether the call was not settled before. */
  #settled(call: Call, outcome: Outcome): boolean {
    if (call.isSettled) return false
    call.isSettled = true
    // What is still being written may not change.
    if (!call.isInFlight) wipe(call.frame)
    this.#options.statistics.record(call.name, outcome, call.submittedAt, this.#now)
    return true
  }

  /** Starts a session, one at a time, where fewer than usual are open or requests have waited for long. */
  #grow(): void {
    if (!this.#isUp) return
    let present = 0
    for (const { state } of this.#sessions) {
      if (state === 'starting') return
      if (state !== 'absent') present++
    }
    const oldest = this.#queue.oldest
    const hasWaited = oldest !== undefined && this.#now - oldest.submittedAt >= OVERFLOW_AFTER_MS
    if (present >= this.#limit.now || !(present < this.#options.limits.size || hasWaited)) return
    const absent = this.#sessions.find(({ state }) => state === 'absent')
    if (absent !== undefined) this.#start(absent)
  }

  /** Does all that has fallen due. */
  #sweep(): void {
    const now = this.#now
    for (const session of this.#sessions) {
      const { call } = session
      if (call !== undefined && call.deadline <= now)
        this.#fail(call, unavailable('no answer in time'))
      if (session.until <= now) this.#due(session)
    }
    for (const call of this.#queue.takeExpired(now)) {
      const late = this.#isUp ? full('no session came free in time') : unavailable('no host')
      this.#fail(call, call.lastFault ?? late)
    }
    this.#grow()
    this.#alarm.set(this.#nextDue)
  }

  #due(session: Session): void {
    if (session.state === 'idle') this.#retire(session)
    else if (session.state === 'resting') {
      if (session.place > 0 && this.figures.open > this.#limit.now) this.#retire(session)
      else this.#free(session)
    } else {
      session.until = NEVER
      this.#listener.hung()
    }
  }

  #retire(session: Session): void {
    const call = this.#call('close', undefined)
    call.isSettled = true
    this.#assign(session, call)
    session.state = 'closing'
  }

  get #nextDue(): number {
    let next = this.#queue.nextExpiry
    for (const { until, call } of this.#sessions)
      next = Math.min(next, until, call?.isSettled === false ? call.deadline : NEVER)
    // Growing is also thought of when a session has opened, so only the first wait needs a timer.
    const since = this.#queue.oldest?.submittedAt
    if (since === undefined || since + OVERFLOW_AFTER_MS <= this.#now) return next
    return Math.min(next, since + OVERFLOW_AFTER_MS)
  }

  get #now(): number {
    return this.#options.clock.monotonic()
  }
}

const full = (detail: string): Fault => new DeviceFault('hsm/busy', { detail })
const unavailable = (detail: string): Fault => new DeviceFault('hsm/unavailable', { detail })

/** Its frame is no longer being sent. */
function landed(call: Call): void {
  call.isInFlight = false
  if (call.isSettled) wipe(call.frame)
}

function readAnswer<T>(
  frame: Uint8Array,
  wire: Operation<unknown, T>['response'],
  id: number,
): Answer<T> {
  const answer = readResponse(frame, wire)
  if (answer.id !== id)
    throw new Fault('base/malformed', { detail: 'frame: the answer to another request' })
  return answer
}
