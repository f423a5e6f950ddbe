/** Sealed segments of the audit log, verified without the store they come from. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import {
  type AuditItem,
  type AuditReport,
  type ChainHead,
  type Checkpoint,
  decodeCheckpoint,
  verifyAudit,
} from '@quorate/api'
import { equalBytes, Fault, fromHex } from '@quorate/base'
import { fileFault } from '@quorate/platform'
import { verifyEd25519 } from '../barrier/ed25519.ts'

type Header = {
  readonly store: string
  readonly first: number
  readonly last: number
  readonly after: ChainHead
  readonly checkpoints: readonly Checkpoint[]
}

const unreadable = (path: string, cause?: unknown): Fault =>
  new Fault('kms/segment-unreadable', { detail: path, cause })

/** Lines of the file. @throws platform/file-unreadable */
async function* linesOf(path: string): AsyncGenerator<string> {
  const input = createReadStream(path)
  const failed = new Promise<never>((_, reject) => {
    input.once('error', (error) => reject(fileFault(error, `cannot read ${path}`)))
  })
  failed.catch(() => undefined)
  const opened = new Promise<void>((resolve) => input.once('open', () => resolve()))
  await Promise.race([opened, failed])
  yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
}

async function headerOf(path: string): Promise<Header> {
  for await (const line of linesOf(path))
    try {
      const { v, store, first, last, after, checkpoints } = JSON.parse(line) as {
        readonly [name: string]: unknown
      }
      if (v !== 1 || !Array.isArray(checkpoints)) throw unreadable(path)
      return {
        store: String(store),
        first: Number(first),
        last: Number(last),
        after: { seq: Number(first) - 1, h: fromHex(String(after)) },
        checkpoints: checkpoints.map((each) => decodeCheckpoint(fromHex(String(each)))),
      }
    } catch (error) {
      throw unreadable(path, error)
    }
  throw unreadable(path)
}

async function* recordsOf(paths: readonly string[]): AsyncGenerator<AuditItem> {
  for (const path of paths) {
    let isHeader = true
    for await (const line of linesOf(path)) {
      if (!isHeader) yield itemOf(line)
      isHeader = false
    }
  }
}

/** A line that is none counts as a record that was altered. */
function itemOf(line: string): AuditItem {
  try {
    const { bytes, h } = JSON.parse(line) as { readonly bytes: string; readonly h?: string }
    return { bytes: fromHex(bytes), ...(h !== undefined && { h: fromHex(h) }) }
  } catch {
    return { bytes: new Uint8Array() }
  }
}

export type SegmentReport = AuditReport & {
  /** Of the store that signed the checkpoints, 32 bytes: where none was given, compare it. */
  readonly key: Uint8Array
}

/**
 * Whether the segments are whole and follow each other. `key`: of the store's checkpoints, by which alone one knows whose
 * they are. @throws kms/segment-unreadable, platform/file-unreadable
 */
export async function verifySegments(
  paths: readonly string[],
  trusted?: Uint8Array,
): Promise<SegmentReport> {
  const files: (readonly [string, Header])[] = []
  for (const path of paths) files.push([path, await headerOf(path)])
  files.sort(([, a], [, b]) => a.first - b.first)
  const [begin] = files
  const key = trusted ?? begin?.[1].checkpoints.at(-1)?.key
  if (begin === undefined || key === undefined) throw unreadable(paths[0] ?? 'no file')
  const signed = new Map<number, Checkpoint>()
  for (const [, { checkpoints }] of files)
    for (const each of checkpoints) signed.set(each.seq, each)
  const report = await verifyAudit({
    records: recordsOf(files.map(([path]) => path)),
    checkpoints: [...signed.values()].sort((a, b) => a.seq - b.seq),
    after: begin[1].after,
    resolveKey: (checkpoint) => (equalBytes(checkpoint.key, key) ? key : undefined),
    verify: verifyEd25519,
  })
  // Its last record is signed, so a segment that was cut short, or has no checkpoint, shows.
  const isWhole = report.signedTo === files.at(-1)![1].last
  return { ...report, isOk: report.isOk && isWhole, key }
}
