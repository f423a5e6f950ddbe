/**
 * Which of several devices is used now: a pure state machine over what became of operations and probes.
 * In: plans of the slots in order of priority, the present state, one event. Out: the next state and what
 * changed by it. No clock, no device and no storage in here.
 *
 *   up        in use, or ready to be
 *   retrying  failed; is tried again `maxRetries` times, one operation at a time, every `retryIntervalMs`
 *   down      given up; comes back when a probe finds that it works
 *
 * The first slot that is not down is the active one. Every change of a slot gives it a new epoch, and an
 * event of an older epoch is without effect: of ten operations that meet one fault, one counts.
 */
import type { Place } from '@quorate/policy'

export type SlotPlace = Exclude<Place, 'software'>

export type SlotPlan = {
  readonly name: string
  readonly place: SlotPlace
  /** Further attempts before the slot is given up. */
  readonly maxRetries: number
  readonly retryIntervalMs: number
}

export type SlotState = { readonly epoch: number } & (
  | {
      readonly is: 'up'
      /** Probes in a row before it came back; 0 once an operation has succeeded. */
      readonly probes: number
    }
  | {
      readonly is: 'retrying'
      readonly failures: number
      readonly retryAt: number
      readonly reason: string
    }
  | {
      readonly is: 'down'
      readonly probes: number
      readonly probeAt: number
      readonly reason: string
    }
)

/** One for each plan, in the same order. Times are those of a monotonic clock, in milliseconds. */
export type FailoverState = readonly SlotState[]

export type FailoverEvent = {
  readonly slot: number
  /** Of the slot when the operation or probe began. */
  readonly epoch: number
  readonly at: number
} & (
  | { readonly kind: 'succeeded' }
  /** `isFinal`: the device cannot, so trying it again is no use. `reason`: an error code. */
  | { readonly kind: 'failed'; readonly reason: string; readonly isFinal: boolean }
  | { readonly kind: 'probed'; readonly works: boolean }
)

export type FailoverChange =
  | { readonly kind: 'opened'; readonly slot: number; readonly reason: string }
  | { readonly kind: 'closed'; readonly slot: number }
  /** To a slot of less priority, or to none. */
  | {
      readonly kind: 'switched'
      readonly from: number | undefined
      readonly to: number | undefined
      readonly reason: string
    }
  | { readonly kind: 'returned'; readonly from: number | undefined; readonly to: number }

type FailoverStep = {
  readonly state: FailoverState
  readonly changes: readonly FailoverChange[]
}

const MAX_PROBE_MS = 60_000

/** How long after `probes` failed ones the next probe is made. */
export const probePauseMs = ({ retryIntervalMs }: SlotPlan, probes: number): number =>
  Math.max(1, Math.min(Math.max(MAX_PROBE_MS, retryIntervalMs), retryIntervalMs * 2 ** probes))

/** All slots up, except those that `isDown` says: they are probed at once. */
export const initialState = (
  plans: readonly SlotPlan[],
  isDown: (plan: SlotPlan) => string | undefined,
  at: number,
): FailoverState =>
  plans.map((plan) => {
    const reason = isDown(plan)
    return reason === undefined
      ? { is: 'up', probes: 0, epoch: 0 }
      : { is: 'down', probes: 0, probeAt: at, reason, epoch: 0 }
  })

/** The slot that is used for what every slot may do; `undefined` where all are down. */
export function activeSlot(state: FailoverState): number | undefined {
  const found = state.findIndex(({ is }) => is !== 'down')
  return found === -1 ? undefined : found
}

/** What follows from `event`; nothing where it is of no slot or of an older epoch. */
export function step(
  plans: readonly SlotPlan[],
  state: FailoverState,
  event: FailoverEvent,
): FailoverStep {
  const [plan, before] = [plans[event.slot], state[event.slot]]
  if (plan === undefined || before === undefined || before.epoch !== event.epoch)
    return { state, changes: [] }
  const after = nextOf(plan, before, event)
  if (after === before) return { state, changes: [] }
  const next = state.with(event.slot, after)
  return { state: next, changes: changesBetween(state, next, event.slot) }
}

function nextOf(plan: SlotPlan, slot: SlotState, event: FailoverEvent): SlotState {
  const epoch = slot.epoch + 1
  switch (event.kind) {
    case 'succeeded':
      if (slot.is === 'down' || (slot.is === 'up' && slot.probes === 0)) return slot
      return { is: 'up', probes: 0, epoch }
    case 'probed':
      if (slot.is !== 'down') return slot
      return event.works
        ? { is: 'up', probes: slot.probes + 1, epoch }
        : {
            ...slot,
            probes: slot.probes + 1,
            probeAt: event.at + probePauseMs(plan, slot.probes + 1),
            epoch,
          }
    case 'failed':
      return failed(plan, slot, event, epoch)
  }
}

function failed(
  plan: SlotPlan,
  slot: SlotState,
  { reason, isFinal, at }: Extract<FailoverEvent, { kind: 'failed' }>,
  epoch: number,
): SlotState {
  if (slot.is === 'down') return slot
  const failures = slot.is === 'retrying' ? slot.failures + 1 : 1
  // One that came back and did nothing since is not given all its attempts again.
  const probes = slot.is === 'up' ? slot.probes : 0
  if (isFinal || failures > plan.maxRetries || probes > 0)
    return { is: 'down', probes, probeAt: at + probePauseMs(plan, probes), reason, epoch }
  return { is: 'retrying', failures, retryAt: at + plan.retryIntervalMs, reason, epoch }
}

function changesBetween(
  before: FailoverState,
  after: FailoverState,
  slot: number,
): readonly FailoverChange[] {
  const changes: FailoverChange[] = []
  const [was, is] = [before[slot]!, after[slot]!]
  if (is.is === 'down' && was.is !== 'down')
    changes.push({ kind: 'opened', slot, reason: is.reason })
  if (is.is !== 'down' && was.is === 'down') changes.push({ kind: 'closed', slot })
  const [from, to] = [activeSlot(before), activeSlot(after)]
  if (from === to) return changes
  if (to !== undefined && (from === undefined || to < from))
    return [...changes, { kind: 'returned', from, to }]
  const reason = is.is === 'down' ? is.reason : 'hsm/unavailable'
  return [...changes, { kind: 'switched', from, to, reason }]
}
