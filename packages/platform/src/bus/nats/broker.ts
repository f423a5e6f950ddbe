/**
 * The connection of a node to its NATS server: kept for ever, made anew with a random pause after
 * each loss. Nothing that the server or its other clients say is believed by those who use it.
 *
 * The client library is loaded only when a broker is opened.
 */
import type { ConnectionOptions, NatsConnection } from '@nats-io/nats-core'
import { Fault, fromUtf8, type Logger, type Random, utf8 } from '@quorate/base'
import { readFile } from '../../files/atomic.ts'
import type { Cancel, Timers } from '../../time/timers.ts'

export type BrokerOptions = {
  /** `nats://HOST:PORT`, or `tls://HOST:PORT` with a name of its certificate; one after another is tried. */
  readonly servers: readonly string[]
  /** What the operators of the server see. */
  readonly name: string
  /** What the subjects of answers begin with; one that others of this server may read unless given. */
  readonly inbox?: string | undefined
  /** A file with an nkey seed (`SU…`) or with a JWT and its seed (`.creds`). Read at each connection. */
  readonly credentialsFile?: string | undefined
  /** Certificates in PEM by which the server is known, instead of the system's. */
  readonly caFile?: string | undefined
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  readonly times?: Partial<BrokerTimes>
}

export type BrokerTimes = {
  readonly connectMs: number
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
}
export const BROKER_TIMES: BrokerTimes = {
  connectMs: 5_000,
  backoffMinMs: 100,
  backoffMaxMs: 5_000,
}

export type Broker = {
  /** Whether there is a connection now. */
  readonly isUp: boolean
  /** The largest message that the server says it takes, at least 1 KiB. */
  readonly maxPayload: number
  /** False, and nothing done, while there is no connection or the message is too large for it. */
  publish(subject: string, message: Uint8Array): boolean
  /** Calls `handler` with each message, now and on later connections. What it throws is logged. */
  subscribe(subject: string, handler: (subject: string, message: Uint8Array) => void): Cancel
  /** Calls `handler` after each change of `isUp`. */
  onChange(handler: (isUp: boolean) => void): Cancel
  /** The library's connection, once there is one. Rejects with platform/broker-closed after `close`. */
  connection(): Promise<NatsConnection>
  close(): Promise<void>
}

type Listener = {
  readonly subject: string
  readonly handler: (subject: string, message: Uint8Array) => void
  stop: () => void
}
type Waiting = {
  readonly resolve: (connection: NatsConnection) => void
  readonly reject: (fault: Fault) => void
}
type Library = typeof import('@nats-io/transport-node')

const MIN_PAYLOAD = 1024
const MAX_PAYLOAD = 64 * 1024 * 1024
const MAX_FILE_BYTES = 64 * 1024
const PING_MS = 10_000
/** Of the last messages on their way when closing. */
const FLUSH_MS = 1_000

/** Begins to connect; never fails because the server is away. @throws platform/bad-credentials, platform/file-unreadable */
export async function openBroker(options: BrokerOptions): Promise<Broker> {
  const library = await import('@nats-io/transport-node')
  const engine = new Engine(options, library)
  // Read once now, so that a wrong file is told at the start.
  engine.connectionOptions()
  engine.connect()
  return engine
}

class Engine implements Broker {
  readonly #options: BrokerOptions
  readonly #times: BrokerTimes
  readonly #library: Library
  readonly #listeners = new Set<Listener>()
  readonly #changes = new Set<(isUp: boolean) => void>()
  readonly #waiting = new Set<Waiting>()
  #connection: NatsConnection | undefined
  #connecting: Promise<void> = Promise.resolve()
  #cancelRetry: Cancel = () => {}
  #failures = 0
  #isClosed = false

  constructor(options: BrokerOptions, library: Library) {
    this.#options = options
    this.#times = { ...BROKER_TIMES, ...options.times }
    this.#library = library
  }

  get isUp(): boolean {
    return this.#connection !== undefined
  }

  get maxPayload(): number {
    const said = this.#connection?.info?.max_payload ?? MIN_PAYLOAD
    return Math.min(Math.max(said, MIN_PAYLOAD), MAX_PAYLOAD)
  }

