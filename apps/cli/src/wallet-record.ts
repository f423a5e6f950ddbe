/** The public record of a wallet's generation: what the receipts of all nodes are for. */
import type { WalletJson } from '@quorate/api'
import { Fault, fromHex, toHex } from '@quorate/base'
import { confirmedBy, decodeWallet } from '@quorate/enclave'

type Shown = Pick<
  WalletJson,
  'id' | 'generation' | 'suite' | 'threshold' | 'groupKey' | 'chainCode' | 'policyHash'
>

/**
 * What receipts of the run that made the generation confirm. The record is the one of the wallet as
 * it is shown. @throws cli/does-not-verify where it is not; base/… for bytes that are no record
 */
export function checkRecord(encoded: string, wallet: Shown): Uint8Array {
  const { key, policyHash } = decodeWallet(fromHex(encoded))
  const isShown =
    key.wallet === wallet.id &&
    key.generation === wallet.generation &&
    key.suite === wallet.suite &&
    key.threshold === wallet.threshold &&
    toHex(key.groupKey) === wallet.groupKey &&
    (key.chainCode === undefined ? undefined : toHex(key.chainCode)) === wallet.chainCode &&
    toHex(policyHash) === wallet.policyHash
  if (!isShown)
    throw new Fault('cli/does-not-verify', { detail: 'the wallet is not that of its record' })
  return confirmedBy(key)
}
