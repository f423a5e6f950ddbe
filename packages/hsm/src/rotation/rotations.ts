/**
 * The rotation of role keys by a schedule: which role is due, how far each job has come, and when to look again.
 * All that matters is in the state; a process that is killed at any moment goes on where it was.
 *
 * A role is rotated by time only if somebody is there who accepts its new key; else that it is overdue is
 * said once a day. Periods that were missed make one rotation.
 */
import { Fault, isFault, toHex } from '@quorate/base'
import { type Cancel, failpoint } from '@quorate/platform'
import { logNotifier } from '../monitoring/notify.ts'
import { parseKeyId } from '../provider.ts'
import { Outbox, type RotationNotice } from './outbox.ts'
import type { RotationPorts } from './ports.ts'
import {
  type RotationJob,
  type RotationRecord,
  readRotation,
  readTime,
  updateRotation,
  writeTime,
} from './record.ts'
import { nextRotation } from './schedule.ts'
import { type RotationStatus, rolesOf, rotationStatus, statusOf } from './status.ts'
import { firstLook, knownOf, nextLook, type TimeView } from './steady-time.ts'
import { bindingOf, consumersOf, nextLabel, publicHex, STEPS, type StepResult } from './steps.ts'

/** The longest time until the next look, far below what a timer holds. */
const MAX_WAIT_MS = 3_600_000
const FIRST_PAUSE_MS = 60_000
const DAY_MS = 86_400_000
const ID_BYTES = 16
/** How long an end waits for whoever is told. */
const DELIVER_MS = 5000

export class Rotations {
  readonly #p: RotationPorts
  readonly #outbox: Outbox | undefined
  #view: TimeView | undefined
  /** Has certainly passed, and was not counted yet. */
  #elapsed = 0
  #timer: Cancel | undefined
  #running: Promise<unknown> = Promise.resolve()
  #isStopped = false

  constructor(ports: RotationPorts) {
    this.#p = ports
    const { notifier, logger, state } = ports
    const to = notifier ?? (logger === undefined ? undefined : logNotifier(logger))
    this.#outbox = to === undefined ? undefined : new Outbox(state, to, logger)
  }

  /** Looks now, and from then on whenever something may have to be done. */
  start(): void {
    void this.run()
  }

