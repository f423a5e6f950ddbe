import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import { type Command, parse } from '#src/command.js'
import { nearest } from '#src/nearest.js'

const command: Command = {
  name: 'tx make',
  summary: 'makes',
  arguments: [
    { name: 'FILE', about: 'a file' },
    { name: 'MORE', about: 'more', isOptional: true },
  ],
  options: {
    name: { kind: 'text', about: 'a name' },
    count: { kind: 'integer', about: 'a count' },
    coin: { kind: 'list', about: 'coins' },
    quick: { kind: 'flag', about: 'quick' },
  },
  examples: ['quorate tx make a'],
  load: () => Promise.reject(new Error('not loaded')),
}

const refused = (code: string, detail: string) => (error: unknown) =>
  isFault(error) && error.code === code && (error.detail ?? '').includes(detail)

test('options and arguments come in any order', async () => {
  const given = await parse(command, ['--coin', 'a', 'file', '--count=3', '--coin', 'b', '--quick'])
  assert.equal(given.argument(0), 'file')
  assert.deepEqual(given.list('coin'), ['a', 'b'])
  assert.equal(given.integer('count', 1, 5), 3)
  assert.equal(given.flag('quick'), true)
  assert.equal(given.flag('json'), false)
  assert.equal(given.text('name'), undefined)
})

test('an option that does not exist is refused with the nearest one', async () => {
  await assert.rejects(
    parse(command, ['f', '--nmae', 'x']),
    refused('cli/unknown-option', '--name'),
  )
})

test('wrong values are refused', async () => {
  await assert.rejects(parse(command, ['f', '--name']), refused('cli/bad-value', '--name'))
  await assert.rejects(
    parse(command, ['f', '--name', '--quick']),
    refused('cli/bad-value', '--name'),
  )
  await assert.rejects(parse(command, ['f', '--quick=no']), refused('cli/bad-value', '--quick'))
  await assert.rejects(
    parse(command, ['f', '--name', 'a', '--name', 'b']),
    refused('cli/bad-value', 'twice'),
  )
  const given = await parse(command, ['f', '--count', '1e3'])
  assert.throws(() => given.integer('count', 1, 5000), refused('cli/bad-value', '--count'))
})

test('missing and surplus arguments are refused, unless help is asked for', async () => {
  await assert.rejects(parse(command, []), refused('cli/missing-argument', 'FILE'))
  await assert.rejects(parse(command, ['a', 'b', 'c']), refused('cli/unexpected-argument', 'c'))
  assert.equal((await parse(command, ['--help'])).flag('help'), true)
  const given = await parse(command, ['a'])
  assert.throws(() => given.required('name'), refused('cli/missing-argument', '--name'))
})

test('the nearest name is found, and none where none is near', () => {
  assert.equal(nearest('walet', ['wallet', 'policy']), 'wallet')
  assert.equal(nearest('zzzzzzzz', ['wallet', 'policy']), undefined)
})
