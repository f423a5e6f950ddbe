export type {
  AuditDraft,
  AuxRow,
  Change,
  HostCalls,
  Outcome,
  PrimesRow,
  SignedTransaction,
  SignerCalls,
  WalletRef,
  WalletRow,
} from './channel/calls.ts'
export type { Client, Handlers } from './channel/channel.ts'
export { type EvidenceVerdict, verifyEvidenceFile } from './evidence-file.ts'
export { type SignerHost, type SignerHostOptions, startSigner } from './signer-host.ts'
export { verifyEd25519 } from './signer-process/node-crypto.ts'
export { type ReadReceipt, readReceipt } from './signer-process/receipts.ts'
export { confirmedBy, decodeWallet, type WalletRecord } from './wallet-record.ts'
