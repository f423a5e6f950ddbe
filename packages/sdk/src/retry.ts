/**
 * Trying again: which failures are worth it, and after how long. Every call of the API may be made
 * again: those that cost something carry an idempotency key, so that they are carried out once.
 */
import { ERRORS, Fault, isFault, type Random } from '@quorate/base'

export type RetryPolicy = {
  /** How often a call is made at most, counted over all endpoints. */
  readonly attempts: number
  /** Of the pause after the first round of endpoints; it doubles with each further one. */
  readonly firstMs: number
  readonly maxMs: number
}

export const PATIENT: RetryPolicy = { attempts: 6, firstMs: 100, maxMs: 5_000 }

/** Whether the same call may succeed later or elsewhere. */
export const isPassing = (error: unknown): boolean =>
  isFault(error) && ERRORS[error.code].class === 'Unavailable' && ERRORS[error.code].retryable

/**
 * How long to wait before call number `attempt` (1 = the second one): nothing while there are
 * endpoints that were not asked yet, then a random time up to a bound that doubles (full jitter would
 * allow none at all, so half of it is fixed), never less than the server asks for.
 */
export function pauseMs(
  attempt: number,
  endpoints: number,
  serverMs: number,
  { firstMs, maxMs }: RetryPolicy,
  random: Random,
): number {
  const round = Math.floor(attempt / endpoints)
  if (attempt % endpoints !== 0) return 0
  const bound = Math.min(maxMs, firstMs * 2 ** (round - 1))
  const share = random.bytes(1)[0]! / 255
  return Math.max(serverMs, Math.round(bound / 2 + (bound / 2) * share))
}

/** Waits, or throws once `signal` is aborted. @throws sdk/cancelled */
export async function pause(
  sleep: (ms: number) => Promise<void>,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  checkGoing(signal)
  if (ms === 0) return
  if (signal === undefined) return sleep(ms)
  let stop = (): void => {}
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
    signal.addEventListener('abort', stop, { once: true })
  })
  await Promise.race([sleep(ms), stopped])
  signal.removeEventListener('abort', stop)
  checkGoing(signal)
}

/** @throws sdk/cancelled once it is aborted */
export function checkGoing(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new Fault('sdk/cancelled')
}
