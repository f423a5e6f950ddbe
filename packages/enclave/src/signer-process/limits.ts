/** How much a signer takes on at once, and how long it waits: every bound with its default. */
import { type Codec, field, int, record } from '@quorate/base'

export type Limits = {
  /** Key generations and refreshes that this node leads or takes part in at once. */
  readonly maxConcurrentKeygen: number
  /** Signing requests that this node leads at once. */
  readonly maxConcurrentSigning: number
  /** Signing sessions that this node takes part in at once, whoever leads. */
  readonly maxSigningSessions: number
  /** Requests that wait for their turn here; more are refused with `enclave/busy`. */
  readonly maxQueued: number
  /** Requests of one client that run or wait for their turn here. */
  readonly maxPerClient: number
  /** Requests that wait here for approvals or for a delay to pass. */
  readonly maxWaiting: number
  /** How long a signing may stand still before another one begins beside it, without those it waits for. */
  readonly signPatienceMs: number
}

export const DEFAULT_LIMITS: Limits = {
  maxConcurrentKeygen: 10,
  maxConcurrentSigning: 64,
  maxSigningSessions: 256,
  maxQueued: 1024,
  maxPerClient: 512,
  maxWaiting: 10_000,
  signPatienceMs: 2_000,
}

const count = int(1, 1_000_000)

export const limitsCodec: Codec<Limits> = record({
  maxConcurrentKeygen: field(0, count),
  maxConcurrentSigning: field(1, count),
  maxSigningSessions: field(2, count),
  maxQueued: field(3, count),
  maxPerClient: field(4, count),
  maxWaiting: field(5, count),
  signPatienceMs: field(6, count),
})
