/**
 * Settings of other products that decide nothing here, for what they say stands in signed records: they
 * are compared with those, so that a wrong one does not pass unnoticed.
 */
import type { AcceptedRecord } from '@quorate/auth'
import { Fault, toHex } from '@quorate/base'
import { decodeWallet, type WalletRow } from '@quorate/enclave'
import type { NodeConfig } from './config.ts'

export type Known = {
  readonly nodeId: string
  readonly index: number
  readonly cluster: AcceptedRecord
  readonly wallets: readonly WalletRow[]
}

/** @throws node/threshold-disagrees, node/other-node, node/unknown-initiator */
export function checkForeign(
  { threshold, nodeId, initiatorKey }: Pick<NodeConfig, 'threshold' | 'nodeId' | 'initiatorKey'>,
  known: Known,
): void {
  if (nodeId !== undefined && nodeId !== known.nodeId && nodeId !== String(known.index))
    throw new Fault('node/other-node', { detail: `number ${known.index}, ${known.nodeId}` })
  const { clients } = known.cluster.record
  if (initiatorKey !== undefined && !clients.some(({ key }) => toHex(key) === initiatorKey))
    throw new Fault('node/unknown-initiator')
  if (threshold === undefined) return
  // A guide for another product may say how many signers there are.
  for (const row of known.wallets) {
    const own = decodeWallet(row.public).key.threshold
    if (own !== threshold)
      throw new Fault('node/threshold-disagrees', {
        detail: `${threshold}, a wallet here has ${own}`,
      })
  }
}
