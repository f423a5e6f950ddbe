/** What a signing session is told of the items that it signs, whichever protocol it runs. */
import { bug } from '@quorate/base'
import type { SignItem } from '@quorate/chains'
import type { Message, Prehash } from '@quorate/threshold'
import type { EvidenceFacts } from '../evidence-file.ts'
import type { StoredWallet } from './wallets.ts'

/** Whole messages go in, and are hashed by whoever signs; what a blind wallet signs is a digest, and marked as one. */
export function messageOf(item: SignItem): Message | Prehash {
  if (item.scheme !== 'ecdsa-secp256k1') return bug('an ECDSA wallet signs nothing else')
  if (item.hash === 'prehash') return { kind: 'prehash', digest: item.message }
  return { kind: 'message', bytes: item.message, hash: item.hash }
}

export const walletFacts = ({ row }: StoredWallet): NonNullable<EvidenceFacts['wallet']> => ({
  record: row.public,
  receipts: row.receipts,
})
