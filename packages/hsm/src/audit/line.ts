/**
 * The lines of an audit file: JSON, one object each. A file begins with where the chain stood before it;
 * then come records as `quorate audit` exports them (bytes, hash of the chain, and the record to read)
 * and, between them, signed checkpoints.
 */
import {
  type AuditItemJson,
  type AuditRecord,
  auditRecordToJson,
  type ChainHead,
  type Checkpoint,
  decodeAuditRecord,
  decodeCheckpoint,
  encodeCheckpoint,
} from '@quorate/api'
import { fromHex, isFault, toHex } from '@quorate/base'
import { type StoredAuditRecord, storedRecordOf } from './record.ts'

export type ParsedLine =
  | { readonly kind: 'start'; readonly after: ChainHead }
  | {
      readonly kind: 'record'
      readonly seq: number
      readonly h: Uint8Array
      readonly bytes: Uint8Array
      readonly record: StoredAuditRecord
    }
  | { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint }

/** The first line of a file whose first record follows `after`. */
export const startLine = ({ seq, h }: ChainHead): string =>
  JSON.stringify({ v: 1, after: { seq, h: toHex(h) } })

/** The line of a record by its canonical bytes and the hash of the chain with it; `record` is what the bytes say. */
export const recordLine = (
  bytes: Uint8Array,
  h: Uint8Array,
  record: AuditRecord = decodeAuditRecord(bytes),
): string =>
  JSON.stringify({
    bytes: toHex(bytes),
    h: toHex(h),
    record: auditRecordToJson(record),
  } satisfies AuditItemJson)

export const checkpointLine = (checkpoint: Checkpoint): string =>
  JSON.stringify({ checkpoint: toHex(encodeCheckpoint(checkpoint)) })

/**
 * What the line says, or `undefined` where we would not have written it so: the part for people must say
 * what the bytes say, to the letter.
 */
export function parseLine(text: string): ParsedLine | undefined {
  try {
    const value = JSON.parse(text) as { readonly [name: string]: unknown } | null
    const parsed = parsedOf(value ?? {})
    return parsed !== undefined && lineOf(parsed) === text ? parsed : undefined
  } catch (error) {
    if (error instanceof SyntaxError || isFault(error)) return undefined
    throw error
  }
}

function parsedOf(value: { readonly [name: string]: unknown }): ParsedLine | undefined {
  const { after, bytes, h, checkpoint } = value
  if (typeof bytes === 'string' && typeof h === 'string') {
    const encoded = fromHex(bytes)
    const record = storedRecordOf(decodeAuditRecord(encoded))
    return { kind: 'record', seq: record.seq, h: fromHex(h), bytes: encoded, record }
  }
  if (typeof checkpoint === 'string')
    return { kind: 'checkpoint', checkpoint: decodeCheckpoint(fromHex(checkpoint)) }
  const { seq, h: startHash } = (after ?? {}) as { readonly seq?: unknown; readonly h?: unknown }
  if (!Number.isSafeInteger(seq) || Number(seq) < 0 || typeof startHash !== 'string')
    return undefined
  const start = fromHex(startHash)
  return start.length === 32 ? { kind: 'start', after: { seq: Number(seq), h: start } } : undefined
}

function lineOf(parsed: ParsedLine): string {
  switch (parsed.kind) {
    case 'start':
      return startLine(parsed.after)
    case 'record':
      return recordLine(parsed.bytes, parsed.h)
    case 'checkpoint':
      return checkpointLine(parsed.checkpoint)
  }
}
