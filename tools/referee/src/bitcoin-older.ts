/**
 * PSBTs for the two older addresses of an ECDSA key, P2PKH and P2WPKH within P2SH, made with
 * bitcoinjs-lib only; of Bitcoin, Litecoin and Dogecoin. Each coin comes with its whole transaction.
 */
import { Psbt, payments } from 'bitcoinjs-lib'
import { type MadePsbt, networkOf, pay, unhex } from './bitcoin.ts'
import type { P2wpkhTransfer } from './bitcoin-p2wpkh.ts'

/** With 72-byte signatures, in virtual bytes. */
const P2PKH_VBYTES = 148
const NESTED_VBYTES = 91

/** The addresses of a compressed key (hex) on the network of `like`, an address there. */
export function olderAddresses(
  publicKey: string,
  like: string,
): { readonly p2pkh: string; readonly nested: string } {
  const given = { pubkey: unhex(publicKey), network: networkOf(like) }
  return {
    p2pkh: payments.p2pkh(given).address!,
    nested: payments.p2sh({ redeem: payments.p2wpkh(given), network: given.network }).address!,
  }
}

/** A PSBT that spends all `coins`, at either address of the key, to one payee and sends the rest back. */
export function makeOlderPsbt(transfer: P2wpkhTransfer): MadePsbt {
  const network = networkOf(transfer.address)
  const { p2pkh, nested } = olderAddresses(transfer.publicKey, transfer.address)
  if (transfer.address !== p2pkh && transfer.address !== nested)
    throw new Error('the address is not that of the key')
  const isNested = transfer.address === nested
  const program = payments.p2wpkh({ pubkey: unhex(transfer.publicKey), network })
  const psbt = new Psbt({ network })
  for (const { txid, vout, previousTx } of transfer.coins)
    psbt.addInput({
      hash: txid,
      index: vout,
      nonWitnessUtxo: unhex(previousTx),
      ...(isNested ? { redeemScript: program.output! } : {}),
    })
  return pay(psbt, network, transfer, transfer.coins, isNested ? NESTED_VBYTES : P2PKH_VBYTES)
}
