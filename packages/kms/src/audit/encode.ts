/**
 * Audit records as canonical bytes, a few times faster than by the codec of `api`, which every read would
 * otherwise wait for. It writes what that codec would write, and leaves to it whatever is unusual.
 */
import { type AuditRecord, encodeAuditRecord, MAX_AUDIT_RECORD_BYTES } from '@quorate/api'
import { Fault } from '@quorate/base'
import type { AuditDraft } from '../storage/port.ts'

/** What the journal gives a record: its number, its time, and the id of this start of the process. */
export type Stamp = Pick<AuditRecord, 'seq' | 'time' | 'bootId'>

const OUTCOMES: ReadonlySet<string> = new Set(['begun', 'done', 'failed'])
const DECISIONS: ReadonlySet<string> = new Set(['allow', 'deny', 'none'])
const WORD = /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/
const ACTION = /^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/
const FIELD = /^[a-z][A-Za-z0-9]*$/
const ASCII = /^[\x20-\x7e]*$/
const ID = /^[a-z]{3}_[0-7][0-9a-hjkmnp-tv-z]{25}$/

/** Room for what the quick way takes: 32 short fields at most come near a few kilobytes. */
const buffer: Buffer = Buffer.allocUnsafeSlow(MAX_AUDIT_RECORD_BYTES)
/** The same memory, whose slices are plain arrays and cheap. */
const plain: Uint8Array = new Uint8Array(buffer.buffer)
let at = 0

function head(major: number, value: number): void {
  const top = major << 5
  if (value < 24) buffer[at++] = top | value
  else if (value < 0x100) {
    buffer[at++] = top | 24
    buffer[at++] = value
  } else if (value < 0x10000) {
    buffer[at++] = top | 25
    at = buffer.writeUInt16BE(value, at)
  } else if (value <= 0xffffffff) {
    buffer[at++] = top | 26
    at = buffer.writeUInt32BE(value, at)
  } else {
    buffer[at++] = top | 27
    at = buffer.writeUInt32BE(Math.floor(value / 0x100000000), at)
    at = buffer.writeUInt32BE(value >>> 0, at)
  }
}

function text(value: string): void {
  head(3, value.length)
  at += buffer.write(value, at, 'latin1')
}

function bytes(value: Uint8Array): void {
  head(2, value.length)
  buffer.set(value, at)
  at += value.length
}

/** Whether every part is of the usual kind: printable ASCII in the documented form, few fields. */
function isUsual(record: AuditDraft, { seq, time, bootId }: Stamp): boolean {
  const { actor, action, resource, project, reason, requestId, sessionId, fields } = record
  return (
    actor.length <= 64 &&
    WORD.test(actor) &&
    action.length <= 64 &&
    ACTION.test(action) &&
    resource.length <= 128 &&
    WORD.test(resource) &&
    (project === undefined || (project.startsWith('prj_') && ID.test(project))) &&
    (reason === undefined || (reason.length <= 128 && WORD.test(reason))) &&
    (requestId === undefined || (requestId.startsWith('req_') && ID.test(requestId))) &&
    (sessionId === undefined || sessionId.length === 32) &&
    bootId.length === 16 &&
    DECISIONS.has(record.decision) &&
    OUTCOMES.has(record.outcome) &&
    Number.isSafeInteger(seq) &&
    seq >= 1 &&
    Number.isSafeInteger(time) &&
    time >= 0 &&
    time <= 8_640_000_000_000_000 &&
    fields.length <= 8 &&
    fields.every(
      (field) =>
        field.name.length <= 32 &&
        FIELD.test(field.name) &&
        (field.kind === 'int'
          ? Number.isSafeInteger(field.value) && field.value >= 0
          : field.kind === 'text'
            ? field.value.length <= 256 && ASCII.test(field.value)
            : field.value.length === 32),
    )
  )
}

/** The canonical bytes of the record. @throws base/malformed, base/too-large, as the codec of `api` */
export function encodeRecord(record: AuditDraft, stamp: Stamp): Uint8Array {
  if (!isUsual(record, stamp)) {
    const encoded = encodeAuditRecord({ ...record, v: 1, ...stamp })
    // What no reader would accept must not get into the chain.
    if (encoded.length > MAX_AUDIT_RECORD_BYTES)
      throw new Fault('base/too-large', { detail: `an audit record of ${encoded.length} bytes` })
    return encoded
  }
  const { project, reason, requestId, sessionId, fields } = record
  const absent = [project, reason, requestId, sessionId].filter((each) => each === undefined).length
  at = 0
  head(5, 14 - absent)
  head(0, 0)
  head(0, 1)
  head(0, 1)
  head(0, stamp.seq)
  head(0, 2)
  head(0, stamp.time)
  head(0, 3)
  bytes(stamp.bootId)
  head(0, 4)
  text(record.actor)
  head(0, 5)
  text(record.action)
  head(0, 6)
  text(record.resource)
  optional(7, project)
  head(0, 8)
  text(record.decision)
  optional(9, reason)
  optional(10, requestId)
  if (sessionId !== undefined) {
    head(0, 11)
    bytes(sessionId)
  }
  head(0, 12)
  text(record.outcome)
  head(0, 13)
  head(4, fields.length)
  for (const field of fields) {
    head(5, 2)
    head(0, 1)
    text(field.name)
    head(0, 2)
    head(4, 2)
    if (field.kind === 'int') {
      head(0, 1)
      head(0, field.value)
    } else if (field.kind === 'text') {
      head(0, 2)
      text(field.value)
    } else {
      head(0, 3)
      bytes(field.value)
    }
  }
  return plain.slice(0, at)
}

function optional(key: number, value: string | undefined): void {
  if (value === undefined) return
  head(0, key)
  text(value)
}
