import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkBlindGrant, decodeBlindGrant, encodeSignedGrant } from '@quorate/api'
import { type ClusterRecord, encodeClusterRecord, signClusterRecord } from '@quorate/auth'
import { fromHex, newId } from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'
import { softwareKey } from '@quorate/enclave/testing'
import { readCallers, readGrantFile } from '@quorate/gateway'
import { systemRandom } from '@quorate/platform'
import { instantiate, policyHash } from '@quorate/policy'
import { encodeChain } from '#src/records.js'
import { cliIn, document, errorOf, scratch } from './support/cli.js'

const PROJECT = 'prj_00000000000000000000000001'
const CLIENT = 'cli_00000000000000000000000001'
const home = scratch()
const cli = cliIn(home)

test('a token is printed once, with the line that goes into the file of callers', async () => {
  const { token, line } = document<{ token: string; line: string }>(
    await cli('gateway', 'token', 'shop', '--json'),
  )
  assert.equal(readCallers(line)[0]?.name, 'shop')
  assert.ok(!line.includes(token))
  assert.equal(errorOf(await cli('gateway', 'token', '../shop', '--json')).code, 'cli/bad-value')
})

test('the gateway refuses to start without an environment, or with a setting that it does not know', async () => {
  const refused = async (...args: readonly string[]): Promise<string> =>
    errorOf(await cli('gateway', 'start', '--json', ...args)).code
  assert.equal(await refused('--node', '127.0.0.1:7600'), 'gateway/no-environment')
  assert.equal(await refused('--environment', 'staging'), 'platform/missing-setting')
  assert.equal(await refused('--listen-prt', '1'), 'cli/unknown-option')
  writeFileSync(
    join(home, 'bad.yaml'),
    'environment: staging\nnodes: [127.0.0.1:7600]\nlisten:\n  prt: 1\n',
  )
  const { code, message } = errorOf(
    await cli('gateway', 'check', '--json', '--config', join(home, 'bad.yaml')),
  )
  assert.equal(code, 'platform/unknown-setting')
  assert.match(message, /bad\.yaml:4/)
})

test('admins sign a grant one after the other, each once', async () => {
  const at = (name: string): string => join(home, name)
  const admins = await Promise.all(
    ['alice', 'bob'].map(async (name) => {
      const made = await cli('admin', 'new', '--name', name, '--out', at(`${name}.json`))
      const [id = '', key = ''] = made.out.trim().split('=')
      return { id, key: fromHex(key) }
    }),
  )
  await writeCluster(at('cluster.cbor'), admins)
  const first = document<{ signedBy: readonly string[]; threshold: number }>(
    await cli(
      'gateway',
      'grant',
      '--cluster',
      at('cluster.cbor'),
      '--wallet',
      'till',
      '--project',
      PROJECT,
      '--network',
      'solana-devnet',
      '--initiator',
      CLIENT,
      '--admin',
      at('alice.json'),
      '--out',
      at('till.alice.grant'),
      '--json',
    ),
  )
  assert.deepEqual([first.signedBy, first.threshold], [['alice'], 2])
  const more = ['--grant', at('till.alice.grant'), '--out', at('till.grant'), '--json']
  const twice = await cli('gateway', 'grant', ...more, '--admin', at('alice.json'))
  assert.equal(errorOf(twice).code, 'cli/bad-value')
  document(await cli('gateway', 'grant', ...more, '--admin', at('bob.json')))

  const { policy, signed } = readGrantFile(readFileSync(at('till.grant'), 'utf8'))
  const { v: _version, expiresAt: _expiry, ...wallet } = decodeBlindGrant(signed.grant)
  // What the nodes check before they make the key.
  checkBlindGrant(encodeSignedGrant(signed), {
    wallet: { ...wallet, now: Date.now() },
    admins,
    adminThreshold: 2,
    verify: verifyEd25519,
  })
  assert.deepEqual(policyHash(instantiate(policy, 'development')), wallet.policyHash)
})

/** A cluster record in force with these admins, as the file that joining writes. */
async function writeCluster(path: string, admins: ClusterRecord['admins']): Promise<void> {
  const keys = [softwareKey(), softwareKey()]
  const now = Date.now()
  const record = encodeClusterRecord({
    v: 1,
    number: 1,
    name: 'test',
    environment: 'development',
    nodes: keys.map(({ publicKey }, i) => ({
      index: i + 1,
      id: newId('nod', now, systemRandom),
      identityKey: publicKey,
      minCustody: 'software',
    })),
    admins,
    adminThreshold: 2,
    clients: [],
    minProtocol: 1,
    hybrid: false,
    defaultPolicy: 'testnet-open',
    createdAt: now,
  })
  const signatures = await Promise.all(
    keys.map((key, i) => signClusterRecord(record, { kind: 'node', value: i + 1 }, key)),
  )
  writeFileSync(path, encodeChain([{ record, signatures }]))
}
