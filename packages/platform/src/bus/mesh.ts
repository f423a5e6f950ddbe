/**
 * The bus without a server: every node keeps one connection to each other node, dialled by the one
 * with the lower index. Unix sockets within one machine in development, otherwise TLS 1.3 with a
 * self-signed leaf on both sides. TLS itself trusts any leaf here: the hello, which is bound to both
 * leaves and to the connection, says whether this is the peer.
 */
import { constants } from 'node:crypto'
import net from 'node:net'
import tls from 'node:tls'
import { Fault, type Logger, type Random } from '@quorate/base'
import { type Address, addressText, listen } from '../net/listen.ts'
import type { Cancel, Timers } from '../time/timers.ts'
import { type Greeter, Link, type LinkEvents } from './link.ts'
import {
  type Bus,
  type MessageHandler,
  type PeerHandler,
  QUEUE_LIMITS,
  type QueueLimits,
} from './port.ts'
import { FrameQueue } from './queue.ts'

export type TlsIdentity = {
  /** Self-signed leaf, DER. */
  readonly certificate: Uint8Array
  /** Its Ed25519 key, PKCS#8 in PEM. */
  readonly privateKey: string
}

export type MeshTimes = {
  readonly heartbeatMs: number
  readonly handshakeMs: number
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
}
/** A connection on which nothing came for three heartbeats is ended. */
export const MESH_TIMES: MeshTimes = {
  heartbeatMs: 5_000,
  handshakeMs: 5_000,
  backoffMinMs: 100,
  backoffMaxMs: 10_000,
}

export type MeshOptions = Greeter & {
  readonly self: number
  readonly listen: Address
  /** All others; nobody else is ever accepted. One without an address is not dialled until it has one. */
  readonly peers: readonly { readonly index: number; readonly address?: Address | undefined }[]
  /** Needed exactly when addresses are TCP. */
  readonly tls?: TlsIdentity
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  readonly times?: Partial<MeshTimes>
  readonly queue?: QueueLimits
}

export type Mesh = Bus & {
  /** Where it listens, its real port in it. */
  readonly address: Address
  /** Uses another leaf for connections made from now on. */
  renewTls(identity: TlsIdentity): void
  /**
   * Reaches a peer at another address from now on; a connection that lives is kept. An address of the
   * other kind (unix socket, TCP) than the mesh has is not taken. @throws platform/unknown-peer
   */
  moveTo(peer: number, address: Address): void
}

type Peer = {
  readonly index: number
  address: Address | undefined
  readonly queue: FrameQueue
  link: Link | undefined
  isBlocked: boolean
  failures: number
  cancelRetry: Cancel | undefined
}

/** Connections that may be open beyond one for each peer. */
const MAX_STRANGERS = 32

/** @throws platform/port-taken, platform/cannot-listen */
export async function openMesh(options: MeshOptions): Promise<Mesh> {
  for (const address of [options.listen, ...options.peers.map((peer) => peer.address)])
    if (address !== undefined && 'path' in address === (options.tls !== undefined))
      throw new Fault('platform/cannot-listen', {
        detail: 'TLS belongs to TCP addresses, and to these only',
      })
  const engine = new Engine(options)
  return engine.open()
}

const isSame = (one: Address | undefined, other: Address): boolean =>
  one !== undefined && addressText(one) === addressText(other)

const secure = ({ certificate, privateKey }: TlsIdentity): tls.SecureContextOptions => ({
  key: privateKey,
  cert: `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString('base64')}\n-----END CERTIFICATE-----\n`,
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  sigalgs: 'ed25519',
  ecdhCurve: 'X25519',
  secureOptions: constants.SSL_OP_NO_TICKET,
})

