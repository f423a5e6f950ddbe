/**
 * The audit log as the API shows it: each record as the bytes that the chain hashes, so that a
 * client verifies what it was given instead of what it was told, and beside them as JSON to read.
 */

import { toHex } from '@quorate/base'
import { Type } from '@sinclair/typebox'
import type { AuditRecord } from '../audit/record.ts'
import { toRfc3339 } from '../time.ts'
import {
  countSchema,
  enumSchema,
  hexSchema,
  idSchema,
  named,
  type Schema,
  schemaOf,
  timeSchema,
} from './schema.ts'

export type AuditRecordJson = {
  readonly seq: number
  readonly time: string
  readonly bootId: string
  readonly actor: string
  readonly action: string
  readonly resource: string
  readonly project?: string
  readonly decision: AuditRecord['decision']
  readonly reason?: string
  readonly requestId?: string
  readonly sessionId?: string
  readonly outcome: AuditRecord['outcome']
  /** Hashes as hex. */
  readonly fields: { readonly [name: string]: string | number }
}

/** A record to read. Its bytes, not this, are what a verifier needs. */
export function auditRecordToJson(record: AuditRecord): AuditRecordJson {
  const { project, reason, requestId, sessionId } = record
  return {
    seq: record.seq,
    time: toRfc3339(record.time),
    bootId: toHex(record.bootId),
    actor: record.actor,
    action: record.action,
    resource: record.resource,
    ...(project === undefined ? {} : { project }),
    decision: record.decision,
    ...(reason === undefined ? {} : { reason }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(sessionId === undefined ? {} : { sessionId: toHex(sessionId) }),
    outcome: record.outcome,
    fields: Object.fromEntries(
      record.fields.map((each) => [
        each.name,
        each.kind === 'hash' ? toHex(each.value) : each.value,
      ]),
    ),
  }
}

export type AuditItemJson = {
  /** Canonical bytes, hex. */
  readonly bytes: string
  /** Hash of the chain up to and with this record, hex. */
  readonly h: string
  readonly record: AuditRecordJson
}

/** A record as `auditRecordToJson` writes it. */
export const auditRecordSchema: Schema<AuditRecordJson> = schemaOf<AuditRecordJson>(
  Type.Object({
    seq: countSchema,
    time: timeSchema,
    bootId: hexSchema(16),
    actor: Type.String(),
    action: Type.String(),
    resource: Type.String(),
    project: Type.Optional(idSchema('prj')),
    decision: enumSchema('allow', 'deny', 'none'),
    reason: Type.Optional(Type.String()),
    requestId: Type.Optional(idSchema('req')),
    sessionId: Type.Optional(hexSchema(32)),
    outcome: enumSchema('begun', 'done', 'failed'),
    fields: Type.Record(Type.String(), Type.Union([Type.String(), Type.Integer()])),
  }),
)

export const auditItemSchema: Schema<AuditItemJson> = named<AuditItemJson>(
  'AuditItem',
  Type.Object({
    bytes: hexSchema({ max: 1 << 14 }),
    h: hexSchema(32),
    record: auditRecordSchema,
  }),
)
export type CheckpointJson = {
  /** Canonical bytes, signature included; hex. */
  readonly bytes: string
  readonly seq: number
  readonly time: string
}

export const checkpointSchema: Schema<CheckpointJson> = named<CheckpointJson>(
  'Checkpoint',
  Type.Object({ bytes: hexSchema({ max: 1024 }), seq: countSchema, time: timeSchema }),
)
