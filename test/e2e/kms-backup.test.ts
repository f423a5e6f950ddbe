/** Nodes keep their backups in a KMS as well; one that lost its machine and its directory of backups comes back out of it. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { WalletJson } from '@quorate/api'
import { fromHex, isFault, Secret } from '@quorate/base'
import { solanaTransfer } from '@quorate/enclave/testing'
import { KMS_SETTINGS, kmsConfig, type RunningKms, startKms } from '@quorate/kms'
import { checkBackup, kmsPlaceAt, latestBackup } from '@quorate/node'
import { type BlobStore, loadConfig } from '@quorate/platform'
import { KmsClient } from '@quorate/sdk/kms'
import {
  type BackupCluster,
  backupCluster,
  loseMachine,
  nodesWith,
  restoreOnto,
} from '../support/backup-cluster.ts'
import { silent } from '../support/process-cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'
import { until } from '../support/until.ts'

const directory = mkdtempSync(join(tmpdir(), 'quorate-kms-'))
const tokenFile = join(directory, 'token')
let kms: RunningKms
let backupUrl: string
let token: Secret<string>
let world: BackupCluster
let wallet: WalletJson

before(async () => {
  const data = join(directory, 'data')
  const flags = { environment: 'development', data, 'http.port': '0' }
  kms = await startKms(kmsConfig(loadConfig(KMS_SETTINGS, { flags, env: {} }), {}), silent)
  const endpoint = { socketPath: kms.socketPath }
  const post = async <T>(client: KmsClient, target: string, body: object): Promise<T> =>
    (await client.call<T>({ method: 'POST', target: `/api/v1${target}`, body })).body
  const secret = readFileSync(join(data, 'bootstrap-secret'), 'utf8').trim()
  const stranger = new KmsClient({ endpoint })
  const { accessToken } = await post<{ accessToken: string }>(stranger, '/sys/init', {
    secret,
    name: 'root',
  })
  const admin = new KmsClient({ endpoint, token: new Secret(accessToken) })
  const { id: project } = await admin.createProject('cluster')
  const machine = { kind: 'machine', name: 'nodes', project }
  const { id } = await post<{ id: string }>(admin, '/identities', machine)
  await post(admin, `/identities/${id}/grants`, { project, role: 'mpc-backup' })
  const issued = await post<{ accessToken: string }>(admin, `/identities/${id}/tokens`, {
    name: 'nodes',
  })
  writeFileSync(tokenFile, issued.accessToken, { mode: 0o600 })
  token = new Secret(issued.accessToken)
  backupUrl = `unix:${kms.socketPath}#/api/v1/projects/${project}/environments/production`
  world = await backupCluster(200, { backupUrl, tokenFile })
  wallet = await world.cluster.createWallet('solana-devnet')
})
after(async () => {
  await world.cluster.close()
  await kms.stop()
  rmSync(directory, { recursive: true, force: true })
})

const transfer = (lamports: bigint): Uint8Array =>
  solanaTransfer(fromHex(wallet.groupKey), lamports)
const logged = (node: ProcessNode, text: string): number =>
  node.log.filter((line) => line.includes(text)).length
/** The id of the machine that the node is now. */
const idOf = async (node: ProcessNode): Promise<string> =>
  (await world.cluster.client(node).call('getStatus', {})).node.id
function placeOf(id: string): BlobStore {
  const place = kmsPlaceAt(`${id}@${backupUrl}`, token)
  assert.ok(place !== undefined)
  return place
}

async function backedUp(node: ProcessNode, work: () => Promise<unknown>): Promise<void> {
  const have = logged(node, 'backup.made')
  await work()
  await until(() => Promise.resolve(logged(node, 'backup.made') > have), 30_000)
}

test('files of any size are kept there whole, replaced at once and destroyed for good', async () => {
  const place = placeOf('nod_01arz3ndektsv4rrffq69g5fav')
  const large = new Uint8Array(1_200_000).map((_, i) => i % 251)
  assert.deepEqual(await place.list(''), [])
  await place.put('backup-x.enc', large)
  await place.put('backup-xy.enc', large.subarray(1))
  assert.deepEqual(await place.get('backup-x.enc', { maxBytes: 1 << 24 }), large)
  await place.put('backup-x.enc', large.subarray(0, 10))
  assert.deepEqual(await place.get('backup-x.enc', { maxBytes: 10 }), large.subarray(0, 10))
  await assert.rejects(place.get('backup-xy.enc', { maxBytes: 10 }), (error) =>
    isFault(error, 'platform/file-too-large'),
  )
  await place.put('empty', new Uint8Array())
  assert.deepEqual(await place.get('empty', { maxBytes: 1 }), new Uint8Array())
  assert.deepEqual(await place.list('backup-'), [
    { key: 'backup-x.enc', size: 10 },
    { key: 'backup-xy.enc', size: large.length - 1 },
  ])
  await place.delete('backup-x.enc')
  await place.delete('backup-x.enc')
  await assert.rejects(place.get('backup-x.enc', { maxBytes: 10 }), (error) =>
    isFault(error, 'platform/no-blob'),
  )
  assert.equal((await place.get('backup-xy.enc', { maxBytes: 1 << 24 })).length, large.length - 1)
  // Of the first file nothing is left in any version of any secret.
  const [row] = await kms.kms.sql.read('SELECT SUM(LENGTH(content)) AS bytes FROM secret_version')
  const bytes = Number(row?.['bytes'])
  assert.ok(bytes > 1_200_000 && bytes < 1_700_000, String(bytes))
  const other = kmsPlaceAt(`nod_01arz3ndektsv4rrffq69g5fav@${backupUrl}`, new Secret('qkt_x'))
  await assert.rejects(other!.list(''), (error) => isFault(error, 'platform/blob-store-failed'))
  assert.equal(kmsPlaceAt('/var/backups', token), undefined)
})

test('a KMS that is sealed is a place that failed, and backups go on once it is not', async () => {
  const { cluster } = world
  const [first] = cluster.nodes as [ProcessNode, ...ProcessNode[]]
  await kms.kms.seal('system')
  const failed = logged(first, 'backup.failed')
  await cluster.sign(wallet, transfer(2n))
  await until(() => Promise.resolve(logged(first, 'backup.failed') > failed), 30_000)
  assert.ok(await kms.kms.unsealWith(kms.kms.recipients))
  await backedUp(first, () => Promise.resolve())
  const status = await cluster.client(first).call('getStatus', {})
  assert.equal(status.backup?.failure, undefined)
})

test('a node that lost its machine and its directory of backups is restored out of the KMS', async () => {
  const { cluster, secret } = world
  const [first] = cluster.nodes as [ProcessNode, ...ProcessNode[]]
  await backedUp(first, () => cluster.sign(wallet, transfer(1n)))
  const place = placeOf(await idOf(first))
  const names = (await place.list('backup-')).map(({ key }) => key)
  assert.ok(names.length > 0 && names.length <= 10)
  const file = await latestBackup(place)
  const checked = await checkBackup({
    environment: 'development',
    file,
    secret: secret.expose().slice(),
    chain: cluster.chain,
  })
  assert.equal(checked.wallets, 1)
  await loseMachine(cluster, first)
  rmSync(world.place(first), { recursive: true })
  const entry = await restoreOnto(world, first, file)
  await world.agree({ nodes: nodesWith(cluster, entry) })
  for (const node of cluster.nodes) await cluster.launch(node)
  await cluster.untilConnected()
  await until(async () => logged(first, 'restore.ledger-complete') > 0, 30_000)
  assert.equal(await idOf(first), entry.id)
})
