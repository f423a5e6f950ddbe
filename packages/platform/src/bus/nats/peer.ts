/**
 * One other node as seen through the broker: how a link to it comes about, and which link counts.
 *
 * The node with the lower index dials. Both greetings are bound to both ephemeral keys. The listener
 * changes its key with each hello it accepts, so that no hello counts twice, and takes the new link
 * in place of the old only when a packet sealed under the new keys has come: a hello that
 * somebody held back cannot push a living link aside. Work that a stranger can cause is counted.
 */
import { equalBytes, type Logger, type Random, toHex } from '@quorate/base'
import type { Cancel, Timers } from '../../time/timers.ts'
import type { Greeter, HelloContext } from '../link.ts'
import type { MeshTimes } from '../mesh.ts'
import type { QueueLimits } from '../port.ts'
import { FrameQueue } from '../queue.ts'
import { channelOf, type Ends, type EphemeralKey, linkKeys, makeEphemeralKey } from './keys.ts'
import { NatsLink } from './link.ts'
import {
  decodePacket,
  encodePacket,
  type Greeted,
  MAX_HELLO_BYTES,
  type Packet,
  type Sealed,
} from './packet.ts'

export type PeerOptions = Greeter & {
  readonly self: number
  readonly index: number
  readonly queue: QueueLimits
  readonly times: MeshTimes
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  publish(packet: Uint8Array): boolean
  maxPacket(): number
  onFrame(frame: Uint8Array): void
  onPeer(isConnected: boolean): void
}

type Role = HelloContext['role']

/** Answers and hellos of one peer, true or forged, that are worked on in one heartbeat. */
const GREETINGS_PER_BEAT = 64
/** Answers to one knock that get a hello: the first may be forged. */
const MAX_ANSWERS = 8

export class NatsPeer {
  readonly #o: PeerOptions
  readonly #queue: FrameQueue
  readonly #role: Role
  #link: NatsLink | undefined
  /** Of the listener: greeted, and not yet heard of since. */
  #pending: NatsLink | undefined
  #cancelPending: Cancel = () => {}
  /** Of the dialler: what it knocks with, and the offers that it has sent hellos for. */
  #attempt: { readonly key: EphemeralKey; readonly offers: Set<string> } | undefined
  /** Of the listener: what the next hello must be made for. */
  #offer: EphemeralKey = makeEphemeralKey()
  #cancelKnock: Cancel | undefined
  #failures = 0
  #greetingsLeft = GREETINGS_PER_BEAT
  #isWakeDue = true
  #dropped = 0
  #isClosed = false

  constructor(options: PeerOptions) {
    this.#o = options
    this.#queue = new FrameQueue(options.queue)
    this.#role = options.self < options.index ? 'dialler' : 'listener'
  }

  get isConnected(): boolean {
    return this.#link !== undefined
  }
  get queued(): number {
    return this.#queue.length
  }

  send(frame: Uint8Array): boolean {
    const isTaken = this.#queue.push(frame)
    this.#link?.pump()
    return isTaken
  }

  /** The broker is there, perhaps again. */
  up(): void {
    this.#failures = 0
    if (this.#link !== undefined) this.#link.resume()
    else if (this.#role === 'dialler') this.#knock()
    else this.#wake()
  }

  beat(): void {
    this.#greetingsLeft = GREETINGS_PER_BEAT
    this.#isWakeDue = true
    this.#link?.beat()
    if (this.#dropped > 0)
      this.#o.logger.log('warn', 'bus.packets-dropped', {
        peer: this.#o.index,
        count: this.#dropped,
      })
    this.#dropped = 0
  }

  close(): void {
    this.#isClosed = true
    this.#cancelKnock?.()
    // To the other side it is a link already.
    this.#pending?.close('shutting down')
    this.#dropPending()
    this.#link?.close('shutting down')
  }

  /** A message on the subject of this peer, from whoever could publish there. */
  receive(message: Uint8Array): void {
    if (this.#isClosed) return
    try {
      this.#dispatch(decodePacket(message))
    } catch {
      this.#dropped++
    }
  }

  #dispatch(packet: Packet): void {
    if (packet.kind === 'sealed') this.#open(packet.value)
    else if (packet.kind === 'wake') this.#woken()
    else {
      const isForListener = packet.kind === 'knock' || packet.kind === 'hello'
      if (isForListener !== (this.#role === 'listener') || this.#greetingsLeft === 0) {
        this.#dropped++
        return
      }
      this.#greetingsLeft--
      if (packet.kind === 'knock') this.#answer(packet.value.key)
      // One that fails is dropped, whatever the reason: an honest one comes again.
      else
        this.#greet(packet).catch(() => {
          this.#dropped++
        })
    }
  }

