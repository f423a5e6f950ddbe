/** What running nodes answer to what is wrong: a code that says what to do, and nothing lost. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { encodeRequest, type RequestBody, signRequest, type WalletJson } from '@quorate/api'
import { type FaultCode, fromHex, isFault, newId, toHex } from '@quorate/base'
import { solanaTransfer } from '@quorate/enclave/testing'
import { systemRandom } from '@quorate/platform'
import { ProcessCluster } from '../support/process-cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'

const isCode = (code: FaultCode) => (error: unknown) =>
  isFault(error, code) || assert.fail(`expected ${code}, got ${String(error)}`)

let cluster: ProcessCluster
let wallet: WalletJson
let node: ProcessNode
before(async () => {
  cluster = await ProcessCluster.start(3)
  node = cluster.nodes[0]!
  wallet = await cluster.createWallet('solana-devnet')
})
after(() => cluster.close())

const transfer = (lamports = 1n): Uint8Array => solanaTransfer(fromHex(wallet.groupKey), lamports)
const signed = async (role: 'operator' | 'signer', body: RequestBody): Promise<string> => {
  const { client, signer } = cluster.keys[role]
  return toHex(encodeRequest(await signRequest(signer, cluster.cluster, client, body)))
}
const signBody = (change: object): RequestBody => {
  const body = cluster.signBody(wallet, transfer())
  return { ...body, value: { ...body.value, ...change } } as RequestBody
}
const carryOut = (body: RequestBody) => cluster.client(node).carryOut('signTransaction', body)

test('a request that does not fit the wallet, the network or the time is refused by name', async () => {
  const now = Date.now()
  const cases: readonly (readonly [FaultCode, object])[] = [
    ['enclave/unknown-wallet', { wallet: newId('wal', now, systemRandom) }],
    ['enclave/other-generation', { generation: 7 }],
    ['enclave/other-policy', { policyHash: new Uint8Array(32) }],
    ['enclave/derivation-unsupported', { path: [1] }],
    ['enclave/mainnet-in-development', { network: 'solana' }],
    ['enclave/wrong-suite', { network: 'bitcoin-testnet4' }],
    ['chains/unknown-network', { network: 'no-such-chain' }],
    ['api/expired', { createdAt: now - 400_000, expiresAt: now - 200_000 }],
    ['api/from-the-future', { createdAt: now + 200_000, expiresAt: now + 300_000 }],
    ['api/lifetime', { createdAt: now, expiresAt: now + 3_600_000 }],
  ]
  for (const [code, change] of cases) await assert.rejects(carryOut(signBody(change)), isCode(code))
  await assert.rejects(
    carryOut(signBody({ unsigned: Uint8Array.of(1, 2, 3) })),
    (error) => isFault(error) && error.code.startsWith('chains/'),
  )
})

test('policy refuses, and says by which rule', async () => {
  // The template for test networks caps the fee; a transaction of an unknown program is opaque.
  const unsigned = transfer()
  unsigned[1 + 4 + 64] = 9
  await assert.rejects(carryOut(signBody({ unsigned })), isCode('policy/denied'))
})

test('a client that is not enrolled for it can neither sign nor create', async () => {
  const client = cluster.client(node)
  const request = await signed('operator', cluster.signBody(wallet, transfer()))
  // Sent by the client that may sign, made by the one that may not.
  await assert.rejects(
    client.call('signTransaction', { body: { request }, idempotencyKey: 'key-of-another' }),
    isCode('node/request-mismatch'),
  )
  const { operator } = cluster.keys
  const onlyOperator = cluster.client(node, ['operator'])
  assert.equal(operator.client.slice(0, 4), 'cli_')
  await assert.rejects(
    onlyOperator.carryOut('signTransaction', cluster.signBody(wallet, transfer())),
    isCode('sdk/no-credential'),
  )
})

test('one idempotency key is one request: the same gives the same, another is refused', async () => {
  const client = cluster.client(node)
  const body = cluster.signBody(wallet, transfer(77n))
  const request = await signed('signer', body)
  const first = await client.wait(
    await client.call('signTransaction', { body: { request }, idempotencyKey: 'once-only-1' }),
  )
  const second = await client.call('signTransaction', {
    body: { request },
    idempotencyKey: 'once-only-1',
  })
  assert.deepEqual(second, first)
  // Two at once are one as well.
  const twin = await signed('signer', cluster.signBody(wallet, transfer(79n)))
  const both = await Promise.all(
    [1, 2].map(() =>
      client.call('signTransaction', { body: { request: twin }, idempotencyKey: 'once-only-2' }),
    ),
  )
  assert.equal(both[0]!.id, both[1]!.id)
  const other = await signed('signer', cluster.signBody(wallet, transfer(78n)))
  await assert.rejects(
    client.call('signTransaction', { body: { request: other }, idempotencyKey: 'once-only-1' }),
    isCode('node/idempotency-conflict'),
  )
  // Also across a restart.
  await cluster.kill(node)
  await cluster.launch(node)
  await cluster.untilConnected()
  assert.deepEqual(
    await client.call('signTransaction', { body: { request }, idempotencyKey: 'once-only-1' }),
    first,
  )
})

test('a wallet name is unique in its project', async () => {
  const label = wallet.label
  await assert.rejects(
    cluster.client(node).carryOut('createWallet', cluster.walletBody('solana-devnet', { label })),
    isCode('enclave/label-taken'),
  )
})

test('a directory serves one process; a store without its HSM, or another’s, does not open', async () => {
  const [first, second] = cluster.nodes as [ProcessNode, ProcessNode]
  const twin: ProcessNode = { ...second, child: undefined, config: { ...second.config } }
  await assert.rejects(cluster.launch(twin), /platform\/directory-in-use/)
  await cluster.stop(first)
  await cluster.stop(second)
  const putBack = cluster.snapshot(second)
  rmSync(join(second.directory, 'hsm'), { recursive: true })
  cpSync(join(first.directory, 'hsm'), join(second.directory, 'hsm'), { recursive: true })
  await assert.rejects(cluster.launch(second), /enclave\/store-mismatch/)
  putBack()
  rmSync(join(second.directory, 'node.db'))
  cpSync(join(first.directory, 'node.db'), join(second.directory, 'node.db'))
  await assert.rejects(cluster.launch(second), /enclave\/store-mismatch/)
  putBack()
  for (const each of [first, second]) await cluster.launch(each)
  await cluster.untilConnected()
})

test('a configuration that cannot be right is refused before anything starts', async () => {
  const third = cluster.nodes[2]!
  await cluster.stop(third)
  const { config } = third
  const launchWith = (change: object): Promise<void> =>
    cluster.launch({ ...third, config: { ...config, ...change } })
  await assert.rejects(launchWith({ mesh: { ...config.mesh, peers: [] } }), /node\/peers-mismatch/)
  await assert.rejects(launchWith({ http: { host: '0.0.0.0', port: 0 } }), /node\/loopback-only/)
  await assert.rejects(launchWith({ environment: 'staging' }), /enclave\/development-store/)
  await assert.rejects(launchWith({ directory: join(cluster.root, 'empty') }), /node\/not-enrolled/)
  await assert.rejects(launchWith({ threshold: 3 }), /node\/threshold-disagrees/)
  await cluster.launch(third)
  await cluster.untilConnected()
})

test('a full disk is said plainly', async (t) => {
  const full = join(cluster.root, 'full')
  mkdirSync(full, { mode: 0o700 })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'tmpfs', full], {
      stdio: 'ignore',
    })
  } catch {
    return t.skip('a small file system cannot be mounted here')
  }
  try {
    const tiny = { ...node, child: undefined, config: { ...node.config, directory: full } }
    await assert.rejects(cluster.launch(tiny), /platform\/disk-full/)
  } finally {
    // Lazily: a process of the node may be on its way out still.
    execFileSync('umount', ['-l', full])
  }
})
