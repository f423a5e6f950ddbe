/** The programs of FROST. */
import type { Secret } from '@quorate/base'
import {
  decodeKeyShare,
  SIGNING_PROTOCOL,
  type SigningItem,
  startSigning,
  validateShare,
} from '@quorate/threshold'
import type { Program } from './session-environment.ts'

/** A `KeyShare`, encoded, and what to sign with it. */
export type SigningInput = {
  readonly share: Secret<Uint8Array>
  readonly items: readonly SigningItem[]
}

/** FROST signatures, 64 bytes each, in the order of the items. */
const frostSigning: Program<SigningInput, readonly Uint8Array[]> = {
  begin({ share: encoded, items }, { self, parties, random, keep }) {
    const share = decodeKeyShare(encoded.expose())
    const secret = keep(share.secret)
    const { key } = validateShare(share)
    return startSigning({ self, signers: parties, key, share: secret, random, items })
  },
}

export const FROST_PROGRAMS = { [SIGNING_PROTOCOL]: frostSigning } as const
