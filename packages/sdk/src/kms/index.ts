/** The client of a KMS by itself: it needs neither networks nor protocols, and loads at once. */
export {
  MAX_BACKUP_BYTES,
  parseBackupUrl,
  type ShareBackupStore,
} from './backup-store.ts'
export {
  type ChangeOptions,
  type FullPlace,
  KmsClient,
  type KmsClientOptions,
  type Query,
  targetOf,
} from './client.ts'
export {
  destroyNodeBackup,
  getNodeBackup,
  listNodeBackups,
  putNodeBackup,
} from './node-backup.ts'
export {
  destroyShareBackup,
  getShareBackup,
  putShareBackup,
  type ShareBackup,
  type ShareBackupKey,
} from './share-backup.ts'
export {
  type KmsAnswer,
  type KmsCall,
  type KmsEndpoint,
  parseKmsAddress,
  sendToKms,
} from './transport.ts'
export type {
  ChangedSecret,
  Environment as KmsEnvironment,
  ExportedFile,
  FileFormat,
  Folder,
  ImportOutcome,
  NewSecret,
  Project,
  ReadOptions,
  RestorePlan,
  SearchHit,
  SecretDiff,
  SecretInfo,
  SecretOperation,
  SecretPatch,
  SecretPlace,
  SecretSource,
  SecretType,
  SecretValue,
  SecretVersion,
} from './types.ts'
