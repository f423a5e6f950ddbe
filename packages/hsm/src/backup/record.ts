/** What a machine remembers of the backups that it made: where its chain stands, and when one was last tried. */
import {
  array,
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

/** The first device of a custody of roles. */
export const FIRST_DEVICE = 'primary'

const nameOf = (device: string): string => `backup/${device}`

export type NewestBackup = {
  readonly chain: Uint8Array
  readonly number: number
  readonly digest: Uint8Array
  readonly createdAt: number
}
export type DrillRecord = {
  readonly at: number
  readonly chain: Uint8Array
  readonly number: number
  /** How many keys came back as they were. */
  readonly keys: number
}
export type BackupRecord = {
  readonly v: 1
  readonly newest?: NewestBackup | undefined
  readonly drill?: DrillRecord | undefined
  /** The last that was restored here: its keys may not leave again, so the next backup takes them over from it. */
  readonly restored?: Omit<NewestBackup, 'createdAt'> | undefined
  /** Keys that were destroyed on purpose: nobody wants them back. The last thousand. */
  readonly destroyed: readonly KeyId[]
}

const MAX_DESTROYED = 1000
const chain = bytes(8)
const codec: Codec<BackupRecord> = record({
  v: field(0, oneOf(1)),
  newest: optional(
    1,
    record({
      chain: field(0, chain),
      number: field(1, int(1)),
      digest: field(2, bytes(32)),
      createdAt: field(3, int()),
    }),
  ),
  drill: optional(
    2,
    record({
      at: field(0, int()),
      chain: field(1, chain),
      number: field(2, int(1)),
      keys: field(3, int()),
    }),
  ),
  destroyed: field(
    3,
    array(
      mapped(text(64), parseKeyId, (id: KeyId) => id as string),
      { max: MAX_DESTROYED },
    ),
  ),
  restored: optional(
    4,
    record({ chain: field(0, chain), number: field(1, int(1)), digest: field(2, bytes(32)) }),
  ),
})

const NONE: BackupRecord = { v: 1, destroyed: [] }

/** @throws hsm/state-damaged */
export const readBackupRecord = (state: HsmState, device: string): BackupRecord =>
  state.read(nameOf(device), codec) ?? NONE

const change = async (
  state: HsmState,
  device: string,
  next: (old: BackupRecord) => BackupRecord,
): Promise<void> => {
  await state.update(nameOf(device), codec, (old = NONE) => next(old))
}

export const putNewest = (state: HsmState, device: string, newest: NewestBackup): Promise<void> =>
  change(state, device, (old) => ({ ...old, newest }))

export const putRestored = (
  state: HsmState,
  device: string,
  restored: NonNullable<BackupRecord['restored']>,
): Promise<void> => change(state, device, (old) => ({ ...old, restored }))

export const putDrill = (state: HsmState, device: string, drill: DrillRecord): Promise<void> =>
  change(state, device, (old) => ({ ...old, drill }))

/** Notes that a key was destroyed on purpose, so that no old backup is kept for it. */
export const putDestroyed = (state: HsmState, device: string, key: KeyId): Promise<void> =>
  change(state, device, (old) => ({
    ...old,
    destroyed: [...old.destroyed.filter((each) => each !== key), key].slice(-MAX_DESTROYED),
  }))

/** When a backup was last restored for trial, for the doctor. @throws hsm/state-damaged */
export const lastRestoreDrill = (
  state: HsmState,
  device: string = FIRST_DEVICE,
): number | 'never' => readBackupRecord(state, device).drill?.at ?? 'never'
