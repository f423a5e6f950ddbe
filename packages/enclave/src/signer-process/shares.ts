/** This node's share of a wallet, from its sealed row to the form that signing takes, and back. */
import { Secret, toHex } from '@quorate/base'
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
import type { SealedPlace, Vault } from './vault.ts'
import type { StoredWallet } from './wallets.ts'

const placeOf = (key: WalletKey, party: PartyId, sid: Uint8Array): SealedPlace => ({
  table: 'wallets',
  row: `${key.wallet}/${key.generation}/${toHex(sid)}`,
  wallet: key.wallet,
  generation: key.generation,
  threshold: key.threshold,
  verifyingShare: key.verifyingShares[key.parties.findIndex(({ index }) => index === party)]!,
})

/** The sealed row of a share. Wipes the encoding in between; `share.secret` stays the caller's. */
export function sealShare(vault: Vault, share: KeyShare, sid: Uint8Array): Uint8Array {
  using encoded = encodeKeyShare(share)
  return vault.seal(encoded.expose(), placeOf(share.key, share.party, sid))
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
export function openShare(vault: Vault, self: PartyId, stored: StoredWallet): OpenedShare {
  const { sealed } = stored.row
  using encoded = openEncodedShare(vault, self, stored)
  const share = decodeKeyShare(encoded.expose())
  const parsed = validated.get(sealed) ?? validateShare(share)
  validated.set(sealed, parsed)
  return { ...parsed, share: share.secret }
}

/** The public side of rows whose share was found to fit it: for the same sealed bytes that holds again. */
const validated = new WeakMap<Uint8Array, Omit<OpenedShare, 'share'>>()

/**
 * The same as an encoded `KeyShare` of any protocol, as programs take it, which check it.
 * @throws enclave/store-mismatch where the row was altered or moved
 */
export const openEncodedShare = (
  vault: Vault,
  self: PartyId,
  { row, record }: StoredWallet,
): Secret<Uint8Array> => new Secret(vault.open(row.sealed, placeOf(record.key, self, row.sid)))
