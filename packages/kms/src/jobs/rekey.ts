/**
 * Brings every value under the newest key of its project. It walks the sealed tables in the order of their
 * keys, a page at a time, writes down where it stands, and goes on there after a restart. A pass that found
 * nothing under an older key is the count of zero after which the older keys are deleted.
 *
 * A row is looked at as any reader would: one that was rolled back is refused, not sealed anew.
 */
import { bool, decode, encode, field, int, isFault, optional, record, text } from '@quorate/base'
import type { SqlRow, SqlValue } from '@quorate/platform'
import { keyVersionOf } from '../barrier/blob.ts'
import type { PeriodicJob } from '../context.ts'
import type { Kms } from '../kms.ts'
import type { Leaf, SealedTable } from '../storage/port.ts'

const NAME = 'rekey'
const EVERY_MS = 1000
/** Rows that one run looks at: the rate is this many a second. */
const ROWS_PER_RUN = 2000
const PAGE = 200
const MAX_STATE_BYTES = 4096

export type RekeyState = {
  /** Whether older keys may be in use. */
  readonly isRunning: boolean
  /** Where the pass stands: the table, and the key of the last row as JSON. */
  readonly table: number
  readonly after?: string | undefined
  /** Values brought over, and values that were left under an older key, in this pass. */
  readonly moved: number
  readonly left: number
}

const codec = record({
  isRunning: field(1, bool),
  table: field(2, int(0)),
  after: optional(3, text(2000)),
  moved: field(4, int(0)),
  left: field(5, int(0)),
})
const START: RekeyState = { isRunning: true, table: 0, moved: 0, left: 0 }
const IDLE: RekeyState = { ...START, isRunning: false }

const OLD_KEYS = `SELECT count(*) AS n FROM project_key k WHERE k.version > 0 AND k.version <
  (SELECT max(n.version) FROM project_key n WHERE n.project = k.project)`
const DELETE_OLD = `DELETE FROM project_key WHERE version > 0 AND version <
  (SELECT max(n.version) FROM project_key n WHERE n.project = project_key.project)`

export class Rekey {
  readonly job: PeriodicJob
  readonly #kms: Kms
  readonly #tables: readonly SealedTable[]

  constructor(kms: Kms, tables: readonly SealedTable[]) {
    this.#kms = kms
    this.#tables = tables.filter(({ sealed }) => sealed.length > 0)
    this.job = { name: NAME, everyMs: EVERY_MS, run: (signal) => this.run(signal) }
  }

  async state(): Promise<RekeyState> {
    const [row] = await this.#kms.sql.read('SELECT state FROM job WHERE name = ?', [NAME])
    return row === undefined
      ? IDLE
      : decode(codec, row['state'] as Uint8Array, { maxBytes: MAX_STATE_BYTES })
  }

