/**
 * Discovery as a node uses it: its own signed heartbeat goes on a board, and of what else stands there it
 * believes what the nodes of the cluster record signed. An address is where to try, no more: who
 * answers there must greet as that node.
 */
import { type AcceptedRecord, type Connection, HeartbeatBook, makeHeartbeat } from '@quorate/auth'
import { type Clock, isFault, type Logger } from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'
import {
  type Address,
  type Board,
  type Discovery,
  startDiscovery,
  type Timers,
} from '@quorate/platform'

export type FollowOptions = {
  /** Closed with what this starts. */
  readonly board: Board
  readonly cluster: AcceptedRecord
  readonly self: number
  /** `HOST:PORT` where the others reach this node. */
  readonly addresses: readonly string[]
  /** SHA-256 of its TLS leaf; empty without TLS. */
  readonly certificate: Uint8Array
  /** The own greeting, by the epoch key. */
  greet(connection: Connection): Promise<Uint8Array>
  moveTo(peer: number, address: Address): void
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
}

export function followDiscovery(options: FollowOptions): Discovery {
  const { board, cluster, self, addresses, certificate, clock, timers, logger } = options
  const book = new HeartbeatBook()
  return startDiscovery({
    board,
    timers,
    logger,
    makeRecord: () =>
      makeHeartbeat({ v: 1, time: clock.now(), addresses, certificate }, options.greet),
    onRecord: (record) => {
      try {
        const context = { cluster, now: clock.now(), verify: verifyEd25519 }
        const heartbeat = book.take(record, context)
        const address = parseHostPort(heartbeat?.addresses[0])
        const peer = heartbeat?.epoch.nodeIndex
        if (peer !== undefined && peer !== self && address !== undefined)
          options.moveTo(peer, address)
      } catch (error) {
        const code = isFault(error) ? error.code : 'node/internal'
        logger.log('warn', 'discovery.record-refused', { code })
      }
    },
  })
}

/** A TCP address that a node signed; nothing for any other text. */
function parseHostPort(text: string | undefined): Address | undefined {
  const [, host = '', port = ''] =
    /^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+):(\d{1,5})$/.exec(text ?? '') ?? []
  const number = Number(port)
  if (host === '' || number < 1 || number > 65_535) return undefined
  return { host: host.replace(/^\[|\]$/g, ''), port: number }
}
