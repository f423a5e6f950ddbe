/** Where a service is, and how far it is trusted. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { decode, encode, isFault } from '@quorate/base'
import { loadConfig } from '@quorate/platform'
import { isForeignService } from '#src/cloud/hosts.js'
import { openCloud } from '#src/cloud/open.js'
import {
  CLOUD_TYPES,
  type CloudConfig,
  type CloudType,
  type HsmConfig,
  hsmConfigCodec,
} from '#src/config/model.js'
import { hsmConfigOf, resolveHsm } from '#src/config/resolve.js'
import { HSM_SETTINGS, type HsmValues } from '#src/config/settings.js'
import { parseHsmUri } from '#src/config/uri.js'
import { custodyOf } from '#src/custody.js'
import { openHsm } from '#src/registry.js'
import { clock, isCode } from '../kit.ts'
import { awsBench, scratchIn, setEnvironment } from './kit.ts'

type Env = { readonly [name: string]: string }
const configOf = (values: Partial<HsmValues>, env: Env = {}): HsmConfig =>
  hsmConfigOf((key) => values[key], { environment: 'production', env })
const cloudOf = (values: Partial<HsmValues>, env: Env = {}): CloudConfig | undefined =>
  configOf(values, env).cloud

describe('a URI', () => {
  test('says where a service is', () => {
    const cases: readonly (readonly [string, object])[] = [
      ['aws-kms:eu-central-1', { type: 'aws-kms', region: 'eu-central-1' }],
      [
        'aws-kms:us-east-1?prefix=staging&endpoint=http://127.0.0.1:4566',
        {
          type: 'aws-kms',
          region: 'us-east-1',
          keyPrefix: 'staging',
          endpoint: 'http://127.0.0.1:4566',
        },
      ],
      [
        'azure-hsm:quorate.managedhsm.azure.net',
        { type: 'azure-hsm', vaultUrl: 'https://quorate.managedhsm.azure.net' },
      ],
      [
        'azure-hsm:localhost:8443?ca-file=/etc/ca.pem',
        { type: 'azure-hsm', vaultUrl: 'https://localhost:8443', caFile: '/etc/ca.pem' },
      ],
      [
        'google-hsm:projects/my-project/locations/europe-west3/keyRings/Main_1',
        {
          type: 'google-hsm',
          project: 'my-project',
          location: 'europe-west3',
          keyRing: 'Main_1',
        },
      ],
    ]
    for (const [uri, values] of cases) assert.deepEqual(parseHsmUri(uri), values, uri)
  })

  test('of another form is refused, with the right one', () => {
    for (const uri of [
      'aws-kms:',
      'aws-kms:EU',
      'aws-kms:eu-central-1?secret=x',
      'aws-kms:eu-central-1?prefix=',
      'aws-kms:eu-central-1?prefix=a&prefix=b',
      'azure-hsm:https://quorate.managedhsm.azure.net',
      'azure-hsm:a.b/c',
      'azure-hsm:user@a.b',
      'google-hsm:projects/p/locations/l',
      'google-hsm:projects/p/locations/l/keyRings/r/cryptoKeys/k',
    ])
      assert.throws(
        () => parseHsmUri(uri),
        (error) => {
          assert.ok(isFault(error, 'hsm/bad-uri'), uri)
          return error.message.includes(uri.slice(0, uri.indexOf(':')))
        },
      )
  })
})

describe('settings', () => {
  test('of a service are taken, and those of others refused', () => {
    assert.deepEqual(
      cloudOf({ type: 'aws-kms', region: 'eu-central-1', deletionDays: 7, requestTimeout: 5000 }),
      { region: 'eu-central-1', deletionDays: 7, requestTimeoutMs: 5000 },
    )
    assert.deepEqual(
      cloudOf({ type: 'azure-hsm', vaultUrl: 'https://a.managedhsm.azure.net', purge: true }),
      { vaultUrl: 'https://a.managedhsm.azure.net', purge: true },
    )
    const wrong: readonly Partial<HsmValues>[] = [
      { type: 'aws-kms' },
      { type: 'azure-hsm' },
      { type: 'google-hsm', project: 'p', location: 'l' },
      { type: 'aws-kms', region: 'eu-central-1', vaultUrl: 'https://a.b' },
      { type: 'aws-kms', region: 'eu-central-1', library: '/x.so' },
      { type: 'aws-kms', region: 'eu-central-1', directory: '/x' },
      { type: 'aws-kms', region: 'eu-central-1', deletionDays: 6 },
      { type: 'aws-kms', region: 'eu-central-1', deletionDays: 31 },
      { type: 'aws-kms', region: 'eu-central-1', endpoint: 'http://kms.example.com' },
      { type: 'aws-kms', region: 'eu-central-1', endpoint: 'https://a:b@kms.example.com' },
      { type: 'aws-kms', region: 'eu-central-1', endpoint: 'https://kms.example.com/path' },
      { type: 'azure-hsm', vaultUrl: 'https://a.managedhsm.azure.net', deletionDays: 7 },
      { type: 'simulated', directory: '/x', region: 'eu-central-1' },
      { type: 'softhsm', library: '/x.so', keyRing: 'r' },
    ]
    for (const values of wrong)
      assert.throws(() => configOf(values), isCode('hsm/bad-config'), JSON.stringify(values))
  })

  test('stand in a file under the names of guides', (t) => {
    const path = join(scratchIn(t), 'hsm.json')
    const hsm = {
      hsmProvider: 'google-hsm',
      project: 'p',
      location: 'europe-west3',
      key_ring: 'main',
      request_timeout: 2500,
      key_label: 'quorate-store',
    }
    writeFileSync(path, JSON.stringify({ hsm }))
    const settings = loadConfig(HSM_SETTINGS, { env: {}, flags: { 'hsm.file': path } })
    const { config, keyLabel } = resolveHsm(settings, { environment: 'production', env: {} })
    assert.equal(keyLabel, 'quorate-store')
    assert.deepEqual(config, {
      type: 'google-hsm',
      environment: 'production',
      cloud: { project: 'p', location: 'europe-west3', keyRing: 'main', requestTimeoutMs: 2500 },
    })
  })

  test('leave the region of AWS to its own variables', () => {
    assert.deepEqual(cloudOf({ type: 'aws-kms' }, { AWS_REGION: 'a', AWS_DEFAULT_REGION: 'b' }), {
      region: 'a',
    })
    assert.deepEqual(cloudOf({ type: 'aws-kms' }, { AWS_DEFAULT_REGION: 'b' }), { region: 'b' })
    assert.deepEqual(cloudOf({ type: 'aws-kms', region: 'c' }, { AWS_REGION: 'a' }), {
      region: 'c',
    })
  })

  test('cross to another process unchanged', () => {
    const config: HsmConfig = {
      type: 'google-hsm',
      environment: 'production',
      cloud: { project: 'p', location: 'l', keyRing: 'r', deletionDays: 30, requestTimeoutMs: 1 },
    }
    const again = decode(hsmConfigCodec, encode(hsmConfigCodec, config), { maxBytes: 1000 })
    assert.deepEqual(again, config)
  })
})

describe('custody', () => {
  const google = { project: 'p', location: 'l', keyRing: 'r' }
  const custody = (type: CloudType, cloud: CloudConfig): string =>
    custodyOf({ type, environment: 'production', cloud })

  test('is hardware where the service itself is asked', () => {
    const own: readonly (readonly [CloudType, CloudConfig])[] = [
      ['aws-kms', { region: 'eu-central-1' }],
      ['aws-kms', { region: 'x', endpoint: 'https://kms-fips.us-east-1.amazonaws.com' }],
      ['aws-kms', { region: 'x', endpoint: 'https://kms.cn-north-1.amazonaws.com.cn' }],
      ['aws-kms', { region: 'x', endpoint: 'https://kms.eu-west-1.api.aws' }],
      ['aws-kms', { region: 'x', endpoint: 'https://vpce-0a-1b.kms.eu-west-1.vpce.amazonaws.com' }],
      ['azure-hsm', { vaultUrl: 'https://a.managedhsm.azure.net' }],
      ['azure-hsm', { vaultUrl: 'https://a.managedhsm.usgovcloudapi.net' }],
      ['google-hsm', google],
      ['google-hsm', { ...google, endpoint: 'https://cloudkms.googleapis.com' }],
      ['google-hsm', { ...google, endpoint: 'https://cloudkms.us-east1.rep.googleapis.com' }],
      ['google-hsm', { ...google, endpoint: 'https://cloudkms-main.p.googleapis.com' }],
    ]
    for (const [type, cloud] of own)
      assert.equal(custody(type, cloud), 'hardware', JSON.stringify(cloud))
  })

  test('is software where it may be anybody else', () => {
    const foreign: readonly (readonly [CloudType, CloudConfig])[] = [
      ['aws-kms', { region: 'x', endpoint: 'http://127.0.0.1:4566' }],
      ['aws-kms', { region: 'x', endpoint: 'http://kms.eu-central-1.amazonaws.com' }],
      ['aws-kms', { region: 'x', endpoint: 'https://kms.eu-central-1.amazonaws.com:8443' }],
      // Customers have hosts under the domain too.
      ['aws-kms', { region: 'x', endpoint: 'https://ec2-1-2-3-4.compute-1.amazonaws.com' }],
      ['aws-kms', { region: 'x', endpoint: 'https://a.execute-api.us-east-1.amazonaws.com' }],
      ['aws-kms', { region: 'x', endpoint: 'https://kms.eu-central-1.amazonaws.com.evil.org' }],
      ['azure-hsm', { vaultUrl: 'https://a.vault.azure.net' }],
      ['azure-hsm', { vaultUrl: 'https://a.b.managedhsm.azure.net' }],
      ['azure-hsm', { vaultUrl: 'https://a.managedhsm.azure.net', caFile: '/ca.pem' }],
      ['azure-hsm', {}],
      ['azure-hsm', { vaultUrl: 'no url' }],
      ['google-hsm', { ...google, endpoint: 'https://storage.googleapis.com' }],
      ['google-hsm', { ...google, endpoint: 'https://localhost:1' }],
    ]
    for (const [type, cloud] of foreign) {
      assert.equal(custody(type, cloud), 'software', JSON.stringify(cloud))
      assert.ok(isForeignService({ type, environment: 'production', cloud }))
    }
  })

  test('of a simulated service is refused in production and where hardware is demanded', async (t) => {
    const { config: cloud, server } = await awsBench(t)
    const config = { type: 'aws-kms', environment: 'production', cloud } as const
    await assert.rejects(openHsm(config, { clock }), isCode('hsm/software-in-production'))
    await assert.rejects(
      openHsm({ ...config, environment: 'development', requireCustody: 'hardware' }, { clock }),
      isCode('hsm/weak-custody'),
    )
    const opened = await openHsm({ ...config, environment: 'development' }, { clock })
    assert.equal(opened.custody, 'software')
    assert.equal((await opened.provider.random(4)).length, 4)
    await opened.close()
    assert.deepEqual(server.asked, ['GenerateRandom'])
  })

  test('of AWS is not what its variables make of it', async (t) => {
    const { server } = await awsBench(t)
    setEnvironment(t, { AWS_ENDPOINT_URL_KMS: server.url })
    const {
      provider,
      custody: level,
      close,
    } = await openHsm(
      { type: 'aws-kms', environment: 'production', cloud: { region: 'eu-central-1' } },
      { clock },
    )
    t.after(close)
    assert.equal(level, 'hardware')
    await assert.rejects(provider.random(4), isCode('hsm/bad-config'))
    assert.deepEqual(server.asked, [])
  })
})

test('nothing is opened where secrets would go astray', async (t) => {
  const google = { project: 'p', location: 'l', keyRing: 'r' }
  const logger = { log: () => undefined, with: () => logger }
  const refused = (type: CloudType, config: CloudConfig): Promise<void> =>
    assert.rejects(openCloud(type, config, { clock, logger }), isCode('hsm/bad-config'))
  for (const type of CLOUD_TYPES) await refused(type, {})
  await refused('aws-kms', { region: 'x', endpoint: 'http://kms.eu-central-1.amazonaws.com' })
  await refused('azure-hsm', { vaultUrl: 'no url' })
  await t.test('its client writes requests out', async (own) => {
    setEnvironment(own, { GOOGLE_SDK_NODE_LOGGING: 'kms' })
    await refused('google-hsm', google)
  })
  await t.test('nobody checks certificates', async (own) => {
    setEnvironment(own, { NODE_TLS_REJECT_UNAUTHORIZED: '0' })
    await refused('google-hsm', google)
    await refused('aws-kms', { region: 'eu-central-1' })
  })
})
