/**
 * A node dies at places where a test can make it die, under load, and comes back: signing goes on
 * meanwhile with the others, what the place is about is whole, and afterwards all is sound.
 */
import type { TestContext } from 'node:test'
import type { ProcessNode } from '../support/process-node.ts'
import type { ProcessReport } from './process-storm.ts'
import { Stage } from './stage.ts'
import { visitLedger } from './visits/ledger.ts'
import { visitPolicy } from './visits/policy.ts'
import { visitRefresh } from './visits/refresh.ts'
import { visitAnswer, visitKeygen, visitSigning } from './visits/signing.ts'
import { visitApproval, visitWaiting } from './visits/waiting.ts'

/** Has a node die at a place, brings it back, and checks what the place is about. */
type Visit = (stage: Stage, victim: ProcessNode, place: string) => Promise<void>

/** By the part that a place belongs to: what nodes do that pass it. */
const VISITS: { readonly [part: string]: Visit } = {
  'enclave/answer': visitAnswer,
  'enclave/approval': visitApproval,
  'enclave/aux': visitRefresh,
  'enclave/keygen': visitKeygen,
  'enclave/ledger': visitLedger,
  'enclave/policy': visitPolicy,
  'enclave/pool': visitSigning,
  'enclave/primes': visitRefresh,
  'enclave/session': visitSigning,
  'enclave/sign': visitSigning,
  'enclave/waiting': visitWaiting,
  'node/journal': visitSigning,
}
/** Places that need primes. */
const isOfEcdsa = (place: string): boolean => /\/(primes|aux)\/|presign/.test(place)

export type Visited = {
  readonly report: ProcessReport
  /** Where a node died. */
  readonly places: readonly string[]
  /** From the death of a node to the next signature of the others, in milliseconds. */
  readonly longestMs: number
}

/** Kills one node after the other, each at the next place. */
export async function visitPlaces(t: TestContext, places: readonly string[]): Promise<Visited> {
  const stage = await Stage.open(t, places.some(isOfEcdsa))
  const visited: string[] = []
  for (const [i, place] of places.entries()) {
    const begin = performance.now()
    const visit = VISITS[place.slice(0, place.lastIndexOf('/'))]!
    await visit(stage, stage.nodes[i % stage.nodes.length]!, place)
    visited.push(place)
    t.diagnostic(`${place}: ${(performance.now() - begin).toFixed(0)} ms`)
  }
  const { longestMs } = stage
  return { report: await stage.end(), places: visited, longestMs }
}
