/** Every setting of a node, by every name that it has. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isFault, Secret } from '@quorate/base'
import { type ConfigSources, environmentName, loadConfig, type Settings } from '@quorate/platform'
import { NODE_SETTINGS, nodeConfig } from '#src/config.js'
import { directory } from './scratch.js'

const ENVIRONMENT = '/api/v1/projects/prj_01arz3ndektsv4rrffq69g5fav/environments/production'
const KMS_A = `https://kms.example:8200${ENVIRONMENT}`
const KMS_B = `unix:/run/kms.sock#${ENVIRONMENT}`

/** Two values that each setting takes; one that it does not, where there is any. */
const VALUES: { readonly [Key in keyof typeof NODE_SETTINGS]: readonly [string, string, string?] } =
  {
    environment: ['staging', 'production', 'testing'],
    data: ['/a', '/b'],
    'http.host': ['127.0.0.1', '::1'],
    'http.port': ['7600', '7601', '70000'],
    'http.socket': ['/a', '/b'],
    'http.tls': ['true', 'false', 'maybe'],
    'http.ratePerSecond': ['1', '2', '0'],
    'http.burst': ['1', '2', '0x10'],
    'http.maxConcurrent': ['1', '2', '-1'],
    'http.maxStreams': ['1', '2', '1e9'],
    'mesh.listen': ['unix:/a', '10.0.0.1:7700', 'nowhere'],
    'mesh.peers': ['2=unix:/b', '2=unix:/b,3=10.0.0.3:7700', '10.0.0.3:7700'],
    bus: ['mesh', 'nats', 'pigeon'],
    'mesh.advertise': ['10.0.0.1:7700', '10.0.0.2:7700', 'here'],
    'nats.url': ['nats://a:4222', 'tls://a:4222,tls://b:4222', 'nats://user:pass@a'],
    'nats.credentials': ['/a', '/b'],
    'nats.ca': ['/a', '/b'],
    'nats.prefix': ['mpc', 'acme.sign', 'a b'],
    'nats.queue': ['true', 'false', 'yes please'],
    'nats.maxKeygen': ['1', '2', '65'],
    'nats.maxSign': ['1', '2', '257'],
    discovery: ['static', 'consul', 'dns'],
    'consul.address': ['127.0.0.1:8500', 'https://consul:8501', 'http://consul/path'],
    'consul.token': ['one', 'two'],
    'consul.ca': ['/a', '/b'],
    'hsm.file': ['/a', '/b'],
    'hsm.enabled': ['true', 'false', 'on top'],
    'hsm.uri': ['software:/a', 'pkcs11:token=a', 'nothing'],
    'hsm.type': ['software', 'softhsm', 'abacus'],
    'hsm.directory': ['/a', '/b'],
    'hsm.keyFile': ['/a', '/b'],
    'hsm.library': ['/a', '/b'],
    'hsm.region': ['eu-central-1', 'us-east-2', 'Frankfurt'],
    'hsm.endpoint': ['http://127.0.0.1:1', 'https://kms.example', 'kms.example'],
    'hsm.vaultUrl': ['https://a.example', 'https://b.example', 'http://a.example'],
    'hsm.caFile': ['/a', '/b'],
    'hsm.project': ['one', 'two', 'no project'],
    'hsm.location': ['europe-west3', 'us', 'Europe'],
    'hsm.keyRing': ['one', 'two', 'no/ring'],
    'hsm.keyPrefix': ['one', 'two', 'a/b'],
    'hsm.deletionDays': ['7', '90', '121'],
    'hsm.purge': ['true', 'false', 'maybe'],
    'hsm.requestTimeout': ['5s', '10s', 'soon'],
    'hsm.token': ['a', 'b'],
    'hsm.serial': ['1', '2', ' '],
    'hsm.slot': ['1', '2', 'x'],
    'hsm.keyLabel': ['a', 'b'],
    'hsm.identityLabel': ['a', 'b'],
    'hsm.pin': ['1234', '5678'],
    'hsm.pinDescriptor': ['3', '4', '2'],
    'hsm.login': ['user', 'none', 'root'],
    'hsm.initArgs': ['a', 'b'],
    'hsm.env': ['A=1', 'A=1,B=2', '=1'],
    'hsm.pool.size': ['1', '2', '0'],
    'hsm.pool.maxOverflow': ['1', '2', '257'],
    'hsm.pool.acquireTimeout': ['500ms', '30s', 'soon'],
    'hsm.pool.idleTimeout': ['500ms', '30s', 'later'],
    'hsm.requireCustody': ['sealed', 'hardware', 'none'],
    'hsm.allowSimulatedInProduction': ['true', 'false', 'perhaps'],
    'hsm.allowSoftwareInProduction': ['true', 'false', 'perhaps'],
    'points.backend': ['fastest', 'noble', 'quick'],
    'primes.ahead': ['1', '2', '17'],
    'limits.concurrentKeygen': ['1', '2', '0'],
    'limits.concurrentSigning': ['1', '2', '0'],
    'limits.signingSessions': ['1', '2', '0'],
    'limits.queued': ['1', '2', '0'],
    'limits.perClient': ['1', '2', '0'],
    'limits.waiting': ['1', '2', '0'],
    'limits.signPatienceMs': ['100', '200', '99'],
    'pool.nonces': ['1', '2', '5000'],
    'pool.presignatures': ['1', '2', '5000'],
    'metrics.prefix': ['a_', 'b_', '9_'],
    'tracing.endpoint': ['http://a:4318', 'https://b', 'a:4318'],
    'tracing.service': ['a', 'b', ''],
    'tracing.headers': ['a=b', 'c=d'],
    'stop.patience': ['1s', '2s', '1h'],
    'log.level': ['debug', 'warn', 'loud'],
    'backup.enabled': ['true', 'false', 'sometimes'],
    'backup.dir': ['/a', 's3://b/c'],
    'backup.url': [KMS_A, KMS_B],
    'backup.authToken': ['qkt_a', 'qkt_b'],
    'backup.periodSeconds': ['1', '2', '0'],
    threshold: ['2', '3', '1'],
    'node.id': ['1', 'nod_a', 'a b'],
    'initiator.key': ['aa'.repeat(32), 'BB'.repeat(32), 'cc'],
    'initiator.algorithm': ['ed25519', 'ed25519', 'p256'],
    'telemetry.enabled': ['true', 'false', 'no idea'],
  }

