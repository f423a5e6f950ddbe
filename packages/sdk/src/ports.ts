/** Clock, randomness and pauses as browsers and Node alike have them. */
import type { Clock, Random } from '@quorate/base'

export const systemPorts: {
  readonly clock: Clock
  readonly random: Random
  readonly sleep: (ms: number) => Promise<void>
} = {
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
  random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}
