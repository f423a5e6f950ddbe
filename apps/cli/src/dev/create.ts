/**
 * Makes a development cluster: a data directory for each node, clients for the three roles, and
 * cluster record 1, which every node signs and takes into force. Nothing is there until all is.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Role } from '@quorate/api'
import {
  type ClusterRecord,
  clusterRecordHash,
  encodeClusterRecord,
  encodeSignedRecord,
  readNodeCard,
} from '@quorate/auth'
import { type Logger, newId, toHex } from '@quorate/base'
import { joinCluster, type LocalNode, makeCard, openLocal, signProposal } from '@quorate/node'
import { syncDirectory, systemClock, systemRandom, writeFileAtomic } from '@quorate/platform'
import { type ClientFile, keyFileBytes, newKey } from '../credentials.ts'
import { verifyEd25519 } from '../crypto.ts'
import { encodeChain } from '../records.ts'
import { type GivenDevice, nodeDevice, writeDevDevice } from './device.ts'
import { type Home, homeAt } from './home.ts'

const SILENT: Logger = { log: () => {}, with: () => SILENT }
const TEN_YEARS_MS = 10 * 365 * 24 * 3_600_000
const ROLES: readonly Role[] = ['operator', 'signer', 'auditor']

/** The nodes are opened all at once in this process; each has its own directory and signer process. */
export async function createCluster(
  home: Home,
  size: number,
  device: GivenDevice | undefined,
  onProgress: (text: string) => void,
): Promise<void> {
  for (const name of readdirSync(home.path))
    if (name.startsWith('dev.new-')) rmSync(join(home.path, name), { recursive: true, force: true })
  const making = join(home.path, `dev.new-${randomBytes(4).toString('hex')}`)
  const draft: Home = { ...homeAt(home.path), ...placesIn(making) }
  mkdirSync(join(making, 'client'), { recursive: true, mode: 0o700 })
  const indices = Array.from({ length: size }, (_, i) => i + 1)
  onProgress(`making ${size} nodes`)
  const opened = await Promise.allSettled(
    indices.map((index) =>
      openLocal({
        environment: 'development',
        directory: draft.node(index),
        hsm: nodeDevice(device, index),
        logger: SILENT,
      }),
    ),
  )
  const nodes = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  try {
    const failed = opened.find((each) => each.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    onProgress('signing the cluster record')
    await enrol(draft, nodes)
    if (device !== undefined) writeDevDevice(draft, device.device)
  } finally {
    await Promise.all(nodes.map((node) => node.close()))
  }
  renameSync(making, home.dev)
  syncDirectory(home.path)
}

const placesIn = (
  dev: string,
): Pick<Home, 'dev' | 'clusterFile' | 'deviceFile' | 'clientFile' | 'node'> => ({
  dev,
  clusterFile: join(dev, 'cluster.cbor'),
  deviceFile: join(dev, 'hsm.json'),
  clientFile: (name) => join(dev, 'client', `${name}.json`),
  node: (index) => join(dev, `node-${index}`),
})

async function enrol(home: Home, nodes: readonly LocalNode[]): Promise<void> {
  const now = systemClock.now()
  const cards = await Promise.all(nodes.map((node, i) => makeCard(node, `node-${i + 1}`)))
  const project = newId('prj', now, systemRandom)
  const clients = ROLES.map((role) => ({
    v: 1 as const,
    client: newId('cli', now, systemRandom),
    name: role,
    role,
    project,
    ...newKey(),
  }))
  const admin = { v: 1 as const, admin: 'admin', ...newKey() }
  const record: ClusterRecord = {
    v: 1,
    number: 1,
    name: 'development',
    environment: 'development',
    nodes: cards
      .map((card) => readNodeCard(card, verifyEd25519))
      .map(({ id, identityKey, custody }, i) => ({
        index: i + 1,
        id,
        identityKey,
        minCustody: custody,
      })),
    admins: [{ id: admin.admin, key: bytesOf(admin.key) }],
    adminThreshold: 1,
    clients: clients.map(({ client, key, name, role }) => ({
      id: client,
      key: bytesOf(key),
      name,
      role,
      project,
      expiresAt: now + TEN_YEARS_MS,
    })),
    minProtocol: 1,
    hybrid: false,
    defaultPolicy: 'testnet-open',
    createdAt: now,
  }
  const encoded = encodeClusterRecord(record)
  const signatures = await Promise.all(nodes.map((node) => signProposal(node, encoded)))
  const signed = {
    record: encoded,
    signatures: signatures.map(({ index, signature }) => ({
      by: { kind: 'node' as const, value: index },
      signature,
    })),
  }
  const bytes = encodeSignedRecord(signed)
  await Promise.all(nodes.map((node) => joinCluster(node, bytes)))
  const cluster = toHex(clusterRecordHash(encoded))
  for (const client of clients)
    writeFileAtomic(
      home.clientFile(client.name),
      keyFileBytes({ ...client, cluster } satisfies ClientFile),
    )
  writeFileAtomic(home.clientFile('admin'), keyFileBytes(admin))
  writeFileAtomic(home.clusterFile, encodeChain([signed]))
}

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
