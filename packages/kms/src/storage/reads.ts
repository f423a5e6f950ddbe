/** Reads of the store, and reads that find out what was changed behind our back. */
import { Fault } from '@quorate/base'
import type { Sql } from '@quorate/platform'
import type { StoreJournal } from '../audit/journal.ts'
import type { Leaf, Reads } from './port.ts'
import type { StateTree } from './tree.ts'

export type FreshReads = {
  readonly sql: Pick<Sql, 'read' | 'first'>
  readonly tree: StateTree
  readonly journal: Pick<StoreJournal, 'between' | 'record'>
  /** Told of every row that is not what was written last. */
  onStale(leaf: Leaf): void
}

export function freshReads({ sql, tree, journal, onStale }: FreshReads): Reads {
  const firstStale = async (leaves: readonly Leaf[]): Promise<Leaf | undefined> => {
    for (const leaf of leaves) {
      const state = tree.check(leaf)
      if ((typeof state === 'string' ? state : await state) === 'stale') return leaf
    }
    return undefined
  }
  const fresh: Reads['fresh'] = async (read, leavesOf) => {
    const result = await read()
    if ((await firstStale(leavesOf(result))) === undefined) return result
    // It may have been written since the tree was last brought up to date: look again while nobody writes.
    const again = await journal.between(async () => {
      const now = await read()
      return { now, stale: await firstStale(leavesOf(now)) }
    })
    if (again.stale === undefined) return again.now
    onStale(again.stale)
    const { table, row } = again.stale
    await journal.record({
      actor: 'system',
      action: 'store.rolled-back',
      resource: table,
      decision: 'deny',
      reason: 'kms/rolled-back',
      outcome: 'failed',
      fields: [{ name: 'row', kind: 'text', value: row.slice(0, 256) }],
    })
    throw new Fault('kms/rolled-back', { detail: `a row of ${table}` })
  }
  const isFresh = (leaves: readonly Leaf[]): boolean => {
    for (const leaf of leaves) if (tree.check(leaf) !== 'fresh') return false
    return true
  }
  return {
    read: (text, params) => sql.read(text, params),
    first: (text, params) => sql.first(text, params),
    fresh,
    freshRow({ sql: text, params, of, leavesOf }) {
      const row = sql.first(text, params)
      if (!(row instanceof Promise)) {
        const result = of(row)
        if (isFresh(leavesOf(result))) return result
      }
      let pending: typeof row | undefined = row instanceof Promise ? row : undefined
      return fresh(async () => {
        const found = await (pending ?? sql.first(text, params))
        pending = undefined
        return of(found)
      }, leavesOf)
    },
  }
}
