/**
 * What each step of a rotation does. Each can be done again after a crash; what it gives is what the record of
 * the job becomes, or how long to wait until it is worth another look.
 */
import { Fault, isFault, toHex } from '@quorate/base'
import { generateBackedUpKey } from '../backup/keys.ts'
import { putDestroyed } from '../backup/record.ts'
import { hasCapability, type KeyInfo, type SigningAlgorithm } from '../provider.ts'
import type { RoleBinding } from '../roles/bindings.ts'
import type { RotationPorts } from './ports.ts'
import type { RotationJob, RotationStep } from './record.ts'

export type StepContext = {
  readonly ports: RotationPorts
  readonly role: string
  /** Believed time, milliseconds since the epoch. */
  readonly now: number
  /** Certainly passed since the last look. */
  readonly elapsed: number
}
type Job = RotationJob
export type StepResult =
  | { readonly next: RotationStep; readonly job?: Partial<Job> }
  | { readonly waitMs: number; readonly job?: Partial<Job> }
  | { readonly isDone: true }

type Step = (job: Job, context: StepContext) => Promise<StepResult>

/** Between two questions to consumers that have not accepted yet. */
const ASK_AGAIN_MS = 60_000
const DAY_MS = 86_400_000

export const STEPS: { readonly [S in RotationStep]: Step } = {
  async backup(_job, { ports, role }) {
    if (ports.config.isBackupEnabled) await (await backupsOf(ports, role)).make()
    return { next: 'generate' }
  },

  async generate(job, { ports, role }) {
    const current = ports.roles.current(role)
    const key = await newKey(job, current, { ports, role })
    return { next: 'keep', job: { publicKey: key.publicKey } }
  },

  async keep({ newKey: id }, { ports, role }) {
    const { config, devices } = ports
    if (!config.isBackupEnabled) return { next: 'announce' }
    const { backup } = await (await backupsOf(ports, role)).make()
    const isKept = backup.keys.some((key) => key.id === id)
    // Where policy keeps it inside, the backup lists it as not taken, and says so in the log.
    if (!isKept && devices.mayLeave?.(role) === true)
      throw new Fault('hsm/not-backed-up', { detail: `the new key of ${role}` })
    return { next: 'announce' }
  },

  async announce(job, { ports, role, now }) {
    const [current, next] = [ports.roles.current(role), bindingOf(job, { ports, role, now })]
    const accepted = new Set(job.accepted)
    const replicas = (ports.replicas ?? []).filter((each) => each.uses(role))
    for (const each of [...ports.consumers.filter((one) => one.uses(role)), ...replicas])
      if (await each.accept(role, next, current)) accepted.add(each.name)
    const needed = [...consumersOf(ports, role), ...replicas.map(({ name }) => name)]
    const isAccepted = needed.every((name) => accepted.has(name))
    const all = { accepted: [...accepted].sort() }
    return isAccepted ? { next: 'switch', job: all } : { waitMs: ASK_AGAIN_MS, job: all }
  },

  async switch(job, { ports, role, now }) {
    await ports.roles.rebind(role, bindingOf(job, { ports, role, now }), job.oldKey)
    return { next: 'overlap', job: { leftMs: ports.config.overlapDays * DAY_MS } }
  },

  async overlap({ leftMs = 0 }, { elapsed }) {
    const left = Math.max(0, Math.trunc(leftMs - elapsed))
    return left === 0
      ? { next: 'retire', job: { leftMs: 0 } }
      : { waitMs: left, job: { leftMs: left } }
  },

  async retire({ oldKey, oldLabel, oldPublicKey }, { ports, role }) {
    const { roles, config, state, devices } = ports
    await roles.retire(role, oldKey)
    if (config.oldKeys === 'deactivate') return { isDone: true }
    // First, so that no backup is kept for its sake; said of a key that is still there it does no harm.
    const { provider: device, algorithm } = roles.current(role)
    await putDestroyed(state, device, oldKey)
    const old = { keyId: oldKey, label: oldLabel, algorithm, publicKey: oldPublicKey }
    for (const replica of ports.replicas ?? []) if (replica.uses(role)) await replica.destroy(old)
    const provider = await devices.provider(device, role)
    try {
      await provider.destroy(oldKey, { label: oldLabel })
    } catch (error) {
      if (!isFault(error, 'hsm/key-not-found')) throw error
    }
    return { isDone: true }
  },
}

