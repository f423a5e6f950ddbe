export { checkHsmEnvironment } from './config/environment.ts'
export {
  HSM_ENVIRONMENTS,
  HSM_TYPES,
  type HsmConfig,
  type HsmEnvironment,
  type HsmType,
  hsmConfigCodec,
  isVendor,
  type PoolConfig,
  type TokenQuery,
  VENDORS,
  type Vendor,
} from './config/model.ts'
export { MAX_PIN_BYTES, type PinFrom, pinFromDescriptor, pinFromFile } from './config/pin.ts'
export { type DeviceConfig, type ResolveOptions, resolveHsm } from './config/resolve.ts'
export { sampleConfig } from './config/samples.ts'
export {
  HSM_SETTINGS,
  type HsmSettings,
  type HsmValues,
  type NamedType,
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
export { type DoctorConfiguration, type DoctorSource, gatherFacts } from './doctor/gather.ts'
export { renderTable, toJson, toSarif } from './doctor/report.ts'
export { toLowS } from './ecdsa.ts'
export {
  type DeviceCode,
  DeviceFault,
  type DeviceFaultOptions,
  type Failover,
  failoverOf,
} from './errors.ts'
export { audited, type HsmAuditRecord, type HsmAuditSink } from './host/audited.ts'
export { hsmReportCodec } from './host/report-codec.ts'
export { type HsmReport, renderHsmMetrics } from './host/status.ts'
export { initSoftToken, type SoftToken } from './init/soft-token.ts'
export { HsmMonitor } from './monitor.ts'
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
} from './provider.ts'
export {
  deviceSettings,
  type HsmAddress,
  type HsmPorts,
  type OpenHsm,
  openHsm,
} from './registry.ts'
export { makeSealedKey, openSealedKey } from './sealed-signer.ts'
export { hsmSealer, hsmSigner } from './sealer.ts'
export { type SimulatedStatement, verifySimulatedAttestation } from './simulated/attestation.ts'
export { type LoggedOperation, SimulatedHsm } from './simulated/provider.ts'
export { SoftwareHsm } from './software/provider.ts'
