/** tx new: an example transaction for a wallet, made by the referee's libraries. */
import { Fault, fromHex } from '@quorate/base'
import { describeView } from '@quorate/chains'
import type { Given, Run } from '../command.ts'
import { connect } from '../connection.ts'
import { makeBitcoinSample, makeSolanaSample } from '../dev/samples.ts'
import { writeNew } from '../files.ts'
import { loadReferee } from '../referee.ts'
import { readTx } from '../signing.ts'
import { findWallet } from '../wallets.ts'

export const make: Run = async (given, output) => {
  const name = given.required('wallet')
  const connection = await connect(given)
  const wallet = await findWallet(connection, name)
  const referee = await loadReferee()
  const isBitcoin = wallet.scheme === 'bip340-secp256k1'
  refuseOthers(given, isBitcoin)
  let unsigned: string
  try {
    unsigned = isBitcoin
      ? makeBitcoinSample(referee, wallet, {
          coins: given.list('coin').map(coinOf),
          to: given.text('to'),
          amount: given.integer('amount', 1, Number.MAX_SAFE_INTEGER),
          feeRate: given.integer('fee-rate', 1, 10_000),
        })
      : makeSolanaSample(referee, wallet, {
          to: given.text('to'),
          lamports: given.integer('lamports', 1, Number.MAX_SAFE_INTEGER),
          blockhash: given.text('blockhash'),
        })
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : 'refused'
    throw new Fault('cli/bad-value', { detail: `no transaction can be made of it: ${said}`, cause })
  }
  const bytes = fromHex(unsigned)
  const { view } = readTx(wallet, bytes)
  output.note(...describeView(view))
  const out = given.text('out')
  if (out !== undefined) writeNew(out, isBitcoin ? bytes : `${unsigned}\n`)
  output.result({ wallet: wallet.id, network: wallet.network, unsigned }, () => [out ?? unsigned])
}

const BITCOIN = ['coin', 'amount', 'fee-rate']
const SOLANA = ['lamports', 'blockhash']

function refuseOthers(given: Given, isBitcoin: boolean): void {
  const other = (isBitcoin ? SOLANA : BITCOIN).find((name) => given.has(name))
  if (other !== undefined)
    throw new Fault('cli/bad-value', { detail: `--${other} is not for the network of this wallet` })
}

/** `txid:vout:amount`. @throws cli/bad-value */
function coinOf(text: string): {
  readonly txid: string
  readonly vout: number
  readonly amount: string
} {
  const [, txid, vout, amount] = /^([0-9a-fA-F]{64}):(\d{1,9}):(\d{1,16})$/.exec(text) ?? []
  if (txid === undefined || vout === undefined || amount === undefined)
    throw new Fault('cli/bad-value', {
      detail: '--coin takes TXID:VOUT:AMOUNT, the amount in satoshi',
    })
  return { txid: txid.toLowerCase(), vout: Number(vout), amount }
}
