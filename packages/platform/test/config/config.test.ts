import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { type FaultCode, isFault } from '@quorate/base'
import {
  type ConfigSources,
  loadConfig,
  parseConfigFile,
  setting,
  settingType as type,
} from '@quorate/platform'
import { environmentName, environmentNames, nearest } from '#src/config/settings.js'
import { scratch } from '../scratch.js'

const SETTINGS = {
  environment: setting(type.choice('development', 'staging', 'production'), {
    description: 'What this is for.',
  }),
  'node.port': setting(type.integer(1, 65535), {
    description: 'Port of the API.',
    default: 7600,
    aliases: ['API_PORT'],
  }),
  'node.maxKeygen': setting(type.integer(1, 100), {
    description: 'Keygens at once.',
    default: 10,
    aliases: ['MAX_CONCURRENT_KEYGEN'],
  }),
  'node.peers': setting(type.list(type.text()), { description: 'Other nodes.', default: [] }),
  'node.timeout': setting(type.duration(1, 3_600_000), {
    description: 'Deadline.',
    default: 30_000,
  }),
  'node.isOpen': setting(type.boolean, { description: 'Open.', default: false }),
  'store.passphrase': setting(type.secret, {
    description: 'Opens the store.',
    aliases: ['BADGER_PASSWORD'],
  }),
}
const load = (sources: Partial<ConfigSources>) => loadConfig(SETTINGS, { env: {}, ...sources })

const refuses = (
  sources: Partial<ConfigSources>,
  code: FaultCode,
  ...words: readonly string[]
): void =>
  assert.throws(
    () => load(sources),
    (error) => isFault(error, code) && words.every((word) => error.message.includes(word)),
    `${code} ${words.join()}`,
  )

function yaml(t: TestContext, content: string): string {
  const path = join(scratch(t), 'quorate.yaml')
  writeFileSync(path, content)
  return path
}
function privateFile(t: TestContext, content: string): string {
  const path = join(scratch(t), 'secret')
  writeFileSync(path, content, { mode: 0o600 })
  return path
}
const textOf = (value: { expose(): Uint8Array } | undefined): string =>
  Buffer.from(value?.expose() ?? []).toString()

test('flag before environment before file before default, each with its origin', (t) => {
  const file = yaml(t, 'node:\n  port: 1111\n  maxKeygen: 11\n  timeout: 2min\n')
  const env = { QUORATE_NODE_PORT: '2222', MAX_CONCURRENT_KEYGEN: '22' }
  const config = load({ flags: { 'node.port': '3333' }, env, file })
  assert.equal(config.get('node.port'), 3333)
  assert.equal(config.get('node.maxKeygen'), 22)
  assert.equal(config.get('node.timeout'), 120_000)
  assert.deepEqual(config.get('node.peers'), [])
  assert.equal(config.get('environment'), undefined)
  assert.throws(
    () => config.require('environment'),
    (error) => isFault(error, 'platform/missing-setting'),
  )
  assert.deepEqual(
    config.show().map(({ key, value, origin }) => [key, value, origin?.where]),
    [
      ['environment', '', undefined],
      ['node.port', '3333', '--node.port'],
      ['node.maxKeygen', '22', 'MAX_CONCURRENT_KEYGEN'],
      ['node.peers', '', 'default'],
      ['node.timeout', '120000', `${file}:4`],
      ['node.isOpen', 'false', 'default'],
      ['store.passphrase', '', undefined],
    ],
  )
})

test('unknown keys are refused with line and nearest name', (t) => {
  refuses(
    { file: yaml(t, '# comment\nnode:\n  prot: 1\n') },
    'platform/unknown-setting',
    ':3:',
    'node.prot',
    'node.port?',
  )
  refuses({ file: yaml(t, 'nod:\n  port: 1\n') }, 'platform/unknown-setting', ':1: nod')
  refuses({ flags: { 'node.prt': '1' } }, 'platform/unknown-setting', '--node.port?')
  refuses({ env: { QUORATE_NODE_PORTS: '1' } }, 'platform/unknown-setting', 'QUORATE_NODE_PORT?')
  refuses({ env: { QUORATE_NODE_PORT_FILE: '/x' } }, 'platform/unknown-setting')
  load({ env: { QUORATE_HOME: '/x', OTHER: 'y' }, otherNames: ['QUORATE_HOME'] })
})

test('values of the wrong kind are refused, and not repeated', (t) => {
  const wrong: [string, string][] = [
    ['node.port', '0'],
    ['node.port', '65536'],
    ['node.port', '1e3'],
    ['node.port', '0x50'],
    ['node.isOpen', 'yes'],
    ['node.timeout', '5'],
    ['node.timeout', '2h'],
    ['environment', 'Development'],
  ]
  for (const [key, value] of wrong) {
    refuses({ flags: { [key]: value } }, 'platform/bad-setting', key)
    refuses({ env: { [environmentName(key)]: value } }, 'platform/bad-setting', key)
    const [section, name] = key.split('.')
    const content = name === undefined ? `${section}: ${value}` : `${section}:\n  ${name}: ${value}`
    refuses({ file: yaml(t, content) }, 'platform/bad-setting', key)
  }
  assert.throws(
    () => load({ flags: { 'node.port': 'hunter2' } }),
    (error) => !String(error).includes('hunter2'),
  )
  // A wrong value is an error also where another source wins.
  refuses({ flags: { 'node.port': '1' }, env: { QUORATE_NODE_PORT: 'x' } }, 'platform/bad-setting')
})

