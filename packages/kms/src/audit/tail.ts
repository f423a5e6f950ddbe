/** The records behind the newest checkpoint, which no signature covers yet: checked at every start. */
import { hash } from 'node:crypto'
import { CHAIN_START, type ChainHead, MAX_AUDIT_RECORD_BYTES } from '@quorate/api'
import { equalBytes, Fault, TAGS, utf8 } from '@quorate/base'
import type { Sql } from '@quorate/platform'
import { unpackRecords } from './records.ts'

const RECORD_TAG = utf8(TAGS.auditRecord)
const PAGE = 256
const HASH_BYTES = 32
/** Tag, hash and the longest record, in a buffer that each call uses again. */
const scratch: Buffer = Buffer.concat([
  RECORD_TAG,
  Buffer.alloc(HASH_BYTES + MAX_AUDIT_RECORD_BYTES),
])

/** The same memory, whose parts are plain arrays and cheap. */
const plain: Uint8Array = new Uint8Array(scratch.buffer, scratch.byteOffset, scratch.length)

/** hᵢ from hᵢ₋₁ and record i, as `chainHash` of `api`, by the faster implementation. */
export function chained(h: Uint8Array, record: Uint8Array): Uint8Array {
  plain.set(h, RECORD_TAG.length)
  plain.set(record, RECORD_TAG.length + HASH_BYTES)
  const length = RECORD_TAG.length + HASH_BYTES + record.length
  return new Uint8Array(hash('sha256', plain.subarray(0, length), 'buffer'))
}

/** @throws kms/rolled-back where the chain does not lead from the checkpoint to the head */
export async function verifyTail(
  sql: Pick<Sql, 'read'>,
  from: ChainHead | undefined,
  head: ChainHead,
): Promise<void> {
  let { seq, h } = from ?? CHAIN_START
  while (seq < head.seq) {
    const rows = await sql.read(
      'SELECT seq, first, records, h FROM audit WHERE seq > ? ORDER BY seq LIMIT ?',
      [seq, PAGE],
    )
    if (rows.length === 0) throw broken(seq + 1)
    for (const row of rows) {
      if (row['first'] !== seq + 1) throw broken(seq + 1)
      for (const record of unpackRecords(row['records'] as Uint8Array)) {
        h = chained(h, record)
        seq++
      }
      if (row['seq'] !== seq || !equalBytes(h, row['h'] as Uint8Array)) throw broken(seq)
    }
  }
  if (!equalBytes(h, head.h)) throw broken(head.seq)
}

const broken = (seq: number): Fault =>
  new Fault('kms/rolled-back', { detail: `the audit log at record ${seq}` })
