/** Entry of the threads that judge ECDSA signatures of digests. */
import { chooseBackends } from '@quorate/math/native'
import { type OneShotJob, serveJobs } from '@quorate/platform/workers'
import type { EcdsaAlgorithm } from '../ecdsa.ts'
import { signatureHolds } from './digest-judge.ts'

type Claim = {
  readonly algorithm: EcdsaAlgorithm
  readonly publicKey: Uint8Array
  readonly digest: Uint8Array
  readonly signature: Uint8Array
}

export type DigestJobs = { readonly verify: OneShotJob<Claim, boolean> }

const jobs: DigestJobs = {
  verify: {
    run({ algorithm, publicKey, digest, signature }) {
      try {
        return signatureHolds(algorithm, publicKey, digest, signature)
      } catch {
        // A key that is no point.
        return false
      }
    },
  },
}

await chooseBackends()
serveJobs(jobs)
