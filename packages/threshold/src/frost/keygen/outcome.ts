/** What a key generation yields, before any tweak. */
import type { Secret } from '@quorate/base'
import type { Commitment } from '@quorate/math'

export type DkgOutput = {
  /** Commitment to the joint polynomial: its first element is the group key, and it gives every verifying share. Untweaked. */
  readonly commitment: Commitment
  /** This party's share, encoded, 32 bytes; absent for a coordinator. Untweaked. */
  readonly share: Secret<Uint8Array> | undefined
  /** n */
  readonly parties: number
}
