/**
 * The HTTP API of a node, one table: what the daemon serves, what the client calls and what the
 * OpenAPI document says all come from here.
 */

import { bug } from '@quorate/base'
import { Type } from '@sinclair/typebox'
import type { Permission } from '../permission.ts'
import { PROTOCOL_NAMES } from '../protocol.ts'
import { MAX_REQUEST_BYTES } from '../request.ts'
import { approvalBodySchema, approvedSchema, waitingRequestSchema } from './approval.ts'
import { auditItemSchema, checkpointSchema } from './audit.ts'
import type {
  AuditQuery,
  ListQuery,
  NodeApi,
  OfWallet,
  OpenApiJson,
  OperationId,
  RequestBodyJson,
  WalletQuery,
} from './calls.ts'
import { operationSchema, pastRequestSchema } from './operation.ts'
import { walletPolicySchema } from './policy.ts'
import { enumSchema, hexSchema, idSchema, pageSchema, type Schema, schemaOf } from './schema.ts'
import {
  clusterSchema,
  healthSchema,
  madeBackupSchema,
  noBodySchema,
  statusSchema,
} from './status.ts'
import { explainBodySchema, explanationSchema } from './transaction.ts'
import { walletSchema } from './wallet.ts'

type AnyCall = NodeApi[OperationId]
export type Route<C extends AnyCall = AnyCall> = {
  readonly method: 'GET' | 'POST'
  /** With parameters in braces. */
  readonly path: string
  readonly summary: string
  /** `undefined` for the one route that needs no client. */
  readonly permission: Permission | undefined
  /** Whether it costs money or makes a key, so that repeating it must be safe. */
  readonly needsIdempotencyKey: boolean
  readonly params: Schema<C['params']> | undefined
  readonly query: Schema<C['query']> | undefined
  readonly body: Schema<C['body']> | undefined
  /** 202 stands beside 200: what ends within `SYNC_MS` is answered at once. */
  readonly status: 200 | 202
  /** Of each event where `isStream`. */
  readonly answer: Schema<C['answer']>
  /** Whether the answer is a stream of server-sent events, each named `EVENT_NAME`. */
  readonly isStream: boolean
}

/** How long a node waits for an operation before it answers with its id alone. */
export const SYNC_MS = 2_000
/** Of the events that hold an operation. */
export const EVENT_NAME = 'operation'

export const IDEMPOTENCY_HEADER = 'idempotency-key'
/** Printable ASCII, 8 to 128 characters. */
export const IDEMPOTENCY_KEY: RegExp = /^[\x21-\x7e]{8,128}$/
export const MAX_LIMIT = 500
export const DEFAULT_LIMIT = 100

const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT }),
)
const cursor = Type.Optional(Type.String({ maxLength: 256 }))
const listQuery = schemaOf<ListQuery>(
  Type.Object({ cursor, limit }, { additionalProperties: false }),
)
const walletQuery = schemaOf<WalletQuery>(
  Type.Object(
    {
      cursor,
      limit,
      protocol: Type.Optional(enumSchema(...PROTOCOL_NAMES)),
      label: Type.Optional(Type.String({ maxLength: 64 })),
    },
    { additionalProperties: false },
  ),
)
const auditQuery = schemaOf<AuditQuery>(
  Type.Object(
    { after: Type.Optional(Type.Integer({ minimum: 0 })), limit },
    { additionalProperties: false },
  ),
)
const requestBody = schemaOf<RequestBodyJson>(
  Type.Object({ request: hexSchema({ max: MAX_REQUEST_BYTES }) }, { additionalProperties: false }),
)
const byId = (prefix: 'wal' | 'op'): Schema<{ readonly id: string }> =>
  schemaOf(Type.Object({ id: idSchema(prefix) }))

const ofWallet: Schema<OfWallet['params']> = schemaOf(Type.Object({ walletId: idSchema('wal') }))

const nothing = { params: undefined, query: undefined, body: undefined }
/** Reads a state; asking twice is harmless. */
const read = {
  method: 'GET',
  needsIdempotencyKey: false,
  status: 200,
  isStream: false,
  ...nothing,
} as const
/** Follows a state until the client goes. */
const watch = { ...read, isStream: true } as const
/** Begins an operation; the same idempotency key begins it once. */
const begin = {
  method: 'POST',
  needsIdempotencyKey: true,
  status: 202,
  isStream: false,
  ...nothing,
} as const

