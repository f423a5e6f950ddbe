/** The real clock and the real source of randomness. */
import { randomFillSync } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Clock, Random } from '@quorate/base'

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}

export const systemRandom: Random = {
  // Into memory of its own, outside of the heap: nothing shares it, and wiping it leaves no copy of a key.
  bytes: (length) => randomFillSync(new Uint8Array(new ArrayBuffer(length))),
}