const KEYS = Object.keys(NODE_SETTINGS) as (keyof typeof NODE_SETTINGS)[]
const settings: Settings = NODE_SETTINGS
const load = (sources: Partial<ConfigSources>) => loadConfig(settings, { env: {}, ...sources })

/** The value as text, a secret too. */
const shown = (value: unknown): string =>
  value instanceof Secret
    ? Buffer.from(value.expose() as Uint8Array).toString()
    : JSON.stringify(value)

function file(t: TestContext, content: string): string {
  const path = join(directory(t), 'quorate.yaml')
  writeFileSync(path, content)
  return path
}
function secretFile(t: TestContext, content: string): string {
  const path = join(directory(t), 'secret')
  writeFileSync(path, `${content}\n`, { mode: 0o600 })
  return path
}

/** `a.b: text` as nested YAML, its value in the line after as many comments as are asked for. */
function yaml(key: string, text: string, comments = 0): string {
  const words = key.split('.')
  const lines = words.map((word, i) => `${'  '.repeat(i)}${word}:`)
  return `${'#\n'.repeat(comments)}${lines.join('\n')} ${JSON.stringify(text).replaceAll('"', "'")}\n`
}

for (const key of KEYS) {
  const { type, aliases } = settings[key]!
  const [one, two, bad] = VALUES[key]
  const own = environmentName(key)

  test(`${key}: by flag, by each name in the environment, and in the file`, (t) => {
    const path = type.isSecret ? secretFile(t, one) : one
    const flag = type.isSecret ? `${key}File` : key
    const wanted = shown(load({ flags: { [flag]: path } }).get(key))
    for (const name of [own, ...aliases]) {
      const config = load({ env: { [name]: one } })
      assert.equal(shown(config.get(key)), wanted, name)
      assert.equal(config.origin(key)?.where, name)
    }
    // The line of the innermost key is that of the value.
    const depth = flag.split('.').length
    for (const [name, line] of [
      [flag, 3 + depth],
      ...aliases.map(
        (each) => [`${each.toLowerCase()}${type.isSecret ? '_file' : ''}`, 4] as const,
      ),
    ] as const) {
      const given = file(t, yaml(name, path, 3))
      const config = load({ file: given })
      assert.equal(shown(config.get(key)), wanted, name)
      assert.equal(config.origin(key)?.where, `${given}:${line}`)
    }
  })

  test(`${key}: names that disagree are an error, and so is a value that it cannot take`, (t) => {
    for (const alias of aliases) {
      if (one === two) break
      assert.throws(
        () => load({ env: { [own]: one, [alias]: two } }),
        (error) => isFault(error, 'platform/settings-disagree') && error.message.includes(alias),
      )
      assert.equal(
        shown(load({ env: { [own]: one, [alias]: one } }).get(key)),
        shown(load({ env: { [own]: one } }).get(key)),
      )
      if (type.isSecret) continue
      const both = file(t, yaml(key, one) + yaml(alias.toLowerCase(), two))
      if (key === alias.toLowerCase()) continue
      assert.throws(
        () => load({ file: both }),
        (error) =>
          isFault(error, 'platform/settings-disagree') &&
          error.message.includes(`${both}:${key.split('.').length + 1}`),
      )
    }
    if (bad === undefined) return
    const given = file(t, yaml(key, bad, 2))
    const line = 2 + key.split('.').length
    assert.throws(
      () => load({ file: given }),
      (error) =>
        isFault(error, 'platform/bad-setting') && error.message.includes(`(${given}:${line})`),
    )
    if (bad === '') return
    assert.throws(
      () => load({ env: { [own]: bad } }),
      (error) => isFault(error, 'platform/bad-setting') && error.message.includes(own),
    )
  })
}

