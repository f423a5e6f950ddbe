/** What passes between a pool and its worker threads. Contents are those of parcels. */
import type { FaultCode } from '@quorate/base'

export type Request =
  | {
      readonly kind: 'start'
      readonly id: number
      readonly job: string
      readonly input: unknown
      /** One 32-bit word in shared memory, not zero once the job is no longer wanted. */
      readonly cancelled: SharedArrayBuffer
    }
  | { readonly kind: 'post'; readonly id: number; readonly message: unknown }
  /** Sent after the word was set: wakes a job that waits. */
  | { readonly kind: 'end'; readonly id: number }
  /** End every job, then the thread. */
  | { readonly kind: 'close' }

export type WireFault = { readonly code: FaultCode; readonly detail: string | undefined }

export type Answer =
  /** The thread has loaded its code. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'message'; readonly id: number; readonly message: unknown }
  /** The last of a job, whichever way it went. */
  | { readonly kind: 'over'; readonly id: number; readonly output: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly fault: WireFault }
