/** The audit log as it lies in the store: asked by filters, streamed out whole, verified. The only place with SQL on it. */
import {
  type AuditItem,
  type AuditRecord,
  type AuditReport,
  CHAIN_START,
  type ChainHead,
  type Checkpoint,
  decodeAuditRecord,
  decodeCheckpoint,
  verifyAudit,
} from '@quorate/api'
import { equalBytes } from '@quorate/base'
import type { Sql } from '@quorate/platform'
import { verifyEd25519 } from '../barrier/ed25519.ts'
import { unpackRecords } from './records.ts'

export type AuditFilter = {
  readonly actor?: string | undefined
  readonly action?: string | undefined
  readonly project?: string | undefined
  readonly resource?: string | undefined
  readonly decision?: string | undefined
  /** Milliseconds since the epoch, both included. */
  readonly from?: number | undefined
  readonly to?: number | undefined
}

export type AuditPage = {
  /** Newest first. */
  readonly records: readonly { readonly record: AuditRecord; readonly bytes: Uint8Array }[]
  /** Number of the record from which to go on to older ones; `undefined` at the end of the log. */
  readonly before: number | undefined
}

type Reading = Pick<Sql, 'read'>

/** Records that one question looks at, at most: it may come back empty and with somewhere to go on. */
const MAX_LOOKED_AT = 50_000
const GROUPS = 64

const matches = (record: AuditRecord, filter: AuditFilter): boolean =>
  (['actor', 'action', 'project', 'resource', 'decision'] as const).every(
    (name) => filter[name] === undefined || record[name] === filter[name],
  ) &&
  record.time >= (filter.from ?? 0) &&
  record.time <= (filter.to ?? Number.MAX_SAFE_INTEGER)

/** The newest records older than number `before` that the filter lets through. */
export async function queryLog(
  sql: Reading,
  filter: AuditFilter,
  before: number,
  limit: number,
): Promise<AuditPage> {
  const found: { readonly record: AuditRecord; readonly bytes: Uint8Array }[] = []
  let next = before
  for (let looked = 0; looked < MAX_LOOKED_AT; ) {
    const rows = await sql.read(
      'SELECT first, records FROM audit WHERE first < ? ORDER BY seq DESC LIMIT ?',
      [next, GROUPS],
    )
    for (const row of rows) {
      const first = row['first'] as number
      const packed = unpackRecords(row['records'] as Uint8Array)
      for (let i = Math.min(packed.length, next - first) - 1; i >= 0; i--) {
        const bytes = packed[i] as Uint8Array
        const record = decodeAuditRecord(bytes)
        next = first + i
        looked++
        if (matches(record, filter)) found.push({ record, bytes })
        if (found.length === limit) return { records: found, before: next === 1 ? undefined : next }
      }
      next = first
    }
    if (rows.length < GROUPS) return { records: found, before: undefined }
  }
  return { records: found, before: next }
}

/** Every record from number `from` on, in order, with the chain hash where the store has one. */
export async function* streamLog(sql: Reading, from = 1): AsyncGenerator<AuditItem> {
  for (let next = from; ; ) {
    const rows = await sql.read(
      'SELECT seq, first, records, h FROM audit WHERE seq >= ? ORDER BY seq LIMIT ?',
      [next, GROUPS],
    )
    for (const row of rows) {
      const records = unpackRecords(row['records'] as Uint8Array)
      const skipped = Math.max(0, next - (row['first'] as number))
      for (const [i, bytes] of records.entries()) {
        if (i < skipped) continue
        yield i === records.length - 1 ? { bytes, h: row['h'] as Uint8Array } : { bytes }
      }
      next = (row['seq'] as number) + 1
    }
    if (rows.length < GROUPS) return
  }
}

async function* streamCheckpoints(sql: Reading): AsyncGenerator<Checkpoint> {
  for (let after = 0; ; ) {
    const rows = await sql.read(
      'SELECT seq, checkpoint FROM checkpoint WHERE seq > ? ORDER BY seq LIMIT ?',
      [after, GROUPS],
    )
    for (const row of rows) {
      yield decodeCheckpoint(row['checkpoint'] as Uint8Array)
      after = row['seq'] as number
    }
    if (rows.length < GROUPS) return
  }
}

/**
 * What the verifier that strangers use says of the whole log in the database; `key`: of the store's checkpoints, `after`:
 * what the first record must follow.
 */
export const verifyLog = (
  sql: Reading,
  key: Uint8Array,
  after: ChainHead = CHAIN_START,
): Promise<AuditReport> =>
  verifyAudit({
    records: streamLog(sql),
    after,
    checkpoints: streamCheckpoints(sql),
    resolveKey: (checkpoint) => (equalBytes(checkpoint.key, key) ? key : undefined),
    verify: verifyEd25519,
  })
