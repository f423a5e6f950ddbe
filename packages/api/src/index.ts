export {
  CHAIN_START,
  ChainBuilder,
  type ChainHead,
  type ChainLink,
  chainHash,
} from './audit/chain.ts'
export {
  type Checkpoint,
  checkpointCodec,
  checkpointMessage,
  decodeCheckpoint,
  encodeCheckpoint,
  signCheckpoint,
  type UnsignedCheckpoint,
} from './audit/checkpoint.ts'
export {
  type Inclusion,
  inclusionProof,
  merkleRoot,
  type StateRow,
  stateLeaf,
  stateRoot,
  verifyInclusion,
} from './audit/merkle.ts'
export {
  type AuditEntry,
  type AuditField,
  type AuditHash,
  type AuditRecord,
  type AuditValue,
  auditRecordCodec,
  decodeAuditRecord,
  encodeAuditRecord,
  keyedHash,
  MAX_AUDIT_FIELDS,
  MAX_AUDIT_RECORD_BYTES,
  publicHash,
} from './audit/record.ts'
export {
  decodeSegment,
  encodeSegment,
  MAX_SEGMENT_BYTES,
  MAX_SEGMENT_RECORDS,
  type Segment,
  verifySegment,
} from './audit/segment.ts'
export {
  type AuditInput,
  type AuditItem,
  type AuditProblem,
  type AuditProblemCode,
  type AuditReport,
  type AuditStream,
  verifyAudit,
} from './audit/verify.ts'
export {
  ALLOWED_SKEW_MS,
  checkLifetime,
  checkThreshold,
  decodeIntent,
  encodeIntent,
  type Intent,
  intentCodec,
  intentHash,
  type Lifetime,
  MAX_CONTEXT_BYTES,
  MAX_INTENT_BYTES,
  MAX_LIFETIME_MS,
  MAX_PARAMS_BYTES,
  MAX_PARTIES,
  MAX_UNSIGNED_BYTES,
  type PolicyChoice,
  type RefreshRequest,
  refreshRequestCodec,
  type WalletRequest,
  walletRequestCodec,
} from './intent.ts'
export { type OpenApiDocument, openApi } from './openapi.ts'
export {
  checkPermitted,
  isPermitted,
  isRole,
  type Permission,
  ROLES,
  type Role,
} from './permission.ts'
export { fromProblem, PROBLEM_CONTENT_TYPE, type Problem, toProblem } from './problem.ts'
export {
  PROTOCOL_NAMES,
  PROTOCOLS,
  type Protocol,
  type ProtocolName,
  parseProtocol,
  protocolOfSuite,
} from './protocol.ts'
export {
  decodeReceipt,
  encodeReceipt,
  MAX_RESULT_BYTES,
  type Receipt,
  type ReceiptCheck,
  type ReceiptProblem,
  type ReceiptPurpose,
  type ReceiptReport,
  type ReceiptStatement,
  receiptCodec,
  receiptHash,
  receiptMessage,
  signReceipt,
  type UnsignedReceipt,
  verifyReceipts,
} from './receipt.ts'
export {
  checkRequestSignature,
  decodeRequest,
  encodeRequest,
  MAX_REQUEST_BYTES,
  type RequestBody,
  type RequestKind,
  requestHash,
  requestMessage,
  type SignedRequest,
  signedRequestCodec,
  signRequest,
  type UnsignedRequest,
  type VerifySignature,
} from './request.ts'
export {
  type AuditItemJson,
  type AuditRecordJson,
  auditRecordToJson,
  type CheckpointJson,
} from './routes/audit.ts'
export type {
  CreateWalletResult,
  OperationJson,
  OperationResult,
  RefreshResult,
  SignatureJson,
  SignResult,
} from './routes/operation.ts'
export type { AmountsJson, PolicyJson, PolicyRuleJson, WalletPolicyJson } from './routes/policy.ts'
export type { Page, Schema } from './routes/schema.ts'
export type { ClusterJson, HealthJson, PeerJson, StatusJson } from './routes/status.ts'
export {
  type AuditQuery,
  DEFAULT_LIMIT,
  IDEMPOTENCY_HEADER,
  IDEMPOTENCY_KEY,
  type ListQuery,
  MAX_LIMIT,
  type NodeApi,
  type OperationId,
  pathOf,
  type RequestBodyJson,
  ROUTES,
  type Route,
  type WalletQuery,
} from './routes/table.ts'
export {
  type ExplainBody,
  type ExplanationJson,
  type ReasonJson,
  type TxViewJson,
  viewToJson,
} from './routes/transaction.ts'
export type { Environment, WalletJson } from './routes/wallet.ts'
export { fromRfc3339, toRfc3339 } from './time.ts'
export {
  type Scheme,
  TX_KINDS,
  type TxFee,
  type TxKind,
  type TxOutput,
  type TxView,
} from './view.ts'