  /** Waits for what is under way, and for notices as long as that; nothing is done afterwards, and no notice is lost. */
  async stop(deliverMs: number = DELIVER_MS): Promise<void> {
    this.#isStopped = true
    this.#timer?.()
    await this.#running
    let cancel: Cancel | undefined
    const enough = new Promise<void>((resolve) => {
      cancel = this.#p.timers.after(deliverMs, resolve)
    })
    await Promise.race([this.#outbox?.settled(), enough])
    cancel?.()
  }

  /** Does all that can be done now. Gives the milliseconds until the next look. Never throws for a role's trouble. */
  run(): Promise<number> {
    return this.#alone(async () => {
      const waitMs = await this.#pass()
      this.#timer?.()
      if (!this.#isStopped) this.#timer = this.#p.timers.after(waitMs, () => void this.run())
      return waitMs
    })
  }

  /**
   * Begins a rotation of the role now, whatever the schedule says, and goes as far as it can.
   * @throws hsm/role-unbound, hsm/rotation-under-way
   */
  async rotateNow(role: string): Promise<RotationStatus> {
    await this.#alone(async () => {
      const now = this.#now()
      const record = await this.#known(role, now)
      if (record.job !== undefined)
        throw new Fault('hsm/rotation-under-way', { detail: `${role}: ${record.job.step}` })
      await this.#begin(role, now, true)
    })
    await this.run()
    return this.#statusOf(role)
  }

  /**
   * Notes that a consumer outside accepts the new key of the role. Said twice it is as said once.
   * @throws hsm/no-rotation where no rotation of the role waits for that, or its key is another,
   *   hsm/bad-argument for a consumer that the configuration does not have
   */
  async accept(role: string, consumer: string, key: string): Promise<void> {
    if (!this.#p.config.consumers.includes(consumer))
      throw new Fault('hsm/bad-argument', { detail: 'rotation.consumers has no such consumer' })
    await this.#alone(async () => {
      const job = readRotation(this.#p.state, role)?.job
      if (job === undefined || job.newKey !== key)
        throw new Fault('hsm/no-rotation', { detail: `of ${role} to that key` })
      if (job.step !== 'announce') return
      await this.#updateJob(role, { accepted: [...new Set([...job.accepted, consumer])].sort() })
    })
    await this.run()
  }

  /** Where each role stands. @throws hsm/state-damaged */
  status(): readonly RotationStatus[] {
    return rotationStatus(this.#p)
  }

  #statusOf(role: string): RotationStatus {
    return statusOf(this.#p, role)
  }

  /** One at a time, in the order in which they came. */
  #alone<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#running.then(act)
    this.#running = done.catch(() => undefined)
    return done
  }

  /** Believed time, in whole milliseconds since the epoch. */
  #now(): number {
    const { clock, state } = this.#p
    const [wall, monotonic] = [clock.now(), clock.monotonic()]
    const { view, elapsed } =
      this.#view === undefined
        ? firstLook(readTime(state), wall, monotonic)
        : nextLook(this.#view, wall, monotonic)
    this.#view = view
    this.#elapsed += elapsed
    return Math.max(0, Math.trunc(view.at))
  }

  async #pass(): Promise<number> {
    const now = this.#now()
    const elapsed = this.#elapsed
    this.#elapsed = 0
    // First: where a crash comes now, what has passed is not counted at all. Twice would end an overlap early.
    if (this.#view !== undefined) await writeTime(this.#p.state, knownOf(this.#view))
    let waitMs = MAX_WAIT_MS
    for (const role of rolesOf(this.#p))
      waitMs = Math.min(waitMs, await this.#passRole(role, now, elapsed))
    this.#outbox?.deliver()
    return Math.max(1, Math.ceil(waitMs))
  }

  /** How long the role can wait. */
  async #passRole(role: string, now: number, elapsed: number): Promise<number> {
    try {
      let record = await this.#known(role, now)
      if (record.job === undefined) {
        if (!this.#p.config.isEnabled) return MAX_WAIT_MS
        if (record.dueAt > now) return record.dueAt - now
        if (consumersOf(this.#p, role).length === 0)
          return await this.#sayOverdue(role, record, now)
        record = await this.#begin(role, now, false)
      }
      let passed = elapsed
      for (;;) {
        const job = record.job
        if (job === undefined) return Math.max(1, record.dueAt - now)
        const result = await STEPS[job.step](job, { ports: this.#p, role, now, elapsed: passed })
        passed = 0
        const waitMs = 'waitMs' in result ? result.waitMs : undefined
        record = await this.#write(role, job, result, now)
        if (waitMs === undefined) continue
        if (job.step === 'announce') await this.#sayOverdue(role, record, now)
        return waitMs
      }
    } catch (error) {
      return this.#inTrouble(role, error, now)
    }
  }

  /** The record of a role, made when it is first seen. A key that began in the future began by a wrong clock: its period begins now. */
  async #known(role: string, now: number): Promise<RotationRecord> {
    const { state, config, roles } = this.#p
    const { boundAt } = roles.current(role)
    const known = readRotation(state, role)
    const since = Math.min(known?.since ?? boundAt, now)
    const dueAt = nextRotation(config.schedule, since)
    if (known?.since === since && known.dueAt === dueAt) return known
    return updateRotation(state, role, (old) => ({ ...(old ?? { v: 1, count: 0 }), since, dueAt }))
  }

  async #begin(role: string, now: number, isManual: boolean): Promise<RotationRecord> {
    const { roles, state, random, events } = this.#p
    const { keyId, label, provider, publicKey } = roles.current(role)
    const job: RotationJob = {
      step: 'backup',
      oldKey: keyId,
      oldLabel: label,
      oldPublicKey: publicKey,
      newKey: parseKeyId(toHex(random.bytes(ID_BYTES))),
      newLabel: nextLabel(label),
      startedAt: now,
      isManual,
      accepted: [],
    }
    failpoint('hsm/rotation/before-begin')
    const record = await updateRotation(state, role, (old) => {
      if (old === undefined) throw new Fault('hsm/no-rotation', { detail: role })
      return { ...withoutTrouble(old), job }
    })
    failpoint('hsm/rotation/after-begin')
    const about = { time: now, component: provider, role }
    if (!isManual) events?.emit({ kind: 'rotation.due', ...about })
    events?.emit({ kind: 'rotation.started', ...about })
    return record
  }

  /** Writes down what a step led to, then tells of it. */
  async #write(
    role: string,
    job: RotationJob,
    result: StepResult,
    now: number,
  ): Promise<RotationRecord> {
    const { state, config } = this.#p
    if ('isDone' in result) return this.#finish(role, job, now)
    const after: RotationJob = {
      ...job,
      ...result.job,
      ...('next' in result && { step: result.next }),
    }
    const hasSwitched = after.step === 'overlap' && job.step === 'switch'
    failpoint('hsm/rotation/before-step')
    // Before the step is: whoever must know of a key learns of it even if this process ends here.
    if (after.step === 'announce' && job.step !== 'announce')
      await this.#tell(role, 'rotation.announced', after, now)
    if (hasSwitched) await this.#tell(role, 'rotation.completed', after, now)
    const record = await updateRotation(state, role, (old) => {
      if (old === undefined) throw new Fault('hsm/no-rotation', { detail: role })
      const since = hasSwitched ? now : old.since
      return {
        ...withoutTrouble(old),
        since,
        dueAt: hasSwitched ? nextRotation(config.schedule, since) : old.dueAt,
        job: after,
        ...(hasSwitched && { overdueSaidAt: undefined }),
      }
    })
    failpoint('hsm/rotation/after-step')
    if (hasSwitched)
      this.#p.events?.emit({
        kind: 'rotation.completed',
        time: now,
        component: this.#deviceOf(role),
        role,
        from: job.oldKey,
        to: job.newKey,
      })
    return record
  }

  async #finish(role: string, job: RotationJob, now: number): Promise<RotationRecord> {
    const { state, events } = this.#p
    await this.#tell(role, 'rotation.retired', job, now)
    failpoint('hsm/rotation/before-finish')
    const record = await updateRotation(state, role, (old) => {
      if (old === undefined) throw new Fault('hsm/no-rotation', { detail: role })
      return { ...withoutTrouble(old), count: old.count + 1, job: undefined }
    })
    failpoint('hsm/rotation/after-finish')
    const component = this.#deviceOf(role)
    events?.emit({ kind: 'rotation.retired', time: now, component, role, key: job.oldKey })
    return record
  }

  async #updateJob(role: string, change: Partial<RotationJob>): Promise<void> {
    await updateRotation(this.#p.state, role, (old) => {
      if (old?.job === undefined) throw new Fault('hsm/no-rotation', { detail: role })
      return { ...old, job: { ...old.job, ...change } }
    })
  }

  #deviceOf(role: string): string {
    return this.#p.roles.current(role).provider
  }

  async #tell(
    role: string,
    kind: RotationNotice['kind'],
    job: RotationJob,
    now: number,
  ): Promise<void> {
    const isOld = kind === 'rotation.retired'
    const next = bindingOf(job, { ports: this.#p, role, now })
    await this.#outbox?.add({
      // The same for the same rotation, however often it is said.
      id: `${job.newKey.slice(0, 40)}-${kind.slice('rotation.'.length)}`,
      kind,
      component: next.provider,
      time: now,
      role,
      key: isOld ? job.oldKey : job.newKey,
      publicKey: isOld ? '' : publicHex(job),
      other: isOld ? job.newKey : job.oldKey,
    })
  }

  /** Says once a day that the role should have been rotated. */
  async #sayOverdue(role: string, record: RotationRecord, now: number): Promise<number> {
    const { state, events } = this.#p
    const { dueAt, overdueSaidAt, job } = record
    // Consumers are given a day.
    const since = job === undefined ? dueAt : job.startedAt + DAY_MS
    const next = overdueSaidAt === undefined ? since : overdueSaidAt + DAY_MS
    // A moment that lies ahead by more than a day was written by a clock that was wrong.
    if (next > now && next - now <= DAY_MS) return Math.min(MAX_WAIT_MS, next - now)
    await updateRotation(state, role, (old) => ({ ...(old ?? record), overdueSaidAt: now }))
    const component = this.#deviceOf(role)
    events?.emit({ kind: 'rotation.overdue', time: now, component, role, dueAt })
    return MAX_WAIT_MS
  }

  async #inTrouble(role: string, error: unknown, now: number): Promise<number> {
    const { state, events, logger } = this.#p
    const code = isFault(error) ? error.code : 'unexpected error'
    logger?.log('error', 'hsm/rotation-failed', { role, code })
    if (isFault(error, 'hsm/state-damaged') || isFault(error, 'hsm/closed')) return MAX_WAIT_MS
    const known = readRotation(state, role)
    if (known === undefined) return FIRST_PAUSE_MS
    const tries = known.trouble?.code === code ? known.trouble.tries + 1 : 1
    await updateRotation(state, role, (old) => ({ ...(old ?? known), trouble: { code, tries } }))
    if (tries === 1)
      events?.emit({
        kind: 'rotation.failed',
        time: now,
        component: this.#deviceOf(role),
        role,
        reason: code,
      })
    return Math.min(MAX_WAIT_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries - 1, 10))
  }
}

const withoutTrouble = ({ trouble: _trouble, ...record }: RotationRecord): RotationRecord => record
