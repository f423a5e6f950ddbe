/**
 * The bus within one process, for tests: every frame passes a hook that may lose, change or double
 * it, and every connection can be cut.
 */
import { Fault } from '@quorate/base'
import {
  type Bus,
  type MessageHandler,
  type PeerHandler,
  QUEUE_LIMITS,
  type QueueLimits,
} from './port.ts'
import { FrameQueue } from './queue.ts'

export type MemoryNetworkOptions = {
  /** What arrives instead of a frame: none, it, another, or several. */
  readonly onFrame?: (from: number, to: number, frame: Uint8Array) => readonly Uint8Array[]
  readonly queue?: QueueLimits
}

type Member = {
  onMessage: MessageHandler
  onPeer: PeerHandler
  readonly queues: Map<number, FrameQueue>
}

export class MemoryNetwork {
  readonly #indices: readonly number[]
  readonly #options: MemoryNetworkOptions
  readonly #members = new Map<number, Member>()
  readonly #cuts = new Set<string>()

  constructor(indices: readonly number[], options: MemoryNetworkOptions = {}) {
    this.#indices = indices
    this.#options = options
  }

  /** Joins as `self`; after `close()` one may join again, as a restarted process would. */
  join(self: number): Bus {
    const others = this.#indices.filter((index) => index !== self)
    const limits = this.#options.queue ?? QUEUE_LIMITS
    const member: Member = {
      onMessage: () => {},
      onPeer: () => {},
      queues: new Map(others.map((index) => [index, new FrameQueue(limits)])),
    }
    this.#members.set(self, member)
    // Not at once: the new member first sets its handlers.
    setImmediate(() => {
      if (this.#members.get(self) === member)
        for (const other of others) this.#announce(self, other, true)
    })
    return {
      send: (to, frame) => {
        const queue = member.queues.get(to)
        if (queue === undefined) throw new Fault('platform/unknown-peer', { detail: String(to) })
        const isTaken = this.#members.get(self) === member && queue.push(frame)
        setImmediate(() => this.#deliver(self, to))
        return isTaken
      },
      onMessage: (handler) => {
        member.onMessage = handler
      },
      onPeer: (handler) => {
        member.onPeer = handler
      },
      peers: () =>
        others.map((peer) => ({
          peer,
          isConnected: this.#isConnected(self, peer),
          queued: member.queues.get(peer)?.length ?? 0,
        })),
      close: async () => {
        if (this.#members.get(self) !== member) return
        for (const other of others) this.#announce(self, other, false)
        this.#members.delete(self)
      },
    }
  }

  /** Breaks the connection of two members until `heal`. */
  cut(a: number, b: number): void {
    this.#announce(a, b, false)
    this.#cuts.add(pair(a, b))
  }

  heal(a: number, b: number): void {
    this.#cuts.delete(pair(a, b))
    this.#announce(a, b, true)
  }

  #isConnected(a: number, b: number): boolean {
    return this.#members.has(a) && this.#members.has(b) && !this.#cuts.has(pair(a, b))
  }

  #announce(a: number, b: number, isConnected: boolean): void {
    if (!this.#isConnected(a, b)) return
    this.#members.get(a)?.onPeer(b, isConnected)
    this.#members.get(b)?.onPeer(a, isConnected)
    if (!isConnected) return
    this.#deliver(a, b)
    this.#deliver(b, a)
  }

  #deliver(from: number, to: number): void {
    const receiver = this.#members.get(to)
    const queue = this.#members.get(from)?.queues.get(to)
    while (receiver !== undefined && queue !== undefined && this.#isConnected(from, to)) {
      const frame = queue.shift()
      if (frame === undefined) return
      for (const arriving of this.#options.onFrame?.(from, to, frame) ?? [frame]) {
        try {
          receiver.onMessage(from, arriving)
        } catch {
          // As on a real wire, the sender never learns what the receiver made of it.
        }
      }
    }
  }
}

const pair = (a: number, b: number): string => `${Math.min(a, b)}-${Math.max(a, b)}`
