/** How much the API of a node takes on. */
import type { CallRate } from '@quorate/api'

export type ApiLimits = CallRate & {
  /** Calls of all clients that are worked on at once. */
  readonly maxConcurrent: number
  /** Event streams that a client may hold open. */
  readonly maxStreams: number
}

export const API_LIMITS: ApiLimits = {
  ratePerSecond: 500,
  burst: 1000,
  maxConcurrent: 512,
  maxStreams: 32,
}
