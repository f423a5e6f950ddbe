/**
 * What the doctor judges: everything that could be learned of a device, its keys and the way in which it
 * is configured. Plain data, so that each check is a pure function.
 */
import type { ObjectFacts, TokenFacts } from '../device.ts'
import type { Custody, SigningAlgorithm } from '../provider.ts'
import type { ZymbitState } from '../zymbit/commands.ts'

/** Something that was learned, or the reason why it was not. */
export type Fact<T> = { readonly value: T } | { readonly unknown: string }

export const known = <T>(value: T): Fact<T> => ({ value })
export const unknown = (reason: string): { readonly unknown: string } => ({ unknown: reason })

export type FileFacts = {
  readonly path: string
  /** Permission bits. */
  readonly mode: number
  readonly uid: number
  /** Of the directory that holds it. */
  readonly directory: { readonly mode: number; readonly uid: number }
}

/** Where the PIN of the configuration comes from. */
export type PinOrigin = 'file' | 'descriptor' | 'prompt' | 'environment' | 'argument'

/** Of the PIN, never the PIN. */
export type PinFacts = {
  readonly origin: PinOrigin
  readonly length: number
  /** One that is in every list of PINs, or made of one repeated or counting character. */
  readonly isCommon: boolean
  /** The user whom it names, where the vendor's PIN holds one. */
  readonly account?: string
  readonly file?: FileFacts
}

export type LibraryFacts = {
  readonly file: FileFacts
  /** In lower-case hex. */
  readonly sha256: string
  /** What the configuration demands. */
  readonly pinnedSha256?: string
}

/** What became of a probe that uses the device: `trouble` is an error code. */
export type GcmProbe =
  | { readonly ivsDiffer: boolean; readonly opens: boolean; readonly refusesAltered: boolean }
  | { readonly trouble: string }
export type SigningProbe = {
  readonly algorithm: SigningAlgorithm
  readonly outcome: 'good' | 'wrong' | 'high-s' | { readonly trouble: string }
}

export type LatencyFacts = { readonly p99Ms: number; readonly samples: number }

export type AttestationFacts = {
  readonly label: string
  readonly outcome: 'good' | 'missing' | 'invalid' | 'other-key'
}

/** What single vendors' devices tell, or their client software is told; undefined where a setting is absent. */
export type VendorFacts = {
  /** AWS CloudHSM's cloudhsm-pkcs11.cfg. */
  readonly cloudHsm: Fact<{
    readonly servers: number
    readonly isAvailabilityCheckOff: boolean
  }>
  readonly nshield: Fact<{ readonly isLoadSharing: boolean; readonly isPooled: boolean }>
  /** Luna's Chrystoki.conf. */
  readonly luna: Fact<{
    readonly hasGroup: boolean
    readonly reconnectAttempts: number | undefined
  }>
  readonly zymbit: Fact<ZymbitState>
}

export type DoctorFacts = {
  readonly now: number
  readonly environment: 'development' | 'staging' | 'production'
  readonly custody: Custody
  /** Type of the configuration: a vendor, `pkcs11`, `software` or `simulated`. */
  readonly type: string
  /** Effective user of the process that uses the device. */
  readonly uid: number
  readonly token: Fact<TokenFacts>
  readonly objects: Fact<readonly ObjectFacts[]>
  /** Attributes of which the vendor's tokens are known to tell nothing true. */
  readonly unreliable: readonly string[]
  /** Key ids in hex that the security officer has made trusted. */
  readonly trustedKeys: readonly string[]
  readonly cryptoperiodDays: number
  readonly pin: Fact<PinFacts>
  readonly library: Fact<LibraryFacts>
  /** Files from which the module reads its configuration. */
  readonly configuration: readonly FileFacts[]
  readonly hasSecondHsm: Fact<boolean>
  /** When a backup was last restored for trial; undefined for never. */
  readonly lastRestoreDrill: Fact<number | undefined>
  readonly attestations: Fact<readonly AttestationFacts[]>
  readonly gcm: Fact<GcmProbe>
  readonly signing: Fact<readonly SigningProbe[]>
  /** Bytes of the device's random generator. */
  readonly random: Fact<Uint8Array>
  /** How far the clock of this machine is ahead of a reference. */
  readonly clockSkewMs: Fact<number>
  readonly latency: Fact<LatencyFacts>
  /** Share of operations that failed on the device, 0 to 1. */
  readonly errorRate: Fact<number>
  readonly vendor: VendorFacts
}
