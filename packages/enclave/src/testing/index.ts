export { type Control, decodeControl, encodeControl } from '../signer-process/control.ts'
export {
  type Client,
  softwareKey,
  type Tamper,
  TestCluster,
  TestNode,
  type Wire,
} from './cluster.ts'
export { type Heard, HostileNode, type HostileOptions, type Said } from './hostile-node.ts'
export { type NodeFiles, type OpenedNode, openNode } from './opened-node.ts'
export { solanaIntent, solanaTransfer, walletBody } from './requests.ts'
export { type HeldShare, readShare } from './shares.ts'