class Engine {
  readonly #options: MeshOptions
  readonly #times: MeshTimes
  readonly #peers: ReadonlyMap<number, Peer>
  readonly #links = new Set<Link>()
  readonly #dialling = new Set<net.Socket>()
  /** Sockets as accepted, below TLS. */
  readonly #accepted = new Set<net.Socket>()
  readonly #server: net.Server
  #tls: TlsIdentity | undefined
  #onMessage: MessageHandler = () => {}
  #onPeer: PeerHandler = () => {}
  #stopBeating: Cancel = () => {}
  #isClosed = false

  constructor(options: MeshOptions) {
    this.#options = options
    this.#times = { ...MESH_TIMES, ...options.times }
    this.#tls = options.tls
    this.#peers = new Map(
      options.peers.map(({ index, address }) => [
        index,
        {
          index,
          address,
          queue: new FrameQueue(options.queue ?? QUEUE_LIMITS),
          link: undefined,
          isBlocked: false,
          failures: 0,
          cancelRetry: undefined,
        },
      ]),
    )
    const accept = (socket: net.Socket): void => this.#link(socket, 'listener')
    this.#server =
      options.tls === undefined
        ? net.createServer(accept)
        : tls.createServer(
            {
              ...secure(options.tls),
              requestCert: true,
              rejectUnauthorized: false,
              handshakeTimeout: this.#times.handshakeMs,
            },
            accept,
          )
    // Without a listener a failed TLS handshake would leave its socket open.
    this.#server.on('tlsClientError', (_error: Error, socket: tls.TLSSocket) => socket.destroy())
    this.#server.on('connection', (socket: net.Socket) => {
      this.#accepted.add(socket)
      socket.once('close', () => this.#accepted.delete(socket))
    })
    this.#server.maxConnections = this.#peers.size + MAX_STRANGERS
  }

  async open(): Promise<Mesh> {
    const address = await listen(this.#server, this.#options.listen)
    this.#stopBeating = this.#options.timers.every(this.#times.heartbeatMs, () => {
      for (const link of this.#links) link.beat()
    })
    for (const peer of this.#peers.values()) if (this.#isDiallerOf(peer)) this.#dial(peer)
    return {
      address,
      send: (to, frame) => this.#send(to, frame),
      onMessage: (handler) => {
        this.#onMessage = handler
      },
      onPeer: (handler) => {
        this.#onPeer = handler
      },
      peers: () =>
        [...this.#peers.values()].map(({ index, link, queue }) => ({
          peer: index,
          isConnected: link !== undefined,
          queued: queue.length,
        })),
      renewTls: (identity) => {
        if (!(this.#server instanceof tls.Server))
          throw new Fault('platform/cannot-listen', { detail: 'no TLS here' })
        this.#server.setSecureContext(secure(identity))
        this.#tls = identity
      },
      moveTo: (peer, address) => this.#moveTo(peer, address),
      close: () => this.#close(),
    }
  }

  #moveTo(index: number, address: Address): void {
    const peer = this.#peers.get(index)
    if (peer === undefined) throw new Fault('platform/unknown-peer', { detail: String(index) })
    if ('path' in address === (this.#tls !== undefined) || isSame(peer.address, address)) return
    peer.address = address
    if (this.#isClosed || !this.#isDiallerOf(peer) || peer.link !== undefined) return
    peer.cancelRetry?.()
    peer.failures = 0
    this.#dial(peer)
  }

  #isDiallerOf(peer: Peer): boolean {
    return this.#options.self < peer.index
  }

  #send(to: number, frame: Uint8Array): boolean {
    const peer = this.#peers.get(to)
    if (peer === undefined) throw new Fault('platform/unknown-peer', { detail: String(to) })
    const isTaken = !this.#isClosed && peer.queue.push(frame)
    this.#pump(peer)
    return isTaken
  }

  #pump(peer: Peer): void {
    const { link, queue } = peer
    while (link !== undefined && !peer.isBlocked) {
      const frame = queue.shift()
      if (frame === undefined) return
      peer.isBlocked = !link.write(frame)
    }
  }

  #dial(peer: Peer): void {
    peer.cancelRetry = undefined
    const { address } = peer
    if (peer.link !== undefined || address === undefined) return
    const socket =
      this.#tls === undefined
        ? net.connect(address)
        : tls.connect({
            ...address,
            ...secure(this.#tls),
            rejectUnauthorized: false,
            servername: '',
          })
    this.#dialling.add(socket)
    const stop = this.#options.timers.after(this.#times.handshakeMs, () => socket.destroy())
    const failed = (): void => {
      stop()
      if (this.#dialling.delete(socket)) this.#retry(peer)
    }
    socket.on('error', failed)
    socket.once('close', failed)
    socket.once(this.#tls === undefined ? 'connect' : 'secureConnect', () => {
      stop()
      if (!this.#dialling.delete(socket)) return
      this.#link(socket, 'dialler', peer)
    })
  }

  /** Waits twice as long after each failure, with a random part, so that peers do not knock in step. */
  #retry(peer: Peer): void {
    if (this.#isClosed) return
    const { backoffMinMs, backoffMaxMs } = this.#times
    const longest = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(peer.failures++, 20))
    const delayMs = longest / 2 + (longest / 2) * (this.#options.random.bytes(1)[0]! / 255)
    peer.cancelRetry?.()
    peer.cancelRetry = this.#options.timers.after(delayMs, () => this.#dial(peer))
  }

  #link(socket: net.Socket, role: 'dialler' | 'listener', dialled?: Peer): void {
    let peer: Peer | undefined
    const events: LinkEvents = {
      onOpen: (link, index) => {
        const found = this.#peers.get(index)
        const isExpected =
          dialled === undefined
            ? found !== undefined && !this.#isDiallerOf(found)
            : found === dialled
        if (found === undefined || !isExpected || this.#isClosed) return false
        peer = found
        this.#join(found, link)
        return true
      },
      onFrame: (_link, frame) => this.#receive(peer, frame),
      onDrain: () => {
        if (peer === undefined) return
        peer.isBlocked = false
        this.#pump(peer)
      },
      onClose: (link) => {
        this.#links.delete(link)
        if (peer?.link === link) this.#leave(peer)
        if (dialled !== undefined) this.#retry(dialled)
      },
    }
    const { handshakeMs } = this.#times
    this.#links.add(new Link(socket, role, { ...this.#options, handshakeMs }, events))
  }

  /** The newest connection of a peer is the one in use: the older one is of a process that is gone. */
  #join(peer: Peer, link: Link): void {
    const older = peer.link
    peer.link = link
    // Until the link says that it drains: its hello must be out first.
    peer.isBlocked = true
    peer.failures = 0
    older?.close('replaced by a newer connection')
    if (older === undefined) this.#tell(peer, true)
  }

  #leave(peer: Peer): void {
    peer.link = undefined
    this.#tell(peer, false)
  }

  #tell(peer: Peer, isConnected: boolean): void {
    this.#options.logger.log('info', isConnected ? 'bus.peer-connected' : 'bus.peer-lost', {
      peer: peer.index,
    })
    try {
      this.#onPeer(peer.index, isConnected)
    } catch (error) {
      this.#logFailure(error)
    }
  }

  #receive(peer: Peer | undefined, frame: Uint8Array): void {
    if (peer === undefined || this.#isClosed) return
    try {
      this.#onMessage(peer.index, frame)
    } catch (error) {
      this.#logFailure(error)
    }
  }

  #logFailure(error: unknown): void {
    this.#options.logger.log('error', 'bus.handler-failed', {
      error: error instanceof Error ? error.message : 'unknown',
    })
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopBeating()
    const isDown = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const peer of this.#peers.values()) peer.cancelRetry?.()
    for (const socket of this.#dialling) socket.destroy()
    for (const link of this.#links) link.close('shutting down')
    for (const socket of this.#accepted) socket.destroy()
    await isDown
  }
}
