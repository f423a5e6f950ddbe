/** audit verify and show: the logs of nodes, held against their signed checkpoints. */
import {
  type AuditItemJson,
  type AuditReport,
  type CheckpointJson,
  decodeCheckpoint,
  MAX_LIMIT,
  type StatusJson,
  verifyAudit,
} from '@quorate/api'
import type { AcceptedRecord } from '@quorate/auth'
import { equalBytes, Fault, fromHex, isFault } from '@quorate/base'
import type { Given, Run } from '../command.ts'
import { type Connection, connect, connectEach, connectionTo, endpointOf } from '../connection.ts'
import { verifyEd25519 } from '../crypto.ts'
import { homeOf, requireCluster } from '../dev/home.ts'
import { readJson } from '../files.ts'
import { type Output, table } from '../output.ts'
import { readCluster } from '../records.ts'

type Log = {
  readonly name: string
  readonly records: AsyncIterable<AuditItemJson>
  readonly checkpoints: AsyncIterable<CheckpointJson>
}

export const verify: Run = async (given, output) => {
  const { cluster, logs } = await logsOf(given, output)
  const reports: { readonly node: string; readonly report: AuditReport }[] = []
  for (const log of logs) {
    output.progress(`verifying the log of ${log.name}`)
    reports.push({ node: log.name, report: await check(log, cluster) })
  }
  const isOk = reports.every(({ report }) => report.isOk)
  output.result(
    {
      isOk,
      logs: reports.map(({ node, report }) => ({
        node,
        isOk: report.isOk,
        from: report.from,
        to: report.to,
        signedTo: report.signedTo,
        problems: report.problems,
      })),
    },
    () => reports.flatMap(({ node, report }) => describeReport(node, report)),
  )
  if (!isOk) throw new Fault('cli/does-not-verify', { detail: 'an audit log was changed' })
  if (reports.length === 0) throw new Fault('cli/not-running')
}

function describeReport(
  node: string,
  { isOk, from, to, signedTo, problems }: AuditReport,
): readonly string[] {
  const reach =
    signedTo === to
      ? 'all under a signed checkpoint'
      : `the last ${to - signedTo} not yet under a signed checkpoint`
  return [
    `${node}: ${isOk ? 'whole' : 'NOT WHOLE'}, records ${from} to ${to}, ${reach}`,
    ...problems.map(
      ({ code, seq, to: last }) => `  ${code} at ${seq === last ? seq : `${seq} to ${last}`}`,
    ),
  ]
}

const check = ({ records, checkpoints }: Log, cluster: AcceptedRecord): Promise<AuditReport> =>
  verifyAudit({
    records: mapEach(records, ({ bytes, h }) => ({ bytes: fromHex(bytes), h: fromHex(h) })),
    checkpoints: mapEach(checkpoints, ({ bytes }) => decodeCheckpoint(fromHex(bytes))),
    resolveKey: ({ node, key }) => {
      const known = cluster.record.nodes.find(({ id }) => id === node)?.identityKey
      return known !== undefined && equalBytes(known, key) ? known : undefined
    },
    verify: verifyEd25519,
  })

async function* mapEach<A, B>(items: AsyncIterable<A>, map: (item: A) => B): AsyncIterable<B> {
  for await (const item of items) yield map(item)
}

async function* each<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items
}

async function logsOf(
  given: Given,
  output: Output,
): Promise<{ readonly cluster: AcceptedRecord; readonly logs: readonly Log[] }> {
  const [where] = given.arguments
  if (where !== undefined && !/^(http|unix):/.test(where))
    return { cluster: clusterFor(given), logs: [exported(where)] }
  if (where !== undefined) {
    const [known] = await connectEach(given)
    if (known === undefined) throw new Fault('cli/not-running')
    const connection = connectionTo(known, endpointOf(where))
    return { cluster: known.cluster, logs: [await logOf(connection)] }
  }
  const connections = await connectEach(given)
  const [first] = connections
  if (first === undefined) throw new Fault('cli/not-running')
  const logs: Log[] = []
  for (const connection of connections)
    try {
      logs.push(await logOf(connection))
    } catch (error) {
      if (connection.index === undefined || !isFault(error, 'sdk/unreachable')) throw error
      output.note(`node ${connection.index} does not answer, so its log is not verified`)
    }
  return { cluster: first.cluster, logs }
}