test('a file of another product is read, and what it has that there is not here is named with its line', (t) => {
  const mpcium = (more = ''): string =>
    file(
      t,
      `environment: staging\nnats:\n  url: nats://nats:4222\nconsul:\n  address: localhost:8500\nmpc_threshold: 2\nevent_initiator_pubkey: "${'ab'.repeat(32)}"\nevent_initiator_algorithm: ed25519\ndb_path: /var/lib/node\nbackup_enabled: true\nbackup_period_seconds: 300\nbackup_dir: /backups\nmax_concurrent_keygen: 2\nmax_concurrent_signing: 10\n${more}`,
    )
  const config = load({ file: mpcium() })
  assert.deepEqual(
    ['threshold', 'data', 'backup.dir', 'limits.concurrentKeygen'].map((key) => config.get(key)),
    [2, '/var/lib/node', '/backups', 2],
  )
  assert.throws(
    () => load({ file: mpcium('badger_password: hunter2\n') }),
    (error) =>
      isFault(error, 'platform/bad-setting') &&
      error.message.includes(':15') &&
      !error.message.includes('hunter2'),
  )
  assert.throws(
    () => load({ file: mpcium('chain_code: "00"\n') }),
    (error) => isFault(error, 'platform/unknown-setting') && error.message.includes(':15'),
  )
})

test('a passphrase of another product opens keys in files and is never tried on a token', (t) => {
  const data = directory(t)
  const flags = { environment: 'staging', data, 'mesh.listen': `unix:${join(data, 'mesh')}` }
  const passphrase = 'correct horse battery staple'
  const made = (type: string) =>
    nodeConfig(
      loadConfig(NODE_SETTINGS, {
        flags: { ...flags, 'hsm.type': type },
        env: { BADGER_PASSWORD: passphrase },
      }),
      {},
    )
  assert.equal(shown(made('software').hsm.pin), passphrase)
  assert.throws(
    () => made('softhsm'),
    (error) => isFault(error, 'node/no-software-hsm'),
  )
})

test('backups go to a directory, a KMS or both; a KMS takes a token', (t) => {
  const read = (flags: { readonly [key: string]: string }) =>
    nodeConfig(
      loadConfig(NODE_SETTINGS, {
        flags: {
          environment: 'staging',
          data: directory(t),
          'mesh.listen': '127.0.0.1:7700',
          ...flags,
        },
        env: {},
      }),
      {},
    ).backup
  assert.equal(read({}), undefined)
  const backup = read({
    'backup.dir': '/backups',
    'backup.url': KMS_A,
    'backup.authTokenFile': secretFile(t, 'qkt_a\n'),
  })
  assert.equal(backup?.place, '/backups')
  assert.equal(backup?.kms?.backupUrl, KMS_A)
  assert.equal(backup?.kms?.backupAuthToken.expose(), 'qkt_a')
  assert.throws(
    () => read({ 'backup.url': KMS_A }),
    (error) => isFault(error, 'platform/missing-setting'),
  )
  assert.throws(
    () => read({ 'backup.url': 'https://kms.example', 'backup.authTokenFile': secretFile(t, 'x') }),
    (error) => isFault(error, 'sdk/bad-address'),
  )
})
