/**
 * The bus over a NATS server, on core subjects: `PREFIX.p.CLUSTER.FROM.TO`, one for each direction of
 * each pair of nodes. The server and its other clients are believed in nothing: a pair of nodes
 * makes its link as on the mesh, by greetings, and everything on the link is sealed.
 */
import type { Logger, Random } from '@quorate/base'
import { Fault } from '@quorate/base'
import type { Timers } from '../../time/timers.ts'
import type { Greeter } from '../link.ts'
import { MESH_TIMES, type MeshTimes } from '../mesh.ts'
import {
  type Bus,
  type MessageHandler,
  type PeerHandler,
  QUEUE_LIMITS,
  type QueueLimits,
} from '../port.ts'
import type { Broker } from './broker.ts'
import { NatsPeer } from './peer.ts'
import { peerSubject } from './subjects.ts'

export type NatsBusOptions = Greeter & {
  /** Not closed with the bus: others may use it too. */
  readonly broker: Broker
  /** First words of all subjects. */
  readonly prefix: string
  /** The cluster id, 32 bytes. */
  readonly cluster: Uint8Array
  readonly self: number
  /** Indices of all others. */
  readonly peers: readonly number[]
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  readonly times?: Partial<MeshTimes>
  readonly queue?: QueueLimits
}

/** Begins at once; peers come as the server and they are reached. */
export function openNatsBus(options: NatsBusOptions): Bus {
  const { broker, prefix, cluster, self, logger } = options
  const times = { ...MESH_TIMES, ...options.times }
  let onMessage: MessageHandler = () => {}
  let onPeer: PeerHandler = () => {}
  let isClosed = false
  const guarded = (work: () => void): void => {
    try {
      work()
    } catch (error) {
      logger.log('error', 'bus.handler-failed', {
        error: error instanceof Error ? error.message : 'unknown',
      })
    }
  }

  const peers = new Map(
    options.peers.map((index) => {
      const subject = peerSubject(prefix, cluster, self, index)
      const peer = new NatsPeer({
        ...options,
        index,
        times,
        queue: options.queue ?? QUEUE_LIMITS,
        publish: (packet) => broker.publish(subject, packet),
        maxPacket: () => (broker.isUp ? broker.maxPayload : 0),
        onFrame: (frame) => guarded(() => onMessage(index, frame)),
        onPeer: (isConnected) => {
          logger.log('info', isConnected ? 'bus.peer-connected' : 'bus.peer-lost', { peer: index })
          guarded(() => onPeer(index, isConnected))
        },
      })
      return [index, peer]
    }),
  )
  const stops = [
    ...[...peers].map(([index, peer]) =>
      broker.subscribe(peerSubject(prefix, cluster, index, self), (_subject, message) =>
        peer.receive(message),
      ),
    ),
    options.timers.every(times.heartbeatMs, () => {
      for (const peer of peers.values()) peer.beat()
    }),
    broker.onChange((isUp) => {
      if (isUp) for (const peer of peers.values()) peer.up()
    }),
  ]
  if (broker.isUp) for (const peer of peers.values()) peer.up()

  return {
    send(to, frame) {
      const peer = peers.get(to)
      if (peer === undefined) throw new Fault('platform/unknown-peer', { detail: String(to) })
      return !isClosed && peer.send(frame)
    },
    onMessage: (handler) => {
      onMessage = handler
    },
    onPeer: (handler) => {
      onPeer = handler
    },
    peers: () =>
      [...peers].map(([peer, { isConnected, queued }]) => ({ peer, isConnected, queued })),
    close: () => {
      isClosed = true
      for (const peer of peers.values()) peer.close()
      for (const stop of stops) stop()
      return Promise.resolve()
    },
  }
}
