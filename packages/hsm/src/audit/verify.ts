/**
 * Reading the audit log: asked by time and field, and verified by the one verifier of `api`. Neither
 * needs the process that writes it to stop.
 */
import {
  type AuditItem,
  type AuditProblemCode,
  type AuditReport,
  type Checkpoint,
  verifyAudit,
} from '@quorate/api'
import { equalBytes, Fault } from '@quorate/base'
import { verifyEd25519 } from '../ed25519.ts'
import { auditNodeId } from './anchor.ts'
import { type AuditFile, auditFiles, readAuditFile } from './files.ts'
import type { StoredAuditRecord } from './record.ts'

/** What is given must be equal; absent means any. */
export type HsmAuditFilter = {
  readonly [F in 'operation' | 'device' | 'key' | 'role' | 'user' | 'source' | 'result' | 'code']?:
    | string
    | undefined
} & {
  /** Milliseconds since the epoch, both included. */
  readonly from?: number | undefined
  readonly to?: number | undefined
}

export type HsmAuditPage = {
  /** Newest first. */
  readonly records: readonly StoredAuditRecord[]
  /** Number of the record from which to go on to older ones; absent at the end of the log. */
  readonly before?: number
}

const FIELDS = ['operation', 'device', 'key', 'role', 'user', 'source', 'result', 'code'] as const

const matches = (record: StoredAuditRecord, filter: HsmAuditFilter): boolean =>
  FIELDS.every((name) => filter[name] === undefined || record[name] === filter[name]) &&
  record.time >= (filter.from ?? Number.NEGATIVE_INFINITY) &&
  record.time <= (filter.to ?? Number.POSITIVE_INFINITY)

/** The newest records older than number `before` that the filter lets through, at most `limit`. */
export function queryHsmAudit(
  directory: string,
  filter: HsmAuditFilter,
  { before = Number.MAX_SAFE_INTEGER, limit = 100 }: { before?: number; limit?: number } = {},
): HsmAuditPage {
  const records: StoredAuditRecord[] = []
  for (const file of auditFiles(directory).toReversed()) {
    if (file.first >= before) continue
    for (const { parsed } of readAuditFile(file.path).lines.toReversed()) {
      if (parsed?.kind !== 'record' || parsed.seq >= before) continue
      if (!matches(parsed.record, filter)) continue
      if (records.length === limit) return { records, before: records.at(-1)?.seq ?? 1 }
      records.push(parsed.record)
    }
  }
  return { records }
}

export type HsmAuditProblem = {
  /** `line-malformed`: a line that we did not write so. `file-order`: a file that does not go on where the one before it ended. */
  readonly code: AuditProblemCode | 'line-malformed' | 'file-order'
  readonly seq: number
  readonly to: number
  /** Name of the file, where it is known. */
  readonly file?: string
}

export type HsmAuditReport = Omit<AuditReport, 'problems'> & {
  readonly problems: readonly HsmAuditProblem[]
  readonly files: number
  /** Bytes at the end that a crash left, which the next start removes. */
  readonly torn: number
}

/**
 * What is wrong with the log in `directory`, or that nothing is. `key` (32 bytes) is the pinned one of
 * whoever signs the checkpoints; without it they prove nothing, and none is looked at.
 * @throws hsm/bad-argument where there is no log, platform/file-unreadable
 */
export async function verifyHsmAudit(directory: string, key?: Uint8Array): Promise<HsmAuditReport> {
  const files = auditFiles(directory)
  const [first] = files
  if (first === undefined)
    throw new Fault('hsm/bad-argument', { detail: `${directory} holds no audit log` })
  const reading = new Reading(files)
  const start = startOf(first)
  const report = await verifyAudit({
    records: reading.items(),
    checkpoints: key === undefined ? [] : checkpointsIn(files),
    ...(start !== undefined && { after: start }),
    resolveKey: (checkpoint) =>
      key !== undefined && equalBytes(checkpoint.key, key) && checkpoint.node === auditNodeId(key)
        ? key
        : undefined,
    verify: verifyEd25519,
  })
  const problems = [...reading.problems, ...report.problems].sort((a, b) => a.seq - b.seq)
  return {
    ...report,
    isOk: problems.length === 0,
    problems,
    files: files.length,
    torn: reading.torn,
  }
}

const startOf = (file: AuditFile): { seq: number; h: Uint8Array } | undefined => {
  const start = readAuditFile(file.path).lines[0]?.parsed
  return start?.kind === 'start' ? start.after : undefined
}

/** The records of all files, one file in memory at a time, and what is wrong with their lines. */
class Reading {
  readonly problems: HsmAuditProblem[] = []
  torn = 0
  readonly #files: readonly AuditFile[]

  constructor(files: readonly AuditFile[]) {
    this.#files = files
  }

  *items(): Generator<AuditItem> {
    let last: { readonly seq: number; readonly h: Uint8Array } | undefined
    for (const file of this.#files) {
      const { lines, torn } = readAuditFile(file.path)
      const isLast = file === this.#files.at(-1)
      // Only the file that was being written when the power went can have a torn end.
      if (torn > 0 && !isLast) this.#report('line-malformed', (last?.seq ?? file.first) + 1, file)
      this.torn = torn
      const start = lines[0]?.parsed
      const follows =
        start?.kind === 'start' &&
        start.after.seq === file.first - 1 &&
        (last === undefined || (last.seq === start.after.seq && equalBytes(last.h, start.after.h)))
      if (!follows) this.#report('file-order', file.first, file)
      for (const { parsed } of start?.kind === 'start' ? lines.slice(1) : lines) {
        if (parsed === undefined || parsed.kind === 'start')
          this.#report('line-malformed', (last?.seq ?? file.first - 1) + 1, file)
        else if (parsed.kind === 'record') {
          last = parsed
          yield { bytes: parsed.bytes, h: parsed.h }
        }
      }
    }
  }

  #report(code: HsmAuditProblem['code'], seq: number, { name: file }: AuditFile): void {
    this.problems.push({ code, seq, to: seq, file })
  }
}

function* checkpointsIn(files: readonly AuditFile[]): Generator<Checkpoint> {
  for (const { path } of files)
    for (const { parsed } of readAuditFile(path).lines)
      if (parsed?.kind === 'checkpoint') yield parsed.checkpoint
}
