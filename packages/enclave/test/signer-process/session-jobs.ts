/** The worker of the tests of sessions: real programs, and some that behave in peculiar ways. */
import { isMainThread, workerData } from 'node:worker_threads'
import { Secret } from '@quorate/base'
import { serveJobs } from '@quorate/platform/workers'
import { Abort, done, next, type PartyId, type Round, type Step } from '@quorate/threshold'
import type { Environment, ProgramTable } from '#src/signer-process/session-environment.js'
import { sessionJob } from '#src/signer-process/session-job.js'
import { PROGRAMS } from '#src/signer-process/session-programs.js'

/** One round in which all parties broadcast; `accept` and `dispute` see what comes. */
function oneRound<Out>(o: {
  accept?: (from: PartyId, body: Uint8Array) => void
  dispute?: (from: PartyId, body: Uint8Array) => void
  output: () => Out
}): Step<Out> {
  const round: Round<Out> = {
    number: 1,
    broadcast: { maxBytes: 100, accept: o.accept ?? (() => undefined) },
    ...(o.dispute && { dispute: { maxBytes: 100, accept: o.dispute } }),
    advance: () => done(o.output()),
  }
  return next(round, { to: 'all', body: Uint8Array.of(7) })
}

/** How long a worker waits for what never comes when something is broken. */
const LIMIT_MS = 20_000
const kept: Secret<Uint8Array>[] = []

export const TEST_PROGRAMS = {
  ...PROGRAMS,
  /** Computes, without ever giving up its turn, until the main thread lifts the flag. */
  'test/busy': {
    begin(_: null, { progress }: Environment) {
      const { flag } = workerData as { flag: SharedArrayBuffer }
      const accept = (): void => {
        progress('busy', 0, 1)
        const limit = performance.now() + LIMIT_MS
        while (Atomics.load(new Int32Array(flag), 0) === 0)
          if (performance.now() > limit) throw new Error('the main thread does not answer')
        progress('busy', 1, 1)
      }
      return oneRound({ accept, output: () => 'answered' })
    },
  },
  /** Puts out the complaints in the order in which they came. */
  'test/order': {
    begin() {
      const heard: number[] = []
      return oneRound({ dispute: (_from, body) => heard.push(body[0]!), output: () => heard })
    },
  },
  'test/accuse': {
    begin(_: null, { self }: Environment) {
      const accept = (from: PartyId): never => {
        throw new Abort('threshold/invalid-proof', {
          culprits: [from],
          witnesses: [self],
          laggards: [from],
          proof: Uint8Array.of(1, 2, 3),
          complaint: Uint8Array.of(4, 5),
          detail: 'as an example',
        })
      }
      return oneRound({ accept, output: () => null })
    },
  },
  'test/refuse': {
    begin(_: null, { parties }: Environment): never {
      throw new Abort('threshold/invalid-share', { culprits: [parties[1]!] })
    },
  },
  'test/bug': {
    begin() {
      const accept = (): never => {
        throw new RangeError('the secret is wombat')
      }
      return oneRound({ accept, output: () => null })
    },
  },
  'test/die': {
    begin() {
      return oneRound({ accept: () => process.exit(3), output: () => null })
    },
  },
  /** Keeps its secret and a copy of it, and puts out another. */
  'test/secret': {
    begin(secret: Secret<Uint8Array>, { keep }: Environment) {
      const copy = keep(new Secret(secret.expose().slice()))
      kept.push(secret, copy)
      return oneRound({ output: () => new Secret(copy.expose().slice()) })
    },
  },
} as const satisfies ProgramTable

const jobs = {
  session: sessionJob(TEST_PROGRAMS),
  /** Which of the secrets of sessions are wiped. */
  wiped: { run: () => kept.map(({ isWiped }) => isWiped) },
} as const
export type TestJobs = typeof jobs

if (!isMainThread) serveJobs(jobs)
