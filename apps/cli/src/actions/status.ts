/** What each node says of itself and of the others. */
import type { StatusJson } from '@quorate/api'
import { Fault, isFault } from '@quorate/base'
import type { Given, Run } from '../command.ts'
import { type Connection, connectEach } from '../connection.ts'
import { custodyText } from '../custody.ts'
import { homeOf } from '../dev/home.ts'
import { type DevNode, isRunning, readState } from '../dev/state.ts'
import { table } from '../output.ts'

type Place = Connection & { readonly index: number | undefined }

type Row = {
  /** Of the development cluster; absent for a node that --url names. */
  readonly node: DevNode | undefined
  readonly index: number
  readonly status: StatusJson | undefined
}

export const status: Run = async (given, output) => {
  const rows = await rowsOf(given)
  const known = rows.find((row) => row.status !== undefined)?.status
  output.result({ nodes: rows.map(rowJson) }, () => [
    ...(known === undefined ? [] : [summary(known)]),
    ...table(rows.map(describeRow)),
    ...warnings(known),
  ])
  if (known === undefined) throw new Fault('cli/not-running')
}

async function rowsOf(given: Given): Promise<readonly Row[]> {
  const nodes = given.has('url') ? [] : readState(homeOf(given)).nodes
  return Promise.all(
    (await connectEach(given)).map(async (connection): Promise<Row> => {
      const said = await answerOf(connection)
      return {
        node: nodes.find(({ index }) => index === connection.index),
        index: connection.index ?? said?.node.index ?? 0,
        status: said,
      }
    }),
  )
}

async function answerOf({ client, index }: Place): Promise<StatusJson | undefined> {
  try {
    return await client.call('getStatus', {})
  } catch (error) {
    if (index !== undefined && isFault(error, 'sdk/unreachable')) return undefined
    throw error
  }
}

const rowJson = ({ node, index, status: said }: Row): object => ({
  index,
  ...(node !== undefined && {
    pid: isRunning(node) ? node.pid : null,
    signerPid: isRunning(node) ? node.signerPid : null,
    socket: node.socket,
    port: node.port,
  }),
  status: said ?? null,
})

const summary = ({ cluster, environment, wallets }: StatusJson): string =>
  `Cluster ${cluster.name} (${environment}), record ${cluster.number}, ${cluster.size} nodes, ${wallets} ${wallets === 1 ? 'wallet' : 'wallets'}.`

function describeRow({ node, index, status: said }: Row): readonly string[] {
  const where = placeOf(node)
  if (said === undefined) {
    const isUp = node !== undefined && isRunning(node)
    return [`  node ${index}`, isUp ? 'does not answer' : 'stopped', '', '', '', where]
  }
  const connected = said.peers.filter(({ state }) => state === 'connected').length
  return [
    `  node ${index}`,
    `up, sees ${connected} of ${said.peers.length} others`,
    custodyText(said.custody),
    `audit ${said.audit.seq}${said.audit.rollbackDetectable ? '' : ' (rollback not detectable)'}`,
    backupText(said.backup),
    where,
  ]
}

function backupText(backup: StatusJson['backup']): string {
  if (backup === undefined || !backup.isEnabled) return 'no backups'
  if (backup.failure !== undefined) return `backup failed: ${backup.failure}`
  return backup.newest === undefined
    ? 'no backup yet'
    : `backup ${backup.newest.number} of ${backup.newest.at}`
}

function placeOf(node: DevNode | undefined): string {
  if (node === undefined) return ''
  return node.port === null ? node.socket : `http://127.0.0.1:${node.port}`
}

const warnings = (known: StatusJson | undefined): readonly string[] =>
  known === undefined || known.custody.level === 'hardware'
    ? []
    : [`Custody ${custodyText(known.custody)}: ${MEANING[known.custody.level]}.`]

const MEANING = {
  software: 'whoever is root on this machine can read the keys that seal the shares',
  sealed: 'whoever is root on this machine can use the keys while they are unsealed',
} as const
