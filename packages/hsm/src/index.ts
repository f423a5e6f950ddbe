export {
  type Certificate,
  certificatesIn,
  MAX_CERTIFICATE_BYTES,
} from './attest/certificate.ts'
export { AttestationChallenges } from './attest/challenges.ts'
export {
  type AttestationSigner,
  type AttesterOptions,
  attestationSigner,
  countBoot,
  DOCUMENT_FORMAT,
  documentAttester,
  type KeyStatement,
  type OpenedDocument,
  openDocument,
  type PolicyAttribute,
} from './attest/document.ts'
export type { AttestedKey } from './attest/key-info.ts'
export {
  ATTESTATION_FORMATS,
  ATTESTATION_LEVELS,
  type AttestationFormat,
  type AttestationLevel,
  type AttestationRoot,
  attestationRoot,
  isAtLeast,
  LEVEL_OF_FORMAT,
  VENDOR_ROOTS,
} from './attest/levels.ts'
export {
  type AttestationExpectation,
  type AttestationTrust,
  type EnrolledKey,
  type KeyProof,
  lastBootOf,
  proofMessage,
  readKeyAttestation,
  rememberBoot,
  type VerifiedAttestation,
  vendorAttestation,
  verifyKeyAttestation,
} from './attest/verify.ts'
export { type AuditedBy, audited } from './audit/audited.ts'
export { type CloudWatchOptions, cloudWatchDelivery } from './audit/cloudwatch.ts'
export type { AuditDelivery, AuditLine } from './audit/delivery.ts'
export {
  AUDIT_LIMITS,
  type AuditLimits,
  type AuditPlace,
  type HsmAuditFigures,
  HsmAuditLog,
  type HsmAuditLogOptions,
} from './audit/log.ts'
export type {
  AuditContext,
  AuditResult,
  HsmAuditRecord,
  HsmAuditSink,
  StoredAuditRecord,
} from './audit/record.ts'
export { syslogDelivery } from './audit/syslog.ts'
export {
  type HsmAuditFilter,
  type HsmAuditPage,
  type HsmAuditProblem,
  type HsmAuditReport,
  queryHsmAudit,
  verifyHsmAudit,
} from './audit/verify.ts'
export type { Backup, NotTaken } from './backup/archive.ts'
export {
  Backups,
  type BackupsOptions,
  KEPT_BACKUPS,
  type ListedBackup,
  type MadeBackup,
} from './backup/backups.ts'
export {
  type BackupKeys,
  type Ceremony,
  findBackupKeys,
  generateBackedUpKey,
  initBackupKeys,
  joinBackupKeys,
  makeBackupKeys,
  type Shares,
} from './backup/keys.ts'
export { lastRestoreDrill } from './backup/record.ts'
export type { Restored } from './backup/restore.ts'
export { checkHsmEnvironment } from './config/environment.ts'
export {
  CLOUD_TYPES,
  type CloudConfig,
  type CloudType,
  HSM_ENVIRONMENTS,
  HSM_TYPES,
  type HsmConfig,
  type HsmEnvironment,
  type HsmType,
  hsmConfigCodec,
  isHosted,
  isVendor,
  type PoolConfig,
  type TokenQuery,
  VENDORS,
  type Vendor,
} from './config/model.ts'
export {
  type CloudWatchPlace,
  type MonitoringConfig,
  monitoringConfigOf,
} from './config/monitoring.ts'
export { MAX_PIN_BYTES, type PinFrom, pinFromDescriptor, pinFromFile } from './config/pin.ts'
export { type DeviceConfig, type ResolveOptions, resolveHsm } from './config/resolve.ts'
export { sampleConfig } from './config/samples.ts'
export {
  HSM_SETTINGS,
  type HsmSettings,
  type HsmValues,
} from './config/settings.ts'
export type { ConformanceCheck } from './conformance/check.ts'
export {
  type ConformanceReport,
  type ConformanceResult,
  conformanceOf,
} from './conformance/report.ts'
export { CONFORMANCE } from './conformance/suite.ts'
export { CUSTODY, checkCustody, custodyOf, reaches, weaker } from './custody.ts'
export { SEVERITIES, type Severity } from './doctor/check.ts'
export { diagnose, exitCodeOf, type Finding } from './doctor/diagnose.ts'
export {
  type DoctorConfiguration,
  type DoctorSource,
  gatherFacts,
  type StoredAttestation,
} from './doctor/gather.ts'
export { renderTable, toJson, toSarif } from './doctor/report.ts'
export { toLowS } from './ecdsa.ts'
export {
  type DeviceCode,
  DeviceFault,
  type DeviceFaultOptions,
  type Failover,
  failoverOf,
} from './errors.ts'
export {
  EVENT_KINDS,
  EVENT_SEVERITIES,
  type EventKind,
  type EventSeverity,
  type HsmEvent,
  type HsmEventFact,
  type HsmEventListener,
  type HsmEvents,
  hsmEvents,
  SEVERITY_OF,
} from './events.ts'
export type { FailoverSlot, FallbackSlot, Work } from './failover/options.ts'
export {
  type FailoverStatus,
  failoverNames,
  readFailoverStatus,
  renewFallback,
} from './failover/record.ts'
export { hsmReportCodec } from './host/report-codec.ts'
export { type HsmReport, renderHsmMetrics } from './host/status.ts'
export { initSoftToken, type SoftToken } from './init/soft-token.ts'
export {
  type Alert,
  type AlertFilter,
  type AlertMark,
  type AlertState,
  alertStateOf,
  listAlerts,
  MAX_ALERTS,
} from './monitoring/alert.ts'
export { AlertBook, type AlertPorts } from './monitoring/alerts.ts'
export { addHsmMetrics, type HsmMetricSources } from './monitoring/metrics.ts'
export {
  HsmMonitor,
  MONITOR_LIMITS,
  type MonitorLimits,
  type MonitorPorts,
} from './monitoring/monitor.ts'
export {
  logNotifier,
  type Notice,
  type Notifier,
  notifyAll,
  WEBHOOK_LIMITS,
  type WebhookLimits,
  type WebhookOptions,
  webhookNotifier,
} from './monitoring/notify.ts'
export { type TamperPorts, type TamperWatch, watchTamper } from './monitoring/tamper.ts'
export { HsmWatch, type HsmWatchPorts } from './monitoring/watch.ts'
export {
  type Attestation,
  type Attester,
  type Capabilities,
  type Custody,
  type Deriver,
  type Encrypted,
  type HsmProvider,
  hasCapability,
  type Importer,
  type KeyAlgorithm,
  type KeyId,
  type KeyInfo,
  type KeyQuery,
  type KeyRequest,
  type KeyWrapper,
  type ProviderHealth,
  type ProviderInfo,
  parseKeyId,
  type SignInput,
  type SigningAlgorithm,
  type Tamper,
  type TamperEvent,
  type WrappableRequest,
} from './provider.ts'
export {
  deviceSettings,
  type HsmAddress,
  type HsmPorts,
  type OpenHsm,
  openHsm,
} from './registry.ts'
export { type KeyRoles, openKeyRoles, ROLE_NAME, type RoleBinding } from './roles/bindings.ts'
export {
  type Asking,
  type CustodyOptions,
  type CustodyPorts,
  type NewRoleKey,
  RoleCustody,
} from './roles/custody.ts'
export { openRoleLocks, type RoleLock, type RoleLocks, unlockPhrase } from './roles/locks.ts'
export { type CustodySource, openRoleCustody } from './roles/open.ts'
export type { RoleSigner, SignRequest } from './roles/role-signer.ts'
export {
  type OldKeys,
  ROTATION_DEFAULTS,
  type RotationConfig,
  type RotationValues,
  rotationConfig,
  rotationConfigOf,
} from './rotation/config.ts'
export { type OpenRotations, openRotations, type RotationsPorts } from './rotation/open.ts'
export type { RotationConsumer, RotationDevices, RotationPorts } from './rotation/ports.ts'
export type { RotationJob, RotationStep } from './rotation/record.ts'
export { type Replica, replicaConsumer } from './rotation/replicas.ts'
export { Rotations } from './rotation/rotations.ts'
export { nextRotation, type Schedule } from './rotation/schedule.ts'
export { type RotationStatus, rotationStatus } from './rotation/status.ts'
export { makeSealedKey, openSealedKey } from './sealed-signer.ts'
export { hsmSealer, hsmSigner } from './sealer.ts'
export { type BatchResult, MAX_BATCH } from './signing/batch.ts'
export type { CacheFigures } from './signing/cache.ts'
export {
  type KeyManager,
  type KeySource,
  type KeySourceOptions,
  openKeyManager,
  type ToSign,
} from './signing/key-manager.ts'
export { type SimulatedStatement, verifySimulatedAttestation } from './simulated/attestation.ts'
export { type LoggedOperation, SimulatedHsm } from './simulated/provider.ts'
export { SoftwareHsm } from './software/provider.ts'
export { type MemoryState, memoryHsmState } from './state/memory.ts'
export { openHsmState } from './state/open.ts'
export { type HsmState, MAX_STATE_BYTES, STATE_NAME } from './state/store.ts'
export type {
  PerimeterAction,
  Slip39Shape,
  Wallet,
  WalletRequest,
  ZymbitState,
} from './zymbit/commands.ts'
export { confirmations } from './zymbit/confirm.ts'
export { type ZymbitDevice, zymbitDevice } from './zymbit/device.ts'
export type { WalletNode } from './zymbit/wallet-nodes.ts'
export {
  type ShareMaking,
  type ShareTaking,
  type Slip39Options,
  type Words,
  type ZymbitWallets,
  zymbitWallets,
} from './zymbit/wallets.ts'
