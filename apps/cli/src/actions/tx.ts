/** tx show, sign and verify. */
import { viewToJson, type WalletJson } from '@quorate/api'
import { Fault, fromUtf8, isFault, toHex } from '@quorate/base'
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
import type { Output } from '../output.ts'
import { explain, type ReadTx, readTx, type SignedTx, signTx } from '../signing.ts'
import { contextOf, type GivenContext } from '../tx-context.ts'
import { waitOf } from '../wait-option.ts'
import { findWallet, listWallets } from '../wallets.ts'
import { describeDecision } from './policy.ts'
import { seconds } from './wallet.ts'

export const show: Run = async (given, output) => {
  const unsigned = readTransaction(given.argument(0))
  const connection = await connect(given)
  const { account, view, context } = await accountFor(given, connection, unsigned)
  const explanation = await explain(connection, account, unsigned, context)
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

type Chosen = ReadTx & { readonly account: Account; readonly context: Uint8Array }

/** The account of the wallet named, or else of the only one that can sign these bytes. @throws cli/missing-argument, cli/unknown-wallet, chains/… */
async function accountFor(
  given: Given,
  connection: Connection,
  unsigned: Uint8Array,
): Promise<Chosen> {
  const name = given.text('wallet')
  const choice = choiceOf(given)
  const contextFor = contextOf(given)
  if (name !== undefined)
    return readAs(await findWallet(connection, name), choice, contextFor, unsigned)
  const wallets = await listWallets(connection)
  const able = wallets.flatMap((wallet): readonly Chosen[] => {
    try {
      return [readAs(wallet, choice, contextFor, unsigned)]
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

function readAs(
  wallet: WalletJson,
  choice: AccountChoice,
  contextFor: GivenContext,
  unsigned: Uint8Array,
): Chosen {
  const account = accountOf(wallet, choice)
  const context = contextFor(account.adapter.network)
  return { account, context, ...readTx(account, unsigned, context) }
}

export const sign: Run = async (given, output) => {
  const name = given.required('wallet')
  const format = formatOf(given)
  const choice = choiceOf(given)
  const unsigned = readTransaction(given.argument(0))
  const contextFor = contextOf(given)
  const connection = await connect(given)
  const account = accountOf(await findWallet(connection, name), choice)
  const context = contextFor(account.adapter.network)
  await signDocument({ given, output, connection, account, unsigned, context, format })
}

const APPROVERS = 'Approvers see it by quorate approval list. It is signed here once they agree.'

export type SigningTask = {
  readonly given: Given
  readonly output: Output
  readonly connection: Connection
  readonly account: Account
  readonly unsigned: Uint8Array
  readonly context?: Uint8Array
  readonly format?: TxFormat | undefined
}

/** Shows what is signed, asks policy, has it signed, and prints what came of it. @throws policy/denied and those of `signTx` */
export async function signDocument(task: SigningTask): Promise<void> {
  const { given, output, connection, account, unsigned, context, format } = task
  const { wallet } = account
  const { view } = readTx(account, unsigned, context)
  output.note(...describeView(view))
  const explanation = await explain(connection, account, unsigned, context)
  if (explanation.decision === 'deny') {
    output.note(...describeDecision(explanation))
    throw new Fault('policy/denied', { detail: `wallet ${wallet.label}` })
  }
  const waits = explanation.decision === 'approve' || explanation.decision === 'delay'
  if (waits) output.note(...describeDecision(explanation), APPROVERS)
  const made = await signTx(connection, account, unsigned, {
    ...(context !== undefined && { context }),
    format,
    ...(waits && { waitMs: waitOf(given) }),
    onProgress: (text) => output.progress(text),
  })
  const out = given.text('out')
  if (out !== undefined) writeNew(out, format === 'psbt' ? made.signed : fileText(made.signed))
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
      ...(made.txid === undefined ? [] : [`txid    ${made.txid}`]),
      `signed  ${out ?? shown(made)}`,
    ],
  )
}

/** User operations are JSON; all else is shown in hex. */
const textOf = (signed: Uint8Array): string | undefined =>
  signed[0] === '{'.charCodeAt(0) ? fromUtf8(signed) : undefined

const fileText = (signed: Uint8Array): string => `${textOf(signed) ?? toHex(signed)}\n`

/** With `0x` for a signature that stands alone, as programs of Ethereum take it. */
const shown = ({ signed, txid }: SignedTx): string =>
  textOf(signed) ?? `${txid === undefined && signed.length === 65 ? '0x' : ''}${toHex(signed)}`

/** @throws cli/bad-value */
function formatOf(given: Given): TxFormat | undefined {
  const text = given.text('format')
  if (text === undefined || text === 'raw' || text === 'psbt') return text
  throw new Fault('cli/bad-value', { detail: '--format takes raw or psbt' })
}

export const verify: Run = async (given, output) => {
  const unsigned = readTransaction(given.required('unsigned'))
  const signed = readTransaction(given.required('signed'))
  const connection = await connect(given)
  const { account, tx } = await accountFor(given, connection, unsigned)
  const reasons = tx.verify(signed)
  const isValid = reasons.length === 0
  output.result({ wallet: account.wallet.id, isValid, reasons }, () =>
    isValid
      ? [`It is the unsigned transaction with valid signatures of ${describeAccount(account)}.`]
      : reasons.map((reason) => `It is not: ${reason}`),
  )
  if (!isValid) throw new Fault('cli/does-not-verify')
}
