/** Entry of the threads that judge ECDSA signatures of digests. */
import { type OneShotJob, serveJobs } from '@quorate/platform/workers'
import { type EcdsaAlgorithm, verifyDigest } from '../ecdsa.ts'

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
        return verifyDigest(algorithm, publicKey, digest, signature)
      } catch {
        // A key that is no point, or r or s out of range.
        return false
      }
    },
  },
}

serveJobs(jobs)
