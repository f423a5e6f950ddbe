/**
 * One link between two nodes after their greetings: frames go in and come out whole and in order,
 * whatever the broker loses, repeats, delays, changes or adds. Every packet is sealed under the
 * link's keys; what does not open is dropped and changes nothing. Chunks are kept until the other
 * side has them, and no more than a window of them is under way, so a slow receiver slows its sender.
 */
import { concatBytes, decode, encode, Fault } from '@quorate/base'
import type { Cancel, Timers } from '../../time/timers.ts'
import { MAX_FRAME_BYTES } from '../port.ts'
import type { FrameQueue } from '../queue.ts'
import type { LinkKeys } from './keys.ts'
import {
  type Chunk,
  type Content,
  contentCodec,
  encodePacket,
  LINK_ID_BYTES,
  MAX_CHUNK_BYTES,
  PACKET_OVERHEAD,
} from './packet.ts'

export type LinkOptions = {
  readonly keys: LinkKeys
  readonly queue: FrameQueue
  readonly heartbeatMs: number
  readonly timers: Timers
  /** Hands a packet to the broker; false when it cannot be had now. */
  publish(packet: Uint8Array): boolean
  /** The longest packet that the broker takes now; 0 while it is away. */
  maxPacket(): number
  onFrame(frame: Uint8Array): void
  /** Once, whatever the reason. */
  onClose(reason: string): void
}

/** Of chunks under way; the receiver keeps at most as many that came early. */
const WINDOW_CHUNKS = 64
const WINDOW_BYTES = 1024 * 1024
/** Chunks that may arrive, and how long they may wait, before the sender hears of them: well before it sends again. */
const ACK_EVERY = 8
const ACK_DELAY_MS = 80
const RESEND_MS = 400
/** More than one, because a peer deep in a computation answers late. */
const MAX_UNANSWERED = 3
const PROBE_MS = 1_000
/** Of one frame: what the smallest chunks that a broker can enforce come to, and some more. */
const MAX_PARTS = 8192
const MAX_CONTENT_BYTES = MAX_CHUNK_BYTES + PACKET_OVERHEAD

export class NatsLink {
  readonly id: Uint8Array
  readonly #options: LinkOptions
  #isClosed = false

  /** Number of the next packet, of any kind. */
  #number = 0
  /** Number of the next chunk. */
  #seq = 0
  readonly #underWay = new Map<number, Chunk>()
  #bytesUnderWay = 0
  /** The frame that is being cut into chunks, and how much of it is. */
  #cutting: { readonly frame: Uint8Array; at: number } | undefined
  #cancelResend: Cancel | undefined
  #resendMs = RESEND_MS
  /** Whether the first chunk under way was sent again because of a gap. */
  #isGapFilled = false

  /** Highest number that arrived: only a higher one is a sign of life. */
  #highest = -1
  #unanswered = 0
  #cancelProbe: Cancel | undefined
  /** The next chunk to take. */
  #next = 0
  readonly #early = new Map<number, Chunk>()
  readonly #parts: Uint8Array[] = []
  #partBytes = 0
  #unacknowledged = 0
  #cancelAck: Cancel | undefined

  constructor(options: LinkOptions) {
    this.#options = options
    this.id = options.keys.channel.slice(0, LINK_ID_BYTES)
  }

  /** Sends what the queue holds and the window allows. */
  pump(): void {
    while (
      !this.#isClosed &&
      this.#underWay.size < WINDOW_CHUNKS &&
      this.#bytesUnderWay < WINDOW_BYTES
    ) {
      const chunk = this.#cut()
      if (chunk === undefined) return
      this.#underWay.set(chunk.seq, chunk)
      this.#bytesUnderWay += chunk.bytes.length
      this.#send('plain', chunk)
      this.#cancelResend ??= this.#resendLater()
    }
  }

