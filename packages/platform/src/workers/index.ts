/**
 * Worker threads, for both sides of them. Apart from the rest of the package, so that a worker loads
 * no more than it needs.
 */
export { systemRandom } from '../time/system.ts'
export type {
  Conversation,
  ConversationJob,
  JobContext,
  JobTable,
  OneShotJob,
} from './jobs.ts'
export { wipeSecrets } from './parcel.ts'
export {
  type ConversationListener,
  type OpenConversation,
  type RunOptions,
  WorkerPool,
  type WorkerPoolOptions,
} from './pool.ts'
export { serveJobs } from './serve.ts'
