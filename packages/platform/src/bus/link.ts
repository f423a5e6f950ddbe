/**
 * One connection of the mesh: first a hello each way, of the dialler first, then frames and
 * heartbeats. Who the other side is, the hello decides, by means that the caller supplies.
 */
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { Fault, type Logger } from '@quorate/base'
import type { Cancel, Timers } from '../time/timers.ts'
import { FrameReader, framed } from './frames.ts'
import { MAX_FRAME_BYTES } from './port.ts'

/** What a hello must be bound to, so that it is of no use on another connection. Empty bytes on a unix socket. */
export type HelloContext = {
  /** Part of what is signed, or a hello could be sent back to its maker. */
  readonly role: 'dialler' | 'listener'
  /** SHA-256 of the own TLS leaf certificate. */
  readonly ownCertificate: Uint8Array
  /** SHA-256 of the other side's. */
  readonly peerCertificate: Uint8Array
  /** 32 bytes that only the two ends of this very connection know (RFC 9266, tls-exporter). */
  readonly channel: Uint8Array
}

export type Greeter = {
  /** The hello of this side, at most 64 KiB. */
  makeHello(context: HelloContext): Uint8Array | Promise<Uint8Array>
  /** The peer's index, where the hello is good; `context` is this side's, as for `makeHello`. */
  checkHello(
    hello: Uint8Array,
    context: HelloContext,
  ): number | undefined | Promise<number | undefined>
  /** What to send in place of an answer to a hello that was refused; nothing unless given. */
  farewell?(hello: Uint8Array): Uint8Array | undefined
}

export type LinkOptions = Greeter & {
  /** From the connection to the end of both hellos. */
  readonly handshakeMs: number
  readonly timers: Timers
  readonly logger: Logger
}

export type LinkEvents = {
  /** The hellos are through. False refuses the peer. */
  onOpen(link: Link, peer: number): boolean
  onFrame(link: Link, frame: Uint8Array): void
  /** Once, whatever the reason. */
  onClose(link: Link): void
  /** The socket takes more. */
  onDrain(link: Link): void
}

const MAX_HELLO_BYTES = 64 * 1024
/** More than one, because a peer deep in a computation answers late. */
const MAX_UNANSWERED = 3
const HEARTBEAT = framed(new Uint8Array())

function contextOf(socket: Socket, role: HelloContext['role']): HelloContext {
  const none = new Uint8Array()
  if (!(socket instanceof TLSSocket))
    return { role, ownCertificate: none, peerCertificate: none, channel: none }
  const own = socket.getCertificate() as { raw?: Buffer } | null
  const peer = socket.getPeerCertificate() as { raw?: Buffer }
  if (
    own?.raw === undefined ||
    peer.raw === undefined ||
    socket.getProtocol() !== 'TLSv1.3' ||
    socket.isSessionReused()
  )
    throw new Fault('platform/not-authenticated', {
      detail: 'a TLS 1.3 connection with both certificates is needed',
    })
  const hash = (bytes: Uint8Array): Uint8Array =>
    new Uint8Array(createHash('sha256').update(bytes).digest())
  return {
    role,
    ownCertificate: hash(own.raw),
    peerCertificate: hash(peer.raw),
    channel: new Uint8Array(
      socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
    ),
  }
}

export class Link {
  readonly role: HelloContext['role']
  readonly #socket: Socket
  readonly #options: LinkOptions
  readonly #events: LinkEvents
  readonly #reader = new FrameReader(MAX_HELLO_BYTES)
  readonly #cancelDeadline: Cancel
  #isOpen = false
  #isGreeting = false
  #isClosed = false
  /** Heartbeats sent since something last arrived. */
  #unanswered = 0

  /** `socket` is connected, and past its TLS handshake. */
  constructor(
    socket: Socket,
    role: HelloContext['role'],
    options: LinkOptions,
    events: LinkEvents,
  ) {
    this.role = role
    this.#socket = socket
    this.#options = options
    this.#events = events
    this.#cancelDeadline = options.timers.after(options.handshakeMs, () =>
      this.close('no hello in time'),
    )
    socket.setNoDelay(true)
    socket.on('error', () => this.close('the connection broke'))
    socket.on('close', () => this.close('the other side closed'))
    socket.on('drain', () => {
      if (this.#isOpen) events.onDrain(this)
    })
    socket.on('data', (chunk: Buffer) => {
      this.#unanswered = 0
      this.#reader.push(chunk)
      this.#take()
    })
    if (role === 'dialler') this.#try(() => this.#sendHello())
  }

  /** Writes a frame; false when the socket wants a pause, until `onDrain`. */
  write(frame: Uint8Array): boolean {
    const socket = this.#socket
    // Frames of one turn of the event loop go out in one record.
    if (socket.writableCorked === 0) {
      socket.cork()
      process.nextTick(() => socket.uncork())
    }
    return socket.write(framed(frame))
  }

  /** Sends a heartbeat, and ends a connection on which nothing came for three of them. */
  beat(): void {
    if (!this.#isOpen) return
    if (this.#unanswered++ >= MAX_UNANSWERED) this.close('silent for too long')
    else this.#socket.write(HEARTBEAT)
  }

  close(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelDeadline()
    this.#socket.destroy()
    this.#options.logger.log('debug', 'bus.link-closed', { reason, role: this.role })
    this.#events.onClose(this)
  }

  /** Any failure of a greeting ends the connection, whatever it is. */
  #try(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      this.close(error instanceof Fault ? error.message : 'the greeting failed')
    })
  }

  async #sendHello(): Promise<void> {
    const hello = await this.#options.makeHello(contextOf(this.#socket, this.role))
    if (!this.#isClosed) this.write(hello)
  }

  #take(): void {
    try {
      while (!this.#isClosed && !this.#isGreeting) {
        const frame = this.#reader.next()
        if (frame === undefined) return
        if (this.#isOpen) {
          if (frame.length > 0) this.#events.onFrame(this, frame)
        } else this.#greet(frame)
      }
    } catch (error) {
      this.close(error instanceof Fault ? error.message : 'a frame could not be taken')
    }
  }

  #refuse(hello: Uint8Array): void {
    const farewell = this.#options.farewell?.(hello)
    if (farewell === undefined) this.close('the hello was refused')
    else this.#socket.write(framed(farewell), () => this.close('the hello was refused'))
  }

  /** While the hello is checked nothing more is read, so a stranger cannot fill the buffer. */
  #greet(hello: Uint8Array): void {
    this.#isGreeting = true
    this.#socket.pause()
    this.#try(async () => {
      const peer = await this.#options.checkHello(hello, contextOf(this.#socket, this.role))
      if (peer === undefined) return this.#refuse(hello)
      if (this.role === 'listener') await this.#sendHello()
      if (this.#isClosed) return
      if (!this.#events.onOpen(this, peer)) return this.close('no such peer here')
      this.#isOpen = true
      this.#isGreeting = false
      this.#cancelDeadline()
      this.#reader.maxBytes = MAX_FRAME_BYTES
      this.#socket.resume()
      this.#events.onDrain(this)
      this.#take()
    })
  }
}
