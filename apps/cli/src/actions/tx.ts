/** tx show, sign and verify. */
import { viewToJson, type WalletJson } from '@quorate/api'
import { Fault, isFault, toHex } from '@quorate/base'
import { describeView, type TxFormat } from '@quorate/chains'
import type { Given, Run } from '../command.ts'
import { type Connection, connect } from '../connection.ts'
import { readTransaction, writeNew } from '../files.ts'
import { explain, type ReadTx, readTx, signTx } from '../signing.ts'
import { findWallet, listWallets } from '../wallets.ts'
import { describeDecision } from './policy.ts'
import { seconds } from './wallet.ts'

export const show: Run = async (given, output) => {
  const unsigned = readTransaction(given.argument(0))
  const connection = await connect(given)
  const { wallet, view } = await walletFor(connection, given, unsigned)
  const explanation = await explain(connection, wallet, unsigned)
  output.result(
    {
      wallet: wallet.id,
      view: viewToJson(view),
      decision: explanation.decision,
      reasons: explanation.reasons,
    },
    () => [`Wallet ${wallet.label}`, ...describeView(view), ...describeDecision(explanation)],
  )
}

type Chosen = ReadTx & { readonly wallet: WalletJson }

/** The wallet named, or else the only one that can sign these bytes. @throws cli/missing-argument, cli/unknown-wallet, chains/… */
async function walletFor(
  connection: Connection,
  given: Given,
  unsigned: Uint8Array,
): Promise<Chosen> {
  const name = given.text('wallet')
  if (name !== undefined) {
    const wallet = await findWallet(connection, name)
    return { wallet, ...readTx(wallet, unsigned) }
  }
  const wallets = await listWallets(connection)
  const able = wallets.flatMap((wallet): readonly Chosen[] => {
    try {
      return [{ wallet, ...readTx(wallet, unsigned) }]
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
  const unsigned = readTransaction(given.argument(0))
  const connection = await connect(given)
  const wallet = await findWallet(connection, name)
  const { view } = readTx(wallet, unsigned)
  output.note(...describeView(view))
  const explanation = await explain(connection, wallet, unsigned)
  if (explanation.decision === 'deny') {
    output.note(...describeDecision(explanation))
    throw new Fault('policy/denied', { detail: `wallet ${wallet.label}` })
  }
  const made = await signTx(connection, wallet, unsigned, {
    format,
    onProgress: (text) => output.progress(text),
  })
  const out = given.text('out')
  if (out !== undefined) writeNew(out, format === 'psbt' ? made.signed : `${toHex(made.signed)}\n`)
  output.result(
    {
      wallet: wallet.id,
      network: wallet.network,
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
  const { wallet, tx } = await walletFor(await connect(given), given, unsigned)
  const reasons = tx.verify(signed)
  const isValid = reasons.length === 0
  output.result({ wallet: wallet.id, isValid, reasons }, () =>
    isValid
      ? [`It is the unsigned transaction with valid signatures of ${wallet.label}.`]
      : reasons.map((reason) => `It is not: ${reason}`),
  )
  if (!isValid) throw new Fault('cli/does-not-verify')
}
