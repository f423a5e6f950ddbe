export type { ConformanceCheck } from './conformance/check.ts'
export { CONFORMANCE } from './conformance/suite.ts'
export { toLowS } from './ecdsa.ts'
export {
  type DeviceCode,
  DeviceFault,
  type DeviceFaultOptions,
  type Failover,
  failoverOf,
} from './errors.ts'
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
export { type HsmConfig, type OpenHsm, openHsm, type SimulatedConfig } from './registry.ts'
export { hsmSealer, hsmSigner } from './sealer.ts'
export { type SimulatedStatement, verifySimulatedAttestation } from './simulated/attestation.ts'
export { type LoggedOperation, SimulatedHsm } from './simulated/provider.ts'
