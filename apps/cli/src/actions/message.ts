/** message sign and typed-data sign: documents that are no transactions, signed the same way. */
import { Fault, fromUtf8, utf8 } from '@quorate/base'
import { encodeOffchain, encodeTypedData, personalMessage } from '@quorate/chains'
import { type Account, accountOf, choiceOf } from '../account.ts'
import type { Given, Run } from '../command.ts'
import { type Connection, connect } from '../connection.ts'
import { readBytes, readJson } from '../files.ts'
import { contextOf } from '../tx-context.ts'
import { findWallet } from '../wallets.ts'
import { signDocument } from './tx.ts'

type Signer = { readonly connection: Connection; readonly account: Account }

async function signerOf(given: Given): Promise<Signer> {
  const name = given.required('wallet')
  const choice = choiceOf(given)
  const connection = await connect(given)
  return { connection, account: accountOf(await findWallet(connection, name), choice) }
}

export const signMessage: Run = async (given, output) => {
  const message = messageOf(given)
  const { connection, account } = await signerOf(given)
  const unsigned = framed(message, account)
  await signDocument({ given, output, connection, account, unsigned })
}

function messageOf(given: Given): Uint8Array {
  const [text] = given.arguments
  const file = given.text('file')
  if (text !== undefined && file === undefined) return utf8(text)
  if (text === undefined && file !== undefined) return readBytes(file)
  throw new Fault('cli/missing-argument', { detail: 'TEXT or --file, one of them' })
}

/** The message as networks frame it, so that it cannot be taken for a transaction. @throws cli/bad-value */
function framed(message: Uint8Array, { adapter: { network }, key }: Account): Uint8Array {
  switch (network.adapter) {
    case 'evm':
      return personalMessage(message)
    case 'solana': {
      const text = fromUtf8(message)
      if (text === undefined)
        throw new Fault('cli/bad-value', { detail: 'messages of Solana are texts in UTF-8' })
      return encodeOffchain(text, [key.publicKey])
    }
    case 'bitcoin':
      throw new Fault('cli/bad-value', { detail: `messages are not signed on ${network.slug}` })
  }
}

export const signTypedData: Run = async (given, output) => {
  const typedData = readJson(given.argument(0))
  const contextFor = contextOf(given)
  const { connection, account } = await signerOf(given)
  const { network } = account.adapter
  if (network.adapter !== 'evm')
    throw new Fault('cli/bad-value', { detail: `typed data are not signed on ${network.slug}` })
  const unsigned = encodeTypedData(typedData)
  await signDocument({
    given,
    output,
    connection,
    account,
    unsigned,
    context: contextFor(network),
  })
}
