/** Reads the share that a node holds, as only the holder of its HSM and store together can. */
import type { Random } from '@quorate/base'
import { systemClock } from '@quorate/platform'
import { decodeKeyShare, partyId, validateEcdsaShare, validateShare } from '@quorate/threshold'
import type { WalletRow } from '../channel/rows.ts'
import { openEncodedShare } from '../signer-process/shares.ts'
import { Wallets } from '../signer-process/wallets.ts'
import { type NodeFiles, openNode } from './opened-node.ts'

export type HeldShare = NodeFiles & {
  readonly row: WalletRow
  /** Index of the node. */
  readonly self: number
}

/** The encoded share, 32 bytes. @throws threshold/inconsistent-share for one that does not belong to the wallet */
export async function readShare(held: HeldShare, random: Random): Promise<Uint8Array> {
  const node = await openNode(held, systemClock, random)
  try {
    const stored = new Wallets().put(held.row)
    using encoded = openEncodedShare(node.vault, partyId(held.self), stored)
    const share = decodeKeyShare(encoded.expose())
    using secret = share.secret
    if (share.key.protocol === 'frost') validateShare(share)
    else validateEcdsaShare(share)
    return secret.expose().slice()
  } finally {
    await node.close()
  }
}
