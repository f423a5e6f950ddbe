/** The audit log over HTTP. Asking it is itself recorded. */
import {
  auditRecordSchema,
  auditRecordToJson,
  encodeCheckpoint,
  fromRfc3339,
  toRfc3339,
} from '@quorate/api'
import { parseId, toHex } from '@quorate/base'
import { type Static, Type } from '@sinclair/typebox'
import type { GuardedRoute, KmsRoute, RouteInput } from '../domains/access/route.ts'
import { idOf, shortText, strict, time } from '../domains/access/schema.ts'
import type { Kms } from '../kms.ts'
import { queryLog, streamLog, verifyLog } from './log.ts'
import { type Segment, Segments } from './segments.ts'

const query = Type.Object(
  {
    project: Type.Optional(idOf('prj')),
    actor: Type.Optional(shortText(64)),
    action: Type.Optional(shortText(64)),
    resource: Type.Optional(shortText(128)),
    decision: Type.Optional(
      Type.Union(['allow', 'deny', 'none'].map((each) => Type.Literal(each))),
    ),
    from: Type.Optional(time),
    to: Type.Optional(time),
    cursor: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,14}$' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  },
  strict,
)
type Query = Static<typeof query>

const exportQuery = Type.Object(
  { after: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })) },
  strict,
)

const pruneBody = Type.Object({ before: time }, strict)
const segmentAnswer = Type.Object(
  {
    first: Type.Integer(),
    last: Type.Integer(),
    time,
    sha256: Type.String(),
    path: Type.String(),
  },
  { title: 'AuditSegment' },
)

const DEFAULT_LIMIT = 100
const LINES_TYPE = 'application/jsonl; charset=utf-8'
/** Records in one answer of the export. */
const EXPORT_RECORDS = 5000

