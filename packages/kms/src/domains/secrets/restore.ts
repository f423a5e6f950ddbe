/**
 * Planning a restore: what would have to change for secrets and folders to be again what they were.
 * Pure, and it never looks at a value: a version that repeats an earlier one says so.
 */
import type { Id } from '@quorate/base'

/** What one record (a secret or a folder) is at one moment. */
export type Standing = {
  readonly version: number
  /** The version whose content this one has: itself, or the earlier one that it repeats. */
  readonly contentOf: number
  readonly isDeleted: boolean
  /** Its content is gone for ever. */
  readonly isDestroyed: boolean
}

export type Past<T extends string> = {
  readonly id: T
  readonly now: Standing
  /** `undefined` where it did not exist yet. */
  readonly past: Standing | undefined
}

export type ChangeKind =
  /** It was deleted since, and comes back. */
  | 'revive'
  /** It gets its content of then, as a new version. */
  | 'revert'
  /** It did not exist then, and is deleted. */
  | 'delete'
  /** Its content of then was destroyed: it stays as it is. */
  | 'lost'

export type Change<T extends string> = {
  readonly id: T
  readonly kind: ChangeKind
  /** The version of now, which must still be the newest when the plan is carried out. */
  readonly from: number
  /** The version whose content it gets; absent for `delete`. */
  readonly to?: number
}

/**
 * The changes that make every record what it was then, in the order of the records; nothing for
 * those that are so already. A destroyed version is never brought back.
 */
export function planRestore<T extends string = Id<'sec'>>(
  records: readonly Past<T>[],
): readonly Change<T>[] {
  return records.flatMap((record) => changeOf(record) ?? [])
}

function changeOf<T extends string>({ id, now, past }: Past<T>): Change<T> | undefined {
  const from = now.version
  if (past === undefined || past.isDeleted)
    return now.isDeleted ? undefined : { id, kind: 'delete', from }
  if (past.isDestroyed) {
    // It has that very content now, gone as it is.
    if (!now.isDeleted && now.contentOf === past.contentOf) return undefined
    return { id, kind: 'lost', from, to: past.version }
  }
  if (now.isDeleted) return { id, kind: 'revive', from, to: past.version }
  return now.contentOf === past.contentOf
    ? undefined
    : { id, kind: 'revert', from, to: past.version }
}
