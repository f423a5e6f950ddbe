/** What is kept of a failover across restarts, and what it says to whoever looks. */
import {
  array,
  type Clock,
  type Codec,
  Fault,
  field,
  int,
  nullable,
  oneOf,
  optional,
  record,
  text,
} from '@quorate/base'
import { KEY_OPERATIONS } from '@quorate/policy'
import type { HsmState } from '../state/store.ts'
import { Allowance, type AllowanceUse, readAllowance } from './allowance.ts'
import type { SlotPlace } from './machine.ts'

const name = text(200)
const code = text(100)

type KeptSlot = {
  readonly name: string
  readonly place: SlotPlace
  /** Why it is down; `null` where it is not. */
  readonly downBecause: string | null
  /** When that last changed, in milliseconds since the epoch. */
  readonly since: number
}
type KeptSwitch = {
  /** `null` for none. */
  readonly from: string | null
  readonly to: string | null
  readonly reason: string | null
  readonly time: number
}
type EmergencyLimits = {
  readonly maxTransactions: number
  readonly maxTimeSeconds: number
  readonly allowedOperations: readonly (typeof KEY_OPERATIONS)[number][]
}
export type FailoverRecord = {
  readonly v: 1
  readonly slots: readonly KeptSlot[]
  /** Changes of the active slot since the first start. */
  readonly switches: number
  readonly lastSwitch?: KeptSwitch | undefined
  readonly emergency?: EmergencyLimits | undefined
  readonly maxFallbackOperations?: number | undefined
}

export const failoverRecord: Codec<FailoverRecord> = record({
  v: field(0, oneOf(1)),
  slots: field(
    1,
    array(
      record({
        name: field(0, name),
        place: field(1, oneOf('primary', 'secondary', 'emergency')),
        downBecause: field(2, nullable(code)),
        since: field(3, int()),
      }),
      { max: 64 },
    ),
  ),
  switches: field(2, int()),
  lastSwitch: optional(
    3,
    record({
      from: field(0, nullable(name)),
      to: field(1, nullable(name)),
      reason: field(2, nullable(code)),
      time: field(3, int()),
    }),
  ),
  emergency: optional(
    4,
    record({
      maxTransactions: field(0, int()),
      maxTimeSeconds: field(1, int()),
      allowedOperations: field(2, array(oneOf(...KEY_OPERATIONS), { max: 64 })),
    }),
  ),
  maxFallbackOperations: optional(5, int()),
})

export const stateName = (failover: string): string => `failover/${failover}`
export const emergencyName = (failover: string): string => `emergency/${failover}`
export const fallbackName = (failover: string): string => `fallback/${failover}`

export type FailoverStatus = {
  readonly name: string
  /** The first that is not down; `null` where all are. */
  readonly active: string | null
  readonly slots: readonly KeptSlot[]
  readonly switches: number
  readonly lastSwitch: KeptSwitch | null
  readonly emergency: (EmergencyLimits & AllowanceUse & { readonly isEntered: boolean }) | null
  readonly fallback: { readonly used: number; readonly maxOperations: number } | null
}

/** The names of all failovers that `state` knows. */
export const failoverNames = (state: Pick<HsmState, 'names'>): readonly string[] =>
  state.names('failover/').map((each) => each.slice('failover/'.length))

/**
 * How the failover called `name` stood when it last wrote that down; `now`: time of the wall clock, up to
 * which an emergency that was entered goes on. @throws hsm/no-failover, hsm/state-damaged
 */
export function readFailoverStatus(
  state: Pick<HsmState, 'read'>,
  failover: string,
  now: number,
): FailoverStatus {
  const kept = state.read(stateName(failover), failoverRecord)
  if (kept === undefined) throw new Fault('hsm/no-failover', { detail: failover })
  const { slots, switches, lastSwitch = null, emergency, maxFallbackOperations } = kept
  const active = slots.find(({ downBecause }) => downBecause === null)
  const use = readAllowance(state, emergencyName(failover), now)
  return {
    name: failover,
    active: active?.name ?? null,
    slots,
    switches,
    lastSwitch,
    emergency:
      emergency === undefined
        ? null
        : { ...emergency, ...use, isEntered: active?.place === 'emergency' },
    fallback:
      maxFallbackOperations === undefined
        ? null
        : {
            used: readAllowance(state, fallbackName(failover), now).used,
            maxOperations: maxFallbackOperations,
          },
  }
}

/** Allows the software fallback of that failover its operations anew, by the will of an operator. @throws hsm/no-failover */
export async function renewFallback(
  state: HsmState,
  failover: string,
  clock: Clock,
): Promise<void> {
  readFailoverStatus(state, failover, clock.now())
  const limits = { maxOperations: 0, maxTimeMs: null }
  await Allowance.open(state, fallbackName(failover), limits, clock).renew()
}