export const ROUTES: { readonly [Id in OperationId]: Route<NodeApi[Id]> } = {
  getHealth: {
    ...read,
    path: '/health',
    summary: 'Whether the node serves',
    permission: undefined,
    answer: healthSchema,
  },
  getStatus: {
    ...read,
    path: '/api/v1/status',
    summary: 'State of the node and what it sees of its peers',
    permission: 'status.read',
    answer: statusSchema,
  },
  getCluster: {
    ...read,
    path: '/api/v1/cluster',
    summary: 'The cluster record in force',
    permission: 'status.read',
    answer: clusterSchema,
  },
  listWallets: {
    ...read,
    path: '/api/v1/wallets',
    summary: "Wallets of the client's project",
    permission: 'wallet.read',
    query: walletQuery,
    answer: pageSchema(walletSchema),
  },
  getWallet: {
    ...read,
    path: '/api/v1/wallets/{id}',
    summary: 'One wallet',
    permission: 'wallet.read',
    params: byId('wal'),
    answer: walletSchema,
  },
  createWallet: {
    ...begin,
    path: '/api/v1/wallets',
    summary: 'Make a new key among all nodes',
    permission: 'wallet.create',
    body: requestBody,
    answer: operationSchema,
  },
  refreshWallet: {
    ...begin,
    path: '/api/v1/wallets/{id}/refresh',
    summary: 'Give all nodes new shares of the same key',
    permission: 'wallet.refresh',
    params: byId('wal'),
    body: requestBody,
    answer: operationSchema,
  },
  signTransaction: {
    ...begin,
    path: '/api/v1/transactions/sign',
    summary: 'Sign a transaction',
    permission: 'tx.sign',
    body: requestBody,
    answer: operationSchema,
  },
  listRequests: {
    ...read,
    path: '/api/v1/wallets/{id}/requests',
    summary: 'What a wallet was asked to sign at this node in the last 31 days, oldest first',
    permission: 'tx.explain',
    params: byId('wal'),
    query: listQuery,
    answer: pageSchema(pastRequestSchema),
  },
  explainTransaction: {
    ...read,
    method: 'POST',
    path: '/api/v1/transactions/explain',
    summary: 'Read a transaction and say what policy would decide, without signing',
    permission: 'tx.explain',
    body: explainBodySchema,
    answer: explanationSchema,
  },
  getOperation: {
    ...read,
    path: '/api/v1/operations/{id}',
    summary: 'Progress or result of an operation',
    permission: 'wallet.read',
    params: byId('op'),
    answer: operationSchema,
  },
  watchOperation: {
    ...watch,
    path: '/api/v1/operations/{id}/events',
    summary: 'Follow an operation to its end',
    permission: 'wallet.read',
    params: byId('op'),
    answer: operationSchema,
  },
  watchProject: {
    ...watch,
    path: '/api/v1/events',
    summary: "Follow all operations of the client's project",
    permission: 'wallet.read',
    answer: operationSchema,
  },
  getPolicy: {
    ...read,
    path: '/api/v1/policies/{walletId}',
    summary: 'The policy in force for a wallet',
    permission: 'wallet.read',
    params: ofWallet,
    answer: walletPolicySchema,
  },
  changePolicy: {
    ...begin,
    path: '/api/v1/policies/{walletId}',
    summary:
      "Put another policy in a wallet's policy's place, with the approvals that this one asks for",
    permission: 'policy.change',
    params: ofWallet,
    body: requestBody,
    answer: operationSchema,
  },
  listApprovals: {
    ...read,
    path: '/api/v1/approvals',
    summary: "Requests of the client's project that wait for approvals or a delay",
    permission: 'approval.read',
    answer: pageSchema(waitingRequestSchema),
  },
  giveApproval: {
    ...read,
    method: 'POST',
    path: '/api/v1/approvals',
    summary: 'Approve or reject a request that waits',
    permission: 'approval.give',
    body: approvalBodySchema,
    answer: approvedSchema,
  },
  makeBackup: {
    ...read,
    method: 'POST',
    path: '/api/v1/backups',
    summary: 'Make a backup of this node now',
    permission: 'backup.make',
    body: noBodySchema,
    answer: madeBackupSchema,
  },
  listAudit: {
    ...read,
    path: '/api/v1/audit',
    summary: 'Audit records, oldest first',
    permission: 'audit.read',
    query: auditQuery,
    answer: pageSchema(auditItemSchema),
  },
  listCheckpoints: {
    ...read,
    path: '/api/v1/audit/checkpoints',
    summary: 'Signed checkpoints of the audit log, oldest first',
    permission: 'audit.read',
    query: auditQuery,
    answer: pageSchema(checkpointSchema),
  },
  getOpenApi: {
    ...read,
    path: '/api/v1/openapi.json',
    summary: 'This API as an OpenAPI 3.1 document',
    permission: 'status.read',
    answer: schemaOf<OpenApiJson>(Type.Object({ openapi: Type.String() })),
  },
}

/** Path of a call with its parameters filled in and escaped, e.g. `/api/v1/wallets/wal_…`. */
export function pathOf(id: OperationId, params: { readonly [name: string]: string } = {}): string {
  return ROUTES[id].path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(params[name] ?? bug(`${id} needs the parameter ${name}`)),
  )
}
