import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { RequestBody, WalletJson } from '@quorate/api'
import { fromHex, type Id, newId, toHex } from '@quorate/base'
import { solanaTransfer } from '@quorate/enclave/testing'
import { checkBackup } from '@quorate/node'
import { systemRandom } from '@quorate/platform'
import { placesOf } from '../chaos/places.ts'
import {
  type BackupCluster,
  backupCluster,
  loseMachine,
  nodesWith,
  restoreOnto,
} from '../support/backup-cluster.ts'
import { getText } from '../support/get-text.ts'
import type { ProcessNode } from '../support/process-node.ts'
import { until } from '../support/until.ts'

let world: BackupCluster
let wallet: WalletJson
before(async () => {
  world = await backupCluster()
  wallet = await world.cluster.createWallet('solana-devnet')
})
after(() => world.cluster.close())

const transfer = (lamports: bigint): Uint8Array =>
  solanaTransfer(fromHex(wallet.groupKey), lamports)
const logged = (node: ProcessNode, text: string): number =>
  node.log.filter((line) => line.includes(text)).length

/** Waits until a node has made a backup after `work` was done. */
async function backedUp(node: ProcessNode, work: () => Promise<unknown>): Promise<void> {
  const have = logged(node, 'backup.made')
  await work()
  await until(() => Promise.resolve(logged(node, 'backup.made') > have), 30_000)
}

const latest = async (node: ProcessNode): Promise<Uint8Array> =>
  (await world.store(node)).get('latest.enc', { maxBytes: 1 << 25 })

test('a running node makes a backup when an operator asks, and says how its backups stand', async () => {
  const { cluster } = world
  const [node] = cluster.nodes as [ProcessNode]
  const client = cluster.client(node)
  await backedUp(node, () => cluster.sign(wallet, transfer(100n)))
  const before = (await client.call('getStatus', {})).backup
  assert.ok(before?.isEnabled)
  const made = await client.call('makeBackup', { body: {} })
  assert.ok(made.number > before.newest!.number)
  const after = (await client.call('getStatus', {})).backup
  assert.equal(after?.newest?.number, made.number)
  assert.equal(after.newest.digest, made.digest)
  assert.equal(after.unrefreshed, 0)
  const { text: metrics } = await getText(node.config.http.socketPath!, '/metrics')
  assert.match(metrics, /^quorate_backup_failing 0$/m)
  assert.match(metrics, /^quorate_backup_age_seconds \d/m)
})

test('a node that is lost with its HSM is restored on another machine; the old one is fenced', async () => {
  const { cluster } = world
  const [first, second, third] = cluster.nodes as [ProcessNode, ProcessNode, ProcessNode]
  await backedUp(first, () => cluster.sign(wallet, transfer(1n)))
  const file = await latest(first)
  const lost = await loseMachine(cluster, first)
  const entry = await restoreOnto(world, first, file)
  assert.deepEqual(await restoreOnto(world, first, file), entry, 'it can be repeated')
  await world.agree({ nodes: nodesWith(cluster, entry) })
  await Promise.all([second, third].map((node) => cluster.launch(node)))
  // Killed while it takes over what the others know of its ledgers, it takes that over at its next start.
  for (const place of placesOf('test/e2e/backup.test.ts', 'enclave/restore/')) {
    await cluster.launch(first, { QUORATE_FAILPOINTS: `${place}=crash` })
    await until(() => Promise.resolve(first.child?.exitCode !== null), 60_000)
    assert.ok(first.log.includes(`failpoint ${place}: crash`), first.log.join('\n'))
  }
  await cluster.launch(first)
  await cluster.untilConnected()

  const former: ProcessNode = {
    ...first,
    directory: lost,
    config: {
      ...first.config,
      directory: lost,
      http: { socketPath: `${lost}.api` },
      mesh: { ...first.config.mesh, listen: { path: `${lost}.mesh` } },
      backup: undefined,
    },
    child: undefined,
    log: [],
  }
  await cluster.launch(former)
  await until(() => Promise.resolve(former.child?.exitCode !== null), 30_000)
  assert.ok(logged(former, 'node/fenced') > 0, former.log.join('\n'))
  await assert.rejects(cluster.launch(former), /node\/fenced/)
  for (const node of cluster.nodes) {
    assert.equal(logged(node, 'evidence.kept'), 0)
    assert.equal(logged(node, 'node.failed'), 0)
  }
  await until(async () => logged(first, 'restore.ledger-complete') > 0, 30_000)
  await cluster.kill(second)
  // Requests from before the restore, with the allowed skew of clocks, are refused for half a minute.
  await until(async () => {
    const { result } = await cluster.sign(wallet, transfer(2n), first)
    assert.ok(result?.kind === 'sign')
    assert.deepEqual(result.signers, [1, 3])
    return true
  })
  await cluster.launch(second)
  await cluster.untilConnected()
  wallet = await refresh(wallet)
  await cluster.kill(second)
  const { result } = await cluster.sign(wallet, transfer(3n), first)
  assert.ok(result?.kind === 'sign')
  await cluster.launch(second)
  await cluster.untilConnected()
})