  #cut(): Chunk | undefined {
    const most = Math.min(MAX_CHUNK_BYTES, this.#options.maxPacket() - PACKET_OVERHEAD)
    if (most <= 0) return undefined
    if (this.#cutting === undefined) {
      const frame = this.#options.queue.shift()
      if (frame === undefined) return undefined
      this.#cutting = { frame, at: 0 }
    }
    const { frame, at } = this.#cutting
    const end = Math.min(frame.length, at + most)
    this.#cutting = end === frame.length ? undefined : { frame, at: end }
    return { seq: this.#seq++, isLast: end === frame.length, bytes: frame.subarray(at, end) }
  }

  #send(say: Content['say'], chunk?: Chunk): void {
    if (this.#isClosed) return
    const { keys, publish } = this.#options
    this.#cancelAck?.()
    this.#cancelAck = undefined
    this.#unacknowledged = 0
    const plaintext = encode(contentCodec, { next: this.#next, say, chunk })
    const number = this.#number++
    const box = keys.sending.seal(number, plaintext)
    publish(encodePacket({ kind: 'sealed', value: { link: this.id, number, box } }))
  }

  /** Sends a heartbeat, and ends a link on which nothing authentic came for three of them. */
  beat(): void {
    if (this.#unanswered++ >= MAX_UNANSWERED) this.#end('silent for too long')
    else this.#send('plain')
  }

  /** Somebody says that the other side is gone: asks it, and ends the link if no answer comes. */
  probe(): void {
    if (this.#cancelProbe !== undefined || this.#isClosed) return
    const before = this.#highest
    this.#send('ping')
    this.#cancelProbe = this.#options.timers.after(PROBE_MS, () => {
      this.#cancelProbe = undefined
      if (this.#highest === before) this.#end('no answer to a probe')
    })
  }

  /** The broker is back: sends again what may have been lost with it. */
  resume(): void {
    const most = this.#options.maxPacket() - PACKET_OVERHEAD
    if ([...this.#underWay.values()].some(({ bytes }) => bytes.length > most)) {
      this.close('the broker takes less than before')
      return
    }
    for (const chunk of this.#underWay.values()) this.#send('plain', chunk)
    if (this.#underWay.size === 0) this.#send('ping')
    this.pump()
  }

  close(reason: string): void {
    if (!this.#isClosed) this.#send('bye')
    this.#end(reason)
  }

  #end(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelResend?.()
    this.#cancelProbe?.()
    this.#cancelAck?.()
    this.#options.keys.sending.wipe()
    this.#options.keys.receiving.wipe()
    this.#options.onClose(reason)
  }

  /** Whether the other side made it; nothing is changed. */
  isAuthentic(number: number, box: Uint8Array): boolean {
    return this.#options.keys.receiving.open(number, box) !== undefined
  }

  /** Takes a sealed packet; false, and nothing changed, where the other side did not make it. */
  receive(number: number, box: Uint8Array): boolean {
    if (this.#isClosed) return false
    const plaintext = this.#options.keys.receiving.open(number, box)
    if (plaintext === undefined) return false
    try {
      this.#take(number, decode(contentCodec, plaintext, { maxBytes: MAX_CONTENT_BYTES }))
    } catch (error) {
      this.#end(error instanceof Fault ? error.message : 'a packet could not be taken')
    }
    return true
  }

  #take(number: number, { next, say, chunk }: Content): void {
    const isFresh = number > this.#highest
    if (isFresh) {
      this.#highest = number
      this.#unanswered = 0
    }
    this.#acknowledged(next, say === 'gap')
    if (chunk !== undefined) this.#takeChunk(chunk)
    if (say === 'ping' && isFresh) this.#send('plain')
    if (say === 'bye') this.#end('the other side closed')
  }

  #acknowledged(next: number, isGap: boolean): void {
    let isNews = false
    for (const [seq, { bytes }] of this.#underWay) {
      if (seq >= next) break
      this.#underWay.delete(seq)
      this.#bytesUnderWay -= bytes.length
      isNews = true
    }
    if (isNews) {
      this.#resendMs = RESEND_MS
      this.#isGapFilled = false
      this.#cancelResend?.()
      this.#cancelResend = this.#underWay.size > 0 ? this.#resendLater() : undefined
    }
    if (isGap && !this.#isGapFilled && this.#underWay.has(next)) {
      this.#isGapFilled = true
      this.#send('plain', this.#underWay.get(next))
    }
    if (isNews) this.pump()
  }

  /** Sends what is under way again, after pauses without news that grow up to a heartbeat. */
  #resendLater(): Cancel {
    return this.#options.timers.after(this.#resendMs, () => {
      this.#resendMs = Math.min(2 * this.#resendMs, this.#options.heartbeatMs)
      for (const chunk of this.#underWay.values()) this.#send('plain', chunk)
      this.#cancelResend = this.#underWay.size === 0 ? undefined : this.#resendLater()
    })
  }

  #takeChunk(chunk: Chunk): void {
    if (chunk.seq >= this.#next && chunk.seq < this.#next + WINDOW_CHUNKS)
      this.#early.set(chunk.seq, chunk)
    for (
      let due = this.#early.get(this.#next);
      due !== undefined;
      due = this.#early.get(this.#next)
    ) {
      this.#early.delete(this.#next++)
      this.#assemble(due)
      if (this.#isClosed) return
    }
    if (this.#early.size > 0) this.#send('gap')
    else if (++this.#unacknowledged >= ACK_EVERY) this.#send('plain')
    else
      this.#cancelAck ??= this.#options.timers.after(ACK_DELAY_MS, () => {
        this.#send('plain')
      })
  }

  /** @throws platform/frame-too-large */
  #assemble({ bytes, isLast }: Chunk): void {
    this.#parts.push(bytes)
    this.#partBytes += bytes.length
    if (this.#partBytes > MAX_FRAME_BYTES || this.#parts.length > MAX_PARTS)
      throw new Fault('platform/frame-too-large')
    if (!isLast) return
    const frame = concatBytes(...this.#parts)
    this.#parts.length = 0
    this.#partBytes = 0
    this.#options.onFrame(frame)
  }
}
