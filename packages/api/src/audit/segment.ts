/**
 * A segment: the audit records between two checkpoints, sealed into one file. It verifies alone, so
 * the store may drop the records once the file is kept elsewhere.
 */
import {
  array,
  bytes,
  type Codec,
  decode,
  encode,
  field,
  oneOf,
  optional,
  record,
} from '@quorate/base'
import { VERSION_KEY, versioned } from '../format.ts'
import { CHAIN_START } from './chain.ts'
import { type Checkpoint, checkpointCodec } from './checkpoint.ts'
import { MAX_AUDIT_RECORD_BYTES } from './record.ts'
import { type AuditInput, type AuditProblem, type AuditReport, verifyAudit } from './verify.ts'

export const MAX_SEGMENT_RECORDS = 10_000
export const MAX_SEGMENT_BYTES: number = 1 << 26

export type Segment = {
  readonly v: 1
  /** The checkpoint that the first record follows; absent in the first segment of a log. */
  readonly from?: Checkpoint | undefined
  /** The checkpoint of the last record. */
  readonly to: Checkpoint
  /** Canonical bytes of each record, in order. */
  readonly records: readonly Uint8Array[]
}

const segmentCodec: Codec<Segment> = versioned(
  1,
  record({
    v: field(VERSION_KEY, oneOf(1)),
    from: optional(1, checkpointCodec),
    to: field(2, checkpointCodec),
    records: field(3, array(bytes({ max: MAX_AUDIT_RECORD_BYTES }), { max: MAX_SEGMENT_RECORDS })),
  }),
)

/** The bytes of the file. @throws base/malformed */
export const encodeSegment = (segment: Segment): Uint8Array => encode(segmentCodec, segment)

/** @throws base/too-large, base/malformed, base/not-canonical, base/bad-id, base/unknown-version */
export const decodeSegment = (encoded: Uint8Array): Segment =>
  decode(segmentCodec, encoded, { maxBytes: MAX_SEGMENT_BYTES })

/** What is wrong with the segment, or that it holds exactly what its checkpoints say. */
export async function verifySegment(
  { from, to, records }: Segment,
  keys: Pick<AuditInput, 'resolveKey' | 'verify'>,
): Promise<AuditReport> {
  const report = await verifyAudit({
    ...keys,
    records: records.map((each) => ({ bytes: each })),
    checkpoints: from === undefined ? [to] : [from, to],
    after: from ?? CHAIN_START,
  })
  if (report.to <= to.seq) return report
  // Nothing in a segment may stand behind its last checkpoint, where no signature covers it.
  const behind: AuditProblem = { code: 'record-inserted', seq: to.seq + 1, to: report.to }
  return { ...report, isOk: false, problems: [...report.problems, behind] }
}
