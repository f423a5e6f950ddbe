/** hsm doctor: what is weak in an HSM, its keys and its configuration. */
import { Fault } from '@quorate/base'
import {
  deviceSettings,
  diagnose,
  exitCodeOf,
  gatherFacts,
  type HsmConfig,
  isVendor,
  renderTable,
  SEVERITIES,
  toJson,
  toSarif,
} from '@quorate/hsm'
import { systemClock } from '@quorate/platform'
import type { Given, Run } from '../command.ts'
import { type CommandHsm, withHsm } from '../hsm-open.ts'

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
    const findings = diagnose(await gatherFrom(hsm, !given.flag('no-probe')))
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

function gatherFrom(
  { provider, hosted, custody, device }: CommandHsm,
  mayProbe: boolean,
): ReturnType<typeof gatherFacts> {
  const { config, pin, pinFrom } = device
  return gatherFacts(
    {
      provider,
      ...(hosted !== undefined && {
        tokenFacts: () => hosted.token(),
        objects: () => hosted.objects(),
        errorRate: () => hosted.status().errorRate,
      }),
    },
    {
      environment: config.environment,
      custody,
      type: config.type,
      uid: process.getuid?.() ?? 0,
      mayProbe,
      ...(isVendor(config.type) && { settings: deviceSettings(config) }),
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
