/** Where the four safe primes of one node's auxiliary information come from. */
import { availableParallelism } from 'node:os'
import { Secret } from '@quorate/base'
import { WorkerPool } from '@quorate/platform/workers'
import type { Level } from '@quorate/threshold'
import type { PrimeJobs } from './prime-worker.ts'

export const PRIMES = 4

export type PrimeOrder = {
  /** Hears how many of the four there are. */
  onProgress(done: number): void
  readonly signal: AbortSignal
}

/** Four fresh safe primes of the level, one after the other, big-endian. The caller disposes of them. */
export type MakePrimes = (level: Level, order: PrimeOrder) => Promise<Secret<Uint8Array>>

/** Makes them in threads of low priority, which end with it: what they leave in memory goes with them. */
export const makePrimes: MakePrimes = async ({ primeBits: bits }, { onProgress, signal }) => {
  const pool = new WorkerPool<PrimeJobs>({
    entry: new URL('./prime-worker.js', import.meta.url),
    size: Math.min(PRIMES, Math.max(1, availableParallelism() - 1)),
  })
  let done = 0
  onProgress(done)
  const made: Secret<Uint8Array>[] = []
  try {
    await Promise.all(
      Array.from({ length: PRIMES }, async () => {
        made.push(await pool.run('safe-prime', { bits }, { signal }))
        onProgress(++done)
      }),
    )
    return joined(made)
  } finally {
    for (const each of made) each[Symbol.dispose]()
    await pool.close()
  }
}

/** One secret of all of them. */
function joined(primes: readonly Secret<Uint8Array>[]): Secret<Uint8Array> {
  const parts = primes.map((prime) => prime.expose())
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return new Secret(all)
}
