/**
 * The worker in which primes are made: `prime-maker.ts` starts it. It computes for seconds without a
 * pause, so it is apart from the workers of sessions and gives way to them.
 */
import { constants, setPriority } from 'node:os'
import { Fault, Secret } from '@quorate/base'
import { toUnsignedBytes } from '@quorate/math'
import { safePrime } from '@quorate/math/native'
import { type JobContext, serveJobs, systemRandom } from '@quorate/platform/workers'

const jobs = {
  'safe-prime': {
    /** Big-endian, `bits` bits. */
    run({ bits }: { readonly bits: number }, context: JobContext): Secret<Uint8Array> {
      const prime = safePrime(bits, systemRandom, () => {
        if (context.isCancelled) throw new Fault('platform/job-cancelled')
      })
      return new Secret(toUnsignedBytes(prime, bits / 8))
    },
  },
} as const
export type PrimeJobs = typeof jobs

// Of this thread alone; elsewhere the same call would hold up the whole process.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_LOW)
serveJobs(jobs)
