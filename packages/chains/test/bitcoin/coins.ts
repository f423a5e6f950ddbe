/** Coins at every address that an ECDSA key has. */

import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@quorate/base'
import { OutScript } from '@scure/btc-signer'
import type { TransactionInputUpdate } from '@scure/btc-signer/psbt.js'
import { keyHash, p2wpkhOutput, paidCoin, previousTx, txidOf } from '../ecdsa-wallets.js'
import { PAYEE_SCRIPT, type PsbtParts, type Wallet } from '../wallets.js'

export const FORMS = ['p2wpkh', 'p2sh-p2wpkh', 'p2pkh'] as const
export type Form = (typeof FORMS)[number]

/** The output script of that form, made by another implementation than ours. */
export function outputOf(form: Form, wallet: Wallet): Uint8Array {
  if (form === 'p2wpkh') return p2wpkhOutput(wallet)
  return form === 'p2pkh'
    ? OutScript.encode({ type: 'pkh', hash: keyHash(wallet) })
    : OutScript.encode({ type: 'sh', hash: ripemd160(sha256(p2wpkhOutput(wallet))) })
}

/** Input number `i` of `wallet` at its address of that form, with the whole transaction that it spends. */
export function formCoin(
  form: Form,
  wallet: Wallet,
  i: number,
  amount: bigint,
  more: TransactionInputUpdate = {},
): TransactionInputUpdate {
  if (form === 'p2wpkh') return paidCoin(wallet, i, amount, more)
  const script = outputOf(form, wallet)
  const previous = previousTx(script, i, amount)
  return {
    txid: txidOf(previous),
    index: i,
    nonWitnessUtxo: previous,
    ...(form === 'p2pkh'
      ? {}
      : { witnessUtxo: { script, amount }, redeemScript: p2wpkhOutput(wallet) }),
    ...more,
  }
}

/** Two coins at one address, a payee and change to that address: 100 000 in, 60 000 out, 39 700 back. */
export const formSample = (form: Form, wallet: Wallet): PsbtParts => ({
  inputs: [formCoin(form, wallet, 0, 70_000n), formCoin(form, wallet, 1, 30_000n)],
  outputs: [
    { script: PAYEE_SCRIPT, amount: 60_000n },
    { script: outputOf(form, wallet), amount: 39_700n },
  ],
})

/** OP_RETURN and a push of `data`. */
export const dataOutput = (data: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(0x6a, data.length), data)