test('a backup older than what the other nodes know of is refused, unless the admins accept it', async () => {
  const { cluster } = world
  const [first] = cluster.nodes as [ProcessNode]
  const older = await latest(first)
  for (const lamports of [11n, 12n])
    await backedUp(first, () => cluster.sign(wallet, transfer(lamports)))
  await loseMachine(cluster, first)
  const entry = await restoreOnto(world, first, older)
  await world.agree({ nodes: nodesWith(cluster, entry) })
  for (const node of cluster.nodes) await cluster.launch(node)
  await until(() => Promise.resolve(first.child?.exitCode !== null), 60_000)
  assert.ok(logged(first, 'node/backup-not-newest') > 0, first.log.join('\n'))

  await loseMachine(cluster, first)
  const accepted = await restoreOnto(world, first, older, { isOlderAccepted: true })
  await world.agree({ nodes: nodesWith(cluster, accepted) })
  for (const node of cluster.nodes) await cluster.launch(node)
  await cluster.untilConnected()
  await until(() => Promise.resolve(logged(first, 'restore.ledger-complete') > 0), 60_000)
  assert.equal(logged(first, 'node.failed'), 0)
})

test('a daemon killed at each place of a backup makes the next one, and the chain of backups goes on', async () => {
  const { cluster } = world
  const [first] = cluster.nodes as [ProcessNode]
  const places = placesOf('test/e2e/backup.test.ts', 'node/backup/')
  assert.ok(places.length > 0)
  for (const place of places) {
    await cluster.kill(first)
    await cluster.launch(first, { QUORATE_FAILPOINTS: `${place}=crash` })
    await until(() => Promise.resolve(first.child?.signalCode !== null), 60_000)
    await cluster.kill(first)
    await cluster.launch(first)
    await until(() => Promise.resolve(logged(first, 'backup.made') > 0), 60_000)
    const { secret } = world
    const checked = await checkBackup({
      environment: 'development',
      file: await latest(first),
      secret: secret.expose().slice(),
      chain: cluster.chain,
    })
    assert.equal(checked.index, 1, place)
  }
  await cluster.untilConnected()
})

test('a place for backups that is full fails the backup and nothing else', async (t) => {
  const { cluster } = world
  const [first] = cluster.nodes as [ProcessNode]
  const place = world.place(first)
  await cluster.stop(first)
  rmSync(place, { recursive: true })
  mkdirSync(place, { mode: 0o700 })
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8k,mode=0700', 'tmpfs', place])
  if (mount.status !== 0) {
    await cluster.launch(first)
    t.skip('a small file system cannot be mounted here')
    return
  }
  try {
    await cluster.launch(first)
    await cluster.untilConnected()
    await until(() => Promise.resolve(logged(first, 'backup.failed') > 0), 60_000)
    assert.ok(first.log.some((line) => line.includes('platform/disk-full')))
    const { result } = await cluster.sign(wallet, transfer(21n), first)
    assert.ok(result?.kind === 'sign')
  } finally {
    await cluster.stop(first)
    spawnSync('umount', ['-l', place])
    await cluster.launch(first)
    await cluster.untilConnected()
  }
})

test('a restore that is killed at any place can be repeated', async () => {
  const { cluster, secret } = world
  const [first] = cluster.nodes as [ProcessNode]
  await until(() => Promise.resolve(logged(first, 'backup.made') > 0), 60_000)
  const file = await latest(first)
  for (const name of placesOf('test/e2e/backup.test.ts', 'node/restore/')) {
    const directory = `${first.directory}-${name.replaceAll('/', '-')}`
    mkdirSync(directory, { mode: 0o700 })
    const node = { ...first, config: { ...first.config, directory } }
    const input = JSON.stringify({
      config: node.config,
      file: toHex(file),
      secret: toHex(secret.expose()),
      chain: cluster.chain.map(toHex),
    })
    const main = fileURLToPath(new URL('../support/restore-main.js', import.meta.url))
    const env = { ...process.env, QUORATE_FAILPOINTS: `${name}=crash` }
    const { signal } = spawnSync(process.execPath, [main], { input, env })
    assert.equal(signal, 'SIGKILL', name)
    const entry = await restoreOnto(world, node, file)
    assert.equal(entry.index, 1)
    assert.deepEqual(await restoreOnto(world, node, file), entry)
  }
})

async function refresh(of: WalletJson): Promise<WalletJson> {
  const { cluster } = world
  const now = Date.now()
  const body: RequestBody = {
    kind: 'refresh',
    value: {
      v: 1,
      requestId: newId('req', now, systemRandom),
      project: cluster.project,
      wallet: of.id as Id<'wal'>,
      generation: of.generation,
      createdAt: now,
      expiresAt: now + 60_000,
    },
  }
  const client = cluster.client(cluster.nodes[1]!)
  await client.carryOut('refreshWallet', body)
  return client.call('getWallet', { params: { id: of.id } })
}
