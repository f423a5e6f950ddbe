export { type Control, decodeControl, encodeControl } from '../signer-process/control.ts'
export { type Parcel, readParcel } from '../signer-process/parcel.ts'
export {
  type Client,
  softwareKey,
  type Tamper,
  TestCluster,
  TestNode,
  type Wire,
} from './cluster.ts'
export { corrupted } from './corrupted.ts'
export { type Heard, HostileNode, type HostileOptions, type Said } from './hostile-node.ts'
export { type NodeFiles, type OpenedNode, openNode } from './opened-node.ts'
export {
  type IntentOptions,
  intentOf,
  QUICK_ECDSA,
  refreshBody,
  segwitSpend,
  sepoliaTransfer,
  solanaIntent,
  solanaTransfer,
  type TestNetwork,
  walletBody,
} from './requests.ts'
export { type HeldShare, readShare } from './shares.ts'
