/** The worker of the tests of pools. */
import { isMainThread, threadId, workerData } from 'node:worker_threads'
import { Fault, Secret } from '@quorate/base'
import type { ConversationJob, JobContext, OneShotJob } from '#src/workers/jobs.js'
import { serveJobs } from '#src/workers/serve.js'

const define = <const Jobs extends Record<string, OneShotJob | ConversationJob>>(jobs: Jobs) => jobs

/** How long a worker waits for what never comes when something is broken. */
const LIMIT_MS = 20_000

/** Works, without ever giving up its turn, until told by way of shared memory. */
function spinUntil(isTold: () => boolean): void {
  const limit = performance.now() + LIMIT_MS
  while (!isTold()) if (performance.now() > limit) throw new RangeError('nobody came')
}

export type Note = { readonly text: string; readonly n: number }
const seen: Secret<Uint8Array>[] = []

const jobs = define({
  echo: { run: (input: unknown) => input },
  thread: { run: () => ({ threadId, env: Object.keys(process.env), data: workerData as unknown }) },
  count: {
    async run({ to }: { to: number }, context: JobContext<{ done: number }>) {
      for (let done = 1; done <= to; done++) {
        context.send({ done })
        await context.turn()
      }
      return to
    },
  },
  spin: {
    run(_: null, context: JobContext<'spinning'>) {
      context.send('spinning')
      spinUntil(() => context.isCancelled)
      return null
    },
  },
  /** Answers with what cannot cross. */
  oddity: { run: () => new Date(0) },
  fault: {
    run() {
      throw new Fault('platform/overloaded', { detail: 'as an example' })
    },
  },
  crash: {
    run(): number {
      throw new RangeError('the secret is wombat')
    },
  },
  die: {
    run() {
      process.exit(3)
    },
  },
  double: {
    run({ secret }: { secret: Secret<Uint8Array> }) {
      seen.push(secret)
      return new Secret(secret.expose().map((byte) => 2 * byte))
    },
  },
  /** Which of the secrets seen so far are wiped. */
  wiped: { run: () => seen.map(({ isWiped }) => isWiped) },
  talk: {
    open({ name }: { name: string }, context: JobContext<Note>) {
      const key = new Secret(new Uint8Array([1]))
      seen.push(key)
      let n = 0
      return {
        async receive(text: string) {
          // Later messages must wait although the first takes the longest.
          for (let turns = Math.max(0, 5 - n); turns > 0; turns--) await context.turn()
          if (text === 'throw') throw new Fault('platform/overloaded')
          context.send({ text: `${name}: ${text}`, n: n++ })
        },
        [Symbol.dispose]: () => key[Symbol.dispose](),
      }
    },
  },
})
export type Jobs = typeof jobs

if (!isMainThread) serveJobs(jobs)
