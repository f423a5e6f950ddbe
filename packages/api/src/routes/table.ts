/**
 * The HTTP API of a node, one table: what the daemon serves, what the client calls and what the
 * OpenAPI document says all come from here.
 */

import { bug } from '@quorate/base'
import { Type } from '@sinclair/typebox'
import type { Permission } from '../permission.ts'
import { PROTOCOL_NAMES, type ProtocolName } from '../protocol.ts'
import { MAX_REQUEST_BYTES } from '../request.ts'
import {
  type AuditItemJson,
  auditItemSchema,
  type CheckpointJson,
  checkpointSchema,
} from './audit.ts'
import { type OperationJson, operationSchema } from './operation.ts'
import { type WalletPolicyJson, walletPolicySchema } from './policy.ts'
import {
  enumSchema,
  hexSchema,
  idSchema,
  type Page,
  pageSchema,
  type Schema,
  schemaOf,
} from './schema.ts'
import {
  type ClusterJson,
  clusterSchema,
  type HealthJson,
  healthSchema,
  type StatusJson,
  statusSchema,
} from './status.ts'
import {
  type ExplainBody,
  type ExplanationJson,
  explainBodySchema,
  explanationSchema,
} from './transaction.ts'
import { type WalletJson, walletSchema } from './wallet.ts'

/** Nothing to send: no path parameter, no query, no body. */
type Nothing = undefined
type Call<Input, Answer> = {
  readonly params: Input extends { readonly params: infer T } ? T : Nothing
  readonly query: Input extends { readonly query: infer T } ? T : Nothing
  readonly body: Input extends { readonly body: infer T } ? T : Nothing
  readonly answer: Answer
}

export type ListQuery = {
  /** `nextCursor` of the page before. */
  readonly cursor?: string
  /** 1 to 500, 100 unless told. */
  readonly limit?: number
}
export type AuditQuery = {
  /** Number of the last record already seen. */
  readonly after?: number
  readonly limit?: number
}
/** A canonical signed request, hex. */
export type RequestBodyJson = { readonly request: string }
type ById = { readonly params: { readonly id: string } }

export type WalletQuery = ListQuery & {
  /** Only wallets of this protocol, by any of its names. */
  readonly protocol?: ProtocolName
}

/** What each route takes and answers. */
export type NodeApi = {
  readonly getHealth: Call<unknown, HealthJson>
  readonly getStatus: Call<unknown, StatusJson>
  readonly getCluster: Call<unknown, ClusterJson>
  readonly listWallets: Call<{ readonly query: WalletQuery }, Page<WalletJson>>
  readonly getWallet: Call<ById, WalletJson>
  readonly createWallet: Call<{ readonly body: RequestBodyJson }, OperationJson>
  readonly refreshWallet: Call<ById & { readonly body: RequestBodyJson }, OperationJson>
  readonly signTransaction: Call<{ readonly body: RequestBodyJson }, OperationJson>
  readonly explainTransaction: Call<{ readonly body: ExplainBody }, ExplanationJson>
  readonly getOperation: Call<ById, OperationJson>
  readonly getPolicy: Call<{ readonly params: { readonly walletId: string } }, WalletPolicyJson>
  readonly listAudit: Call<{ readonly query: AuditQuery }, Page<AuditItemJson>>
  readonly listCheckpoints: Call<{ readonly query: AuditQuery }, Page<CheckpointJson>>
}
export type OperationId = keyof NodeApi

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
  readonly status: 200 | 202
  readonly answer: Schema<C['answer']>
}

export const IDEMPOTENCY_HEADER = 'idempotency-key'
/** Printable ASCII, 8 to 128 characters. */
export const IDEMPOTENCY_KEY: RegExp = /^[\x21-\x7e]{8,128}$/
export const MAX_LIMIT = 500
export const DEFAULT_LIMIT = 100

const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT }),
)
const walletQuery = schemaOf<WalletQuery>(
  Type.Object(
    {
      cursor: Type.Optional(Type.String({ maxLength: 256 })),
      limit,
      protocol: Type.Optional(enumSchema(...PROTOCOL_NAMES)),
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

const nothing = { params: undefined, query: undefined, body: undefined }
/** Reads a state; asking twice is harmless. */
const read = { method: 'GET', needsIdempotencyKey: false, status: 200, ...nothing } as const
/** Begins an operation; the same idempotency key begins it once. */
const begin = { method: 'POST', needsIdempotencyKey: true, status: 202, ...nothing } as const

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
  getPolicy: {
    ...read,
    path: '/api/v1/policies/{walletId}',
    summary: 'The policy in force for a wallet',
    permission: 'wallet.read',
    params: schemaOf(Type.Object({ walletId: idSchema('wal') })),
    answer: walletPolicySchema,
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
}

/** Path of a call with its parameters filled in and escaped, e.g. `/api/v1/wallets/wal_…`. */
export function pathOf(id: OperationId, params: { readonly [name: string]: string } = {}): string {
  return ROUTES[id].path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(params[name] ?? bug(`${id} needs the parameter ${name}`)),
  )
}
