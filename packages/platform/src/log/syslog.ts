/**
 * Syslog (RFC 5424): facility 13 (log audit), over UDP (RFC 5426), or over TCP and unix stream sockets with
 * the length in front (RFC 6587, section 3.4.1).
 *
 * No syslog confirms: over UDP nobody hears of a message that was lost, and over a stream a message counts
 * as sent once the kernel has it. Where a record must not be lost it is written elsewhere first.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import net from 'node:net'
import { hostname } from 'node:os'
import { Fault } from '@quorate/base'

export type SyslogMessage = {
  /** Who says it, without spaces, e.g. `quorate-kms`. */
  readonly app: string
  /** RFC 3339. */
  readonly time: string
  readonly text: string
}

export type Syslog = {
  /** Hands the messages on, in their order. @throws platform/syslog-unreachable */
  send(messages: readonly SyslogMessage[]): Promise<void>
  close(): void
}

/** Facility log audit (13) times eight, severity notice (5). */
const PRIORITY = 13 * 8 + 5

/** The bytes of a message; its text behind a byte order mark, as UTF-8 has to be announced. */
export function syslogBytes({ app, time, text }: SyslogMessage): Buffer {
  const host = hostname().replace(/[^\x21-\x7e]/g, '') || '-'
  return Buffer.from(`<${PRIORITY}>1 ${time} ${host} ${app} ${process.pid} audit - \ufeff${text}`)
}

/** Whether `target` is `udp://host:port`, `tcp://host:port` or `unix:path`. */
export const isSyslogTarget = (target: string): boolean =>
  /^(?:(?:udp|tcp):\/\/[^\s/]+:\d{1,5}|unix:\/\S+)$/.test(target)

/** Opens nothing yet: the first message does. */
export function openSyslog(target: string): Syslog {
  if (target.startsWith('udp://')) return new UdpSyslog(hostAndPort(target.slice(6)))
  return new StreamSyslog(
    target.startsWith('unix:') ? { path: target.slice(5) } : hostAndPort(target.slice(6)),
  )
}

type HostAndPort = { readonly host: string; readonly port: number }

function hostAndPort(text: string): HostAndPort {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}

const unreachable = (cause?: unknown): Fault => new Fault('platform/syslog-unreachable', { cause })

class UdpSyslog implements Syslog {
  readonly #to: HostAndPort
  #socket: UdpSocket | undefined

  constructor(to: HostAndPort) {
    this.#to = to
  }

  async send(messages: readonly SyslogMessage[]): Promise<void> {
    const { host, port } = this.#to
    this.#socket ??= createSocket(net.isIPv6(host) ? 'udp6' : 'udp4').unref()
    const socket = this.#socket
    for (const message of messages)
      await new Promise<void>((resolve, reject) => {
        socket.send(syslogBytes(message), port, host, (error) =>
          error ? reject(unreachable(error)) : resolve(),
        )
      })
  }

  close(): void {
    this.#socket?.close()
    this.#socket = undefined
  }
}

class StreamSyslog implements Syslog {
  readonly #to: net.NetConnectOpts
  #socket: net.Socket | undefined

  constructor(to: net.NetConnectOpts) {
    this.#to = to
  }

  send(messages: readonly SyslogMessage[]): Promise<void> {
    this.#socket ??= this.#connect()
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      const settle = (error?: Error | null): void => {
        socket.off('error', settle)
        socket.off('close', gone)
        if (error === undefined || error === null) resolve()
        else {
          if (this.#socket === socket) this.#socket = undefined
          socket.destroy()
          reject(unreachable(error))
        }
      }
      const gone = (): void => settle(new Error('closed'))
      socket.once('error', settle)
      socket.once('close', gone)
      const framed = messages.flatMap((message) => {
        const bytes = syslogBytes(message)
        return [Buffer.from(`${bytes.length} `), bytes]
      })
      socket.write(Buffer.concat(framed), settle)
    })
  }

  close(): void {
    this.#socket?.end()
    this.#socket = undefined
  }

  #connect(): net.Socket {
    const socket = net.connect(this.#to).setKeepAlive(true)
    // Between two messages nobody else listens.
    socket.on('error', () => undefined)
    socket.once('close', () => {
      if (this.#socket === socket) this.#socket = undefined
    })
    return socket
  }
}
