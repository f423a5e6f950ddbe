/**
 * Where secrets are and are not: in the memory of every process while a key is made and used, and in
 * their files; and what putting the whole data directory back does.
 */
import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { WalletJson } from '@quorate/api'
import { fromHex, toHex } from '@quorate/base'
import { readShare, solanaTransfer } from '@quorate/enclave/testing'
import { ed25519, interpolate } from '@quorate/math'
import { MIGRATIONS, Store } from '@quorate/node/testing'
import { openSql, systemClock, systemRandom } from '@quorate/platform'
import {
  canReadMemory,
  filesBelow,
  formsOf,
  found,
  memoryOf,
  type Sought,
} from '../support/memory.ts'
import { ProcessCluster } from '../support/process-cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'
import { until } from '../support/until.ts'

let cluster: ProcessCluster
before(async () => {
  cluster = await ProcessCluster.start(3)
})
after(() => cluster.close())

/** The share of a stopped node. */
async function shareOf(node: ProcessNode, wallet: string): Promise<Uint8Array> {
  const sql = await openSql({
    path: join(node.directory, 'node.db'),
    migrations: MIGRATIONS,
    clock: systemClock,
    random: systemRandom,
  })
  const store = new Store(sql)
  const row = (await store.wallets()).find((each) => each.wallet === wallet)!
  const sealedSecrets = (await store.setting('node-secrets'))!
  await sql.close()
  const hsmDirectory = join(node.directory, 'hsm')
  return readShare(
    { hsmDirectory, storeId: sql.storeId, sealedSecrets, row, self: node.index },
    systemRandom,
  )
}

/** Whether the process is halted: `T` in the third field of its stat. */
const isStopped = (pid: number): boolean =>
  /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))

function* filesOf(file: string): Generator<Buffer> {
  yield readFileSync(file)
}

test('no process ever holds the key, none more than its own share, and no file any of it', async (t) => {
  if (!canReadMemory(cluster.nodes[0]!.signerPid))
    return t.skip('the memory of other processes cannot be read here')
  // Signers halt where they hold most: with the new share in hand, and with the share in use.
  for (const node of cluster.nodes) {
    await cluster.stop(node)
    await cluster.launch(node, {
      QUORATE_FAILPOINTS: 'enclave/keygen/before-pending=pause,enclave/sign/before-receipt=pause',
    })
  }
  await cluster.untilConnected()
  const dumps: {
    readonly pid: number
    readonly role: string
    readonly node: number
    readonly moment: string
    readonly file: string
  }[] = []
  const dumpAll = (moment: string): void => {
    for (const node of cluster.nodes)
      for (const [role, pid] of [
        ['daemon', node.pid],
        ['signer', node.signerPid],
      ] as const) {
        const file = join(cluster.root, `dump-${moment}-${role}-${node.index}`)
        const dump = openSync(file, 'w', 0o600)
        for (const piece of memoryOf(pid)) writeFileSync(dump, piece)
        closeSync(dump)
        dumps.push({ pid, role, node: node.index, moment, file })
      }
  }
  const halted = (count: number): Promise<void> =>
    until(() =>
      Promise.resolve(
        cluster.nodes.filter(({ signerPid }) => isStopped(signerPid)).length >= count,
      ),
    )
  const goOn = (): void => {
    for (const { signerPid } of cluster.nodes) process.kill(signerPid, 'SIGCONT')
  }

  const making = cluster.createWallet('solana-devnet')
  await halted(3)
  dumpAll('keygen')
  goOn()
  const wallet = await making
  const signing = cluster.sign(wallet, solanaTransfer(fromHex(wallet.groupKey), 5n))
  await halted(2)
  dumpAll('sign')
  // Others were asked in place of those that halted, and halt in their turn.
  const going = setInterval(goOn, 100)
  await signing.finally(() => clearInterval(going))
  for (const node of cluster.nodes) await cluster.stop(node)

  const shares = await Promise.all(cluster.nodes.map((node) => shareOf(node, wallet.id)))
  const secret = interpolate(
    [1n, 2n],
    shares.slice(0, 2).map(ed25519.decodeScalar.bind(ed25519)),
    ed25519.order,
  )
  assert.equal(
    toHex(ed25519.encode(ed25519.mulBase(secret))),
    wallet.groupKey,
    'two shares give the key',
  )
  const sought: Sought[] = [
    { name: 'key', forms: formsOf(ed25519.encodeScalar(secret)) },
    ...shares.map((share, i) => ({ name: `share ${i + 1}`, forms: formsOf(share) })),
  ]
  const seen = dumps.map((dump) => ({ ...dump, found: found(filesOf(dump.file), sought) }))
  for (const { role, node, moment, found: names } of seen) {
    const own = role === 'signer' ? [`share ${node}`] : []
    const foreign = [...names].filter((name) => !own.includes(name))
    assert.deepEqual(foreign, [], `${role} ${node} during ${moment}`)
  }
  // The search itself works: a signer that holds its share is seen to.
  assert.ok(
    seen.some(
      ({ role, moment, found: names }) =>
        role === 'signer' && moment === 'keygen' && names.size === 1,
    ),
  )
  for (const node of cluster.nodes)
    assert.deepEqual([...found(filesBelow(node.directory), sought)], [])
})

test('the whole data directory is put back, counters included: no nonce is used twice', async () => {
  for (const node of cluster.nodes) if (node.child === undefined) await cluster.launch(node)
  await cluster.untilConnected()
  const wallet: WalletJson = await cluster.createWallet('solana-devnet')
  const key = fromHex(wallet.groupKey)
  for (const node of cluster.nodes)
    await until(async () =>
      (await cluster.client(node).call('listWallets', {})).items.some(({ id }) => id === wallet.id),
    )
  const nonces = new Set<string>()
  const signTwo = async (): Promise<void> => {
    for (const lamports of [1n, 2n]) {
      const { result } = await cluster.sign(wallet, solanaTransfer(key, lamports))
      assert.ok(result?.kind === 'sign')
      // The first half of a signature is R, the sum of all nonce commitments.
      const R = result.signatures[0]!.signature.slice(0, 64)
      assert.ok(!nonces.has(R), 'a nonce came back')
      nonces.add(R)
    }
  }
  for (const node of cluster.nodes) await cluster.stop(node)
  const putBack = cluster.nodes.map((node) => cluster.snapshot(node))
  for (let life = 0; life < 3; life++) {
    for (const node of cluster.nodes) await cluster.launch(node)
    await cluster.untilConnected()
    await signTwo()
    for (const node of cluster.nodes) await cluster.kill(node)
    for (const restore of putBack) restore()
  }
  assert.equal(nonces.size, 6)
})

test('one node put back to an earlier state meets its own later word and stops', async () => {
  for (const node of cluster.nodes) await cluster.launch(node)
  await cluster.untilConnected()
  const [node] = cluster.nodes as [ProcessNode]
  await cluster.stop(node)
  const restore = cluster.snapshot(node)
  await cluster.launch(node)
  await cluster.untilConnected()
  await cluster.createWallet('bitcoin-testnet4')
  // A graceful stop signs a checkpoint and hands it to the peers.
  await cluster.stop(node)
  restore()
  await cluster.launch(node)
  await until(() => Promise.resolve(node.child?.exitCode === 1))
  assert.ok(
    node.log.some((line) => line.includes('node/rolled-back')),
    node.log.join('\n'),
  )
})
