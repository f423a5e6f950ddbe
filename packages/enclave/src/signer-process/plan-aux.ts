/**
 * Auxiliary information, made by all nodes together and stored by each when its own part is done.
 * Nothing has to be agreed on afterwards: new shares name it by its digest, and a node that holds none
 * of that digest takes no part in making them.
 */
import { failpoint } from '@quorate/platform'
import { Abort, levelOf, type Manifest, sessionId } from '@quorate/threshold'
import type { AuxRow } from '../channel/rows.ts'
import { sealAux } from './aux-store.ts'
import type { Plan } from './participation.ts'
import type { PlanContext } from './plan-context.ts'
import { PRIMES } from './prime-maker.ts'
import type { TakenPrimes } from './prime-stock.ts'
import type { MadeAux } from './programs-cggmp24.ts'

/** Long enough to make primes on a slow machine. */
const AUX_MS = 10 * 60_000

/** Makes auxiliary information for the suite of the manifest. Uses up a set of primes. */
export function auxPlan(
  { vault, ports, auxes, primes, auditOf }: PlanContext,
  manifest: Manifest,
  requestId: string,
): Plan<MadeAux> {
  const level = levelOf(manifest.suite)
  const given = new AbortController()
  let taken: TakenPrimes | undefined
  return {
    budgetMs: AUX_MS,
    title: 'making auxiliary information',
    atBurn() {
      taken = primes.take(level)
      return taken.changes
    },
    program: {
      name: 'cggmp24-aux',
      input: async () => ({
        level: level.id,
        primes: await taken!.primes({
          signal: given.signal,
          onProgress: (done) => ports.progress(requestId, 'making primes', done, PRIMES),
        }),
      }),
    },
    release() {
      given.abort()
      primes.refill([level.id])
    },
    async finish(made, session) {
      using secrets = made.secrets
      const { digest } = made
      const row: AuxRow = {
        digest,
        sid: sessionId(manifest),
        level: level.id,
        request: manifest.request,
        public: made.public,
        sealed: sealAux(vault, secrets.expose(), { digest, level: level.id }),
        createdAt: manifest.createdAt,
      }
      failpoint('enclave/aux/before-put')
      if (session.phase === 'ended') throw new Abort('threshold/timeout')
      await ports.persist([{ kind: 'putAux', value: row }], [auditOf(session)])
      auxes.putAwaited(row)
      failpoint('enclave/aux/after-put')
      return undefined
    },
  }
}
