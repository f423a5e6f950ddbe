/**
 * Somebody between the nodes and a NATS server who may publish and read everything: every message of
 * every client and of the server itself, on every subject, passes a storm. Speaks as much of the
 * client protocol as it takes to cut the stream into messages.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Chance } from './random.ts'
import { mangled, type Odds, Storm } from './storm.ts'

/** A PUB, HPUB, MSG or HMSG: what its first line says before the sizes, and what follows it. */
export type Published = {
  readonly words: readonly string[]
  /** Bytes of headers at the beginning of the payload; none without headers. */
  readonly headerBytes: number | undefined
  readonly payload: Uint8Array
}

const CARRIERS: ReadonlySet<string> = new Set(['PUB', 'HPUB', 'MSG', 'HMSG'])

export class NatsProxy {
  readonly storm: Storm<Published>
  /** Every subject that anybody published on. */
  readonly subjects = new Set<string>()
  readonly #server: Server
  readonly #open = new Set<Socket>()
  #isDown = false

  private constructor(target: number, chance: Chance, odds: Odds) {
    this.storm = new Storm<Published>(
      chance,
      (message) => altered(message, [...this.subjects], chance),
      odds,
    )
    this.#server = createServer((client) => {
      if (this.#isDown) {
        client.destroy()
        return
      }
      this.#join(client, connect(target, '127.0.0.1'))
    })
  }

  /** Before the server at `url`. */
  static async before(url: string, chance: Chance, odds: Odds): Promise<NatsProxy> {
    const proxy = new NatsProxy(Number(new URL(url).port), chance, odds)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  #join(client: Socket, server: Socket): void {
    for (const socket of [client, server]) {
      this.#open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#open.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    this.#relay(client, server)
    this.#relay(server, client)
  }

  #relay(source: Socket, target: Socket): void {
    const stream = new NatsStream()
    source.on('data', (chunk: Buffer) => {
      for (const part of stream.push(chunk)) {
        if (part instanceof Uint8Array) {
          if (target.writable) target.write(part)
          continue
        }
        this.subjects.add(part.words[1]!)
        for (const message of this.storm.pass(part)) {
          // What came from a client goes to the server, and never the other way.
          const isForServer = message.words[0]!.endsWith('PUB')
          const isThisWay = isForServer === part.words[0]!.endsWith('PUB')
          if (isThisWay && target.writable) target.write(encoded(message))
        }
      }
    })
  }

  /** Ends every connection, and takes none until `up`. */
  down(): void {
    this.#isDown = true
    for (const socket of this.#open) socket.destroy()
  }

  up(): void {
    this.#isDown = false
  }

  calm(): void {
    this.up()
    this.storm.clear()
  }

  async close(): Promise<void> {
    this.down()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function altered(message: Published, subjects: readonly string[], chance: Chance): Published {
  const { words, payload, headerBytes = 0 } = message
  if (words[0]!.endsWith('PUB') && subjects.length > 0 && chance.is(0.3))
    return { ...message, words: [words[0]!, chance.pick(subjects), ...words.slice(2)] }
  const body = mangled(payload.subarray(headerBytes), chance)
  return { ...message, payload: Buffer.concat([payload.subarray(0, headerBytes), body]) }
}

function encoded({ words, headerBytes, payload }: Published): Uint8Array {
  const sizes = headerBytes === undefined ? [payload.length] : [headerBytes, payload.length]
  const line = `${[...words, ...sizes].join(' ')}\r\n`
  return Buffer.concat([Buffer.from(line, 'latin1'), payload, Buffer.from('\r\n')])
}

/** Cuts a stream into messages, and everything else as it is. */
class NatsStream {
  #buffer = Buffer.alloc(0)

  push(chunk: Buffer): readonly (Published | Uint8Array)[] {
    this.#buffer = Buffer.concat([this.#buffer, chunk])
    const parts: (Published | Uint8Array)[] = []
    for (;;) {
      const end = this.#buffer.indexOf('\r\n')
      if (end < 0) return parts
      const words = this.#buffer.toString('latin1', 0, end).split(/[ \t]+/)
      if (!CARRIERS.has(words[0]!)) {
        parts.push(this.#take(end + 2))
        continue
      }
      const size = Number(words.at(-1))
      if (this.#buffer.length < end + 2 + size + 2) return parts
      const hasHeaders = words[0]!.startsWith('H')
      const whole = this.#take(end + 2 + size + 2)
      parts.push({
        words: words.slice(0, hasHeaders ? -2 : -1),
        headerBytes: hasHeaders ? Number(words.at(-2)) : undefined,
        payload: whole.subarray(end + 2, end + 2 + size),
      })
    }
  }

  #take(length: number): Uint8Array {
    const taken = new Uint8Array(this.#buffer.subarray(0, length))
    this.#buffer = this.#buffer.subarray(length)
    return taken
  }
}
