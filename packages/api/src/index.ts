export {
  type Approval,
  type ApprovalCheck,
  type ApprovalProof,
  type Approver,
  type ApproverEntry,
  type Assertion,
  approvalCodec,
  approvalHash,
  type CheckedApproval,
  checkApproval,
  decodeApproval,
  encodeApproval,
  signApproval,
  type UnsignedApproval,
  type VerifyAssertion,
} from './approval.ts'
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
  type BlindGrant,
  checkBlindGrant,
  decodeBlindGrant,
  decodeSignedGrant,
  encodeBlindGrant,
  encodeSignedGrant,
  type GrantCheck,
  MAX_GRANT_MS,
  type SignedBlindGrant,
  signBlindGrant,
} from './blind-grant.ts'
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
  MAX_GRANT_BYTES,
  MAX_INTENT_BYTES,
  MAX_LIFETIME_MS,
  MAX_MAKING_MS,
  MAX_PARAMS_BYTES,
  MAX_PARTIES,
  MAX_UNSIGNED_BYTES,
  MAX_WAIT_MS,
  type PolicyChoice,
  type RefreshRequest,
  refreshRequestCodec,
  type WalletRequest,
  walletRequestCodec,
} from './intent.ts'
export { openApi } from './openapi.ts'
export {
  type ApiAnswer,
  type ApiDescription,
  type ApiOperation,
  type Json,
  type OpenApiDocument,
  openApiDocument,
} from './openapi-document.ts'
export {
  checkPermitted,
  isPermitted,
  isRole,
  type Permission,
  ROLES,
  type Role,
} from './permission.ts'
export {
  decodePolicyChange,
  decodeSignedChange,
  encodePolicyChange,
  encodeSignedChange,
  MAX_APPROVALS,
  MAX_CHANGE_BYTES,
  MAX_SIGNED_CHANGE_BYTES,
  type PolicyChange,
  type PolicyChangeRequest,
  policyChangeHash,
  policyChangeRequestCodec,
  type SignedPolicyChange,
} from './policy-change.ts'
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
  type AccessToken,
  checkAccessToken,
  holdsAccessToken,
  MAX_TOKEN_MS,
  signAccessToken,
  type TokenCheck,
  type TokenHolder,
} from './routes/access-token.ts'
export type { ApprovalBody, ApprovedJson, WaitingRequestJson } from './routes/approval.ts'
export {
  type AuditItemJson,
  type AuditRecordJson,
  auditRecordSchema,
  auditRecordToJson,
  type CheckpointJson,
} from './routes/audit.ts'
export type {
  AuditQuery,
  ListQuery,
  NodeApi,
  OpenApiJson,
  OperationId,
  RequestBodyJson,
  StreamId,
  WalletQuery,
} from './routes/calls.ts'
export { type CallRate, type Place, Places, TokenBuckets } from './routes/limits.ts'
export {
  type ChangePolicyResult,
  type CreateWalletResult,
  type OperationJson,
  type OperationResult,
  type PastRequestJson,
  problemSchema,
  type RefreshResult,
  type SignatureJson,
  type SignResult,
  type WaitingJson,
} from './routes/operation.ts'
export type { AmountsJson, PolicyJson, PolicyRuleJson, WalletPolicyJson } from './routes/policy.ts'
export type { Page, Schema } from './routes/schema.ts'
export type {
  BackupStatusJson,
  ClusterJson,
  HealthJson,
  MadeBackupJson,
  PeerJson,
  StatusJson,
} from './routes/status.ts'
export {
  DEFAULT_LIMIT,
  EVENT_NAME,
  IDEMPOTENCY_HEADER,
  IDEMPOTENCY_KEY,
  MAX_LIMIT,
  pathOf,
  ROUTES,
  type Route,
  SYNC_MS,
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
  type TxAllowance,
  type TxCall,
  type TxFee,
  type TxKind,
  type TxOutput,
  type TxView,
} from './view.ts'
