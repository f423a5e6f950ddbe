export type {
  AddressVerifier,
  ChainAdapter,
  EcdsaItem,
  FormAddress,
  ItemHash,
  KeyRef,
  MessageHash,
  ParseRequest,
  SchnorrItem,
  SerialisedTx,
  SignedTx,
  SignItem,
  TaprootTweak,
  TxFormat,
  UnsignedTx,
} from './adapter.ts'
export { formatAmount, parseAmount, type Unit, unitOf } from './amount.ts'
export {
  type BitcoinTransfer,
  type BuiltBitcoinTransfer,
  buildBitcoinTransfer,
  type Utxo,
} from './bitcoin/build.ts'
export type { BitcoinNetwork, BitcoinParams, BitcoinRules } from './bitcoin/networks.ts'
export { bitcoinUnderstood } from './bitcoin/understood.ts'
export { describeView } from './describe.ts'
export { DIGEST, parseDigest } from './documents/digest/digest.ts'
export { digestOf } from './ecdsa.ts'
export { encodeAuthorization } from './evm/authorization.ts'
export {
  type BuiltEvmTransfer,
  buildEvmTokenTransfer,
  buildEvmTransfer,
  type EvmFees,
  type EvmTokenTransfer,
  type EvmTransfer,
} from './evm/build.ts'
export { encodeEvmContext, type TokenClaim } from './evm/context.ts'
export { personalMessage } from './evm/message.ts'
export type { EvmAsset, EvmNetwork, EvmTxType } from './evm/networks.ts'
export { EVM_TOKENS, type Token } from './evm/tokens.ts'
export { encodeTypedData } from './evm/typed-data.ts'
export { evmUnderstood } from './evm/understood.ts'
export {
  ENTRY_POINTS,
  encodeUserOperation,
  type UserOperationRequest,
} from './evm/user-operation.ts'
export type { EntryPointVersion } from './evm/user-operation-hash.ts'
export {
  findNetwork,
  NETWORKS,
  type Network,
  type SolanaNetwork,
} from './networks.ts'
export { type AddressProof, addressProof, proveAddress } from './proof.ts'
export { findAdapter, suitesOf } from './registry.ts'
export { TOKEN_PROGRAMS, type TokenProgram } from './solana/addresses.ts'
export {
  type BuiltSolanaTransfer,
  buildSolanaTokenTransfer,
  buildSolanaTransfer,
  type SolanaLifetime,
  type SolanaTokenTransfer,
  type SolanaTransfer,
} from './solana/build.ts'
export {
  encodeContext as encodeSolanaContext,
  type LoadedAddresses,
  type SolanaContext,
  type TokenAccountClaim,
} from './solana/context.ts'
export { associatedTokenAddress, findProgramAddress, type ProgramAddress } from './solana/derive.ts'
export { encodeOffchain } from './solana/offchain.ts'
export { type KnownToken, knownTokens as solanaTokens } from './solana/tokens.ts'
export { solanaUnderstood } from './solana/understood.ts'
export { transactionId } from './transaction-id.ts'
export type { Understanding } from './understanding.ts'
