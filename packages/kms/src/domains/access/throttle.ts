/**
 * Rates and lockouts, in memory. A bucket holds `burst` requests and fills with `perSecond`; whoever
 * empties his own waits, and nobody else does. After a few failed sign-ins the pause doubles with each.
 * The number of buckets is bounded: those unused for longest go first, and come back full.
 */
import { Fault } from '@quorate/base'

export type Rate = { readonly perSecond: number; readonly burst: number }

/** Of a generation: so many other keys may come before one that is unused is forgotten. */
const MAX_KEYS = 20_000

const waits = new WeakMap<Fault, number>()

/** For `Retry-After`: whole seconds until the request may succeed, where the fault is about a rate. */
export const retryAfterOf = (fault: Fault): number | undefined => waits.get(fault)

/** The refusal of a request that may come again after `seconds`. */
export function tooMany(seconds: number): Fault {
  const fault = new Fault('kms/rate-limited')
  waits.set(fault, Math.max(1, Math.ceil(seconds)))
  return fault
}

/**
 * Two generations, of which the older goes when the younger is full: a map that had each key taken out and put
 * in again with every request would keep the collector busy.
 */
class Recent<T> {
  #young = new Map<string, T>()
  #old = new Map<string, T>()

  get(key: string): T | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: string, value: T): void {
    if (this.#young.size >= MAX_KEYS && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }

  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }
}

type Bucket = { level: number; at: number }

export class RateLimiter {
  readonly #rate: Rate
  readonly #buckets = new Recent<Bucket>()

  constructor(rate: Rate) {
    this.#rate = rate
  }

  /** Takes one out of the bucket of `key`. `now` is monotonic. @throws kms/rate-limited */
  take(key: string, now: number): void {
    const { perSecond, burst } = this.#rate
    const bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      this.#buckets.set(key, { level: burst - 1, at: now })
      return
    }
    bucket.level = Math.min(burst, bucket.level + ((now - bucket.at) / 1000) * perSecond)
    bucket.at = now
    if (bucket.level < 1) throw tooMany((1 - bucket.level) / perSecond)
    bucket.level -= 1
  }
}

const FREE_FAILURES = 5
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 15 * 60_000

type Failures = { count: number; until: number }

/** Counts failures of what is tried from where, so that others keep signing in to the same identity. */
export class Lockout {
  readonly #failures = new Recent<Failures>()

  /** @throws kms/rate-limited while `key` has to wait; the same for identities that do not exist */
  check(key: string, now: number): void {
    const { until } = this.#failures.get(key) ?? { until: now }
    if (until > now) throw tooMany((until - now) / 1000)
  }

  failed(key: string, now: number): void {
    const count = (this.#failures.get(key)?.count ?? 0) + 1
    const pause =
      count < FREE_FAILURES
        ? 0
        : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (count - FREE_FAILURES))
    this.#failures.set(key, { count, until: now + pause })
  }

  succeeded(key: string): void {
    this.#failures.delete(key)
  }

  /** Forgets every failure. */
  clear(): void {
    this.#failures.clear()
  }
}