  #greet(packet: Extract<Packet, { kind: 'answer' | 'hello' | 'welcome' }>): Promise<void> {
    switch (packet.kind) {
      case 'answer':
        return this.#answered(packet.value)
      case 'hello':
        return this.#greeted(packet.value)
      case 'welcome':
        return this.#welcomed(packet.value)
    }
  }

  #answer(key: Uint8Array): void {
    this.#say({ kind: 'answer', value: { key, offer: this.#offer.publicKey } })
  }

  #say(packet: Packet): void {
    this.#o.publish(encodePacket(packet))
  }

  #knock(): void {
    this.#cancelKnock?.()
    if (this.#link !== undefined || this.#isClosed) return
    this.#attempt = { key: this.#attempt?.key ?? makeEphemeralKey(), offers: new Set() }
    this.#say({ kind: 'knock', value: { key: this.#attempt.key.publicKey } })
    const { backoffMinMs, backoffMaxMs } = this.#o.times
    const longest = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.#failures++, 20))
    const delayMs = longest / 2 + (longest / 2) * (this.#o.random.bytes(1)[0]! / 255)
    this.#cancelKnock = this.#o.timers.after(delayMs, () => this.#knock())
  }

  #wake(): void {
    if (!this.#isWakeDue) return
    this.#isWakeDue = false
    this.#say({ kind: 'wake', value: {} })
  }

  #woken(): void {
    if (this.#role === 'listener') this.#dropped++
    else if (this.#link !== undefined) this.#link.probe()
    else if (this.#isWakeDue) {
      this.#isWakeDue = false
      this.#failures = 0
      this.#knock()
    }
  }

  #ends(key: Uint8Array, offer: Uint8Array): Ends {
    const { self, index } = this.#o
    return { dialler: Math.min(self, index), listener: Math.max(self, index), key, offer }
  }

  /** What the greeting of this side is bound to. */
  #context(ends: Ends): HelloContext {
    const none = new Uint8Array()
    const channel = channelOf(ends)
    return { role: this.#role, ownCertificate: none, peerCertificate: none, channel }
  }

  async #answered({ key, offer }: Omit<Greeted, 'hello'>): Promise<void> {
    const attempt = this.#attempt
    if (attempt === undefined || !equalBytes(attempt.key.publicKey, key)) return
    const name = toHex(offer)
    if (attempt.offers.has(name)) return
    if (attempt.offers.size >= MAX_ANSWERS) {
      this.#dropped++
      return
    }
    attempt.offers.add(name)
    const hello = await this.#o.makeHello(this.#context(this.#ends(key, offer)))
    if (hello.length <= MAX_HELLO_BYTES) this.#say({ kind: 'hello', value: { key, offer, hello } })
  }

  async #greeted({ key, offer, hello }: Greeted): Promise<void> {
    const own = this.#offer
    if (!equalBytes(own.publicKey, offer)) return
    const ends = this.#ends(key, offer)
    const context = this.#context(ends)
    if ((await this.#o.checkHello(hello, context)) !== this.#o.index) {
      this.#dropped++
      return
    }
    if (this.#offer !== own || this.#isClosed) return
    this.#offer = makeEphemeralKey()
    this.#dropPending()
    const keys = linkKeys(own, 'listener', ends)
    const answer = await this.#o.makeHello(context)
    if (this.#isClosed) return
    this.#dropPending()
    this.#pending = this.#newLink(keys)
    this.#cancelPending = this.#o.timers.after(this.#o.times.handshakeMs, () => this.#dropPending())
    this.#say({ kind: 'welcome', value: { key, offer, hello: answer } })
  }

  async #welcomed({ key, offer, hello }: Greeted): Promise<void> {
    const attempt = this.#attempt
    if (
      attempt === undefined ||
      !equalBytes(attempt.key.publicKey, key) ||
      !attempt.offers.has(toHex(offer))
    )
      return
    const ends = this.#ends(key, offer)
    if ((await this.#o.checkHello(hello, this.#context(ends))) !== this.#o.index) {
      this.#dropped++
      return
    }
    if (this.#attempt?.key !== attempt.key || this.#isClosed) return
    this.#attempt = undefined
    this.#cancelKnock?.()
    this.#join(this.#newLink(linkKeys(attempt.key, 'dialler', ends)))
  }

  #newLink(keys: ReturnType<typeof linkKeys>): NatsLink {
    const link: NatsLink = new NatsLink({
      keys,
      queue: this.#queue,
      heartbeatMs: this.#o.times.heartbeatMs,
      timers: this.#o.timers,
      publish: (packet) => this.#o.publish(packet),
      maxPacket: () => this.#o.maxPacket(),
      onFrame: (frame) => this.#o.onFrame(frame),
      onClose: (reason) => {
        this.#o.logger.log('debug', 'bus.link-closed', { reason, role: this.#role })
        if (this.#link === link) this.#leave()
      },
    })
    return link
  }

  #open({ link: id, number, box }: Sealed): void {
    const pending = this.#pending
    if (this.#link !== undefined && equalBytes(this.#link.id, id)) {
      if (!this.#link.receive(number, box)) this.#dropped++
    } else if (pending !== undefined && equalBytes(pending.id, id)) {
      this.#promote(pending, number, box)
    } else {
      this.#dropped++
      // Perhaps of a link that this node had before it was started again.
      if (this.#role === 'listener' && this.#link === undefined) this.#wake()
    }
  }

  #promote(pending: NatsLink, number: number, box: Uint8Array): void {
    if (!pending.isAuthentic(number, box)) {
      this.#dropped++
      return
    }
    this.#pending = undefined
    this.#cancelPending()
    this.#join(pending)
    pending.receive(number, box)
  }

  #dropPending(): void {
    this.#cancelPending()
    this.#pending = undefined
  }

  #join(link: NatsLink): void {
    // The older one is of a process that is gone, or its other end has given it up.
    this.#link?.close('replaced by a newer link')
    this.#link = link
    this.#failures = 0
    this.#o.onPeer(true)
    link.resume()
  }

  #leave(): void {
    this.#link = undefined
    this.#o.onPeer(false)
    if (this.#role === 'dialler') this.#knock()
  }
}