export function auditRoutes(kms: Kms): readonly KmsRoute[] {
  const segments = new Segments(kms)
  const segmentJson = (segment: Segment) => ({
    first: segment.first,
    last: segment.last,
    time: toRfc3339(segment.at),
    sha256: toHex(segment.digest),
    path: segments.pathOf(segment),
  })
  const list: GuardedRoute<RouteInput<Record<never, never>, Query>> = {
    method: 'GET',
    path: '/api/v1/audit',
    operationId: 'listAudit',
    summary: 'Audit records, newest first',
    permission: 'audit.read',
    query,
    answer: Type.Object({
      items: Type.Array(auditRecordSchema),
      nextCursor: Type.Union([Type.String(), Type.Null()]),
    }),
    resourceOf: ({ query: { project } }) => ({
      kind: 'audit',
      ...(project !== undefined && { project: parseId('prj', project) }),
    }),
    handle: async ({ query: asked, record }) => {
      const { from, to, cursor, limit = DEFAULT_LIMIT, ...filter } = asked
      await kms.context.journal.record({ ...record, outcome: 'done', fields: [] })
      const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor)
      const page = await queryLog(
        kms.sql,
        {
          ...filter,
          from: from === undefined ? undefined : fromRfc3339(from),
          to: to === undefined ? undefined : fromRfc3339(to),
        },
        before,
        limit,
      )
      return {
        body: {
          items: page.records.map((each) => auditRecordToJson(each.record)),
          nextCursor: page.before === undefined ? null : String(page.before),
        },
      }
    },
  }
  const download: GuardedRoute<RouteInput<Record<never, never>, Static<typeof exportQuery>>> = {
    method: 'GET',
    path: '/api/v1/audit/export',
    operationId: 'exportAudit',
    summary: 'Audit records in order as the bytes that the chain hashes, one JSON document a line',
    permission: 'audit.verify',
    query: exportQuery,
    text: LINES_TYPE,
    resourceOf: () => ({ kind: 'audit' }),
    handle: async ({ query: { after = '0' }, record }) => {
      await kms.context.journal.record({ ...record, outcome: 'done', fields: [] })
      const lines: string[] = []
      for await (const { bytes, h } of streamLog(kms.sql, Number(after) + 1)) {
        lines.push(JSON.stringify({ bytes: toHex(bytes), ...(h !== undefined && { h: toHex(h) }) }))
        if (lines.length === EXPORT_RECORDS) break
      }
      return {
        text: { type: LINES_TYPE, content: `${lines.join('\n')}\n` },
      }
    },
  }
  const verify: GuardedRoute = {
    method: 'POST',
    path: '/api/v1/audit/verify',
    operationId: 'verifyAudit',
    summary: 'Verify the whole log against its checkpoints',
    permission: 'audit.verify',
    body: Type.Object({}, strict),
    answer: Type.Object({
      isOk: Type.Boolean(),
      from: Type.Integer(),
      to: Type.Integer(),
      signedTo: Type.Integer(),
      problems: Type.Array(
        Type.Object({ code: Type.String(), seq: Type.Integer(), to: Type.Integer() }),
      ),
    }),
    resourceOf: () => ({ kind: 'audit' }),
    handle: async ({ record }) => {
      await kms.checkpoints.make()
      const { pruned } = await segments.state()
      const { isOk, from, to, signedTo, problems } = await verifyLog(
        kms.sql,
        kms.checkpoints.key,
        pruned,
      )
      const outcome = isOk ? 'done' : 'failed'
      await kms.context.journal.record({ ...record, outcome, fields: [] })
      return { body: { isOk, from, to, signedTo, problems } }
    },
  }
  const checkpoint: GuardedRoute = {
    method: 'GET',
    path: '/api/v1/audit/checkpoint',
    operationId: 'newestCheckpoint',
    summary: 'The newest signed checkpoint: keep it, and a rollback shows',
    permission: 'audit.verify',
    answer: Type.Object({ bytes: Type.String(), seq: Type.Integer(), time }),
    others: { 204: null },
    resourceOf: () => ({ kind: 'audit' }),
    handle: async ({ record }) => {
      await kms.context.journal.record({ ...record, outcome: 'done', fields: [] })
      await kms.checkpoints.make()
      const { newest } = kms.checkpoints
      return newest === undefined
        ? { status: 204 }
        : {
            body: {
              bytes: toHex(encodeCheckpoint(newest)),
              seq: newest.seq,
              time: toRfc3339(newest.time),
            },
          }
    },
  }
  const sealed: GuardedRoute = {
    method: 'GET',
    path: '/api/v1/audit/segments',
    operationId: 'listAuditSegments',
    summary: 'Sealed segments of the log, oldest first, and the key of their checkpoints',
    permission: 'audit.verify',
    answer: Type.Object({
      prunedTo: Type.Integer(),
      key: Type.String(),
      items: Type.Array(segmentAnswer),
    }),
    resourceOf: () => ({ kind: 'audit' }),
    handle: async ({ record }) => {
      await kms.context.journal.record({ ...record, outcome: 'done', fields: [] })
      const { pruned, segments: items } = await segments.state()
      const key = toHex(kms.checkpoints.key)
      return { body: { prunedTo: pruned.seq, key, items: items.map(segmentJson) } }
    },
  }
  const seal: GuardedRoute = {
    method: 'POST',
    path: '/api/v1/audit/segments',
    operationId: 'sealAuditSegment',
    summary: 'Seal what came since the last segment into a file in the data directory',
    permission: 'audit.prune',
    body: Type.Object({}, strict),
    answer: segmentAnswer,
    others: { 204: null },
    status: 201,
    resourceOf: () => ({ kind: 'audit' }),
    handle: async ({ record }) => {
      const segment = await segments.seal(record)
      return segment === undefined ? { status: 204 } : { body: segmentJson(segment) }
    },
  }
  const prune: GuardedRoute<RouteInput<Record<never, never>, unknown, Static<typeof pruneBody>>> = {
    method: 'POST',
    path: '/api/v1/audit/prune',
    operationId: 'pruneAudit',
    summary: 'Remove records from the database that are in sealed segments, all older than a time',
    permission: 'audit.prune',
    body: pruneBody,
    answer: Type.Object({ prunedTo: Type.Integer() }),
    resourceOf: () => ({ kind: 'audit' }),
    handle: async ({ body: { before }, record }) => ({
      body: { prunedTo: (await segments.prune(fromRfc3339(before), record)).seq },
    }),
  }
  return [list, download, verify, checkpoint, sealed, seal, prune] as readonly KmsRoute[]
}
