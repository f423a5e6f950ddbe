/** What a failover is made of, and what it needs. */
import { Fault, type Logger } from '@quorate/base'
import type { Timers } from '@quorate/platform'
import type { CustodyDecision, CustodyFacts, EmergencyRules } from '@quorate/policy'
import type { HsmProvider } from '../provider.ts'
import type { HsmState } from '../state/store.ts'
import type { SlotPlace, SlotPlan } from './machine.ts'
import type { ReportPorts } from './report.ts'
import type { SlotDevice } from './slot.ts'

export type FailoverSlot = SlotPlan & SlotDevice

/** Keys in files, for roles that may fall back to them. */
export type FallbackSlot = SlotDevice & {
  readonly name: string
  /** Whether it takes over by itself, or only for an operation that asks for it. */
  readonly isAutomatic: boolean
  /** How long the devices have before it takes over. */
  readonly timeoutMs: number
  readonly maxOperations: number
}

export type FailoverOptions = {
  /** Names its state. */
  readonly name: string
  /** In order of priority, the emergency device last. */
  readonly slots: readonly FailoverSlot[]
  readonly fallback?: FallbackSlot | undefined
  readonly emergency: EmergencyRules
}

export type FailoverPorts = ReportPorts & {
  readonly state: HsmState
  readonly logger?: Logger | undefined
  /** For tests that turn the clock by hand. */
  readonly timers?: Timers | undefined
}

export type Work<T> = {
  readonly role: string
  /** What policy says to a device that would do it. */
  readonly decide: (
    where: Pick<CustodyFacts, 'device' | 'emergency' | 'fallback'>,
  ) => CustodyDecision
  /** Does it there; what it throws says whether another device is to try. `slot`: name of the device. */
  readonly perform: (provider: HsmProvider, slot: string) => Promise<T>
  /** What was made too late, for nobody. */
  readonly discard: (result: T) => void
  /** Whether the caller asked for software keys where no device answers. */
  readonly wantsFallback?: boolean | undefined
}

const ORDER: readonly SlotPlace[] = ['primary', 'secondary', 'emergency']

/** @throws hsm/bad-config */
export function checkSlots(slots: readonly FailoverSlot[]): void {
  const names = slots.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new Fault('hsm/bad-config', { detail: `two devices of failover are called ${twice}` })
  const places = slots.map(({ place }) => ORDER.indexOf(place))
  if (places[0] !== 0 || places.some((place, i) => place < (places[i - 1] ?? 0)))
    throw new Fault('hsm/bad-config', {
      detail: 'failover goes from a primary device over secondary ones to emergency ones',
    })
}
