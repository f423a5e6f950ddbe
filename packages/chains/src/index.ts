export type {
  AddressVerifier,
  ChainAdapter,
  EcdsaItem,
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
export { formatAmount } from './amount.ts'
export { describeView } from './describe.ts'
export {
  type BitcoinNetwork,
  type BitcoinParams,
  type EvmNetwork,
  findNetwork,
  NETWORKS,
  type Network,
  type SolanaNetwork,
} from './networks.ts'
export { type AddressProof, addressProof, proveAddress } from './proof.ts'
export { findAdapter, suitesOf } from './registry.ts'
