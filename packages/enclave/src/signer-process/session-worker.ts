/** Sessions in worker threads, as the signer's main thread has them. */
import { type Random, wipe } from '@quorate/base'
import {
  type ConversationListener,
  type OpenConversation,
  WorkerPool,
  wipeSecrets,
} from '@quorate/platform/workers'
import type { PartyId } from '@quorate/threshold'
import {
  type FromSession,
  fromPlainStanding,
  type SessionInput,
  type ToSession,
} from './session-job.ts'
import { inlineRunner, type SessionRunner } from './session-runner.ts'
import type { SignerJobs, SignerWorkerData } from './signer-worker.ts'

/** Workers of the signer: they run sessions, and whatever else the table of `signer-worker.ts` holds. */
export type SignerPool = WorkerPool<SignerJobs>

export const signerPool = (data: SignerWorkerData): SignerPool =>
  new WorkerPool<SignerJobs>({ entry: new URL('./signer-worker.js', import.meta.url), data })

/** What sessions need of a pool. */
type SessionPool = {
  open(
    job: 'session',
    input: SessionInput,
    listener: ConversationListener<FromSession>,
  ): OpenConversation<ToSession>
}

/**
 * Messages of one party that wait for a busy worker: four kinds in each of the three rounds that a
 * session looks at, and disputes to spare. More are dropped, so that nobody fills the memory.
 */
const MAX_WAITING = 16

/** Runs programs in the pool, and sessions that begin here on this thread. */
export function workerRunner(pool: SessionPool, random: Random): SessionRunner {
  const inline = inlineRunner(random)
  return async (order) => {
    const { facts, start, originals, listener } = order
    if (!('program' in start)) return inline(order)
    const { program } = start
    const input: unknown = await program.input()
    const waiting = new Map<PartyId, number>()
    const waitingOf = (party: PartyId): number => waiting.get(party) ?? 0
    let conversation: OpenConversation<ToSession> | undefined
    const hear = (from: FromSession): void => {
      switch (from.kind) {
        case 'taken':
          waiting.set(from.from, waitingOf(from.from) - 1)
          return
        case 'progress':
          listener.progress(from.phase, from.done, from.of)
          return
        case 'advanced': {
          const standing = fromPlainStanding(from.standing)
          // Its secrets there are wiped now, whatever this side still does with the result.
          if (standing.kind !== 'running') conversation?.close()
          listener.advanced(from.messages, standing)
        }
      }
    }
    return {
      begin() {
        const signingKeys = originals.signingKeys(facts.parties)
        conversation = pool.open(
          'session',
          { facts, program: program.name, input, signingKeys },
          {
            message: hear,
            failed: (fault) => listener.failed(fault),
          },
        )
      },
      receive(message) {
        const { from, kind, body } = message
        if (facts.parties.includes(from) && waitingOf(from) < MAX_WAITING) {
          waiting.set(from, waitingOf(from) + 1)
          conversation?.post({ kind: 'received', message })
        }
        // The worker has a copy, which its session wipes.
        if (kind === 'direct') wipe(body)
      },
      expire: () => conversation?.post({ kind: 'expired' }),
      [Symbol.dispose]() {
        conversation?.close()
        wipeSecrets(input)
      },
    }
  }
}
