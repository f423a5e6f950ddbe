export type {
  ChainAdapter,
  KeyRef,
  ParseRequest,
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
  findNetwork,
  NETWORKS,
  type Network,
  type SolanaNetwork,
} from './networks.ts'
export { type AddressProof, addressProof, proveAddress } from './proof.ts'
export { findAdapter } from './registry.ts'
