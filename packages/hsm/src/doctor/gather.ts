/** From a live provider and its configuration to the facts that the doctor judges. */
import { randomBytes } from 'node:crypto'
import { type Clock, equalBytes, isFault } from '@quorate/base'
import type { AttestedKey } from '../attest/key-info.ts'
import type { DeviceSettings, ObjectFacts, TokenFacts } from '../device.ts'
import { PROFILES } from '../pkcs11/profiles/find.ts'
import {
  type Attestation,
  type Custody,
  type HsmProvider,
  hasCapability,
  type KeyId,
} from '../provider.ts'
import type { ZymbitState } from '../zymbit/commands.ts'
import { type AttestationFacts, type DoctorFacts, type Fact, known, unknown } from './facts.ts'
import { configurationFacts, type GivenPin, libraryFacts, pinFacts } from './local-facts.ts'
import { type DeviceProbes, probeDevice } from './probe-device.ts'
import { vendorFacts } from './vendor-files.ts'

/** An attestation out of a file, with the nonce that it was asked for with. */
export type StoredAttestation = { readonly attestation: Attestation; readonly nonce: Uint8Array }

/** A device as it is now. */
export type DoctorSource = {
  readonly provider: HsmProvider
  /** Where a token is behind it. */
  readonly tokenFacts?: () => Promise<TokenFacts>
  readonly objects?: () => Promise<readonly ObjectFacts[]>
  /** The public key that an attestation is of; `key` is what it should be. @throws where it does not verify */
  readonly verifyAttestation?: (
    attestation: Attestation,
    nonce: Uint8Array,
    key: AttestedKey,
  ) => Uint8Array
  /** For a device that is asked by other tools: attestations that were made lately. */
  readonly storedAttestations?: readonly StoredAttestation[]
  /** Milliseconds since the epoch, of a clock that is trusted more than that of this machine. */
  readonly referenceTime?: () => Promise<number>
  /** Share of operations that failed on the device, 0 to 1. */
  readonly errorRate?: () => number
  /** Where the device is a Zymbit. */
  readonly zymbit?: () => Promise<ZymbitState>
}

/** How it is configured. What nobody has said is not checked. */
export type DoctorConfiguration = {
  readonly environment: DoctorFacts['environment']
  readonly custody: Custody
  readonly type: string
  /** Where a module is behind it. */
  readonly settings?: DeviceSettings
  /** Of the process that loads the module, besides what `settings` add. */
  readonly env?: { readonly [name: string]: string | undefined }
  readonly uid: number
  readonly pin?: GivenPin
  /** SHA-256 of the module in hex. */
  readonly librarySha256?: string
  /** Ids in hex of keys that the security officer made trusted. */
  readonly trustedKeys?: readonly string[]
  readonly cryptoperiodDays?: number
  readonly hasSecondHsm?: boolean
  readonly lastRestoreDrill?: number | 'never'
  /** Whether the device may be used for trial operations, with keys that are made and destroyed. */
  readonly mayProbe: boolean
}

type Outcome = AttestationFacts['outcome']

const CRYPTOPERIOD_DAYS = 365
const NOT_SAID = 'the configuration does not say'
const NO_TOKEN = 'no PKCS#11 token is behind this provider'

