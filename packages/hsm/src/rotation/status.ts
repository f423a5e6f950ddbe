/** Where each role stands with its rotation, as far as is written down: no device is asked. */
import type { RotationPorts } from './ports.ts'
import { type RotationJob, readRotation } from './record.ts'
import { nextRotation } from './schedule.ts'
import { consumersOf } from './steps.ts'

export type RotationStatus = {
  readonly role: string
  readonly key: string
  readonly dueAt: number
  readonly since: number
  readonly count: number
  /** Those that must accept the next key; none: it is not rotated by time. */
  readonly consumers: readonly string[]
  readonly job: RotationJob | undefined
  readonly trouble: string | undefined
}

type Known = Pick<RotationPorts, 'roles' | 'state' | 'config' | 'consumers'>

/** Where each role stands, as far as is written down: no device is asked. @throws hsm/state-damaged */
export const rotationStatus = (known: Known): readonly RotationStatus[] =>
  rolesOf(known).map((role) => statusOf(known, role))

/** Roles that the configuration names, else all; of those that have a key. */
export const rolesOf = ({ roles, config }: Known): readonly string[] =>
  roles.roles().filter((role) => config.roles.length === 0 || config.roles.includes(role))

/** @throws hsm/role-unbound, hsm/state-damaged */
export function statusOf(known: Known, role: string): RotationStatus {
  const { roles, state, config } = known
  const current = roles.current(role)
  const record = readRotation(state, role)
  const since = record?.since ?? current.boundAt
  return {
    role,
    key: current.keyId,
    dueAt: record?.dueAt ?? nextRotation(config.schedule, since),
    since,
    count: record?.count ?? 0,
    consumers: consumersOf(known, role),
    job: record?.job,
    trouble: record?.trouble?.code,
  }
}
