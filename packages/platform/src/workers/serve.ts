/** The worker's side of a pool: runs jobs of a table, each message of a job after the one before. */
import { parentPort } from 'node:worker_threads'
import { bug, isFault } from '@quorate/base'
import type { Conversation, JobContext, JobTable } from './jobs.ts'
import type { Answer, Request, WireFault } from './messages.ts'
import { pack, unpack, wipeSecrets } from './parcel.ts'

type Port = NonNullable<typeof parentPort>

/**
 * Serves these jobs to the pool that started this thread; the last statement of a worker's entry
 * file. Secrets of a job's input are wiped when it is over, and those of its output once they are on
 * their way. A job that throws fails alone: as the Fault it threw, or as `platform/job-failed`.
 */
export function serveJobs(jobs: JobTable): void {
  const port = parentPort ?? bug('jobs are served in a worker thread')
  const running = new Map<number, RunningJob>()
  port.on('message', (request: Request) => {
    switch (request.kind) {
      case 'start': {
        const { id } = request
        running.set(id, new RunningJob(port, jobs, request, () => running.delete(id)))
        return
      }
      case 'post':
        running.get(request.id)?.receive(request.message)
        return
      case 'end':
        running.get(request.id)?.end()
        return
      case 'close':
        for (const job of running.values()) job.end()
        void Promise.all([...running.values()].map(({ over }) => over)).then(() => process.exit(0))
    }
  })
  answer(port, { kind: 'ready' })
}

function answer(port: Port, message: Answer): void {
  const { content, buffers } = pack(message)
  port.postMessage(content, buffers)
}

class RunningJob {
  readonly over: Promise<void>
  readonly #id: number
  readonly #port: Port
  readonly #input: unknown
  readonly #cancelled: Int32Array
  #conversation: Conversation | undefined
  /** What is being done now; the next thing waits for it. */
  #turn: Promise<void>
  #finish!: () => void
  #isOver = false

  constructor(
    port: Port,
    jobs: JobTable,
    { id, job: name, input, cancelled }: Extract<Request, { kind: 'start' }>,
    forget: () => void,
  ) {
    this.#id = id
    this.#port = port
    this.#input = unpack(input)
    this.#cancelled = new Int32Array(cancelled)
    this.over = new Promise((resolve) => {
      this.#finish = () => {
        forget()
        resolve()
      }
    })
    this.#turn = this.#attempt(async () => {
      const job =
        (Object.hasOwn(jobs, name) ? jobs[name] : undefined) ?? bug('there is no such job')
      if ('run' in job) this.#conclude(await job.run(this.#input, this.#context))
      else this.#conversation = await job.open(this.#input, this.#context)
    })
  }

  get #isCancelled(): boolean {
    return Atomics.load(this.#cancelled, 0) !== 0
  }

  get #context(): JobContext {
    const isCancelled = (): boolean => this.#isCancelled
    return {
      get isCancelled() {
        return isCancelled()
      },
      send: (message) => answer(this.#port, { kind: 'message', id: this.#id, message }),
      turn: () => new Promise((resolve) => setImmediate(resolve)),
    }
  }

  receive(message: unknown): void {
    const work = async (): Promise<void> => this.#conversation?.receive(unpack(message))
    this.#turn = this.#turn.then(() => this.#attempt(work))
  }

  end(): void {
    this.#turn = this.#turn.then(() => this.#conclude(undefined))
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    // What was posted before a job was cancelled is no longer wanted either.
    if (this.#isOver || this.#isCancelled) return
    try {
      await work()
    } catch (error) {
      this.#settle({ kind: 'failed', id: this.#id, fault: wire(error) })
    }
  }

  #conclude(output: unknown): void {
    this.#settle({ kind: 'over', id: this.#id, output })
  }

  #settle(last: Answer): void {
    if (this.#isOver) return
    // Refused where the output is not plain data: the job has failed then, and is settled as that.
    answer(this.#port, last)
    this.#isOver = true
    this.#conversation?.[Symbol.dispose]()
    wipeSecrets(this.#input)
    this.#finish()
  }
}

/** Of an error that is no Fault only its kind and place: its text may quote a secret. */
function wire(error: unknown): WireFault {
  if (isFault(error)) return { code: error.code, detail: error.detail }
  const place = error instanceof Error ? /^ {4}at .*$/m.exec(error.stack ?? '')?.[0].trim() : ''
  const kind = error instanceof Error ? error.constructor.name : typeof error
  return { code: 'platform/job-failed', detail: `${kind} ${place ?? ''}`.trim() }
}