test('two names of one setting in the environment must agree', () => {
  refuses(
    { env: { QUORATE_NODE_PORT: '1', API_PORT: '2' } },
    'platform/settings-disagree',
    'QUORATE_NODE_PORT',
    'API_PORT',
  )
  assert.equal(load({ env: { QUORATE_NODE_PORT: '1', API_PORT: '1' } }).get('node.port'), 1)
  assert.equal(load({ env: { QUORATE_NODE_PORT: '', API_PORT: '5' } }).get('node.port'), 5)
  refuses(
    { env: { QUORATE_STORE_PASSPHRASE: 'a', BADGER_PASSWORD: 'b' } },
    'platform/settings-disagree',
  )
})

test('lists come from a sequence or from text with commas', (t) => {
  const expected = ['a:1', 'b:2']
  assert.deepEqual(load({ env: { QUORATE_NODE_PEERS: 'a:1, b:2' } }).get('node.peers'), expected)
  assert.deepEqual(
    load({ file: yaml(t, 'node:\n  peers:\n    - a:1\n    - b:2\n') }).get('node.peers'),
    expected,
  )
  assert.deepEqual(
    load({ file: yaml(t, 'node:\n  peers: [a:1, b:2]\n') }).get('node.peers'),
    expected,
  )
  refuses({ file: yaml(t, 'node:\n  port: [1]\n') }, 'platform/bad-setting')
})

test('a plain secret is taken out of the environment and never shown', () => {
  const env: Record<string, string> = { BADGER_PASSWORD: 'hunter2' }
  const config = load({ env })
  assert.deepEqual(env, {})
  assert.equal(textOf(config.get('store.passphrase')), 'hunter2')
  assert.equal(config.origin('store.passphrase')?.isPlainSecret, true)
  assert.ok(!JSON.stringify(config.show()).includes('hunter2'))
  const secret = config.require('store.passphrase')
  config[Symbol.dispose]()
  assert.ok(secret.isWiped)
})

test('secrets come from private files, by every source', (t) => {
  const path = privateFile(t, 'hunter2\n')
  const credentials = scratch(t)
  writeFileSync(join(credentials, 'store.passphrase'), 'hunter2', { mode: 0o400 })
  const sources: Partial<ConfigSources>[] = [
    { env: { QUORATE_STORE_PASSPHRASE_FILE: path } },
    { env: { BADGER_PASSWORD_FILE: path } },
    { env: { CREDENTIALS_DIRECTORY: credentials } },
    { flags: { 'store.passphraseFile': path } },
    { file: yaml(t, `store:\n  passphraseFile: ${path}\n`) },
  ]
  for (const source of sources) {
    const config = load(source)
    assert.equal(textOf(config.get('store.passphrase')), 'hunter2')
    assert.equal(config.origin('store.passphrase')?.isPlainSecret, false)
  }
  refuses(
    { flags: { 'store.passphrase': 'hunter2' } },
    'platform/bad-setting',
    'store.passphraseFile',
  )
  refuses(
    { file: yaml(t, 'store:\n  passphrase: hunter2\n') },
    'platform/bad-setting',
    'passphraseFile',
  )
  chmodSync(path, 0o644)
  refuses({ env: { BADGER_PASSWORD_FILE: path } }, 'platform/file-unreadable')
  refuses({ env: { BADGER_PASSWORD_FILE: `${path}-absent` } }, 'platform/file-unreadable')
})

test('files that are not plain settings are refused with the line', (t) => {
  const wrong: [string, string][] = [
    ['node: 5\n', ':1:'],
    ['- a\n', ':1:'],
    ['node:\n  port: 1\n  port: 2\n', ':3:'],
    ['node: {port: 1\n', ':'],
    ['node:\n  port: &x 1\n', ':2:'],
    ['x: &x 1\nnode:\n  port: *x\n', ':1:'],
    ['node:\n  port: *x\n', ':2:'],
    ['node:\n  port:\n    deep: 1\n', ':2:'],
    ['node:\n\tport: 1\n', ':2:'],
    ['node:\n', ':1:'],
  ]
  for (const [content, where] of wrong) {
    const file = yaml(t, content)
    assert.throws(
      () => load({ file }),
      (error) =>
        (isFault(error, 'platform/bad-config-file') ||
          isFault(error, 'platform/unknown-setting')) &&
        error.message.includes(where),
      content,
    )
  }
  load({ file: yaml(t, '') })
  load({ file: yaml(t, '# nothing yet\n') })
  mkdirSync(join(scratch(t), 'folder'))
  refuses({ file: '/nowhere/quorate.yaml' }, 'platform/file-unreadable')
})

test('a name may be a value and a section', () => {
  const known = ['alerting', 'alerting.webhook']
  const read = (yaml: string) =>
    [...parseConfigFile(yaml, 'x', known)].map(([key, { texts }]) => [key, ...texts])
  assert.deepEqual(read('alerting: true'), [['alerting', 'true']])
  assert.deepEqual(read('alerting:\n  webhook: y'), [['alerting.webhook', 'y']])
  assert.throws(
    () => read('alerting:\n  other: y'),
    (error) => isFault(error, 'platform/unknown-setting'),
  )
})

test('the names of a table are checked when it is used', () => {
  assert.equal(environmentName('node.maxKeygen'), 'QUORATE_NODE_MAX_KEYGEN')
  const one = setting(type.boolean, { description: 'x', aliases: ['SAME'] })
  assert.throws(
    () => environmentNames({ a: one, b: one }),
    (error) => isFault(error, 'base/bug'),
  )
  assert.throws(
    () => environmentNames({ 'Bad.key': one }),
    (error) => isFault(error, 'base/bug'),
  )
  assert.equal(nearest('threshhold', ['threshold', 'port']), 'threshold')
  assert.equal(nearest('zzz', ['threshold', 'port']), undefined)
})
