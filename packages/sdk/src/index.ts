export {
  type CallId,
  type CallOptions,
  type Credential,
  NodeClient,
  type NodeClientOptions,
  type OnProgress,
  type SignAnswer,
  type SignTask,
} from './client.ts'
export {
  type MadeWallet,
  type NewSignature,
  type NewWallet,
  QuorateClient,
  type QuorateClientOptions,
  type VerifiedSignature,
  type VerifiedWallet,
} from './quorate-client.ts'
export { PATIENT, type RetryPolicy } from './retry.ts'
export { type ClusterWallet, clusterWallet } from './signers/cluster-wallet.ts'
export { type EthersModule, ethersSigner } from './signers/ethers.ts'
export {
  type HsmKeys,
  type HsmSignInput,
  hsmKey,
  type ManagedKey,
  managedKey,
} from './signers/hsm-key.ts'
export { localKey } from './signers/local-key.ts'
export { type PsbtSigner, psbtSigner } from './signers/psbt.ts'
export { type KitFunctions, type KitSigner, kitSigner } from './signers/solana-kit.ts'
export { type Hex, type ViemFunctions, type ViemSource, viemSource } from './signers/viem.ts'
export {
  type ItemKey,
  keySigner,
  type SignOptions,
  type WalletSigner,
} from './signers/wallet-signer.ts'
export { type Endpoint, type HttpCall, hostOf, send } from './transport.ts'
export {
  ReceiptReader,
  type ReceiptsOf,
  readClusterChain,
  signaturesHash,
  verifySignature,
} from './verify.ts'
