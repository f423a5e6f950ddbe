/** One worker thread of a pool, and the jobs that it has. */
import { type ResourceLimits, Worker } from 'node:worker_threads'
import { Fault } from '@quorate/base'
import type { Answer, Request } from './messages.ts'
import { pack, unpack, wipeSecrets } from './parcel.ts'

/** Hears of one job: messages in their order, then exactly one of the other two. */
export type JobListener = {
  message(message: unknown): void
  over(output: unknown): void
  failed(fault: Fault): void
}

export type StartedJob = {
  post(message: unknown): void
  /** Ends the job there. Its listener hears nothing more. */
  end(): void
}

export type ThreadOptions = {
  readonly entry: URL
  readonly data: unknown
  readonly resourceLimits: ResourceLimits
}

type Job = { listener: JobListener | undefined; readonly cancelled: Int32Array }

/** How long a thread that is to end may take to wipe what it holds. */
const CLOSE_MS = 1_000

export class WorkerThread {
  /** Resolves when the thread has loaded its code. @throws platform/worker-died */
  readonly ready: Promise<void>
  readonly #worker: Worker
  readonly #ended: Promise<void>
  readonly #jobs = new Map<number, Job>()
  #lastId = 0

  constructor({ entry, data, resourceLimits }: ThreadOptions, onEnd: () => void) {
    const worker = new Worker(entry, {
      workerData: data,
      resourceLimits,
      // No copy of an environment that may hold secrets, and what it prints reaches nobody.
      env: {},
      // Options of the command line are for the program, not for each of its threads.
      execArgv: [],
      stdout: true,
      stderr: true,
    })
    this.#worker = worker
    let error: unknown
    worker.on('error', (cause) => {
      error = cause
    })
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()))
    this.ready = new Promise((resolve, reject) => {
      worker.on('message', (answer: Answer) => {
        if (answer.kind === 'ready') resolve()
        else this.#take(answer)
      })
      worker.once('exit', (code) => {
        const fault = new Fault('platform/worker-died', { detail: `code ${code}`, cause: error })
        reject(fault)
        onEnd()
        this.#failAll(fault)
      })
    })
    // Jobs that are waiting hear of it by themselves.
    this.ready.catch(() => undefined)
    // Last, because to listen for messages is to hold on to the process.
    worker.unref()
  }

  /** How many jobs it has, those included that have not noticed yet that they are cancelled. */
  get load(): number {
    return this.#jobs.size
  }

  start(name: string, input: unknown, listener: JobListener): StartedJob {
    const id = ++this.#lastId
    const cancelled = new SharedArrayBuffer(4)
    const job: Job = { listener, cancelled: new Int32Array(cancelled) }
    const { content, buffers } = pack(input)
    this.#post({ kind: 'start', id, job: name, input: content, cancelled }, buffers)
    this.#jobs.set(id, job)
    return {
      post: (message) => {
        if (job.listener === undefined) return
        const parcel = pack(message)
        this.#post({ kind: 'post', id, message: parcel.content }, parcel.buffers)
      },
      end: () => {
        if (job.listener === undefined) return
        job.listener = undefined
        Atomics.store(job.cancelled, 0, 1)
        this.#post({ kind: 'end', id })
      },
    }
  }

  /** Ends every job, then the thread: by force if it is too busy to do so itself. */
  async close(): Promise<void> {
    for (const { cancelled } of this.#jobs.values()) Atomics.store(cancelled, 0, 1)
    this.#failAll(new Fault('platform/workers-closed'))
    this.#worker.ref()
    this.#post({ kind: 'close' })
    const force = setTimeout(() => void this.#worker.terminate(), CLOSE_MS)
    await this.#ended
    clearTimeout(force)
  }

  #post(request: Request, buffers: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, buffers)
  }

  #take(answer: Exclude<Answer, { kind: 'ready' }>): void {
    const listener = this.#jobs.get(answer.id)?.listener
    if (answer.kind !== 'message') this.#forget(answer.id)
    if (answer.kind === 'failed') {
      const { code, detail } = answer.fault
      listener?.failed(new Fault(code, detail === undefined ? {} : { detail }))
      return
    }
    const content = unpack(answer.kind === 'message' ? answer.message : answer.output)
    // Sent before the worker knew that nobody wants it any more.
    if (listener === undefined) wipeSecrets(content)
    else if (answer.kind === 'message') listener.message(content)
    else listener.over(content)
  }

  #forget(id: number): void {
    const job = this.#jobs.get(id)
    if (job !== undefined) job.listener = undefined
    this.#jobs.delete(id)
  }

  #failAll(fault: Fault): void {
    for (const job of this.#jobs.values()) {
      const { listener } = job
      job.listener = undefined
      listener?.failed(fault)
    }
  }
}
