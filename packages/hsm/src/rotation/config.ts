/** The settings of rotation, parsed: what cannot be meant is refused before anything starts. */
import { Fault } from '@quorate/base'
import type { SectionValues } from '../config/section.ts'
import { ROLE_NAME } from '../roles/bindings.ts'
import { CONSUMER_NAME } from './record.ts'
import { isTimeZone, MAX_INTERVAL_DAYS, parseTimeOfDay, type Schedule } from './schedule.ts'

/** What becomes of a key whose overlap has ended: it stays in the device without duties, or it is gone for ever. */
export const OLD_KEYS = ['deactivate', 'destroy'] as const
export type OldKeys = (typeof OLD_KEYS)[number]

export type RotationConfig = {
  readonly isEnabled: boolean
  readonly schedule: Schedule
  readonly overlapDays: number
  /** None: every role that has a key. */
  readonly roles: readonly string[]
  /** Consumers outside this program, each of which must accept a new key before it signs. */
  readonly consumers: readonly string[]
  readonly oldKeys: OldKeys
  readonly isBackupEnabled: boolean
  /** A directory, or s3://BUCKET/PREFIX. */
  readonly backupLocation: string | undefined
  readonly backupsKept: number
}

/** As a configuration says them; what is absent has the default of `ROTATION_DEFAULTS`. */
export type RotationValues = {
  readonly enabled?: boolean | undefined
  readonly intervalDays?: number | undefined
  readonly overlapDays?: number | undefined
  readonly rotationTime?: string | undefined
  readonly timeZone?: string | undefined
  readonly roles?: readonly string[] | undefined
  readonly consumers?: readonly string[] | undefined
  readonly oldKeys?: OldKeys | undefined
  readonly backupEnabled?: boolean | undefined
  readonly backupLocation?: string | undefined
  readonly backupsKept?: number | undefined
}

const SECTION = 'rotation.'

export const ROTATION_DEFAULTS = {
  intervalDays: 30,
  overlapDays: 2,
  rotationTime: '00:00:00',
  timeZone: 'UTC',
  backupsKept: 10,
} as const

/** @throws hsm/bad-config */
export function rotationConfig(values: RotationValues): RotationConfig {
  const given = Object.values(values).some((value) => value !== undefined)
  const {
    enabled = given,
    intervalDays = ROTATION_DEFAULTS.intervalDays,
    overlapDays = ROTATION_DEFAULTS.overlapDays,
    rotationTime = ROTATION_DEFAULTS.rotationTime,
    timeZone = ROTATION_DEFAULTS.timeZone,
    roles = [],
    consumers = [],
    oldKeys = 'deactivate',
    backupEnabled = false,
    backupLocation,
    backupsKept = ROTATION_DEFAULTS.backupsKept,
  } = values
  demand(isCount(intervalDays, 1, MAX_INTERVAL_DAYS), `intervalDays: 1 to ${MAX_INTERVAL_DAYS}`)
  demand(isCount(overlapDays, 0, MAX_INTERVAL_DAYS), 'overlapDays: a number of days')
  demand(overlapDays < intervalDays, 'overlapDays: fewer than intervalDays')
  const timeOfDay = parseTimeOfDay(rotationTime) ?? refuse('rotationTime: e.g. 02:30:00')
  demand(isTimeZone(timeZone), 'timeZone: one that this system knows, e.g. Europe/Berlin')
  demand(
    roles.every((role) => ROLE_NAME.test(role)),
    'roles: names like transaction_signer',
  )
  demand(
    consumers.every((name) => CONSUMER_NAME.test(name)),
    'consumers: short names',
  )
  demand(
    !backupEnabled || backupLocation !== undefined,
    'backupLocation: needed where backupEnabled is true',
  )
  demand(isCount(backupsKept, 1, 1000), 'backupsKept: 1 to 1000')
  return {
    isEnabled: enabled,
    schedule: { intervalDays, timeOfDay, timeZone },
    overlapDays,
    roles,
    consumers,
    oldKeys,
    isBackupEnabled: backupEnabled,
    backupLocation,
    backupsKept,
  }
}

/** The section `rotation` of a file; a section that says nothing of itself is switched on by what stands in it. @throws hsm/bad-config */
export const rotationConfigOf = (sections: SectionValues): RotationConfig =>
  rotationConfig(
    Object.fromEntries(
      [...sections].flatMap(([key, { value }]) =>
        key.startsWith(SECTION) ? [[key.slice(SECTION.length), value]] : [],
      ),
    ),
  )

/**
 * For a program that rotates nothing: refuses a file that asks for it, so that nobody believes in it.
 * @throws hsm/not-yet-supported
 */
export function refuseRotation(sections: SectionValues): void {
  const [asked] = [...sections].filter(([key]) => key.startsWith(SECTION))
  if (asked !== undefined && sections.get(`${SECTION}enabled`)?.value !== false)
    throw new Fault('hsm/not-yet-supported', {
      detail: `${asked[0]} (${asked[1].where}): this program rotates no keys; quorate hsm rotate does`,
    })
}

const isCount = (value: number, min: number, max: number): boolean =>
  Number.isInteger(value) && value >= min && value <= max

function refuse(detail: string): never {
  throw new Fault('hsm/bad-config', { detail: `rotation.${detail}` })
}

function demand(holds: boolean, detail: string): void {
  if (!holds) refuse(detail)
}
