import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { HSM_TYPES } from '@quorate/hsm'
import { type Cli, cliIn, document, errorOf, scratch } from './support/cli.ts'

type Key = { readonly id: string; readonly label: string; readonly publicKey: string | null }
type List = { readonly items: readonly Key[] }

const PIN = 'correct-horse-7'
const PASSPHRASE = 'correct horse battery staple'

const home = scratch('home')
const quorate = cliIn(home)
const file = (name: string, content: string, mode = 0o600): string => {
  const path = join(home, name)
  writeFileSync(path, content, { mode })
  return path
}
const pinFile = file('pin', `${PIN}\n`)
const passphrase = file('passphrase', `${PASSPHRASE}\n`)

/** The whole life of keys in one device. `at`: the options that name it. */
async function useKeys(at: readonly string[]): Promise<void> {
  const hsm = (verb: string, ...args: readonly string[]) =>
    quorate('hsm', verb, ...args, ...at, '--json')
  const key = document<Key>(await hsm('generate', '--label', 'release', '--algorithm', 'p256'))
  assert.match(key.publicKey ?? '', /^0[23][0-9a-f]{64}$/)
  const listed = document<List>(await hsm('list')).items
  assert.ok(listed.some(({ id, label }) => id === key.id && label === 'release'))

  const message = file('message', 'hello')
  const sign = await hsm('sign', '--key', 'release', '--in', message)
  const { signature } = document<{ signature: string }>(sign)
  const verify = (name: string, of: string) =>
    hsm('verify', '--key', name, '--in', of, '--signature', signature)
  assert.deepEqual(document(await verify(key.id, message)), {
    key: key.id,
    algorithm: 'p256',
    isValid: true,
  })
  const wrong = await verify('release', file('other', 'hellp'))
  assert.equal(wrong.code, 6)
  assert.equal((JSON.parse(wrong.out) as { isValid: boolean }).isValid, false)
  // SHA-256 of the message: what is signed is the same.
  const digest = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
  const byDigest = await hsm(
    'verify',
    '--key',
    'release',
    '--digest',
    digest,
    '--signature',
    signature,
  )
  assert.equal(byDigest.code, 0)
  assert.equal(
    errorOf(await hsm('sign', '--key', 'absent', '--in', message)).code,
    'hsm/key-not-found',
  )

  const status = document<{ custody: string; health: { state: string }; algorithms: string[] }>(
    await hsm('status'),
  )
  assert.equal(status.custody, 'software')
  assert.equal(status.health.state, 'ok')
  assert.ok(status.algorithms.includes('ed25519'))

  type Keys = {
    readonly sealing: Key & { isNew: boolean }
    readonly identity: Key & { isNew: boolean }
  }
  const made = document<Keys>(await hsm('init'))
  const found = document<Keys>(await hsm('init'))
  assert.ok(
    made.sealing.isNew && made.identity.isNew && !found.sealing.isNew && !found.identity.isNew,
  )
  assert.equal(made.identity.publicKey, found.identity.publicKey)
}

test('a simulated HSM: keys are made, used and listed, and it is said what it is', async () => {
  const directory = join(home, 'simulated')
  const { uri } = document<{ uri: string }>(
    await quorate('hsm', 'init', 'simulated', '--directory', directory, '--json'),
  )
  await useKeys(['--hsm', uri])
  const shown = await quorate('hsm', 'status', '--hsm', uri)
  assert.match(shown.out, /SIMULATED/)
  const refused = await quorate(
    'hsm',
    'list',
    '--hsm',
    uri,
    '--environment',
    'production',
    '--json',
  )
  assert.equal(refused.code, 3)
  assert.equal(errorOf(refused).code, 'hsm/simulated-in-production')
})

describe('a software HSM', () => {
  const directory = join(home, 'software')
  before(async () => {
    await quorate('hsm', 'init', 'software', '--directory', directory, '--pin-file', passphrase)
  })

  test('opens with its passphrase only, from a file, the environment or standard input', async () => {
    const list = (cli: Cli, ...more: readonly string[]) =>
      cli('hsm', 'list', '--hsm', `software:${directory}`, '--json', ...more)
    assert.deepEqual(document<List>(await list(quorate, '--pin-file', passphrase)).items, [])
    assert.equal((await list(cliIn(home, { HSM_PIN: PASSPHRASE }))).code, 0)
    assert.equal((await list(cliIn(home, { HSM_PIN_FILE: passphrase }))).code, 0)
    assert.equal(
      errorOf(await list(cliIn(home, { HSM_PIN: 'another passphrase' }))).code,
      'hsm/cannot-open',
    )
    assert.equal(errorOf(await list(quorate)).code, 'hsm/bad-pin')
    const loose = file('loose', PASSPHRASE, 0o644)
    assert.equal(errorOf(await list(quorate, '--pin-file', loose)).code, 'platform/file-unreadable')
  })
})

