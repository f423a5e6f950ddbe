/**
 * A client of a running cluster: of the development cluster in the home, or of any node that is
 * named with --url, --cluster and --client.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { AcceptedRecord } from '@quorate/auth'
import { equalBytes, Fault, isFault } from '@quorate/base'
import { systemClock, systemRandom } from '@quorate/platform'
import { type Credential, type Endpoint, NodeClient } from '@quorate/sdk'
import { type Given, integerOf } from './command.ts'
import { readCredential } from './credentials.ts'
import { type Home, homeOf, requireCluster } from './dev/home.ts'
import { readState } from './dev/state.ts'
import { readCluster } from './records.ts'

export type Connection = {
  readonly client: NodeClient
  readonly cluster: AcceptedRecord
  readonly credentials: readonly Credential[]
  /** Threshold of new wallets unless told. */
  readonly threshold: number
}

export type Place = { readonly index: number | undefined; readonly endpoint: Endpoint }

/** A client of the first node that answers. @throws cli/no-cluster, cli/not-running, sdk/…, auth/… */
export async function connect(given: Given): Promise<Connection> {
  const known = await clusterOf(given)
  const places = placesOf(given)
  for (const { endpoint } of places) {
    const connection = connectionTo(known, endpoint)
    try {
      await connection.client.call('getHealth', {})
      return connection
    } catch (error) {
      if (places.length === 1 || !isFault(error, 'sdk/unreachable')) throw error
    }
  }
  throw new Fault('cli/not-running')
}

/** A client of each node, whether it answers or not. */
export async function connectEach(
  given: Given,
): Promise<readonly (Connection & { readonly index: number | undefined })[]> {
  const known = await clusterOf(given)
  return placesOf(given).map(({ index, endpoint }) => ({ ...connectionTo(known, endpoint), index }))
}

type Known = Pick<Connection, 'cluster' | 'credentials' | 'threshold'>

export const connectionTo = (known: Known, endpoint: Endpoint): Connection => ({
  ...known,
  client: new NodeClient({
    endpoint,
    cluster: known.cluster.cluster,
    credentials: known.credentials,
    clock: systemClock,
    random: systemRandom,
    sleep: (ms) => sleep(ms),
  }),
})

async function clusterOf(given: Given): Promise<Known> {
  const files = given.list('client')
  const record = given.text('cluster')
  if (record === undefined && files.length === 0 && !given.has('url'))
    return devCluster(homeOf(given))
  if (record === undefined || files.length === 0)
    throw new Fault('cli/missing-argument', { detail: '--cluster and --client go together' })
  const cluster = readCluster(record)
  const credentials = files.map((file) => readCredential(file))
  for (const each of credentials)
    if (each.cluster !== undefined && !equalBytes(each.cluster, cluster.cluster))
      throw new Fault('auth/other-cluster')
  return { cluster, credentials, threshold: Math.floor(cluster.record.nodes.length / 2) + 1 }
}

const DEV_CLIENTS = ['operator', 'signer', 'auditor']

/** What the clients of the development cluster need. @throws cli/no-cluster, auth/… */
export async function devCluster(home: Home): Promise<Known> {
  requireCluster(home)
  const cluster = readCluster(home.clusterFile)
  const credentials = DEV_CLIENTS.map((name) => readCredential(home.clientFile(name)))
  return { cluster, credentials, threshold: readState(home).threshold }
}

function placesOf(given: Given): readonly Place[] {
  const url = given.text('url')
  if (url !== undefined) return [{ index: undefined, endpoint: endpointOf(url) }]
  const { nodes } = readState(homeOf(given))
  const wanted = given.integer('node', 1, 50)
  if (wanted === undefined) {
    if (nodes.length === 0) throw new Fault('cli/not-running')
    return nodes.map(({ index, socket }) => ({ index, endpoint: { socketPath: socket } }))
  }
  const node = nodes.find(({ index }) => index === wanted)
  if (node === undefined)
    throw new Fault('cli/unknown-node', { detail: `there are ${nodes.length}` })
  return [{ index: wanted, endpoint: { socketPath: node.socket } }]
}

/** What `--url` names. @throws cli/bad-value */
export function endpointOf(url: string): Endpoint {
  if (url.startsWith('unix:')) return { socketPath: url.slice(5) }
  const [, scheme = '', host = '', port = '', fingerprint] =
    /^(https?):\/\/([0-9A-Za-z.-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})\/?(?:#([0-9a-f]{64}))?$/.exec(
      url,
    ) ?? []
  // Without the fingerprint TLS would be with whoever answers.
  if (host === '' || (scheme === 'https') !== (fingerprint !== undefined))
    throw new Fault('cli/bad-value', {
      detail: '--url takes http://host:port, https://host:port#FINGERPRINT or unix:PATH',
    })
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port: integerOf('the port', port, 1, 65535),
    ...(fingerprint !== undefined && { fingerprint }),
  }
}
