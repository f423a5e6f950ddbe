/**
 * Somebody in the middle of every connection of the mesh: reads all frames, and passes on what a storm
 * makes of them. Greetings pass as they are; without them there would be nothing to interfere with.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { ProcessCluster } from '../support/process-cluster.ts'
import type { Chance } from './random.ts'
import { mangled, type Odds, Storm } from './storm.ts'

export type Frame = { readonly from: number; readonly to: number; readonly bytes: Uint8Array }

type Listener = {
  /** The greeting of a node, on a connection that it dialled or took. */
  greeted(from: number, role: 'dialler' | 'listener', hello: Uint8Array): void
  /** A frame as its sender sent it. */
  saw(frame: Frame): void
}

export class MeshProxy {
  readonly storm: Storm<Frame>
  readonly #chance: Chance
  readonly #listener: Listener
  readonly #servers: Server[] = []
  /** The living socket to each node, by who speaks on it. */
  readonly #sockets = new Map<string, Socket>()
  readonly #open = new Set<Socket>()
  readonly #cuts = new Set<string>()

  private constructor(chance: Chance, listener: Listener, odds: Odds) {
    this.#chance = chance
    this.#listener = listener
    this.storm = new Storm<Frame>(
      chance,
      (frame) => ({ ...frame, bytes: mangled(frame.bytes, chance) }),
      odds,
    )
  }

  /** Puts itself between all nodes of a cluster that does not run yet. */
  static async between(
    cluster: ProcessCluster,
    chance: Chance,
    listener: Listener,
    odds: Odds,
  ): Promise<MeshProxy> {
    const proxy = new MeshProxy(chance, listener, odds)
    for (const node of cluster.nodes) {
      const peers = []
      for (const { index, address } of node.config.mesh.peers) {
        if (!('path' in address)) throw new Error('only unix sockets can be read')
        const path = join(cluster.root, `p${node.index}-${index}`)
        // The lower index dials.
        if (node.index < index) await proxy.#listen(path, address.path, node.index, index)
        peers.push({ index, address: node.index < index ? { path } : address })
      }
      node.config = { ...node.config, mesh: { ...node.config.mesh, peers } }
    }
    return proxy
  }

  async #listen(path: string, target: string, dialler: number, listener: number): Promise<void> {
    const server = createServer((near) => {
      if (this.#cuts.has(pair(dialler, listener))) {
        near.destroy()
        return
      }
      const far = connect(target)
      this.#join(near, far, dialler, listener)
    })
    this.#servers.push(server)
    await new Promise<void>((resolve) => server.listen(path, resolve))
  }

  #join(near: Socket, far: Socket, dialler: number, listener: number): void {
    this.#sockets.set(`${dialler}-${listener}`, far)
    this.#sockets.set(`${listener}-${dialler}`, near)
    for (const socket of [near, far]) {
      this.#open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#open.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    this.#relay(near, far, dialler, listener, 'dialler')
    this.#relay(far, near, listener, dialler, 'listener')
  }

  #relay(
    source: Socket,
    target: Socket,
    from: number,
    to: number,
    role: 'dialler' | 'listener',
  ): void {
    const frames = new Frames()
    let isGreeted = false
    source.on('data', (chunk: Buffer) => {
      for (const bytes of frames.push(chunk)) {
        if (bytes.length === 0 || !isGreeted) {
          if (bytes.length > 0) {
            isGreeted = true
            this.#listener.greeted(from, role, bytes)
          }
          write(target, bytes)
          continue
        }
        this.#listener.saw({ from, to, bytes })
        for (const frame of this.storm.pass({ from, to, bytes })) this.#deliver(frame)
      }
    })
  }

  #deliver({ from, to, bytes }: Frame): void {
    const socket = this.#sockets.get(`${from}-${to}`)
    if (socket !== undefined && bytes.length > 0) write(socket, bytes)
  }

  /** Breaks every connection of two nodes, and lets no new one through until `heal`. */
  cut(one: number, other: number): void {
    this.#cuts.add(pair(one, other))
    this.#sockets.get(`${one}-${other}`)?.destroy()
    this.#sockets.get(`${other}-${one}`)?.destroy()
  }

  /** Breaks one of all connections; it may be made again at once. */
  breakOne(): void {
    const open = [...this.#open]
    if (open.length > 0) this.#chance.pick(open).destroy()
  }

  healAll(): void {
    this.#cuts.clear()
  }

  /** The storm passes: what it kept back arrives. */
  calm(): void {
    this.healAll()
    for (const frame of this.storm.clear()) this.#deliver(frame)
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    await Promise.all(
      this.#servers.map((server) => new Promise((resolve) => server.close(resolve))),
    )
  }
}

/** Four bytes of length, big-endian, then that many bytes. */
class Frames {
  #buffer = Buffer.alloc(0)

  push(chunk: Buffer): readonly Uint8Array[] {
    this.#buffer = Buffer.concat([this.#buffer, chunk])
    const whole: Uint8Array[] = []
    while (this.#buffer.length >= 4) {
      const end = 4 + this.#buffer.readUInt32BE(0)
      if (this.#buffer.length < end) break
      whole.push(new Uint8Array(this.#buffer.subarray(4, end)))
      this.#buffer = this.#buffer.subarray(end)
    }
    return whole
  }
}

function write(socket: Socket, bytes: Uint8Array): void {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  if (socket.writable) socket.write(Buffer.concat([length, bytes]))
}

const pair = (a: number, b: number): string => `${Math.min(a, b)}-${Math.max(a, b)}`