describe('a SoftHSM token', () => {
  const directory = join(home, 'softhsm')
  const config = join(directory, 'hsm.yaml')
  const make = ['hsm', 'init', 'softhsm', '--directory', directory, '--pin-file', pinFile, '--json']
  let missing: string | undefined

  before(async () => {
    const made = await quorate(...make)
    if (made.code === 0) return
    assert.equal(errorOf(made).code, 'hsm/library-missing')
    missing = 'SoftHSM is not installed (Debian: apt-get install softhsm2)'
  })

  test('is made once, privately, with a PIN that stands in no file of it', async (t) => {
    if (missing !== undefined) return t.skip(missing)
    assert.equal(statSync(directory).mode & 0o777, 0o700)
    assert.ok(existsSync(join(directory, 'so-pin')))
    assert.ok(!readFileSync(config, 'utf8').includes(PIN))
    const again = await quorate(...make)
    assert.equal(again.code, 4)
    assert.equal(errorOf(again).code, 'hsm/token-exists')
  })

  test('holds keys that are made, used and listed', async (t) => {
    if (missing !== undefined) return t.skip(missing)
    await useKeys(['--hsm-config', config])
  })

  test('is addressed by a URI or by the environment, and a wrong PIN is said once', async (t) => {
    if (missing !== undefined) return t.skip(missing)
    const SOFTHSM2_CONF = join(directory, 'softhsm2.conf')
    const env = { SOFTHSM2_CONF, HSM_VENDOR: 'softhsm', HSM_TOKEN_LABEL: 'quorate' }
    assert.equal((await cliIn(home, { ...env, HSM_PIN_FILE: pinFile })('hsm', 'list')).code, 0)
    const byUri = `pkcs11:token=quorate?x-vendor=softhsm&pin-source=file:${pinFile}`
    assert.equal((await cliIn(home, { SOFTHSM2_CONF })('hsm', 'list', '--hsm', byUri)).code, 0)
    const wrong = await cliIn(home, { ...env, HSM_PIN: 'not-the-pin' })('hsm', 'list', '--json')
    assert.equal(errorOf(wrong).code, 'hsm/pin-incorrect')
    assert.ok(!wrong.err.includes('not-the-pin'))
    const slip = await cliIn(home, { ...env, HSM_PIN_FIEL: pinFile })('hsm', 'list', '--json')
    assert.match(errorOf(slip).message, /HSM_PIN_FIEL; did you mean HSM_PIN_FILE/)
    const other = ['--hsm', 'pkcs11:token=other?x-vendor=softhsm', '--pin-file', pinFile]
    const absent = await cliIn(home, { SOFTHSM2_CONF })('hsm', 'list', '--json', ...other)
    assert.equal(errorOf(absent).code, 'hsm/token-absent')
  })

  test('conforms, and what it can do is shown', async (t) => {
    if (missing !== undefined) return t.skip(missing)
    type Report = {
      readonly custody: string
      readonly algorithms: { readonly [name: string]: boolean }
      readonly results: readonly { readonly outcome: string }[]
    }
    const report = document<Report>(
      await quorate('hsm', 'conformance', '--hsm-config', config, '--json'),
    )
    assert.equal(report.custody, 'software')
    assert.ok(Object.values(report.algorithms).every(Boolean))
    assert.ok(
      report.results.length > 20 && report.results.every(({ outcome }) => outcome === 'passed'),
    )
  })

  test('is measured with a key that is gone afterwards', async (t) => {
    if (missing !== undefined) return t.skip(missing)
    const before = document<List>(await quorate('hsm', 'list', '--hsm-config', config, '--json'))
    const figures = document<{ signatures: number; algorithm: string }>(
      await quorate('hsm', 'bench', '--hsm-config', config, '--seconds', '1', '--json'),
    )
    assert.ok(figures.signatures > 0)
    const later = document<List>(await quorate('hsm', 'list', '--hsm-config', config, '--json'))
    assert.equal(later.items.length, before.items.length)
  })

  test('is looked into by the doctor: table, JSON, SARIF, and an exit code by severity', async (t) => {
    if (missing !== undefined) return t.skip(missing)
    const doctor = (...more: readonly string[]) =>
      quorate('hsm', 'doctor', '--hsm-config', config, ...more)
    const json = await doctor('--json', '--environment', 'production')
    assert.equal(json.code, 7)
    type Findings = {
      readonly findings: readonly { readonly id: string; readonly state: string }[]
    }
    const { findings } = JSON.parse(json.out) as Findings
    // What production refuses to open is a finding here.
    assert.ok(findings.some(({ id, state }) => id === 'D17' && state === 'found'))
    const table = await doctor('--fail-on', 'critical')
    assert.match(table.out, /checks clear/)
    const sarif = await doctor('--format', 'sarif', '--fail-on', 'critical')
    assert.equal(sarif.code, 0)
    assert.equal((JSON.parse(sarif.out) as { version: string }).version, '2.1.0')
    const wrong = await doctor('--format', 'xml', '--json')
    assert.equal(wrong.code, 2)
  })
})