  async #save(state: RekeyState): Promise<void> {
    await this.#kms.sql.write([
      {
        sql: `INSERT INTO job (name, state) VALUES (?, ?)
              ON CONFLICT (name) DO UPDATE SET state = excluded.state`,
        params: [NAME, encode(codec, state)],
      },
    ])
  }

  /** One run: as many rows as the rate allows. */
  async run(signal?: AbortSignal): Promise<void> {
    let state = await this.state()
    if (!state.isRunning) {
      const [row] = await this.#kms.sql.read(OLD_KEYS)
      if (row?.['n'] === 0) return
      state = START
    }
    for (let rows = 0; rows < ROWS_PER_RUN; rows += PAGE) {
      state = await this.#page(state)
      await this.#save(state)
      if (!state.isRunning || signal?.aborted === true) return
    }
  }

  async #page(state: RekeyState): Promise<RekeyState> {
    const table = this.#tables[state.table]
    if (table === undefined) return this.#finish(state)
    const after = state.after === undefined ? undefined : keyFrom(state.after)
    const rows = await pageOf(this.#kms, table, after, PAGE)
    let { moved, left } = state
    for (const row of rows) {
      const result = await this.#moveRow(table, row)
      moved += result === 'moved' ? 1 : 0
      left += result === 'left' ? 1 : 0
    }
    const last = rows.at(-1)
    return rows.length < PAGE || last === undefined
      ? { isRunning: true, table: state.table + 1, moved, left }
      : { isRunning: true, table: state.table, after: keyText(table, last), moved, left }
  }

  /** The end of a pass: if all was new already, the old keys go; else another pass counts. */
  async #finish({ moved, left }: RekeyState): Promise<RekeyState> {
    if (moved + left > 0) return START
    const { journal, barrier } = this.#kms
    await journal.commit({
      statements: [{ sql: DELETE_OLD }],
      audit: [
        {
          actor: 'system',
          action: 'key.delete-old',
          resource: 'project-keys',
          decision: 'none',
          outcome: 'done',
          fields: [{ name: 'values', kind: 'int', value: 0 }],
        },
      ],
    })
    for (const project of Array.from(barrier.keyring.projects.keys())) await barrier.reload(project)
    return IDLE
  }

  async #moveRow(table: SealedTable, row: SqlRow): Promise<'new' | 'moved' | 'left'> {
    const { barrier, journal } = this.#kms
    const fresh: { [column: string]: SqlValue } = { ...row }
    const changed: string[] = []
    try {
      for (const column of table.sealed) {
        const blob = row[column]
        if (!(blob instanceof Uint8Array)) continue
        const place = table.placeOf(row, column)
        await barrier.project(place.project)
        if (keyVersionOf(blob) === barrier.keyring.projects.get(place.project)?.newest) continue
        const plain = barrier.open(place, blob)
        fresh[column] = barrier.seal(place, plain)
        plain.fill(0)
        changed.push(column)
      }
      if (changed.length === 0) return 'new'
      const leaf = table.leafOf?.(fresh)
      await journal.commit({
        statements: [updateOf(table, row, fresh, changed)],
        audit: [
          {
            actor: 'system',
            action: 'key.reseal',
            resource: table.table,
            decision: 'none',
            outcome: 'done',
            fields: [],
          },
        ],
        ...(leaf !== undefined && { leaves: [leaf] }),
      })
      return 'moved'
    } catch (error) {
      // It was changed meanwhile, or it does not open: the next pass meets it again.
      if (isFault(error, 'platform/write-conflict') || isFault(error, 'kms/does-not-open'))
        return 'left'
      throw error
    }
  }
}

const keyText = ({ key }: SealedTable, row: SqlRow): string =>
  JSON.stringify(
    key.map((column) => {
      const value = row[column]
      return value instanceof Uint8Array ? { hex: Buffer.from(value).toString('hex') } : value
    }),
  )
const keyFrom = (json: string): readonly SqlValue[] =>
  (JSON.parse(json) as (string | number | { readonly hex: string })[]).map((value) =>
    typeof value === 'object' ? new Uint8Array(Buffer.from(value.hex, 'hex')) : value,
  )

/** The next rows of a table in the order of its key, each of them fresh. @throws kms/rolled-back */
export function pageOf(
  kms: Kms,
  table: SealedTable,
  after: readonly SqlValue[] | undefined,
  limit: number,
): Promise<readonly SqlRow[]> {
  const { key, columns, sealed } = table
  const names = [...new Set([...key, ...columns, ...sealed])].join(', ')
  const order = key.join(', ')
  const where = after === undefined ? '' : `WHERE (${order}) > (${key.map(() => '?').join(', ')})`
  const sql = `SELECT ${names} FROM ${table.table} ${where} ORDER BY ${order} LIMIT ?`
  return kms.context.sql.fresh(
    () => kms.sql.read(sql, [...(after ?? []), limit]),
    (rows): readonly Leaf[] =>
      rows.flatMap((row) => (table.leafOf === undefined ? [] : [table.leafOf(row)])),
  )
}

function updateOf(
  { table, key }: SealedTable,
  old: SqlRow,
  fresh: SqlRow,
  changed: readonly string[],
): { readonly sql: string; readonly params: readonly SqlValue[]; readonly expect: number } {
  const set = changed.map((column) => `${column} = ?`).join(', ')
  const same = [...key, ...changed].map((column) => `${column} = ?`).join(' AND ')
  const values = (row: SqlRow, names: readonly string[]): SqlValue[] =>
    names.map((name) => row[name] ?? null)
  return {
    sql: `UPDATE ${table} SET ${set} WHERE ${same}`,
    params: [...values(fresh, changed), ...values(old, [...key, ...changed])],
    expect: 1,
  }
}
