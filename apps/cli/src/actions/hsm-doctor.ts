/** hsm doctor: what is weak in an HSM, its keys and its configuration. */
import { existsSync } from 'node:fs'
import { Fault, isFault } from '@quorate/base'
import {
  type DoctorSource,
  deviceSettings,
  diagnose,
  exitCodeOf,
  gatherFacts,
  type HsmConfig,
  isHosted,
  lastRestoreDrill,
  readKeyAttestation,
  renderTable,
  SEVERITIES,
  SimulatedHsm,
  toJson,
  toSarif,
  zymbitDevice,
} from '@quorate/hsm'
import { systemClock } from '@quorate/platform'
import type { Given, Run } from '../command.ts'
import { readAttestation, trustOf } from '../hsm-attestation.ts'
import { type CommandHsm, withHsm } from '../hsm-open.ts'
import { withState } from '../hsm-state.ts'
import { stateDirectory } from '../hsm-state-options.ts'

const FORMATS = ['table', 'json', 'sarif'] as const
type Format = (typeof FORMATS)[number]

/** @throws cli/bad-value naming the known ones */
function choiceOf<T extends string>(
  given: Given,
  option: string,
  among: readonly T[],
  usual: T,
): T {
  const text = given.text(option) ?? usual
  const found = among.find((each) => each === text)
  if (found !== undefined) return found
  throw new Fault('cli/bad-value', { detail: `--${option} takes one of ${among.join(', ')}` })
}

export const doctor: Run = (given, output) => {
  const format: Format = choiceOf(given, 'format', FORMATS, output.isJson ? 'json' : 'table')
  const failOn = choiceOf(given, 'fail-on', SEVERITIES, 'low')
  const look = async (hsm: CommandHsm): Promise<void> => {
    output.progress('looking at the HSM')
    const [attestations, drill] = [await attestationsOf(given, hsm), await drillFrom(given)]
    const facts = await gatherFrom(hsm, !given.flag('no-probe'), attestations, drill)
    const findings = diagnose(facts)
    const { config } = hsm.device
    const name = given.arguments[0] ?? given.text('hsm') ?? config.type
    const text = {
      table: renderTable,
      json: toJson,
      sarif: (all: typeof findings) => toSarif(all, name),
    }
    output.lines(text[format](findings).trimEnd().split('\n'))
    if (exitCodeOf(findings, failOn) !== 0) throw new Fault('cli/findings')
  }
  return withHsm(given, output, look, evenIfRefused)
}

/** What production would refuse is a finding here, and the others are wanted beside it. */
const evenIfRefused = (config: HsmConfig): HsmConfig => ({
  ...config,
  requireCustody: undefined,
  allowSimulatedInProduction: true,
  allowSoftwareInProduction: true,
})

type AttestationSource = Pick<DoctorSource, 'verifyAttestation' | 'storedAttestations'>

const MAX_AGE_MS = 31 * 86_400_000

/** How attestations are judged, and those in files. A simulated HSM vouches for itself: that is all it can. */
async function attestationsOf(given: Given, { provider }: CommandHsm): Promise<AttestationSource> {
  const trust = trustOf(given)
  const own = provider instanceof SimulatedHsm ? [await provider.attestationRoot()] : []
  const stored = given.list('attestation').map(readAttestation)
  return {
    verifyAttestation: (attestation, nonce, key) =>
      readKeyAttestation(
        attestation,
        { key, nonce, now: systemClock.now(), maxAgeMs: MAX_AGE_MS },
        { ...trust, simulated: [...(trust.simulated ?? []), ...own] },
      ).key.publicKey,
    ...(stored.length > 0 && { storedAttestations: stored }),
  }
}

/** When a backup was last restored for trial; undefined where nobody can tell now. */
async function drillFrom(given: Given): Promise<number | 'never' | undefined> {
  if (!existsSync(stateDirectory(given))) return undefined
  try {
    return await withState(given, async (state) => lastRestoreDrill(state))
  } catch (error) {
    // Whoever rotates and makes backups is at work.
    if (isFault(error, 'platform/directory-in-use')) return undefined
    throw error
  }
}

function gatherFrom(
  { provider, hosted, custody, device }: CommandHsm,
  mayProbe: boolean,
  attestations: AttestationSource,
  drill: number | 'never' | undefined,
): ReturnType<typeof gatherFacts> {
  const { config, pin, pinFrom } = device
  return gatherFacts(
    {
      provider,
      ...attestations,
      ...(hosted !== undefined && {
        tokenFacts: () => hosted.token(),
        objects: () => hosted.objects(),
        errorRate: () => hosted.status().errorRate,
      }),
      ...(hosted !== undefined &&
        config.type === 'zymbit' && {
          zymbit: async () => (await zymbitDevice(hosted)).state(),
        }),
    },
    {
      environment: config.environment,
      custody,
      type: config.type,
      uid: process.getuid?.() ?? 0,
      mayProbe,
      ...(drill !== undefined && { lastRestoreDrill: drill }),
      ...(device.sections.has('failover.secondary') && { hasSecondHsm: true }),
      ...(isHosted(config.type) && { settings: deviceSettings(config) }),
      ...(pin !== undefined &&
        !pin.isWiped &&
        pinFrom !== undefined && {
          pin: {
            origin: pinFrom.origin,
            bytes: pin,
            ...(pinFrom.path !== undefined && { path: pinFrom.path }),
          },
        }),
    },
    systemClock,
  )
}
