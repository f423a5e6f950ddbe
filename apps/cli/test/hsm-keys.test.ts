/** Backups and rotation of keys from the command line, with software keys in scratch directories. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { cliIn, document, errorOf, scratch } from './support/cli.ts'

const home = scratch('home')
const quorate = cliIn(home)
const file = (name: string, content: string): string => {
  const path = join(home, name)
  writeFileSync(path, content, { mode: 0o600 })
  return path
}
const pin = file('pin', 'correct horse battery staple\n')
const place = join(home, 'backups')
const device = (name: string): readonly string[] => [
  '--hsm',
  `software:${join(home, name)}`,
  '--pin-file',
  pin,
  '--state',
  join(home, `${name}-state`),
]

type Key = { readonly id: string; readonly label: string; readonly publicKey: string }
type Made = {
  readonly name: string
  readonly keys: readonly Key[]
  readonly notTaken: readonly Key[]
}

describe('backups:', () => {
  const hsm = (name: string, ...args: readonly string[]) =>
    quorate('hsm', ...args, ...device(name).slice(0, 4), '--json')
  const backup = (name: string, ...args: readonly string[]) =>
    quorate('hsm', ...args, ...device(name), '--location', place, '--json')

  /** What the doctor says of a loss of the device. */
  const restoreFinding = async (): Promise<string> => {
    const options = ['--environment', 'production', '--no-probe', ...device('main')]
    const findings = await quorate('hsm', 'doctor', ...options)
    return findings.out
      .split('\n')
      .filter((line) => /restore/.test(line) && !/trial every/.test(line))
      .join('\n')
  }

  test('keys go from one device to another, wrapped', async () => {
    const early = await backup('main', 'backup', 'now')
    assert.deepEqual([errorOf(early).code, early.code], ['hsm/no-backup-key', 4])
    const { shares } = document<{ shares: string[] }>(
      await hsm('main', 'backup', 'init', '--shares', '3', '--threshold', '2'),
    )
    assert.equal(shares.length, 3)
    const key = document<Key>(
      await hsm('main', 'generate', '--label', 'release', '--algorithm', 'p256', '--wrappable'),
    )
    await hsm('main', 'generate', '--label', 'inside')
    const made = document<Made>(await backup('main', 'backup', 'now'))
    assert.deepEqual(
      [made.keys.map(({ label }) => label), made.notTaken.map(({ label }) => label)],
      [['release'], ['inside']],
    )
    const { items } = document<{ items: { name: string; isNewest: boolean }[] }>(
      await backup('main', 'backup', 'list'),
    )
    assert.deepEqual(
      items.map(({ name, isNewest }) => [name, isNewest]),
      [[made.name, true]],
    )
    assert.match(await restoreFinding(), /no restore was ever tried/)
    assert.equal((await backup('main', 'backup', 'drill')).code, 0)
    assert.doesNotMatch(await restoreFinding(), /restore/)

    const foreign = await hsm('other', 'backup', 'init')
    assert.equal(foreign.code, 0)
    const refused = await backup('other', 'restore')
    assert.deepEqual([errorOf(refused).code, refused.code], ['hsm/backup-foreign', 6])

    const words = shares.slice(0, 2).map((share, i) => file(`share-${i}`, `${share}\n`))
    const given = words.flatMap((path) => ['--share-file', path])
    assert.equal((await hsm('spare', 'backup', 'init', ...given)).code, 0)
    const restored = document<{ keys: (Key & { outcome: string })[] }>(
      await backup('spare', 'restore', '--backup', made.name),
    )
    assert.deepEqual(
      restored.keys.map(({ id, publicKey, outcome }) => [id, publicKey, outcome]),
      [[key.id, key.publicKey, 'restored']],
    )
    const message = file('message', 'hello')
    const signed = await hsm('spare', 'sign', '--key', 'release', '--in', message)
    const { signature } = document<{ signature: string }>(signed)
    const verified = ['verify', '--key', 'release', '--in', message, '--signature', signature]
    assert.equal((await hsm('main', ...verified)).code, 0)
  })

  test('what is wrong on the command line is said', async () => {
    assert.equal(errorOf(await hsm('main', 'backup', 'init')).code, 'hsm/other-backup-key')
    const both = ['backup', 'init', '--in-device', '--share-file', pin]
    assert.equal(errorOf(await hsm('main', ...both)).code, 'cli/bad-value')
    const nowhere = await quorate('hsm', 'backup', 'list', ...device('main'), '--json')
    assert.equal(errorOf(nowhere).code, 'cli/missing-argument')
  })
})

describe('rotation:', () => {
  const config = file(
    'hsm.yaml',
    [
      'type: software',
      `directory: ${join(home, 'rotated')}`,
      `pinFile: ${pin}`,
      'roles:',
      '  own: [validator]',
      '  validator:',
      '    key: validator',
      '    requireHsm: false',
      'rotation:',
      '  intervalDays: 30',
      '  overlapDays: 2',
      '  rotationTime: "02:30:00"',
      '  timeZone: Europe/Berlin',
      '  consumers: [explorer]',
      '',
    ].join('\n'),
  )
  const state = join(home, 'rotation-state')
  const rotate = (...args: readonly string[]) =>
    quorate('hsm', 'rotate', ...args, '--hsm-config', config, '--state', state, '--json')
  type Item = {
    readonly role: string
    readonly key: string
    readonly dueAt: string
    readonly job: { readonly step: string; readonly newKey: string } | null
  }
  const items = async (...args: readonly string[]): Promise<readonly Item[]> =>
    document<{ items: readonly Item[] }>(await rotate(...args)).items

  test('a role is announced, accepted, and signs with another key', async () => {
    const [before] = await items('run')
    assert.equal(before?.job, null)
    assert.match(before?.dueAt ?? '', /T(00|01):30:00\.000Z$/)
    const times = document<{ items: { times: string[] }[] }>(
      await rotate('schedule', '--count', '3'),
    )
    assert.equal(times.items[0]?.times.length, 3)
    const unconfirmed = await rotate('now', '--role', 'validator')
    assert.equal(errorOf(unconfirmed).code, 'cli/not-confirmed')
    const [announced] = await items('now', '--role', 'validator', '--confirm', 'validator')
    assert.equal(announced?.job?.step, 'announce')
    const again = await rotate('now', '--role', 'validator', '--confirm', 'validator')
    assert.equal(errorOf(again).code, 'hsm/rotation-under-way')
    const key = announced?.job?.newKey ?? ''
    const accepted = ['accept', '--role', 'validator', '--consumer', 'explorer', '--key', key]
    const [switched] = await items(...accepted)
    assert.deepEqual([switched?.key, switched?.job?.step], [key, 'overlap'])
    assert.deepEqual(await items('status'), await items('status'))
    assert.equal((await items('status'))[0]?.key, key)
    // All of it is in the audit log.
    const of = ['--role', 'validator', '--source', 'rotation', '--key', key]
    const audit = await quorate('hsm', 'audit', 'list', ...of, '--state', state, '--json')
    const operations = document<{ items: { operation: string; result: string }[] }>(audit)
      .items.filter(({ result }) => result === 'done')
      .map(({ operation }) => operation)
    for (const operation of ['generateKey', 'role.rebind'])
      assert.ok(operations.includes(operation), operations.join())
  })
})
