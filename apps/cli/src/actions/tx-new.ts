/** tx new: an example transaction for a wallet, made by the referee's libraries. */
import { Fault, fromHex, toHex } from '@quorate/base'
import { describeView } from '@quorate/chains'
import { accountOf, choiceOf } from '../account.ts'
import type { Given, Run } from '../command.ts'
import { connect } from '../connection.ts'
import { KIND_OPTIONS, kindOf, type SampleChoice } from '../dev/sample-kinds.ts'
import { makeSample } from '../dev/samples.ts'
import { readTransaction, writeNew } from '../files.ts'
import { loadReferee } from '../referee.ts'
import { readTx } from '../signing.ts'
import { findWallet } from '../wallets.ts'

export const make: Run = async (given, output) => {
  const name = given.required('wallet')
  const choice = choiceOf(given)
  const sample = sampleChoiceOf(given)
  const connection = await connect(given)
  const wallet = await findWallet(connection, name)
  const account = accountOf(wallet, choice)
  const { options, isBinary } = kindOf(account)
  const other = KIND_OPTIONS.find((each) => given.has(each) && !options.includes(each))
  if (other !== undefined)
    throw new Fault('cli/bad-value', {
      detail: `--${other} is not for ${account.network} and this wallet`,
    })
  const referee = await loadReferee()
  let unsigned: string
  try {
    unsigned = makeSample(referee, account, sample)
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : 'refused'
    throw new Fault('cli/bad-value', { detail: `no transaction can be made of it: ${said}`, cause })
  }
  const bytes = fromHex(unsigned)
  const { view } = readTx(account, bytes)
  output.note(...describeView(view))
  const out = given.text('out')
  if (out !== undefined) writeNew(out, isBinary ? bytes : `${unsigned}\n`)
  output.result(
    { wallet: wallet.id, network: account.network, path: account.path, unsigned },
    () => [out ?? unsigned],
  )
}

/** @throws cli/bad-value, cli/file-not-found, cli/bad-file */
const sampleChoiceOf = (given: Given): SampleChoice => ({
  to: given.text('to'),
  coins: given.list('coin').map(coinOf),
  previous: given.list('previous').map((each) => toHex(readTransaction(each))),
  amount: given.integer('amount', 1, Number.MAX_SAFE_INTEGER),
  feeRate: given.integer('fee-rate', 1, 10_000),
  lamports: given.integer('lamports', 1, Number.MAX_SAFE_INTEGER),
  blockhash: given.text('blockhash'),
  wei: decimalOf(given, 'wei'),
  nonce: decimalOf(given, 'nonce'),
  maxFee: decimalOf(given, 'max-fee'),
  priorityFee: decimalOf(given, 'priority-fee'),
})

/** A whole number that may pass 2^53. @throws cli/bad-value */
function decimalOf(given: Given, name: string): string | undefined {
  const text = given.text(name)
  if (text === undefined || /^(0|[1-9]\d{0,38})$/.test(text)) return text
  throw new Fault('cli/bad-value', { detail: `--${name} takes a whole number` })
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
