/** The real clock and the real source of randomness. */
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Clock, Random } from '@quorate/base'

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}

export const systemRandom: Random = {
  // A copy: small results of `randomBytes` share one pool, where a wipe or a transfer would reach others.
  bytes: (length) => new Uint8Array(randomBytes(length)),
}
