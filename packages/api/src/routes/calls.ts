/** What each call of the HTTP API of a node takes and answers, as types. */
import type { ProtocolName } from '../protocol.ts'
import type { ApprovalBody, ApprovedJson, WaitingRequestJson } from './approval.ts'
import type { AuditItemJson, CheckpointJson } from './audit.ts'
import type { OperationJson, PastRequestJson } from './operation.ts'
import type { WalletPolicyJson } from './policy.ts'
import type { Page } from './schema.ts'
import type { ClusterJson, HealthJson, MadeBackupJson, NoBody, StatusJson } from './status.ts'
import type { ExplainBody, ExplanationJson } from './transaction.ts'
import type { WalletJson } from './wallet.ts'

/** The OpenAPI document itself. */
export type OpenApiJson = { readonly openapi: string; readonly [name: string]: unknown }

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
export type OfWallet = { readonly params: { readonly walletId: string } }

export type WalletQuery = ListQuery & {
  /** Only wallets of this protocol, by any of its names. */
  readonly protocol?: ProtocolName
  /** Only the wallet of this label. */
  readonly label?: string
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
  readonly listRequests: Call<ById & { readonly query: ListQuery }, Page<PastRequestJson>>
  readonly explainTransaction: Call<{ readonly body: ExplainBody }, ExplanationJson>
  readonly getOperation: Call<ById, OperationJson>
  /** Streams: one event for each state, the last one when the operation has ended. */
  readonly watchOperation: Call<ById, OperationJson>
  /** Streams: every operation of the project that begins, moves on or ends from now on. */
  readonly watchProject: Call<unknown, OperationJson>
  readonly getPolicy: Call<OfWallet, WalletPolicyJson>
  readonly changePolicy: Call<OfWallet & { readonly body: RequestBodyJson }, OperationJson>
  readonly listApprovals: Call<unknown, Page<WaitingRequestJson>>
  readonly giveApproval: Call<{ readonly body: ApprovalBody }, ApprovedJson>
  readonly makeBackup: Call<{ readonly body: NoBody }, MadeBackupJson>
  readonly listAudit: Call<{ readonly query: AuditQuery }, Page<AuditItemJson>>
  readonly listCheckpoints: Call<{ readonly query: AuditQuery }, Page<CheckpointJson>>
  readonly getOpenApi: Call<unknown, OpenApiJson>
}
export type OperationId = keyof NodeApi
/** Those that answer with server-sent events. */
export type StreamId = 'watchOperation' | 'watchProject'
