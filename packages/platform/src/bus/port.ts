/**
 * The transport between the nodes of a cluster. Frames arrive whole and in order, or not at all:
 * a frame on its way when a connection breaks is lost. Nothing here is trusted by the protocols
 * above, which sign and seal their messages themselves; `from` is who the transport believes it was.
 */
export type PeerStatus = {
  readonly peer: number
  readonly isConnected: boolean
  /** Frames that wait to be sent. */
  readonly queued: number
}

export type MessageHandler = (from: number, frame: Uint8Array) => void
export type PeerHandler = (peer: number, isConnected: boolean) => void

export type Bus = {
  /**
   * Queues a copy of the frame (1 byte to 4 MiB), also while the peer is away. False when the queue
   * to that peer is full: the frame was not taken. @throws platform/unknown-peer, platform/frame-too-large
   */
  send(to: number, frame: Uint8Array): boolean
  /** Sets the one receiver of frames. What it throws is logged and goes no further. */
  onMessage(handler: MessageHandler): void
  /** Sets the one receiver of news about connections. */
  onPeer(handler: PeerHandler): void
  peers(): readonly PeerStatus[]
  close(): Promise<void>
}

export const MAX_FRAME_BYTES: number = 4 * 1024 * 1024

export type QueueLimits = { readonly maxFrames: number; readonly maxBytes: number }
export const QUEUE_LIMITS: QueueLimits = { maxFrames: 1024, maxBytes: 16 * 1024 * 1024 }
