import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandHelp, commandsJson } from '#src/help.js'
import { COMMANDS } from '#src/index.js'
import { cliIn, document, errorOf, scratch } from './support/cli.js'

const cli = cliIn(scratch())

test('every command has help with a usage line and examples of itself', async () => {
  assert.ok(COMMANDS.length > 25)
  for (const command of COMMANDS) {
    const text = (await commandHelp(command)).join('\n')
    assert.match(text, new RegExp(`Usage\n {2}quorate ${command.name}`))
    assert.ok(command.examples.length >= 1, command.name)
    for (const example of command.examples) assert.ok(example.startsWith(`quorate ${command.name}`))
    assert.ok(!command.summary.endsWith('.') && command.summary.length < 100, command.name)
  }
})

test('names are unique, and every command has code behind it', async () => {
  const names = COMMANDS.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  for (const { load, name } of COMMANDS) assert.equal(typeof (await load()), 'function', name)
})

test('help --json lists what the documentation is checked against', async () => {
  const { commands } = document<{ commands: readonly { name: string }[] }>(
    await cli('help', '--json'),
  )
  assert.deepEqual(
    commands.map(({ name }) => name),
    [...COMMANDS.map(({ name }) => name), 'help'],
  )
  assert.equal((await commandsJson(COMMANDS)).length, COMMANDS.length)
})

test('help can be asked for in every usual way', async () => {
  for (const words of [[], ['help'], ['--help'], ['-h']]) {
    const { code, out } = await cli(...words)
    assert.equal(code, 0)
    assert.match(out, /Commands\n/)
  }
  for (const words of [
    ['tx', 'sign', '--help'],
    ['help', 'tx', 'sign'],
    ['tx', 'sign', 'file', '-h'],
  ])
    assert.match((await cli(...words)).out, /quorate tx sign TX/)
  const noun = await cli('help', 'wallet')
  assert.match(noun.out, /wallet create/)
  assert.doesNotMatch(noun.out, /policy/)
  const group = await cli('hsm', 'backup', '--help')
  assert.match(group.out, /hsm backup drill/)
  assert.doesNotMatch(group.out, /hsm rotate/)
})

test('--version is that of the package', async () => {
  assert.match((await cli('--version')).out, /^\d+\.\d+\.\d+\n$/)
})

test('usage errors exit with 2, say what is near, and never show a stack', async () => {
  const cases: readonly (readonly [readonly string[], string, RegExp])[] = [
    [['wallt', 'list'], 'cli/unknown-command', /wallet list/],
    [['wallet', 'lst'], 'cli/unknown-command', /wallet list/],
    [['wallet'], 'cli/unknown-command', /wallet create/],
    [['staus'], 'cli/unknown-command', /status/],
    [['--frobnicate'], 'cli/unknown-option', /--frobnicate/],
    [['status', '--jsn'], 'cli/unknown-option', /--json/],
    [['wallet', 'show'], 'cli/missing-argument', /WALLET/],
    [['down', 'now'], 'cli/unexpected-argument', /now/],
    [['up', '--nodes', 'three'], 'cli/bad-value', /--nodes/],
    [['client', 'new', '--role', 'king', '--out', 'k.json'], 'cli/bad-value', /operator/],
    [['node', 'start', '--data', 'n'], 'node/no-environment', /environment/],
    [['config', 'check', '--environment', 'testing'], 'platform/bad-setting', /environment/],
  ]
  for (const [words, code, detail] of cases) {
    const plain = await cli(...words)
    assert.equal(plain.code, 2, words.join(' '))
    assert.equal(plain.out, '')
    assert.match(plain.err, /^error: /)
    assert.doesNotMatch(plain.err, /\n\s+at |node:internal/)
    assert.match(plain.err, new RegExp(`\\[${code}\\]`))
    assert.match(plain.err, detail)
  }
})

test('with --json an error is one document on stderr', async () => {
  const ran = await cli('wallet', 'lst', '--json')
  assert.deepEqual([ran.code, ran.out], [2, ''])
  const { code, exit, remedy } = errorOf(ran)
  assert.deepEqual([code, exit], ['cli/unknown-command', 2])
  assert.match(remedy, /quorate help/)
})

test('networks and templates are listed without a cluster', async () => {
  type Item = {
    readonly network: string
    readonly suite: string
    readonly suites: readonly { readonly suite: string; readonly protocol: string }[]
  }
  const { items } = document<{ items: readonly Item[] }>(await cli('networks', '--json'))
  const bitcoin = items.find(({ network }) => network === 'bitcoin-testnet4')
  assert.equal(bitcoin?.suite, bitcoin?.suites[0]?.suite)
  assert.deepEqual(
    bitcoin?.suites.map(({ protocol }) => protocol),
    ['frost', 'cggmp24', 'cggmp24'],
  )
  assert.match((await cli('policy', 'templates')).out, /testnet-open/)
})
