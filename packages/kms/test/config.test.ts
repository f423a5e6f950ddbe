import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { isFault, type Logger } from '@quorate/base'
import { KMS_SETTINGS, type KmsConfig, kmsConfig, startKms } from '@quorate/kms'
import { loadConfig } from '@quorate/platform'
import { ACCESS_DEFAULTS } from '#src/domains/access/service.js'
import { testConfig } from '#src/testing/index.js'
import { scratch } from './scratch.js'

const read = (
  flags: { readonly [key: string]: string },
  env: { [name: string]: string | undefined } = {},
): KmsConfig => kmsConfig(loadConfig(KMS_SETTINGS, { flags, env }), env)
const faultIs = (code: string) => (error: unknown) => isFault(error) && error.code === code

test('development starts with none of the names set; anything else must be said', (t) => {
  const data = scratch(t)
  const config = read({ data, environment: 'development' })
  assert.deepEqual(config.http.address, { host: '127.0.0.1', port: 8200 })
  assert.equal(config.http.socketPath, join(data, 'kms.sock'))
  assert.ok(!config.http.isTls)
  assert.equal(config.hsm.config.type, 'simulated')
  assert.equal(config.databaseUri, undefined)
  assert.deepEqual(config.notes, [])
  assert.throws(() => read({ data }), faultIs('kms/no-environment'))
  assert.throws(
    () => read({ data, environment: 'development', 'http.host': '0.0.0.0' }),
    faultIs('kms/loopback-only'),
  )
  assert.ok(read({ data, environment: 'staging', 'http.host': '0.0.0.0' }).http.isTls)
})

test('the names that other products use are understood; unused ones are said to be', (t) => {
  const env = {
    DB_CONNECTION_URI: 'postgresql://u:p@host/db',
    REDIS_URL: 'redis://host',
    AUTH_SECRET: 'x',
    ENCRYPTION_KEY: '0123456789abcdef0123456789abcdef',
    SITE_URL: 'https://kms.example.org/',
    TELEMETRY_ENABLED: 'true',
    HSM_KEY_LABEL: 'root',
    HSM_KEY_LABEL_HMAC: 'root_HMAC',
  }
  const config = read({ data: scratch(t), environment: 'development' }, env)
  assert.ok(config.databaseUri !== undefined && config.encryptionKey !== undefined)
  assert.equal(config.siteUrl, 'https://kms.example.org')
  assert.deepEqual(config.keyLabels, { key: 'root', mac: 'root_HMAC' })
  assert.deepEqual(
    config.notes.map((note) => note.split(' ')[0]),
    ['REDIS_URL', 'AUTH_SECRET', 'TELEMETRY_ENABLED'],
  )
  assert.equal(env.ENCRYPTION_KEY, undefined, 'a plain secret leaves the environment')
  assert.throws(
    () => read({ data: scratch(t), environment: 'development' }, { ENCRYPTION_KEY: 'short' }),
    faultIs('platform/bad-setting'),
  )
})

test('how often identities and strangers may ask is configured', (t) => {
  const base = { data: scratch(t), environment: 'development' }
  assert.deepEqual(read(base).access, ACCESS_DEFAULTS)
  const env = { QUORATE_ACCESS_IDENTITY_BURST: '7' }
  const { access } = read({ ...base, 'access.addressRate': '3', 'access.addressBurst': '4' }, env)
  assert.deepEqual(access.addressRate, { perSecond: 3, burst: 4 })
  assert.equal(access.identityRate.burst, 7)
  assert.throws(() => read({ ...base, 'access.addressRate': '0' }), faultIs('platform/bad-setting'))
})

test('the server keeps to them', async (t) => {
  const access = { ...ACCESS_DEFAULTS, addressRate: { perSecond: 1, burst: 2 } }
  const silent: Logger = { log: () => undefined, with: () => silent }
  const running = await startKms({ ...testConfig(scratch(t)), access }, silent)
  t.after(() => running.stop())
  const statuses: number[] = []
  for (let i = 0; i < 3; i++)
    statuses.push((await fetch(`http://127.0.0.1:${running.port}/api/v1/health`)).status)
  assert.deepEqual(statuses, [200, 200, 429])
})
