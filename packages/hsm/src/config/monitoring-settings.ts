/** The sections of monitoring, alerting and audit, by every name that is in use for them. */
import { settingType } from '@quorate/platform'
import { milliseconds, type SectionTable, section } from './section.ts'

const { boolean, integer, path, text } = settingType

const alerting = (...keys: readonly string[]): readonly string[] =>
  keys.flatMap((key) => [`alerting.${key}`, `monitoring.alerting.${key}`]).slice(1)
const percent = integer(1, 100)
const word = text(/^[A-Za-z0-9._/#-]{1,512}$/, 'a name of letters, digits and . _ / # -')

export const MONITORING_SETTINGS: SectionTable = {
  'monitoring.enabled': section(boolean),
  'monitoring.healthCheckInterval': section(
    milliseconds,
    'healthCheckInterval',
    'monitoring.healthCheckIntervalMs',
  ),
  'monitoring.metricsPrefix': section(
    text(/^[a-z][a-z0-9_]{0,30}_$/, 'small letters, digits and _, with _ at the end'),
  ),
  'monitoring.maxErrorPercent': section(percent),
  'monitoring.poolPercent': section(percent),
  'alerting.enabled': section(boolean, 'alerting', 'monitoring.alerting', ...alerting('enabled')),
  'alerting.webhook': section(
    text(/^https?:\/\/\S{1,2000}$/, 'a URL'),
    ...alerting('webhook', 'webhookUrl'),
  ),
  'alerting.webhookSecretFile': section(path, ...alerting('webhookSecretFile')),
  'audit.directory': section(path, 'audit.path', 'audit.logDirectory'),
  'audit.anchorFile': section(path),
  'audit.syslog': section(
    text(
      /^(?:(?:udp|tcp):\/\/[^\s/]+:\d{1,5}|unix:\/\S+)$/,
      'udp://host:port, tcp://host:port or unix:/path',
    ),
  ),
  'audit.cloudwatch.region': section(
    text(/^[a-z0-9-]{1,40}$/, 'a region'),
    'audit.cloudWatch.region',
  ),
  'audit.cloudwatch.group': section(word, 'audit.cloudwatch.logGroup', 'audit.cloudWatch.logGroup'),
  'audit.cloudwatch.stream': section(
    word,
    'audit.cloudwatch.logStream',
    'audit.cloudWatch.logStream',
  ),
  'audit.cloudwatch.endpoint': section(text(/^https?:\/\/\S{1,1000}$/, 'a URL')),
  'audit.cloudwatch.required': section(boolean),
}
