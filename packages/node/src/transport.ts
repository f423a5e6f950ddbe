/**
 * How this node reaches the others: the bus, and discovery that tells the mesh where they are. None of
 * it is trusted: a peer is who its greeting says, an address is what a node of the cluster signed.
 */
import type { AcceptedRecord } from '@quorate/auth'
import { Fault, type Logger } from '@quorate/base'
import {
  type Address,
  type Board,
  type Broker,
  type Bus,
  type Greeter,
  nodeInbox,
  openBroker,
  openConsulBoard,
  openJetStreamQueue,
  openMesh,
  openNatsBoard,
  openNatsBus,
  type RequestQueue,
  readFile,
  systemClock,
  systemRandom,
  systemTimers,
} from '@quorate/platform'
import type { NodeConfig } from './config.ts'
import { followDiscovery } from './discovery.ts'
import type { TlsLeaf } from './tls-leaf.ts'
import { checkTransport, type TransportConfig } from './transport-config.ts'

export type Transport = {
  /** Where requests come from besides HTTP. */
  readonly queue: RequestQueue | undefined
  close(): Promise<void>
}

export type TransportOptions = Greeter & {
  readonly config: NodeConfig
  readonly cluster: AcceptedRecord
  readonly self: number
  readonly tls: TlsLeaf | undefined
  readonly logger: Logger
  /** Called with the bus before anything can come over it: peers may be there long before the rest is. */
  ready(bus: Bus): void
}

const MESH_ONLY: TransportConfig = { bus: 'mesh', discovery: 'static' }
const MAX_CA_BYTES = 1024 * 1024
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/** Whether the configured bus shows TLS leaves, which epoch records then name. */
export const usesTls = ({ mesh, transport = MESH_ONLY }: NodeConfig): boolean =>
  transport.bus === 'mesh' && 'host' in mesh.listen

/** @throws node/peers-mismatch, platform/port-taken, platform/missing-setting, platform/bad-credentials */
export async function openTransport(options: TransportOptions): Promise<Transport> {
  const { config, cluster, self, logger } = options
  const { transport = MESH_ONLY } = config
  checkTransport(transport)
  const others = cluster.record.nodes.map(({ index }) => index).filter((index) => index !== self)
  const undo: (() => unknown)[] = []
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  const ports = { timers: systemTimers, random: systemRandom, logger }
  try {
    const { nats } = transport
    const broker =
      nats === undefined
        ? undefined
        : await openBroker({
            ...ports,
            servers: nats.urls,
            name: `quorate-${cluster.record.name}-${self}`,
            inbox: nodeInbox(cluster.cluster, self),
            credentialsFile: nats.credentialsFile,
            caFile: nats.caFile,
          })
    if (broker !== undefined) undo.push(() => broker.close())
    const { makeHello, checkHello, farewell } = options
    const greeter: Greeter = { makeHello, checkHello, ...(farewell && { farewell }) }

    let bus: Bus
    let moveTo: (peer: number, address: Address) => void = () => {}
    if (transport.bus === 'nats' && broker !== undefined && nats !== undefined) {
      const { prefix } = nats
      const place = { broker, prefix, cluster: cluster.cluster, self, peers: others }
      bus = openNatsBus({ ...ports, ...greeter, ...place })
    } else {
      const mesh = await openMesh({
        ...ports,
        ...greeter,
        self,
        listen: config.mesh.listen,
        peers: meshPeers(config, transport, others),
        ...(options.tls !== undefined && { tls: options.tls }),
      })
      moveTo = (peer, address) => mesh.moveTo(peer, address)
      bus = mesh
    }
    undo.push(() => bus.close())
    options.ready(bus)

    const board = await openBoard({ transport, broker, cluster, self, others, logger })
    if (board !== undefined) {
      const discovery = followDiscovery({
        board,
        cluster,
        self,
        addresses: advertised(config, transport),
        certificate: options.tls?.fingerprint ?? new Uint8Array(),
        greet: async (connection) => options.makeHello(connection),
        moveTo,
        ...ports,
        clock: systemClock,
      })
      undo.push(() => discovery.close())
    }
    const queue =
      broker !== undefined && nats?.queue !== undefined
        ? await openJetStreamQueue({ ...ports, broker, prefix: nats.prefix, isMaker: true })
        : undefined
    if (queue !== undefined) undo.push(() => queue.close())
    return { queue, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The others with their configured addresses. @throws node/peers-mismatch */
function meshPeers(
  { mesh }: NodeConfig,
  { discovery }: TransportConfig,
  others: readonly number[],
): readonly { readonly index: number; readonly address: Address | undefined }[] {
  const known = new Map(mesh.peers.map(({ index, address }) => [index, address]))
  const isStrange = [...known.keys()].some((index) => !others.includes(index))
  const isIncomplete = discovery === 'static' && others.some((index) => !known.has(index))
  if (isStrange || isIncomplete || known.size !== mesh.peers.length)
    throw new Fault('node/peers-mismatch', {
      detail: `addresses of nodes ${others.join(', ')} are needed`,
    })
  return others.map((index) => ({ index, address: known.get(index) }))
}

async function openBoard(o: {
  readonly transport: TransportConfig
  readonly broker: Broker | undefined
  readonly cluster: AcceptedRecord
  readonly self: number
  readonly others: readonly number[]
  readonly logger: Logger
}): Promise<Board | undefined> {
  const { transport, broker, self, others, logger } = o
  const { cluster } = o.cluster
  const { consul, nats } = transport
  if (transport.discovery === 'nats' && broker !== undefined && nats !== undefined)
    return openNatsBoard({
      broker,
      prefix: nats.prefix,
      cluster,
      self,
      peers: others,
      isMaker: true,
    })
  if (transport.discovery === 'consul' && consul !== undefined) {
    const { address, token, caFile } = consul
    const ca =
      caFile === undefined
        ? undefined
        : Buffer.from(readFile(caFile, { maxBytes: MAX_CA_BYTES })).toString()
    return openConsulBoard({ address, token, ca, cluster, self, logger })
  }
  return undefined
}

/** Where the others are told to reach this node. @throws platform/missing-setting */
function advertised({ mesh }: NodeConfig, transport: TransportConfig): readonly string[] {
  if (transport.advertise !== undefined) return transport.advertise
  if (transport.bus === 'nats' || 'path' in mesh.listen) return []
  const { host, port } = mesh.listen
  if (WILDCARDS.has(host)) throw new Fault('platform/missing-setting', { detail: 'mesh.advertise' })
  return [`${host.includes(':') ? `[${host}]` : host}:${port}`]
}
