import { Fault } from '@quorate/base'
import { MAX_FRAME_BYTES, type QueueLimits } from './port.ts'

/** Frames that wait for one peer, first in first out, bounded in number and in bytes. */
export class FrameQueue {
  readonly #limits: QueueLimits
  readonly #frames: Uint8Array[] = []
  #bytes = 0

  constructor(limits: QueueLimits) {
    this.#limits = limits
  }

  get length(): number {
    return this.#frames.length
  }

  /** Whether a copy of the frame was taken. @throws platform/frame-too-large */
  push(frame: Uint8Array): boolean {
    if (frame.length === 0 || frame.length > MAX_FRAME_BYTES)
      throw new Fault('platform/frame-too-large', {
        detail: `${frame.length} bytes, 1 to ${MAX_FRAME_BYTES} allowed`,
      })
    const { maxFrames, maxBytes } = this.#limits
    if (this.#frames.length >= maxFrames || this.#bytes + frame.length > maxBytes) return false
    this.#frames.push(frame.slice())
    this.#bytes += frame.length
    return true
  }

  shift(): Uint8Array | undefined {
    const frame = this.#frames.shift()
    this.#bytes -= frame?.length ?? 0
    return frame
  }
}
