import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cliIn, document, errorOf, scratch } from './support/cli.js'

const home = scratch()
const cli = cliIn(home)
const at = (name: string): string => join(home, name)
const where = (node: number): readonly string[] => [
  '--environment',
  'development',
  '--data',
  at(`n${node}`),
]

test('two nodes enrol by cards, a proposal, signatures and joining', async () => {
  for (const node of [1, 2]) {
    const card = document<{ words: string; custody: string }>(
      await cli(
        'cluster',
        'card',
        ...where(node),
        '--name',
        `n${node}`,
        '--out',
        at(`${node}.card`),
        '--json',
      ),
    )
    assert.equal(card.words.split(' ').length, 8)
  }
  const client = await cli('client', 'new', '--role', 'operator', '--out', at('op.json'))
  assert.equal(client.code, 0)
  assert.equal(statSync(at('op.json')).mode & 0o777, 0o600)
  assert.doesNotMatch(client.out, /seed/)
  writeFileSync(at('op.pub'), client.out)

  const { seed } = JSON.parse(readFileSync(at('op.json'), 'utf8')) as { seed: string }
  assert.match(seed, /^[0-9a-f]{64}$/)
  const made = await cli('admin', 'new', '--name', 'alice', '--out', at('alice.json'))
  const admin = made.out.trim()
  assert.match(admin, /^alice=[0-9a-f]{64}$/)
  const propose = [
    'cluster',
    'propose',
    '--name',
    'pair',
    '--environment',
    'development',
    '--card',
    at('1.card'),
    '--card',
    at('2.card'),
    '--client',
    at('op.pub'),
    '--admin',
    admin,
  ]
  const proposal = document<{ words: string }>(
    await cli(...propose, '--out', at('record.cbor'), '--json'),
  )

  const words = new Set([proposal.words])
  for (const node of [1, 2]) {
    const signed = document<{ words: string; by: { kind: string; value: number } }>(
      await cli(
        'cluster',
        'sign',
        at('record.cbor'),
        ...where(node),
        '--out',
        at(`${node}.cbor`),
        '--json',
      ),
    )
    assert.deepEqual(signed.by, { kind: 'node', value: node })
    words.add(signed.words)
  }
  assert.equal(words.size, 1)

  const shown = document<{ isInForce: boolean; signatures: number }>(
    await cli('cluster', 'show', at('1.cbor'), '--json'),
  )
  assert.deepEqual([shown.isInForce, shown.signatures], [false, 1])
  const early = await cli('cluster', 'join', at('1.cbor'), ...where(1), '--json')
  assert.equal(early.code, 3)
  assert.equal(errorOf(early).code, 'auth/not-enough-signatures')

  const joined = document<{ index: number }>(
    await cli(
      'cluster',
      'join',
      at('2.cbor'),
      at('1.cbor'),
      ...where(2),
      '--out',
      at('cluster.cbor'),
      '--json',
    ),
  )
  assert.equal(joined.index, 2)
  const whole = document<{ isInForce: boolean; nodes: readonly object[] }>(
    await cli('cluster', 'show', at('cluster.cbor'), '--json'),
  )
  assert.deepEqual([whole.isInForce, whole.nodes.length], [true, 2])
  const again = await cli('cluster', 'join', at('2.cbor'), at('1.cbor'), ...where(2), '--json')
  assert.equal(errorOf(again).code, 'auth/record-not-newer')
})

test('the next record takes force by its admins, and the one before never comes back', async () => {
  const { client } = JSON.parse(readFileSync(at('op.json'), 'utf8')) as { client: string }
  const next = ['cluster', 'propose', '--after', at('cluster.cbor'), '--remove-client', client]
  const proposal = document<{ number: number }>(
    await cli(...next, '--out', at('next.cbor'), '--json'),
  )
  assert.equal(proposal.number, 2)
  const unsigned = await cli('cluster', 'join', at('next.cbor'), ...where(2), '--json')
  assert.equal(errorOf(unsigned).code, 'auth/not-enough-signatures')
  const sign = ['cluster', 'sign', at('next.cbor'), '--admin', at('alice.json')]
  assert.equal((await cli(...sign, '--out', at('next.alice.cbor'))).code, 0)
  const joined = document<{ number: number }>(
    await cli(
      'cluster',
      'join',
      at('next.alice.cbor'),
      ...where(2),
      '--out',
      at('two.cbor'),
      '--json',
    ),
  )
  assert.equal(joined.number, 2)
  const shown = document<{ clients: readonly object[]; isInForce: boolean }>(
    await cli('cluster', 'show', at('two.cbor'), '--json'),
  )
  assert.deepEqual([shown.clients.length, shown.isInForce], [0, true])
  const older = await cli('cluster', 'join', at('2.cbor'), at('1.cbor'), ...where(2), '--json')
  assert.equal(errorOf(older).code, 'auth/record-not-newer')
  const fixed = await cli(...next, '--name', 'other', '--json')
  assert.equal(errorOf(fixed).code, 'cli/bad-value')
})

test('nothing is overwritten, and a file that is no record is refused', async () => {
  const again = await cli('client', 'new', '--role', 'signer', '--out', at('op.json'), '--json')
  assert.equal(again.code, 4)
  assert.equal(errorOf(again).code, 'cli/file-exists')
  const bad = await cli('cluster', 'show', at('op.json'), '--json')
  assert.equal(bad.code, 2)
  assert.equal(errorOf(bad).code, 'cli/bad-file')
  const missing = await cli('cluster', 'show', at('nowhere'), '--json')
  assert.equal(missing.code, 4)
  assert.equal(errorOf(missing).code, 'cli/file-not-found')
  assert.ok(!existsSync(at('nowhere')))
})
