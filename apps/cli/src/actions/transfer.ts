/** tx new transfer, tx new token-transfer and tx send. */
import { Fault, toHex } from '@quorate/base'
import { describeView, findNetwork, type Network } from '@quorate/chains'
import { accountOf, choiceOf } from '../account.ts'
import type { Given, Run } from '../command.ts'
import { connect } from '../connection.ts'
import { readTransaction, writeNew } from '../files.ts'
import { broadcast, checkNode } from '../remote/broadcast.ts'
import { endpointOf } from '../remote/endpoint.ts'
import { readTx } from '../signing.ts'
import { makeTransfer, type TransferKind } from '../transfers/index.ts'
import { findWallet } from '../wallets.ts'

const making =
  (kind: TransferKind): Run =>
  async (given, output) => {
    const name = given.required('wallet')
    const choice = choiceOf(given)
    const endpoint = endpointOf(given)
    const connection = await connect(given)
    const wallet = await findWallet(connection, name)
    const account = accountOf(wallet, choice)
    const { network } = account.adapter
    if (endpoint !== undefined) {
      output.progress('asking the node of the network')
      await checkNode(endpoint, network)
    }
    const { unsigned, context } = await makeTransfer(kind, { given, account, endpoint })
    // What the cluster will be shown is read back from the bytes, not taken from the options.
    const { view } = readTx(account, unsigned, context)
    output.note(...describeView(view))
    const out = given.text('out')
    const hex = toHex(unsigned)
    if (out !== undefined) writeNew(out, network.adapter === 'bitcoin' ? unsigned : `${hex}\n`)
    output.result(
      { wallet: wallet.id, network: account.network, path: account.path, unsigned: hex },
      () => [out ?? hex],
    )
  }

export const transfer: Run = making('coins')
export const tokenTransfer: Run = making('tokens')

export const send: Run = async (given, output) => {
  const signed = readTransaction(given.argument(0))
  const endpoint = endpointOf(given)
  if (endpoint === undefined) throw new Fault('cli/missing-argument', { detail: '--rpc' })
  const network = await networkOf(given)
  output.progress(`handing it to a node of ${network.name}`)
  const txid = await broadcast(endpoint, network, signed)
  output.result({ network: network.slug, txid }, () => [
    `${network.name} has it; whether it is mined is up to the network.`,
    `txid    ${txid}`,
  ])
}

/**
 * What --network says, or else the network of the wallet.
 * @throws cli/mainnet unless told, or told by a wallet that is not one for development
 */
async function networkOf(given: Given): Promise<Network> {
  const { network: slug } = choiceOf(given)
  const name = given.text('wallet')
  if (name === undefined && slug === undefined)
    throw new Fault('cli/missing-argument', { detail: '--network or --wallet' })
  const connection = name === undefined ? undefined : await connect(given)
  const wallet = connection && (await findWallet(connection, given.required('wallet')))
  const network =
    wallet === undefined ? findNetwork(slug!) : accountOf(wallet, { network: slug }).adapter.network
  const isForReal =
    connection !== undefined && connection.cluster.record.environment !== 'development'
  if (!network.isTestnet && !isForReal && !given.flag('mainnet')) throw new Fault('cli/mainnet')
  return network
}
