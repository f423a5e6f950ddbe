import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { HSM_SETTINGS, type MonitoringConfig, monitoringConfigOf, resolveHsm } from '@quorate/hsm'
import { loadConfig } from '@quorate/platform'
import { place } from '../audit/kit.ts'
import { isCode } from '../kit.ts'

const resolved = (t: TestContext, text: string, takesCustody = true) => {
  const path = join(place(t), 'hsm.yaml')
  writeFileSync(path, text)
  const settings = loadConfig(HSM_SETTINGS, { flags: { 'hsm.file': path }, env: {} })
  return resolveHsm(settings, { environment: 'development', env: {}, takesCustody })
}
const monitoring = (t: TestContext, text: string): MonitoringConfig =>
  monitoringConfigOf(resolved(t, `type: simulated\ndirectory: /tmp/hsm\n${text}`).sections)

test('without a word devices are asked every half minute, and nobody is told of anything', (t) => {
  const { limits, alerting, audit } = monitoring(t, '')
  assert.deepEqual(limits, {})
  assert.equal(alerting, undefined)
  assert.deepEqual(Object.values(audit).filter(Boolean), [])
})

test('every setting has an effect, in camel case and with underscores', (t) => {
  const wanted: MonitoringConfig = {
    limits: { healthCheckMs: 10_000, maxErrorRate: 0.2, poolShare: 0.8 },
    metricsPrefix: 'mpc_',
    alerting: { webhook: { url: 'https://example.org/hook', secretFile: '/run/secret' } },
    audit: {
      directory: '/var/log/hsm',
      anchorFile: '/mnt/anchor',
      syslog: 'udp://10.0.0.1:514',
      cloudWatch: {
        region: 'eu-central-1',
        group: '/quorate/hsm',
        stream: 'node-1',
        endpoint: undefined,
        isRequired: true,
      },
    },
  }
  const camel = `
monitoring:
  healthCheckInterval: 10s
  metricsPrefix: mpc_
  maxErrorPercent: 20
  poolPercent: 80
alerting:
  enabled: true
  webhook: https://example.org/hook
  webhookSecretFile: /run/secret
audit:
  directory: /var/log/hsm
  anchorFile: /mnt/anchor
  syslog: udp://10.0.0.1:514
  cloudwatch:
    region: eu-central-1
    group: /quorate/hsm
    stream: node-1
    required: true
`
  const underscored = `
monitoring:
  health_check_interval: 10000
  metrics_prefix: mpc_
  max_error_percent: 20
  pool_percent: 80
  alerting:
    enabled: true
    webhook_url: https://example.org/hook
    webhook_secret_file: /run/secret
audit:
  log_directory: /var/log/hsm
  anchor_file: /mnt/anchor
  syslog: udp://10.0.0.1:514
  cloudwatch:
    region: eu-central-1
    log_group: /quorate/hsm
    log_stream: node-1
    required: true
`
  assert.deepEqual(monitoring(t, camel), wanted)
  assert.deepEqual(monitoring(t, underscored), wanted)
})

test('the names of guides stand alone too', (t) => {
  const { limits, alerting } = monitoring(t, 'healthCheckInterval: 30000\nalerting: true\n')
  assert.deepEqual([limits, alerting], [{ healthCheckMs: 30_000 }, {}])
  assert.equal(
    monitoring(t, 'monitoring:\n  healthCheckInterval: 5s\n  alerting: false\n').alerting,
    undefined,
  )
  assert.deepEqual(monitoring(t, 'monitoring:\n  healthCheckInterval: 5s\n').alerting, {})
})

test('what cannot be meant is refused, with its line', (t) => {
  const bad = isCode('hsm/bad-config')
  assert.throws(() => monitoring(t, 'alerting:\n  webhook: https://example.org\n'), bad)
  assert.throws(
    () => monitoring(t, 'alerting:\n  webhook: http://example.org\n  webhookSecretFile: /x\n'),
    bad,
  )
  assert.throws(() => monitoring(t, 'audit:\n  cloudwatch:\n    region: eu-central-1\n'), bad)
  const wrong = isCode('platform/bad-setting')
  assert.throws(() => monitoring(t, 'audit:\n  syslog: somewhere\n'), wrong)
  assert.throws(() => monitoring(t, 'monitoring:\n  maxErrorPercent: 0\n'), wrong)
  assert.throws(() => monitoring(t, 'monitoring:\n  metricsPrefix: "Bad Name"\n'), wrong)
  assert.throws(
    () => monitoring(t, 'monitoring:\n  healthCheckIntervall: 5s\n'),
    isCode('platform/unknown-setting'),
  )
})

test('a program that has no alerts refuses a file that asks for them', (t) => {
  const alone = (text: string) =>
    resolved(t, `type: simulated\ndirectory: /tmp/hsm\n${text}`, false)
  for (const text of [
    'alerting: true\n',
    'audit:\n  directory: /x\n',
    'monitoring:\n  healthCheckInterval: 5s\n',
  ])
    assert.throws(() => alone(text), isCode('hsm/not-yet-supported'), text)
  for (const text of [
    'alerting: false\n',
    'monitoring:\n  healthCheckInterval: 30s\n',
    'monitoring:\n  enabled: false\n  healthCheckInterval: 5s\n',
  ])
    alone(text)
})
