/**
 * PSBTs for P2WPKH wallets, made with bitcoinjs-lib only. Each coin comes with the whole transaction
 * that pays it, because signers must not believe amounts without it.
 */
import { createHash } from 'node:crypto'
import { address as addresses, Psbt, payments, Transaction } from 'bitcoinjs-lib'
import {
  hex,
  type MadePsbt,
  networkOf,
  type Payment,
  pay,
  type SampleCoin,
  unhex,
} from './bitcoin.ts'

/** A coin with the transaction that made it, in hex. */
export type PaidCoin = SampleCoin & { readonly previousTx: string }

export type P2wpkhTransfer = Payment & {
  /** Where the coins are: the P2WPKH address of the key. */
  readonly address: string
  /** Compressed, hex. */
  readonly publicKey: string
  readonly coins: readonly PaidCoin[]
}

const INPUT_VBYTES = 68

/**
 * Coins that nobody ever sent: valid in form and always the same for one address. 20 000 to 120 000
 * satoshi each.
 */
export function samplePaidCoins(address: string, count = 3): readonly PaidCoin[] {
  const script = addresses.toOutputScript(address, networkOf(address))
  return Array.from({ length: count }, (_, i) => {
    const seed = createHash('sha256').update(`sample payment ${i} to ${address}`).digest()
    const vout = seed[0]! % 4
    const amount = BigInt(20_000 + (seed.readUInt32BE(4) % 100_000))
    const previous = new Transaction()
    previous.version = 2
    previous.addInput(Uint8Array.from(seed), 0)
    for (let at = 0; at < vout; at++) previous.addOutput(script, 1_000n)
    previous.addOutput(script, amount)
    return {
      txid: previous.getId(),
      vout,
      amount: String(amount),
      previousTx: hex(previous.toBuffer()),
    }
  })
}

/** A PSBT that spends all `coins` to one payee and sends the rest, less the fee, back. */
export function makeP2wpkhPsbt(transfer: P2wpkhTransfer): MadePsbt {
  const network = networkOf(transfer.address)
  const { output, address } = payments.p2wpkh({ pubkey: unhex(transfer.publicKey), network })
  if (output === undefined || address !== transfer.address)
    throw new Error('the address is not that of the key')
  const psbt = new Psbt({ network })
  for (const { txid, vout, amount, previousTx } of transfer.coins)
    psbt.addInput({
      hash: txid,
      index: vout,
      witnessUtxo: { script: output, value: BigInt(amount) },
      nonWitnessUtxo: unhex(previousTx),
    })
  return pay(psbt, network, transfer, transfer.coins, INPUT_VBYTES)
}
