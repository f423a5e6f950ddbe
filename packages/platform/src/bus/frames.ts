/** Frames on a byte stream: four bytes of length, big-endian, then that many bytes. */
import { Fault } from '@quorate/base'

const HEADER = 4
const SMALL = 4096

/** The frame as it goes over the wire. An empty one is a heartbeat. */
export function framed(frame: Uint8Array): Uint8Array {
  const out = new Uint8Array(HEADER + frame.length)
  new DataView(out.buffer).setUint32(0, frame.length)
  out.set(frame, HEADER)
  return out
}

/**
 * Cuts a stream into frames. One buffer that grows with what has truly arrived: neither a large
 * announced length nor a trickle of single bytes makes it hold more than about twice that.
 */
export class FrameReader {
  /** The largest frame accepted from now on. */
  maxBytes: number
  #buffer = new Uint8Array(SMALL)
  #start = 0
  #end = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  push(chunk: Uint8Array): void {
    const length = this.#end - this.#start
    if (this.#end + chunk.length > this.#buffer.length) {
      const needed = length + chunk.length
      const target =
        needed > this.#buffer.length
          ? new Uint8Array(Math.max(needed, 2 * this.#buffer.length))
          : this.#buffer
      target.set(this.#buffer.subarray(this.#start, this.#end))
      this.#buffer = target
      this.#start = 0
      this.#end = length
    }
    this.#buffer.set(chunk, this.#end)
    this.#end += chunk.length
  }

  /** The next whole frame, a copy. @throws platform/frame-too-large as soon as the length is known */
  next(): Uint8Array | undefined {
    const have = this.#end - this.#start
    if (have < HEADER) return undefined
    const length = new DataView(this.#buffer.buffer).getUint32(this.#start)
    if (length > this.maxBytes)
      throw new Fault('platform/frame-too-large', {
        detail: `${length} bytes announced, at most ${this.maxBytes}`,
      })
    if (have < HEADER + length) return undefined
    const from = this.#start + HEADER
    const frame = this.#buffer.slice(from, from + length)
    this.#start = from + length
    if (this.#start === this.#end) {
      this.#start = 0
      this.#end = 0
      if (this.#buffer.length > 16 * SMALL) this.#buffer = new Uint8Array(SMALL)
    }
    return frame
  }
}
