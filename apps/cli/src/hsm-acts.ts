/**
 * What operators do to the state around an HSM and to its rotations, said once: a command carries an act
 * out by itself, or has it done over a socket by `hsm watch`, where that holds the state. Each checks what
 * was typed to confirm it, whoever asks.
 */
import {
  type Alert,
  AlertBook,
  alertStateOf,
  type HsmState,
  openRoleLocks,
  type RoleLocks,
  type RotationConfig,
  type Rotations,
  renewFallback,
} from '@quorate/hsm'
import { systemClock } from '@quorate/platform'
import { type TSchema, Type } from '@sinclair/typebox'
import { checkTyped } from './confirming.ts'
import { alertJson, lockJson, rotationsShown, type Shown } from './hsm-shown.ts'

/** What acts on the state need. A process that goes on has its own locks and alerts, which it keeps in memory. */
export type OnState = {
  readonly state: HsmState
  readonly locks?: RoleLocks | undefined
  /** Absent too where alerting is switched off. */
  readonly alerts?: AlertBook | undefined
}

/** What acts on rotations need. */
export type OnRotations = { readonly rotations: Rotations; readonly config: RotationConfig }

export type Act<On, Input> = {
  /** JSON schema of the input, as it comes from another process. */
  readonly input: TSchema & { readonly static: Input }
  /** What the command prints. @throws what a command that did it by itself would end with */
  carryOut(on: On, input: Input): Promise<Shown>
}
type Acts<On, Inputs> = { readonly [Name in keyof Inputs]: Act<On, Inputs[Name]> }

type Marking = { readonly id: number; readonly by: string }

/** What each act on the state takes, by its name. */
export type StateInputs = {
  'alerts/acknowledge': Marking
  'alerts/resolve': Marking
  'failover/renew': { readonly name: string; readonly confirm: string }
  lock: { readonly role?: string; readonly reason: string }
  unlock: { readonly role?: string; readonly by: string; readonly confirm: string }
}

/** What each act on rotations takes, by its name. */
export type RotationInputs = {
  'rotate/now': { readonly role: string; readonly confirm: string }
  'rotate/accept': { readonly role: string; readonly consumer: string; readonly key: string }
}

const strict = { additionalProperties: false }
/** Bounded, no more: what it may say is for the act, so that both ways end with the same error. */
const text = Type.String({ maxLength: 4096 })
const marking = Type.Object(
  { id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), by: text },
  strict,
)

const locksOf = ({ locks, state }: OnState): RoleLocks =>
  locks ?? openRoleLocks({ state, clock: systemClock })

const silent = { log: () => undefined, with: () => silent }

async function marked(
  { alerts, state }: OnState,
  by: string,
  mark: (book: AlertBook) => Promise<Alert>,
): Promise<Shown> {
  const book = alerts ?? new AlertBook({ state, clock: systemClock, logger: silent })
  const alert = await mark(book)
  // Whoever is told of it by a process that goes on is not waited for.
  if (alerts === undefined) await book.settled()
  return {
    json: alertJson(alert),
    lines: [
      `Alert ${alert.id} (${alert.kind}, ${alert.component}) is ${alertStateOf(alert)} by ${by}.`,
    ],
  }
}

export const STATE_ACTS: Acts<OnState, StateInputs> = {
  'alerts/acknowledge': {
    input: marking,
    carryOut: (on, { id, by }) => marked(on, by, (book) => book.acknowledge(id, by)),
  },
  'alerts/resolve': {
    input: marking,
    carryOut: (on, { id, by }) => marked(on, by, (book) => book.resolve(id, by)),
  },
  'failover/renew': {
    input: Type.Object({ name: text, confirm: text }, strict),
    async carryOut({ state }, { name, confirm }) {
      checkTyped(confirm, name)
      await renewFallback(state, name, systemClock)
      return { json: { name }, lines: [`The software fallback of ${name} begins anew.`] }
    },
  },
  lock: {
    input: Type.Object({ role: Type.Optional(text), reason: text }, strict),
    async carryOut(on, { role, reason }) {
      await locksOf(on).lock(reason, role)
      return {
        json: { role: role ?? null, reason },
        lines: [`Nothing is signed for ${role ?? 'any role'} until it is unlocked.`],
      }
    },
  },
  unlock: {
    input: Type.Object({ role: Type.Optional(text), by: text, confirm: text }, strict),
    async carryOut(on, { role, by, confirm }) {
      const locks = locksOf(on)
      await locks.unlock(confirm, by, role)
      const left = locks.list()
      return {
        json: { role: role ?? null, by, locks: left.map(lockJson) },
        lines: [left.length === 0 ? 'No role is locked.' : `${left.length} locks are left.`],
      }
    },
  },
}

export const ROTATION_ACTS: Acts<OnRotations, RotationInputs> = {
  'rotate/now': {
    input: Type.Object({ role: text, confirm: text }, strict),
    async carryOut({ rotations, config }, { role, confirm }) {
      checkTyped(confirm, role)
      return rotationsShown(config, [await rotations.rotateNow(role)])
    },
  },
  'rotate/accept': {
    input: Type.Object({ role: text, consumer: text, key: text }, strict),
    async carryOut({ rotations, config }, { role, consumer, key }) {
      await rotations.accept(role, consumer, key)
      const all = rotations.status().filter((each) => each.role === role)
      return rotationsShown(config, all)
    },
  },
}