/** Everything that can be learned. Fails for nothing: what cannot be learned is unknown, with the reason. */
export async function gatherFacts(
  source: DoctorSource,
  configuration: DoctorConfiguration,
  clock: Clock,
): Promise<DoctorFacts> {
  const { settings, type, environment, custody, uid } = configuration
  const { provider, tokenFacts, objects, referenceTime, errorRate, zymbit } = source
  const profile = PROFILES.find(({ id }) => id === settings?.profile)
  // Before the doctor's own keys are there.
  const found = await learn(objects, NO_TOKEN)
  const token = await learn(tokenFacts, NO_TOKEN)
  const attestations = await learnAttestations(source)
  const reference = await learn(referenceTime, 'no reference clock is configured')
  return {
    now: clock.now(),
    environment,
    custody,
    type,
    uid,
    token,
    objects: found,
    unreliable: profile?.denied ?? [],
    trustedKeys: configuration.trustedKeys ?? [],
    cryptoperiodDays: configuration.cryptoperiodDays ?? CRYPTOPERIOD_DAYS,
    pin: pinFacts(configuration.pin, type),
    library: libraryFacts(settings, configuration.librarySha256),
    configuration: configurationFacts(settings?.env ?? {}),
    hasSecondHsm: said(configuration.hasSecondHsm),
    lastRestoreDrill: drillOf(configuration.lastRestoreDrill),
    attestations,
    clockSkewMs: 'value' in reference ? known(clock.now() - reference.value) : reference,
    errorRate: errorRate === undefined ? unknown('no statistics are kept') : known(errorRate()),
    vendor: {
      ...vendorFacts(type, { ...configuration.env, ...settings?.env }),
      zymbit: await learn(zymbit, 'only a Zymbit tells of them'),
    },
    ...(await probes(provider, configuration.mayProbe, clock)),
  }
}

const said = <T>(value: T | undefined): Fact<T> =>
  value === undefined ? unknown(NOT_SAID) : known(value)

const drillOf = (at: number | 'never' | undefined): Fact<number | undefined> =>
  at === undefined ? unknown(NOT_SAID) : known(at === 'never' ? undefined : at)

const codeOf = (error: unknown): string => (isFault(error) ? error.code : 'unexpected error')

/** What `ask` gives; or the code of its failure; or, where nobody can be asked, `otherwise`. */
async function learn<T>(
  ask: (() => Promise<T>) | undefined,
  otherwise = NOT_SAID,
): Promise<Fact<T>> {
  if (ask === undefined) return unknown(otherwise)
  try {
    return known(await ask())
  } catch (error) {
    return unknown(codeOf(error))
  }
}

async function probes(
  provider: HsmProvider,
  mayProbe: boolean,
  clock: Clock,
): Promise<DeviceProbes> {
  const none = (reason: string): DeviceProbes => {
    const fact = unknown(reason)
    return { gcm: fact, signing: fact, random: fact, latency: fact }
  }
  if (!mayProbe) return none('trial operations are not allowed')
  try {
    return await probeDevice(provider, clock)
  } catch (error) {
    return none(codeOf(error))
  }
}

const SIGNING = ['ed25519', 'p256', 'secp256k1'] as const

async function learnAttestations({
  provider,
  verifyAttestation,
  storedAttestations,
}: DoctorSource): Promise<Fact<readonly AttestationFacts[]>> {
  const canAttest = hasCapability(provider, 'attest')
  if (!canAttest && storedAttestations === undefined)
    return unknown('the device does not attest keys')
  if (verifyAttestation === undefined) return unknown('no root of its attestations is configured')
  const judge = (given: StoredAttestation, key: AttestedKey): Outcome => {
    try {
      const attested = verifyAttestation(given.attestation, given.nonce, key)
      return equalBytes(attested, key.publicKey) ? 'good' : 'other-key'
    } catch {
      return 'invalid'
    }
  }
  /** Of those in files the best counts: the others are of other keys. */
  const stored = (key: AttestedKey): Outcome => {
    const outcomes = (storedAttestations ?? []).map((each) => judge(each, key))
    return outcomes.find((each) => each === 'good') ?? 'missing'
  }
  const outcomeOf = async (id: KeyId, key: AttestedKey): Promise<Outcome> => {
    if (!canAttest || storedAttestations !== undefined) return stored(key)
    const nonce = new Uint8Array(randomBytes(32))
    const given = await learn(() => provider.attestKey(id, nonce))
    return 'unknown' in given ? 'missing' : judge({ attestation: given.value, nonce }, key)
  }
  return learn(async () => {
    const all: AttestationFacts[] = []
    for (const { id, label, algorithm, publicKey } of await provider.list()) {
      const signing = SIGNING.find((each) => each === algorithm)
      if (signing === undefined || publicKey === undefined) continue
      all.push({ label, outcome: await outcomeOf(id, { algorithm: signing, publicKey }) })
    }
    return all
  })
}
