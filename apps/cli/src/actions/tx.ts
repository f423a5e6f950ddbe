/** tx show, sign and verify. */
import { viewToJson } from '@quorate/api'
import { Fault, isFault, toHex } from '@quorate/base'
import { describeView, type TxFormat } from '@quorate/chains'
import {
  type Account,
  type AccountChoice,
  accountOf,
  choiceOf,
  describeAccount,
} from '../account.ts'
import type { Given, Run } from '../command.ts'
import { type Connection, connect } from '../connection.ts'
import { readTransaction, writeNew } from '../files.ts'
import { explain, type ReadTx, readTx, signTx } from '../signing.ts'
import { findWallet, listWallets } from '../wallets.ts'
import { describeDecision } from './policy.ts'
import { seconds } from './wallet.ts'

export const show: Run = async (given, output) => {
  const unsigned = readTransaction(given.argument(0))
  const choice = choiceOf(given)
  const connection = await connect(given)
  const { account, view } = await accountFor(connection, given.text('wallet'), choice, unsigned)
  const explanation = await explain(connection, account, unsigned)
  output.result(
    {
      wallet: account.wallet.id,
      network: account.network,
      path: account.path,
      view: viewToJson(view),
      decision: explanation.decision,
      reasons: explanation.reasons,
    },
    () => [
      `Wallet ${describeAccount(account)}`,
      ...describeView(view),
      ...describeDecision(explanation),
    ],
  )
}

type Chosen = ReadTx & { readonly account: Account }

/** The account of the wallet named, or else of the only one that can sign these bytes. @throws cli/missing-argument, cli/unknown-wallet, chains/… */
async function accountFor(
  connection: Connection,
  name: string | undefined,
  choice: AccountChoice,
  unsigned: Uint8Array,
): Promise<Chosen> {
  if (name !== undefined) {
    const account = accountOf(await findWallet(connection, name), choice)
    return { account, ...readTx(account, unsigned) }
  }
  const wallets = await listWallets(connection)
  const able = wallets.flatMap((wallet): readonly Chosen[] => {
    try {
      const account = accountOf(wallet, choice)
      return [{ account, ...readTx(account, unsigned) }]
    } catch (error) {
      if (isFault(error)) return []
      throw error
    }
  })
  const [only] = able
  if (only === undefined || able.length > 1)
    throw new Fault('cli/missing-argument', {
      detail:
        able.length > 1 ? '--wallet: several can sign it' : '--wallet: none can sign it as it is',
    })
  return only
}

export const sign: Run = async (given, output) => {
  const name = given.required('wallet')
  const format = formatOf(given)
  const choice = choiceOf(given)
  const unsigned = readTransaction(given.argument(0))
  const connection = await connect(given)
  const { account, view } = await accountFor(connection, name, choice, unsigned)
  const { wallet } = account
  output.note(...describeView(view))
  const explanation = await explain(connection, account, unsigned)
  if (explanation.decision === 'deny') {
    output.note(...describeDecision(explanation))
    throw new Fault('policy/denied', { detail: `wallet ${wallet.label}` })
  }
  const made = await signTx(connection, account, unsigned, {
    format,
    onProgress: (text) => output.progress(text),
  })
  const out = given.text('out')
  if (out !== undefined) writeNew(out, format === 'psbt' ? made.signed : `${toHex(made.signed)}\n`)
  output.result(
    {
      wallet: wallet.id,
      network: account.network,
      path: account.path,
      txid: made.txid,
      format: format ?? 'raw',
      signed: toHex(made.signed),
      signers: made.signers,
      attempts: made.attempts,
      signMs: Math.round(made.signMs),
      signatures: made.items.map(({ message, signature, publicKey }) => ({
        message: toHex(message),
        signature: toHex(signature),
        publicKey: toHex(publicKey),
      })),
      view: viewToJson(view),
    },
    () => [
      `Signed by nodes ${made.signers.join(' and ')} in ${seconds(made.signMs)}; verified here.`,
      `txid    ${made.txid}`,
      out === undefined ? `signed  ${toHex(made.signed)}` : `signed  ${out}`,
    ],
  )
}

/** @throws cli/bad-value */
function formatOf(given: Given): TxFormat | undefined {
  const text = given.text('format')
  if (text === undefined || text === 'raw' || text === 'psbt') return text
  throw new Fault('cli/bad-value', { detail: '--format takes raw or psbt' })
}

export const verify: Run = async (given, output) => {
  const unsigned = readTransaction(given.required('unsigned'))
  const signed = readTransaction(given.required('signed'))
  const choice = choiceOf(given)
  const connection = await connect(given)
  const { account, tx } = await accountFor(connection, given.text('wallet'), choice, unsigned)
  const reasons = tx.verify(signed)
  const isValid = reasons.length === 0
  output.result({ wallet: account.wallet.id, isValid, reasons }, () =>
    isValid
      ? [`It is the unsigned transaction with valid signatures of ${describeAccount(account)}.`]
      : reasons.map((reason) => `It is not: ${reason}`),
  )
  if (!isValid) throw new Fault('cli/does-not-verify')
}
