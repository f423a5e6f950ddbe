export { type SegmentReport, verifySegments } from './audit/segment-files.ts'
export { KMS_PORT, KMS_SETTINGS, type KmsConfig, kmsConfig } from './config.ts'
export type {
  KmsContext,
  KmsEnvironment,
  KmsModule,
  KmsOptions,
  PeriodicJob,
} from './context.ts'
export { isBuiltInRole } from './domains/access/roles.ts'
export type { KmsRoute } from './domains/access/route.ts'
export {
  approvalMessage,
  type RequestTerms,
  requestHash,
  rulesHash,
} from './domains/approvals/model.ts'
export {
  inspectKmsBackup,
  type RestoredStore,
  type RestoreSource,
  restoreKms,
} from './restore.ts'
export { type RunningKms, startKms } from './server.ts'
export type { BackupSummary } from './storage/restore.ts'