function clusterFor(given: Given): AcceptedRecord {
  const record = given.text('cluster')
  if (record !== undefined) return readCluster(record)
  const home = homeOf(given)
  requireCluster(home)
  return readCluster(home.clusterFile)
}

/** @throws cli/bad-file, cli/file-not-found */
function exported(path: string): Log {
  const value = readJson(path) as {
    readonly records?: unknown
    readonly checkpoints?: unknown
  } | null
  const areBytes = (list: unknown, names: readonly string[]): boolean =>
    Array.isArray(list) &&
    list.every((item: unknown) =>
      names.every(
        (name) => typeof (item as { [name: string]: unknown } | null)?.[name] === 'string',
      ),
    )
  if (!areBytes(value?.records, ['bytes', 'h']) || !areBytes(value?.checkpoints, ['bytes']))
    throw new Fault('cli/bad-file', { detail: `${path} is no audit log` })
  return {
    name: path,
    records: each(value?.records as readonly AuditItemJson[]),
    checkpoints: each(value?.checkpoints as readonly CheckpointJson[]),
  }
}

/** The whole log of one node, page by page as it is read. Records that come later are left out. */
async function logOf(connection: Connection): Promise<Log> {
  const status = await connection.client.call('getStatus', {})
  return {
    name: `node ${status.node.index}`,
    records: pages(records(connection), 0, status.audit.seq),
    checkpoints: pages(checkpoints(connection), 0, status.audit.checkpointSeq),
  }
}

type Page<T> = { readonly items: readonly T[] }
type Fetch<T> = (query: { readonly after: number; readonly limit: number }) => Promise<Page<T>>

const records =
  ({ client }: Connection): Fetch<AuditItemJson> =>
  (query) =>
    client.call('listAudit', { query })
const checkpoints =
  ({ client }: Connection): Fetch<CheckpointJson> =>
  (query) =>
    client.call('listCheckpoints', { query })

const seqOf = (item: AuditItemJson | CheckpointJson): number =>
  'seq' in item ? item.seq : item.record.seq

async function* pages<T extends AuditItemJson | CheckpointJson>(
  fetch: Fetch<T>,
  after: number,
  last: number,
): AsyncIterable<T> {
  for (let at = after; at < last; ) {
    const { items } = await fetch({ after: at, limit: MAX_LIMIT })
    if (items.length === 0) return
    for (const item of items) {
      at = seqOf(item)
      if (at > last) return
      yield item
    }
  }
}

export const show: Run = async (given, output) => {
  const connection = await connect(given)
  const status = await connection.client.call('getStatus', {})
  const limit = given.integer('limit', 1, 1_000_000) ?? (output.isJson ? status.audit.seq : 20)
  const after = Math.max(0, status.audit.seq - limit)
  const items = await collected(pages(records(connection), after, status.audit.seq))
  const signed = output.isJson
    ? await collected(pages(checkpoints(connection), 0, status.audit.checkpointSeq))
    : []
  output.result(documentOf(status, items, signed), () =>
    table(
      items.map(({ record }) => [
        String(record.seq),
        record.time,
        record.action,
        record.outcome,
        record.decision === 'none' ? '' : record.decision,
        record.actor,
        record.resource,
      ]),
    ),
  )
}

const documentOf = (
  { node, cluster }: StatusJson,
  items: readonly AuditItemJson[],
  signed: readonly CheckpointJson[],
): object => ({
  node: { id: node.id, index: node.index },
  cluster: cluster.id,
  records: items,
  checkpoints: signed,
})

async function collected<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