  publish(subject: string, message: Uint8Array): boolean {
    if (this.#connection === undefined || message.length > this.maxPayload) return false
    try {
      this.#connection.publish(subject, message)
      return true
    } catch {
      // It is closing; the loss is told by its `closed`.
      return false
    }
  }

  subscribe(subject: string, handler: Listener['handler']): Cancel {
    const listener: Listener = { subject, handler, stop: () => {} }
    this.#listeners.add(listener)
    if (this.#connection !== undefined) this.#listen(this.#connection, listener)
    return () => {
      this.#listeners.delete(listener)
      listener.stop()
    }
  }

  onChange(handler: (isUp: boolean) => void): Cancel {
    this.#changes.add(handler)
    return () => this.#changes.delete(handler)
  }

  connection(): Promise<NatsConnection> {
    if (this.#connection !== undefined) return Promise.resolve(this.#connection)
    if (this.#isClosed) return Promise.reject(new Fault('platform/broker-closed'))
    return new Promise((resolve, reject) => this.#waiting.add({ resolve, reject }))
  }

  connectionOptions(): ConnectionOptions {
    const { servers, name, inbox, credentialsFile, caFile } = this.#options
    return {
      servers: servers.map((server) => server.replace(/^\w+:\/\//, '')),
      name,
      reconnect: false,
      timeout: this.#times.connectMs,
      pingInterval: PING_MS,
      maxPingOut: 2,
      // Or the server could send its clients to any other one.
      ignoreClusterUpdates: true,
      ...(inbox !== undefined && { inboxPrefix: inbox }),
      ...(credentialsFile !== undefined && {
        authenticator: this.#authenticator(readText(credentialsFile, true)),
      }),
      // Set, it also refuses a server that says it has no TLS.
      ...((caFile !== undefined || servers.some((server) => server.startsWith('tls:'))) && {
        tls: caFile === undefined ? {} : { ca: readText(caFile, false) },
      }),
    }
  }

  #authenticator(text: string): NonNullable<ConnectionOptions['authenticator']> {
    const { credsAuthenticator, nkeyAuthenticator } = this.#library
    const bytes = utf8(text)
    try {
      if (text.includes('BEGIN NATS USER JWT')) return credsAuthenticator(bytes)
      const seed = /^SU[A-Z2-7]{56}$/m.exec(text)?.[0]
      if (seed !== undefined) return nkeyAuthenticator(utf8(seed))
    } catch {
      // The library's message could hold part of the file.
    }
    throw new Fault('platform/bad-credentials')
  }

  connect(): void {
    this.#connecting = this.#connectOnce().catch((error: unknown) => {
      this.#options.logger.log('warn', 'broker.unreachable', { reason: reasonOf(error) })
      this.#retry()
    })
  }

  async #connectOnce(): Promise<void> {
    const connection = await this.#library.connect(this.connectionOptions())
    if (this.#isClosed) return connection.close()
    this.#connection = connection
    this.#failures = 0
    void this.#watch(connection)
    void connection.closed().then(() => this.#lost(connection))
    for (const listener of this.#listeners) this.#listen(connection, listener)
    this.#options.logger.log('info', 'broker.connected', {
      version: String(connection.info?.version).slice(0, 32),
    })
    for (const waiting of this.#waiting) waiting.resolve(connection)
    this.#waiting.clear()
    this.#tell(true)
  }

  /** What the server refuses is for the operator to see. */
  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status())
      if (status.type === 'error')
        this.#options.logger.log('warn', 'broker.refused', { reason: reasonOf(status.error) })
  }

  #listen(connection: NatsConnection, listener: Listener): void {
    const subscription = connection.subscribe(listener.subject, {
      callback: (error, message) => {
        if (error !== null) {
          this.#options.logger.log('warn', 'broker.refused', { reason: reasonOf(error) })
          return
        }
        try {
          // A copy, and no Buffer: its `slice` would be a view of what the library reads into.
          listener.handler(message.subject, Uint8Array.from(message.data))
        } catch (thrown) {
          this.#options.logger.log('error', 'broker.handler-failed', {
            error: thrown instanceof Error ? thrown.message : 'unknown',
          })
        }
      },
    })
    listener.stop = () => subscription.unsubscribe()
  }

  #lost(connection: NatsConnection): void {
    if (this.#connection !== connection) return
    this.#connection = undefined
    for (const listener of this.#listeners) listener.stop = () => {}
    if (this.#isClosed) return
    this.#options.logger.log('warn', 'broker.lost')
    this.#tell(false)
    this.#retry()
  }

  #tell(isUp: boolean): void {
    for (const handler of this.#changes) handler(isUp)
  }

  #retry(): void {
    if (this.#isClosed) return
    const { backoffMinMs, backoffMaxMs } = this.#times
    const longest = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.#failures++, 20))
    const delayMs = longest / 2 + (longest / 2) * (this.#options.random.bytes(1)[0]! / 255)
    this.#cancelRetry = this.#options.timers.after(delayMs, () => this.connect())
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelRetry()
    for (const waiting of this.#waiting) waiting.reject(new Fault('platform/broker-closed'))
    this.#waiting.clear()
    const connection = this.#connection
    if (connection === undefined) return this.#connecting
    let cancel: Cancel = () => {}
    const late = new Promise<void>((resolve) => {
      cancel = this.#options.timers.after(FLUSH_MS, resolve)
    })
    await Promise.race([connection.flush().catch(() => undefined), late])
    cancel()
    await connection.close()
    this.#connection = undefined
  }
}

const readText = (path: string, isSecret: boolean): string =>
  fromUtf8(readFile(path, { maxBytes: MAX_FILE_BYTES, isSecret })) ?? ''

/** The library's names of errors; its texts may hold what the server said. */
const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.name.slice(0, 64) : 'unknown'
