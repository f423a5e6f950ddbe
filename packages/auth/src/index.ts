export { type BackupHead, makeBackupHead, readBackupHead } from './backup-head.ts'
export {
  ADMIN_GROUP,
  approverOf,
  type ClusterAdmin,
  type ClusterClient,
  type ClusterNode,
  type ClusterRecord,
  clusterRecordHash,
  decodeClusterRecord,
  encodeClusterRecord,
  RECIPIENT_KINDS,
  type Recipient,
  type RecipientKind,
  type Restored,
} from './cluster-record.ts'
export {
  CUSTODY_LEVELS,
  type Custody,
  ENVIRONMENTS,
  type Environment,
} from './document.ts'
export {
  type EpochRecord,
  MAX_EPOCH_MS,
  makeEpoch,
  type TrustContext,
  verifyEpoch,
  verifyPastEpoch,
} from './epoch.ts'
export { fingerprintWords } from './fingerprint.ts'
export {
  HEARTBEAT_LIFE_MS,
  type Heartbeat,
  HeartbeatBook,
  type HeartbeatContent,
  makeHeartbeat,
  verifyHeartbeat,
} from './heartbeat.ts'
export {
  type Connection,
  checkHello,
  type Greeting,
  type Hello,
  type HelloContext,
  isGreetingOf,
  makeHello,
} from './hello.ts'
export {
  makeNodeCard,
  type NodeCard,
  nodeCardHash,
  type Restores,
  readNodeCard,
} from './node-card.ts'
export {
  type AcceptedRecord,
  type AcceptOptions,
  acceptChain,
  acceptRecord,
  decodeSignedRecord,
  encodeSignedRecord,
  type FormerNode,
  type RecordSignature,
  type RecordSigner,
  type SignedClusterRecord,
  signClusterRecord,
} from './record-chain.ts'
export { ReplayGuard, type ReplayGuardOptions, type Sighting } from './replay-guard.ts'
export {
  type HttpRequest,
  httpRequestMessage,
  type RequestContext,
  type RequestCredentials,
  signHttpRequest,
  verifyHttpRequest,
} from './signed-request.ts'
