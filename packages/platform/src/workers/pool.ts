/**
 * A fixed number of worker threads for computations that would keep the event loop. Threads start
 * when there is work for them; a job stays on the thread that it began on. None of them keeps the
 * process alive.
 */
import { availableParallelism } from 'node:os'
import type { ResourceLimits } from 'node:worker_threads'
import { Fault } from '@quorate/base'
import type {
  ConversationName,
  InputOf,
  JobTable,
  MessageOf,
  OneShotName,
  OutputOf,
  ProgressOf,
  ReplyOf,
} from './jobs.ts'
import { WorkerThread } from './thread.ts'

export type WorkerPoolOptions = {
  /** The module that each thread runs; it ends with `serveJobs(jobs)`. */
  readonly entry: URL
  /** How many threads; all processors but one unless told, at least 1 and at most 8. */
  readonly size?: number
  /** `workerData` of every thread. No secrets: nobody wipes it. */
  readonly data?: unknown
  /** Of each thread; 512 MiB of heap unless told. */
  readonly resourceLimits?: ResourceLimits
}

export type RunOptions<Progress> = {
  readonly onProgress?: (progress: Progress) => void
  /** Cancels the job: the promise is rejected at once, the worker stops as soon as it notices. */
  readonly signal?: AbortSignal
}

export type ConversationListener<Reply> = {
  /** Called with one message after the other, in the order they were sent. */
  message(message: Reply): void
  /** Called once at most, as the last: the job threw, or its worker is gone. */
  failed(fault: Fault): void
}

/** This side's end of a conversation. */
export type OpenConversation<Message> = {
  /** Hands over a message. Secrets in it are wiped here. */
  post(message: Message): void
  /** Ends the job in the worker. Nothing more is heard of it. */
  close(): void
}

const MAX_THREADS = 8
const LIMITS: ResourceLimits = { maxOldGenerationSizeMb: 512 }

/** Runs the jobs of `Jobs`, the table that its entry module serves. */
export class WorkerPool<Jobs extends JobTable> {
  readonly #options: WorkerPoolOptions
  readonly #threads: (WorkerThread | undefined)[]
  #isClosed = false

  constructor(options: WorkerPoolOptions) {
    this.#options = options
    const usual = Math.min(MAX_THREADS, Math.max(1, availableParallelism() - 1))
    this.#threads = Array.from({ length: options.size ?? usual }, () => undefined)
  }

  /** How many threads it has at most. */
  get size(): number {
    return this.#threads.length
  }

  /** Starts every thread now; resolves when all have loaded their code. @throws platform/worker-died, platform/workers-closed */
  async warm(): Promise<void> {
    await Promise.all(this.#threads.map((_, place) => this.#threadAt(place).ready))
  }

  /**
   * The output of a job. `input` is plain data; secrets in it are wiped here.
   * @throws what the job throws; platform/job-failed, platform/job-cancelled, platform/worker-died,
   *   platform/workers-closed
   */
  async run<Name extends OneShotName<Jobs>>(
    name: Name,
    input: InputOf<Jobs[Name]>,
    options: RunOptions<ProgressOf<Jobs[Name]>> = {},
  ): Promise<OutputOf<Jobs[Name]>> {
    const { onProgress, signal } = options
    const cancelled = new Fault('platform/job-cancelled')
    if (signal?.aborted === true) throw cancelled
    let cancel: (() => void) | undefined
    try {
      return await new Promise((resolve, reject) => {
        const job = this.#leastBusy().start(name, input, {
          message: (progress) => onProgress?.(progress as ProgressOf<Jobs[Name]>),
          over: (output) => resolve(output as OutputOf<Jobs[Name]>),
          failed: reject,
        })
        cancel = () => {
          job.end()
          reject(cancelled)
        }
        signal?.addEventListener('abort', cancel)
      })
    } finally {
      if (cancel !== undefined) signal?.removeEventListener('abort', cancel)
    }
  }

  /**
   * Begins a conversation. `input` is plain data; secrets in it are wiped here.
   * @throws platform/workers-closed
   */
  open<Name extends ConversationName<Jobs>>(
    name: Name,
    input: InputOf<Jobs[Name]>,
    listener: ConversationListener<ReplyOf<Jobs[Name]>>,
  ): OpenConversation<MessageOf<Jobs[Name]>> {
    const job = this.#leastBusy().start(name, input, {
      message: (message) => listener.message(message as ReplyOf<Jobs[Name]>),
      over: () => undefined,
      failed: (fault) => listener.failed(fault),
    })
    return { post: (message) => job.post(message), close: () => job.end() }
  }

  /** Ends all jobs with platform/workers-closed, and resolves when every thread is gone. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#threads.map(async (thread) => thread?.close()))
  }

  #leastBusy(): WorkerThread {
    const loads = this.#threads.map((thread) => thread?.load ?? 0)
    return this.#threadAt(loads.indexOf(Math.min(...loads)))
  }

  /** The thread of that place; a new one where it has not been needed yet, or has died. */
  #threadAt(place: number): WorkerThread {
    if (this.#isClosed) throw new Fault('platform/workers-closed')
    const { entry, data, resourceLimits = LIMITS } = this.#options
    this.#threads[place] ??= new WorkerThread({ entry, data, resourceLimits }, () => {
      this.#threads[place] = undefined
    })
    return this.#threads[place]
  }
}
