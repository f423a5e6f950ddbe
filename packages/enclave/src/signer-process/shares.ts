/** This node's share of a wallet, from its sealed row to the form that signing takes, and back. */
import { type Secret, wipe } from '@quorate/base'
import type { Commitment } from '@quorate/math'
import {
  decodeKeyShare,
  encodeKeyShare,
  type GroupKey,
  type KeyShare,
  type PartyId,
  validateShare,
  type WalletKey,
} from '@quorate/threshold'
import type { ShareContext, Vault } from './vault.ts'
import type { StoredWallet } from './wallets.ts'

const contextOf = (key: WalletKey, party: PartyId, sid: Uint8Array): ShareContext => ({
  wallet: key.wallet,
  generation: key.generation,
  sid,
  threshold: key.threshold,
  verifyingShare: key.verifyingShares[key.parties.findIndex(({ index }) => index === party)]!,
})

/** The sealed row of a share. Wipes the encoding in between; `share.secret` stays the caller's. */
export function sealShare(vault: Vault, share: KeyShare, sid: Uint8Array): Uint8Array {
  using encoded = encodeKeyShare(share)
  return vault.sealShare(encoded.expose(), contextOf(share.key, share.party, sid))
}

export type OpenedShare = {
  readonly key: GroupKey
  readonly commitment: Commitment
  /** The caller disposes of it. */
  readonly share: Secret<Uint8Array>
}

/**
 * The share in a row, checked against the wallet's public record.
 * @throws enclave/store-mismatch where the row was altered or moved; threshold/inconsistent-share
 */
export function openShare(vault: Vault, self: PartyId, { row, record }: StoredWallet): OpenedShare {
  const plain = vault.openShare(row.sealed, contextOf(record.key, self, row.sid))
  try {
    const share = decodeKeyShare(plain)
    return { ...validateShare(share), share: share.secret }
  } finally {
    wipe(plain)
  }
}
