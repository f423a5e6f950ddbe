/** What people decide: a wallet's policy is changed by quorum, then its transactions wait for one of them. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { cliIn, document, errorOf, type Ran, scratch } from './support/cli.js'

const home = scratch()
const cli = cliIn(home)
const at = (name: string): string => join(home, name)
const ADMIN = ['--admin', at('dev/client/admin.json')]

type Policy = { readonly version?: number; readonly policyHash: string }
type Waiting = { readonly items: readonly { readonly hash: string }[] }

const showPolicy = async (): Promise<Policy> =>
  document<Policy>(await cli('policy', 'show', 'vault', '--json'))

/** A new transfer of the wallet in hex. */
async function transfer(lamports: number): Promise<string> {
  const made = await cli('tx', 'new', '--wallet', 'vault', '--lamports', String(lamports), '--json')
  return document<{ unsigned: string }>(made).unsigned
}

const sign = (unsigned: string): Promise<Ran> =>
  cli('tx', 'sign', unsigned, '--wallet', 'vault', '--hours', '1', '--json')

/** The hash of the only request that waits, once one does. */
async function waiting(): Promise<string> {
  for (;;) {
    const [only, ...others] = document<Waiting>(await cli('approval', 'list', '--json')).items
    if (only === undefined) continue
    assert.deepEqual(others, [])
    return only.hash
  }
}

before(async () => {
  document(await cli('up', '--port', '0', '--json'))
  document(await cli('wallet', 'create', '--network', 'solana-devnet', '--name', 'vault', '--json'))
})
after(async () => {
  await cli('down')
})

test('a change of policy is proposed, approved by an administrator, and takes force', async () => {
  const first = await showPolicy()
  writeFileSync(
    at('asked.yaml'),
    [
      'v: 1',
      'change: { group: admins, need: 1 }',
      'rules:',
      '  - id: open',
      '    action: allow',
      '    when: { networks: [solana-devnet] }',
      '  - id: asked',
      '    action: approve',
      '    when: {}',
      '    approvals: [{ group: admins, need: 1 }]',
      '',
    ].join('\n'),
  )
  document(
    await cli(
      'policy',
      'propose',
      at('asked.yaml'),
      '--wallet',
      'vault',
      '--out',
      at('c.cbor'),
      '--json',
    ),
  )
  const early = await cli('policy', 'apply', at('c.cbor'), '--json')
  assert.equal(early.code, 3, early.err)
  assert.deepEqual(await showPolicy(), first)

  document(await cli('policy', 'approve', at('c.cbor'), ...ADMIN, '--out', at('s.cbor'), '--json'))
  const applied = document<Policy>(await cli('policy', 'apply', at('s.cbor'), '--json'))
  assert.equal(applied.version, 2)
  assert.notEqual(applied.policyHash, first.policyHash)
  for (const node of ['1', '2', '3']) {
    const shown = document<Policy>(await cli('policy', 'show', 'vault', '--node', node, '--json'))
    assert.deepEqual([shown.version, shown.policyHash], [2, applied.policyHash])
  }
  const wallet = document<Policy>(await cli('wallet', 'show', 'vault', '--json'))
  assert.equal(wallet.policyHash, applied.policyHash)
  // The same change takes force once.
  await cli('policy', 'apply', at('s.cbor'), '--json')
  assert.equal((await showPolicy()).version, 2)
})

test('a transaction waits until an administrator has read and approved it', async () => {
  const signing = sign(await transfer(5))
  const hash = await waiting()
  const shown = await cli('approval', 'show', hash.slice(0, 12))
  assert.match(shown.out, /waits for 1 more of admins/)
  assert.match(shown.out, /0\.000000005 SOL/)
  document(await cli('approval', 'approve', hash.slice(0, 12), ...ADMIN, '--json'))
  assert.match(document<{ txid: string }>(await signing).txid, /^[1-9A-HJ-NP-Za-km-z]{80,90}$/)
  assert.deepEqual(document<Waiting>(await cli('approval', 'list', '--json')).items, [])
})

test('a rejection ends it', async () => {
  const signing = sign(await transfer(6))
  const hash = await waiting()
  document(await cli('approval', 'reject', hash, ...ADMIN, '--json'))
  const ran = await signing
  assert.equal(ran.code, 3, ran.err)
  const gone = await cli('approval', 'show', hash, '--json')
  assert.equal(gone.code, 4)
  assert.equal(errorOf(gone).code, 'cli/not-waiting')
})
