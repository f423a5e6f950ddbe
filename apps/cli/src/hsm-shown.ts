/** What commands show of alerts, locks and rotations: as JSON, and in lines for people. */
import {
  type Alert,
  alertStateOf,
  type RoleLock,
  type RotationConfig,
  type RotationStatus,
} from '@quorate/hsm'
import { table } from './output.ts'

/** The result of a command. */
export type Shown = {
  /** Printed with --json. */
  readonly json: unknown
  readonly lines: readonly string[]
}

/** RFC 3339, from milliseconds since the epoch. */
export const timeOf = (ms: number): string => new Date(ms).toISOString()

export const alertJson = (alert: Alert): object => {
  const { raisedAt, lastAt, acknowledged, resolved, ...rest } = alert
  return {
    ...rest,
    state: alertStateOf(alert),
    raisedAt: timeOf(raisedAt),
    lastAt: timeOf(lastAt),
    acknowledged:
      acknowledged === undefined ? null : { by: acknowledged.by, at: timeOf(acknowledged.at) },
    resolved: resolved === undefined ? null : { by: resolved.by, at: timeOf(resolved.at) },
  }
}

export const lockJson = ({ role, reason, lockedAt }: RoleLock): object => ({
  role: role ?? null,
  reason,
  lockedAt: timeOf(lockedAt),
})

const rotationJson = (status: RotationStatus): object => {
  const { role, key, dueAt, since, count, consumers, job, trouble } = status
  return {
    role,
    key,
    dueAt: timeOf(dueAt),
    since: timeOf(since),
    count,
    consumers,
    job:
      job === undefined
        ? null
        : {
            step: job.step,
            newKey: job.newKey,
            newLabel: job.newLabel,
            oldKey: job.oldKey,
            startedAt: timeOf(job.startedAt),
            accepted: job.accepted,
            overlapLeftSeconds: job.leftMs === undefined ? null : Math.ceil(job.leftMs / 1000),
          },
    trouble: trouble ?? null,
  }
}

/** What a rotation waits for, in a few words. */
function stateOf({ job, trouble, consumers }: RotationStatus): string {
  if (trouble !== undefined) return `held up: ${trouble}`
  if (job === undefined) return consumers.length === 0 ? 'not by time: nobody accepts its key' : '-'
  const missing = consumers.filter((name) => !job.accepted.includes(name))
  if (job.step === 'announce') return `${job.newKey} waits for ${missing.join(', ') || 'devices'}`
  if (job.step === 'overlap')
    return `${job.oldKey} verifies ${Math.ceil((job.leftMs ?? 0) / 3_600_000)} h more`
  return job.step
}

export const rotationsShown = (
  { isEnabled }: RotationConfig,
  all: readonly RotationStatus[],
): Shown => ({
  json: { isEnabled, items: all.map(rotationJson) },
  lines:
    all.length === 0
      ? ['No role has a key yet.']
      : table([
          ['ROLE', 'KEY', 'DUE', 'ROTATED', 'STATE'],
          ...all.map((each) => [
            each.role,
            each.key,
            timeOf(each.dueAt),
            `${each.count} times`,
            stateOf(each),
          ]),
        ]),
})