describe('quorate up --hsm', () => {
  const own = scratch('own')
  const cli = cliIn(own, { HSM_PIN: PASSPHRASE })
  const uri = `software:${join(own, 'keys-{node}')}`
  after(() => cli('down'))

  test('makes a cluster whose keys live there, and takes it up again without being told', async () => {
    document(await cli('up', '--port', '0', '--hsm', uri, '--json'))
    type Status = {
      readonly nodes: readonly {
        readonly status: { readonly custody: { kind: string; level: string } }
      }[]
    }
    for (const { status } of document<Status>(await cli('status', '--json')).nodes)
      assert.deepEqual(status.custody, { kind: 'software', level: 'software' })
    for (const index of [1, 2, 3]) {
      assert.ok(existsSync(join(own, `keys-${index}`, 'root.sealed')))
      assert.ok(!existsSync(join(own, 'dev', `node-${index}`, 'hsm')))
    }
    const other = await cli('up', '--port', '0', '--hsm', 'simulated:/tmp/x', '--json')
    assert.equal(errorOf(other).code, 'cli/other-hsm')
    await cli('down')
    const wrong = await cliIn(own, { HSM_PIN: 'another passphrase' })('up', '--port', '0', '--json')
    assert.equal(errorOf(wrong).code, 'hsm/cannot-open')
    document(await cli('up', '--port', '0', '--json'))
    const wallet = await cli('wallet', 'create', '--network', 'solana-devnet', '--name', 'w')
    assert.equal(wallet.code, 0, wallet.err)
    assert.match(
      (await cli('wallet', 'show', 'w')).out,
      /share of node 3 +custody software \(software\)/,
    )
  })
})

test('a sample for each type, and a list of all', async () => {
  const { items } = document<{ items: readonly { type: string; custody: string }[] }>(
    await quorate('hsm', 'sample-config', '--json'),
  )
  assert.deepEqual(
    items.map(({ type }) => type),
    HSM_TYPES,
  )
  for (const type of HSM_TYPES)
    assert.match(
      (await quorate('hsm', 'sample-config', type)).out,
      new RegExp(`^type: ${type}$`, 'm'),
    )
  assert.equal((await quorate('hsm', 'sample-config', 'acme')).code, 2)
})

test('mistakes are answered with what to do', async () => {
  assert.match(errorOf(await quorate('hsm', 'list', '--json')).message, /--hsm URI/)
  for (const [code, ...args] of [
    ['hsm/bad-config', 'list', '--hsm', 'pkcs11:token=x'],
    ['hsm/pin-in-uri', 'list', '--hsm', 'pkcs11:token=x?x-vendor=luna&pin-value=1234'],
    ['hsm/bad-uri', 'list', '--hsm', 'pkcs11:token=x?x-vendor=acme'],
    ['cli/bad-value', 'init', 'luna', '--directory', '/x'],
    ['cli/missing-argument', 'init', 'softhsm', '--directory', join(home, 'x')],
    ['cli/missing-argument', 'sign', '--key', 'x', '--hsm', 'simulated:/x'],
    ['cli/bad-value', 'sign', '--key', 'x', '--digest', 'abc', '--hsm', 'simulated:/x'],
    ['cli/bad-value', 'generate', '--label', 'x', '--algorithm', 'rsa', '--hsm', 'simulated:/x'],
    ['cli/unknown-option', 'list', '--pin', '1234'],
  ] as const)
    assert.equal(errorOf(await quorate('hsm', ...args, '--json')).code, code, args.join(' '))
})
