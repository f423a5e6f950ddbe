/** From the sections of a file to what watches over devices: how often, whom to tell, where records go. */
import { Fault } from '@quorate/base'
import { withoutAbsent } from '../absent.ts'
import type { MonitorLimits } from '../monitoring/monitor.ts'
import { webhookUrl } from '../monitoring/notify.ts'
import type { SectionValues } from './section.ts'

export type CloudWatchPlace = {
  readonly region: string
  readonly group: string
  readonly stream: string
  readonly endpoint?: string | undefined
  /** Whether nothing is confirmed before it is there too. */
  readonly isRequired: boolean
}

export type MonitoringConfig = {
  readonly limits: Partial<MonitorLimits>
  readonly metricsPrefix?: string | undefined
  /** `undefined` where nobody is to be told. */
  readonly alerting:
    | {
        readonly webhook?: { readonly url: string; readonly secretFile: string } | undefined
      }
    | undefined
  readonly audit: {
    /** The caller's own choice unless given. */
    readonly directory?: string | undefined
    readonly anchorFile?: string | undefined
    readonly syslog?: string | undefined
    readonly cloudWatch?: CloudWatchPlace | undefined
  }
}

const SECTIONS = ['monitoring', 'alerting', 'audit'] as const
const STREAM = 'quorate-hsm'

/** What the sections say; where they say nothing, the usual. @throws hsm/bad-config naming the line */
export function monitoringConfigOf(values: SectionValues): MonitoringConfig {
  const get = <T>(key: string): T | undefined => values.get(key)?.value as T | undefined
  const refuse = (key: string, detail: string): never => {
    const where = values.get(key)?.where ?? key
    throw new Fault('hsm/bad-config', { detail: `${key} (${where}): ${detail}` })
  }
  const share = (key: string): number | undefined => {
    const percent = get<number>(key)
    return percent === undefined ? undefined : percent / 100
  }
  const says = (section: string): boolean =>
    [...values.keys()].some((key) => key.startsWith(`${section}.`) && key !== `${section}.enabled`)
  const url = get<string>('alerting.webhook')
  const secretFile = get<string>('alerting.webhookSecretFile')
  if (url !== undefined) {
    webhookUrl(url)
    if (secretFile === undefined)
      refuse('alerting.webhook', 'alerting.webhookSecretFile is missing: what it is signed with')
  }
  return {
    limits: withoutAbsent({
      healthCheckMs: get<number>('monitoring.healthCheckInterval'),
      maxErrorRate: share('monitoring.maxErrorPercent'),
      poolShare: share('monitoring.poolPercent'),
    }),
    metricsPrefix: get<string>('monitoring.metricsPrefix'),
    alerting:
      (get<boolean>('alerting.enabled') ?? (says('alerting') || says('monitoring')))
        ? url === undefined || secretFile === undefined
          ? {}
          : { webhook: { url, secretFile } }
        : undefined,
    audit: {
      directory: get<string>('audit.directory'),
      anchorFile: get<string>('audit.anchorFile'),
      syslog: get<string>('audit.syslog'),
      cloudWatch: cloudWatchOf(get, refuse),
    },
  }
}

function cloudWatchOf(
  get: <T>(key: string) => T | undefined,
  refuse: (key: string, detail: string) => never,
): CloudWatchPlace | undefined {
  const [region, group] = [
    get<string>('audit.cloudwatch.region'),
    get<string>('audit.cloudwatch.group'),
  ]
  if (region === undefined && group === undefined) return undefined
  if (region === undefined || group === undefined)
    return refuse('audit.cloudwatch', 'region and group are needed')
  return {
    region,
    group,
    stream: get<string>('audit.cloudwatch.stream') ?? STREAM,
    endpoint: get<string>('audit.cloudwatch.endpoint'),
    isRequired: get<boolean>('audit.cloudwatch.required') === true,
  }
}

const USUAL_INTERVAL_MS = 30_000

/**
 * For a program that has no alerts and an audit log of its own.
 * @throws hsm/not-yet-supported for a file that asks for more, so that nobody waits for alerts that never come
 */
export function refuseWatch(values: SectionValues): void {
  const isOff = (section: string): boolean => values.get(`${section}.enabled`)?.value === false
  for (const [key, { value, where }] of values) {
    const section = SECTIONS.find((each) => key.startsWith(`${each}.`))
    const isUsual = key === 'monitoring.healthCheckInterval' && value === USUAL_INTERVAL_MS
    if (section === undefined || isOff(section) || isUsual || key === 'monitoring.enabled') continue
    throw new Fault('hsm/not-yet-supported', {
      detail: `${key} (${where}): this program watches its device in its own way`,
    })
  }
}
