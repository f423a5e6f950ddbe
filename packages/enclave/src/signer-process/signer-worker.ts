/** A worker thread of the signer process: `session-worker.ts` starts it. */
import { workerData } from 'node:worker_threads'
import { chooseBackends } from '@quorate/math/native'
import { serveJobs } from '@quorate/platform/workers'
import { sessionJob } from './session-job.ts'
import { PROGRAMS } from './session-programs.ts'

/** What every worker is told when it starts. */
export type SignerWorkerData = {
  /** `noble` keeps it from loading any other arithmetic. */
  readonly backend: string
}

const jobs = { session: sessionJob(PROGRAMS) } as const
export type SignerJobs = typeof jobs

const { backend } = workerData as SignerWorkerData
await chooseBackends(backend === 'noble' ? { only: 'noble' } : {})
serveJobs(jobs)
