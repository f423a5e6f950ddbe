/**
 * What is remembered of a role's rotations: when the next is due, and how far the one that is under way has
 * come. Each step is written down once it is done and does no harm when it is done twice, so that after a
 * crash the job goes on with the step it was at.
 *
 *   backup → generate → keep → announce → switch → overlap → retire
 */
import {
  array,
  bool,
  bytes,
  type Codec,
  field,
  int,
  mapped,
  oneOf,
  optional,
  record,
  text,
} from '@quorate/base'
import { type KeyId, parseKeyId } from '../provider.ts'
import type { HsmState } from '../state/store.ts'
import type { KnownTime } from './steady-time.ts'

/**
 * backup    what the device holds is backed up
 * generate  the new key is made, under the id that was chosen before
 * keep      the new key is backed up, before anything depends on it
 * announce  consumers learn of it; each must say that it accepts it
 * switch    the new key signs, both verify
 * overlap   so it stays for a while
 * retire    the old key verifies no more, and is destroyed where that is wanted
 */
export const ROTATION_STEPS = [
  'backup',
  'generate',
  'keep',
  'announce',
  'switch',
  'overlap',
  'retire',
] as const
export type RotationStep = (typeof ROTATION_STEPS)[number]

export type RotationJob = {
  readonly step: RotationStep
  readonly oldKey: KeyId
  readonly oldLabel: string
  readonly oldPublicKey: Uint8Array
  /** Chosen before the key is made, so that it is found after a crash. */
  readonly newKey: KeyId
  readonly newLabel: string
  /** From `generate` on. */
  readonly publicKey?: Uint8Array | undefined
  readonly startedAt: number
  /** Whether somebody asked for it; a schedule did otherwise. */
  readonly isManual: boolean
  /** Consumers that have accepted the new key. */
  readonly accepted: readonly string[]
  /** What is left of the overlap, in milliseconds. */
  readonly leftMs?: number | undefined
}

export type RotationRecord = {
  readonly v: 1
  readonly dueAt: number
  /** When the current key began to sign. */
  readonly since: number
  /** Rotations that were completed. */
  readonly count: number
  readonly job?: RotationJob | undefined
  /** Why the job does not get on. */
  readonly trouble?: { readonly code: string; readonly tries: number } | undefined
  /** When it was last said that this is overdue. */
  readonly overdueSaidAt?: number | undefined
}

const keyId: Codec<KeyId> = mapped(text(64), parseKeyId, (id: KeyId) => id as string)
const label = text(200)
const publicKey = bytes({ min: 32, max: 33 })
const MAX_CONSUMERS = 64
export const CONSUMER_NAME: RegExp = /^[A-Za-z0-9][\w.-]{0,63}$/

const codec: Codec<RotationRecord> = record({
  v: field(0, oneOf(1)),
  dueAt: field(1, int()),
  since: field(2, int()),
  count: field(3, int()),
  job: optional(
    4,
    record({
      step: field(0, oneOf(...ROTATION_STEPS)),
      oldKey: field(1, keyId),
      oldLabel: field(2, label),
      newKey: field(3, keyId),
      newLabel: field(4, label),
      publicKey: optional(5, publicKey),
      startedAt: field(6, int()),
      isManual: field(7, bool),
      accepted: field(8, array(text(64, CONSUMER_NAME), { max: MAX_CONSUMERS })),
      leftMs: optional(9, int()),
      oldPublicKey: field(10, publicKey),
    }),
  ),
  trouble: optional(5, record({ code: field(0, text(128)), tries: field(1, int()) })),
  overdueSaidAt: optional(6, int()),
})

const nameOf = (role: string): string => `rotation/${role}`

/** @throws hsm/state-damaged */
export const readRotation = (state: HsmState, role: string): RotationRecord | undefined =>
  state.read(nameOf(role), codec)

/** Durable once resolved. */
export const updateRotation = (
  state: HsmState,
  role: string,
  next: (old: RotationRecord | undefined) => RotationRecord,
): Promise<RotationRecord> => state.update(nameOf(role), codec, next)

const TIME = 'rotation-time'
const time: Codec<KnownTime> = record({ at: field(0, int()), isDoubted: field(1, bool) })

/** The time that was believed last, for the clock of the next start. */
export const readTime = (state: HsmState): KnownTime | undefined => state.read(TIME, time)

export const writeTime = (state: HsmState, known: KnownTime): Promise<void> =>
  state.write(TIME, time, known)
