export type { HostCalls, SignerCalls } from './channel/calls.ts'
export type { Client, Handlers } from './channel/channel.ts'
export type {
  Outcome,
  PoolReport,
  PublicState,
  SignedTransaction,
  WaitingFor,
  WaitingItem,
} from './channel/outcomes.ts'
export type {
  AuditDraft,
  AuxRow,
  Change,
  LedgerRow,
  PolicyRow,
  PrimesRow,
  RequestRow as SeenRequest,
  WaitingRow,
  WalletRef,
  WalletRow,
} from './channel/rows.ts'
export { type EvidenceVerdict, verifyEvidenceFile } from './evidence-file.ts'
export { type SignerHost, type SignerHostOptions, startSigner } from './signer-host.ts'
export { newRecipientKey, recipientKeyOf } from './signer-process/backup/recipient-key.ts'
export { DEFAULT_LIMITS, type Limits } from './signer-process/limits.ts'
export { hastenVerification, verifyEd25519 } from './signer-process/node-crypto.ts'
export { changeIn } from './signer-process/policy-link.ts'
export { type ReadReceipt, readReceipt } from './signer-process/receipts.ts'
export { confirmedBy, decodeWallet, type WalletRecord } from './wallet-record.ts'
