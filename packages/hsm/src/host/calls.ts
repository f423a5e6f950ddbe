/** Requests on their way to a device. */
import type { Fault } from '@quorate/base'
import { requestFrame } from './frames.ts'
import { OPERATIONS, type Operation, type OperationName, type RequestOf } from './operations.ts'

export type Call = {
  readonly name: OperationName
  readonly operation: Operation<unknown, unknown>
  /** May hold secrets; wiped when it is over. */
  readonly frame: Uint8Array
  /** Calls that were asked for earlier have smaller ones. */
  readonly sequence: number
  resolve(value: unknown): void
  reject(fault: Fault): void
  readonly callMs: number
  /** Times of the monotonic clock. */
  readonly submittedAt: number
  readonly deadline: number
  queuedUntil: number
  /** How many sessions have had it. */
  attempts: number
  /** Of the frame as it was last sent. */
  id: number
  /** What came of the last attempt. */
  lastFault: Fault | undefined
  isInFlight: boolean
  /** Whoever asked for it has an answer. It may still be in flight then. */
  isSettled: boolean
}

const ignore = (): void => undefined

/** A call that nobody listens to yet. @throws hsm/bad-argument for a request that is too large */
export function newCall<Name extends OperationName>(
  name: Name,
  request: RequestOf<Name>,
  terms: Pick<Call, 'sequence' | 'submittedAt' | 'callMs' | 'deadline' | 'queuedUntil'>,
): Call {
  const operation = OPERATIONS[name] as unknown as Operation<unknown, unknown>
  return {
    ...terms,
    name,
    operation,
    frame: requestFrame(operation, request),
    resolve: ignore,
    reject: ignore,
    attempts: 0,
    id: 0,
    lastFault: undefined,
    isInFlight: false,
    isSettled: false,
  }
}

/** Calls that wait, in the order in which they were asked for. */
export class CallQueue {
  #calls: Call[] = []

  get length(): number {
    return this.#calls.length
  }

  get oldest(): Call | undefined {
    return this.#calls[0]
  }

  /** When the first of them has waited for too long. */
  get nextExpiry(): number {
    return this.#calls.reduce(
      (first, { queuedUntil }) => Math.min(first, queuedUntil),
      Number.POSITIVE_INFINITY,
    )
  }

  push(call: Call): void {
    this.#calls.push(call)
  }

  shift(): Call | undefined {
    return this.#calls.shift()
  }

  /** Lets a call that was under way wait again, in its old place. */
  putBack(call: Call): void {
    const place = this.#calls.findIndex(({ sequence }) => sequence > call.sequence)
    this.#calls.splice(place < 0 ? this.#calls.length : place, 0, call)
  }

  takeAll(): readonly Call[] {
    const taken = this.#calls
    this.#calls = []
    return taken
  }

  takeExpired(now: number): readonly Call[] {
    const expired = this.#calls.filter(({ queuedUntil }) => queuedUntil <= now)
    if (expired.length > 0) this.#calls = this.#calls.filter(({ queuedUntil }) => queuedUntil > now)
    return expired
  }
}
