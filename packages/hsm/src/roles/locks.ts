/**
 * What stops signing until a person lets it go on: after a tamper event, or by an operator. A lock is in
 * force at once, before it is on disk, and outlives every restart; it is lifted by whoever types out what
 * is to be unlocked.
 */
import { array, type Clock, type Codec, Fault, field, int, record, text } from '@quorate/base'
import type { HsmEvents } from '../events.ts'
import type { HsmState } from '../state/store.ts'
import { ROLE_NAME } from './bindings.ts'

export type RoleLock = {
  /** `undefined` for every role, those to come included. */
  readonly role?: string | undefined
  readonly reason: string
  /** Milliseconds since the epoch. */
  readonly lockedAt: number
}

export type RoleLocks = {
  /** Why the role may not sign; `undefined` where it may. */
  reasonFor(role: string): string | undefined
  list(): readonly RoleLock[]
  /** From this call on nothing is signed for `role`, or for any role; durable once resolved. */
  lock(reason: string, role?: string): Promise<void>
  /**
   * Lifts one lock: that of `role`, or the one on every role. `typed` is `unlock ROLE`, or `unlock every
   * role`; `by` is who did it. @throws hsm/confirmation-mismatch
   */
  unlock(typed: string, by: string, role?: string): Promise<void>
}

const MAX_REASON = 200
const MAX_LOCKS = 256
const STATE = 'locks'

const locks: Codec<readonly RoleLock[]> = array(
  record({
    role: field(0, text(64)),
    reason: field(1, text(MAX_REASON)),
    lockedAt: field(2, int()),
  }),
  { max: MAX_LOCKS },
)

type Ports = {
  readonly state: HsmState
  readonly clock: Clock
  readonly events?: HsmEvents | undefined
}

/** What must be typed to lift the lock of `role`, or the one on every role. */
export const unlockPhrase = (role?: string): string => `unlock ${role ?? 'every role'}`

/** The locks that `state` keeps. @throws hsm/state-damaged */
export function openRoleLocks({ state, clock, events }: Ports): RoleLocks {
  // In the state, no role is the empty text.
  let all: readonly RoleLock[] = state.read(STATE, locks) ?? []
  const of = (role: string): RoleLock | undefined => all.find((each) => each.role === role)

  return {
    reasonFor: (role) => (of('') ?? of(role))?.reason,
    list: () => all.map(({ role, ...lock }) => (role === '' ? lock : { role, ...lock })),
    async lock(reason, role) {
      if (role !== undefined && !ROLE_NAME.test(role))
        throw new Fault('hsm/bad-argument', { detail: 'a role is named like transaction_signer' })
      const name = role ?? ''
      let lock = of(name)
      if (lock === undefined) {
        const lockedAt = clock.now()
        lock = { role: name, reason: reason.normalize('NFC').slice(0, MAX_REASON), lockedAt }
        all = [...all, lock]
        events?.emit({
          kind: 'signing.locked',
          time: lockedAt,
          component: 'roles',
          role: role ?? 'every role',
          reason: lock.reason,
        })
      }
      const kept = lock
      await state.update(STATE, locks, (old = []) => [
        ...old.filter((each) => each.role !== name),
        kept,
      ])
    },
    async unlock(typed, by, role) {
      if (typed !== unlockPhrase(role))
        throw new Fault('hsm/confirmation-mismatch', { detail: unlockPhrase(role) })
      const name = role ?? ''
      if (of(name) === undefined) return
      // On disk first: a lock that is still there after a crash does less harm than one that is not.
      await state.update(STATE, locks, (old = []) => old.filter((each) => each.role !== name))
      all = all.filter((each) => each.role !== name)
      events?.emit({
        kind: 'signing.unlocked',
        time: clock.now(),
        component: 'roles',
        role: role ?? 'every role',
        by,
      })
    },
  }
}