/** Consumers that must accept a new key of the role. */
export const consumersOf = (
  { config, consumers }: Pick<RotationPorts, 'config' | 'consumers'>,
  role: string,
): readonly string[] => [
  ...new Set([
    ...consumers.filter((each) => each.uses(role)).map(({ name }) => name),
    ...config.consumers,
  ]),
]

type At = Pick<StepContext, 'ports' | 'role'>

async function backupsOf(ports: RotationPorts, role: string) {
  if (ports.backups === undefined)
    throw new Fault('hsm/bad-config', { detail: 'rotation.backupEnabled without a place for them' })
  return ports.backups(ports.roles.current(role).provider)
}

/** The key of the job: found, where a crash came after it was made, else made. */
async function newKey(job: Job, current: RoleBinding, { ports, role }: At): Promise<KeyInfo> {
  const { devices, config } = ports
  const { algorithm, provider: device } = current
  const provider = await devices.provider(device, role)
  devices.checkNewKey?.(role, device)
  const request = { id: job.newKey, label: job.newLabel, algorithm }
  const found = await provider.find({ id: job.newKey }).catch((error: unknown) => {
    if (!isFault(error, 'hsm/key-not-found')) throw error
  })
  const isWrappable = config.isBackupEnabled && devices.mayLeave?.(role) === true
  if (isWrappable && !hasCapability(provider, 'wrap'))
    throw new Fault('hsm/not-backed-up', { detail: `${device} does not wrap keys` })
  const key =
    found ??
    (isWrappable
      ? await generateBackedUpKey(provider, request)
      : await provider.generateKey(request))
  devices.checkNewKey?.(role, device, key)
  if (!isAsWanted(key, request, isWrappable))
    throw new Fault('hsm/key-exists', { detail: `another key under ${job.newKey}` })
  // A key that does not sign is better found before anything depends on it.
  const message = await provider.random(32)
  if (!(await provider.verify(key.id, { message }, await provider.sign(key.id, { message }))))
    throw new Fault('hsm/key-changed', { detail: `the new key of ${role}` })
  return key
}

const isAsWanted = (
  key: KeyInfo,
  { label, algorithm }: { readonly label: string; readonly algorithm: SigningAlgorithm },
  isWrappable: boolean,
): boolean =>
  key.label === label &&
  key.algorithm === algorithm &&
  key.isSensitive &&
  (isWrappable || !key.isExtractable) &&
  key.publicKey !== undefined

/** What the role is bound to next. */
export function bindingOf(
  { newKey: keyId, newLabel: label, publicKey }: Job,
  { ports, role, now }: At & { readonly now: number },
): RoleBinding {
  const { provider, algorithm } = ports.roles.current(role)
  if (publicKey === undefined) throw new Fault('hsm/key-not-found', { detail: `of ${role}` })
  return { provider, keyId, label, algorithm, publicKey, boundAt: now }
}

/** `name`, `name-r2`, `name-r3` …: labels select keys, so the old and the new one need two. */
export function nextLabel(label: string): string {
  const [, stem = label, digits] = /^(.*)-r(\d{1,6})$/s.exec(label) ?? []
  const suffix = `-r${digits === undefined ? 2 : Number(digits) + 1}`
  return `${stem.slice(0, 128 - suffix.length)}${suffix}`
}

export const publicHex = ({ publicKey }: Job): string =>
  publicKey === undefined ? '' : toHex(publicKey)
