/** wallet create, list, show and refresh. */
import type { WalletJson } from '@quorate/api'
import { Fault } from '@quorate/base'
import { findNetwork } from '@quorate/chains'
import { chooseTemplate } from '@quorate/policy'
import type { Given, Run } from '../command.ts'
import { connect } from '../connection.ts'
import { table } from '../output.ts'
import { checkAddress, createWallet, findWallet, listWallets, refreshWallet } from '../wallets.ts'

const DEFAULT_NETWORK = 'bitcoin-testnet4'

export const create: Run = async (given, output) => {
  const network = findNetwork(given.text('network') ?? DEFAULT_NETWORK).slug
  const connection = await connect(given)
  const template = given.text('policy') ?? connection.cluster.record.defaultPolicy
  const { wallet, keygenMs } = await createWallet(
    connection,
    {
      network,
      name: given.text('name'),
      threshold: given.integer('threshold', 1, 50),
      isUnsafeAccepted: given.flag('unsafe-threshold'),
      policy: chooseTemplate(template, paramsOf(given)),
    },
    (text) => output.progress(text),
  )
  output.result({ wallet, keygenMs: Math.round(keygenMs) }, () => [
    `${wallet.parties} nodes made a key together in ${seconds(keygenMs)}. Each holds a share; the key itself was never anywhere.`,
    ...describeWallet(wallet),
    ...(wallet.unsafeThreshold
      ? [
          'The threshold is below a majority: limits do not hold across signer sets that share no node.',
        ]
      : []),
  ])
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

/** Parameters of a policy template; a value that is JSON is read as such, any other is text. @throws cli/bad-value */
function paramsOf(given: Given): object {
  const entries = given.list('params').map((each) => {
    const [, name = '', text = ''] = /^([A-Za-z]+)=(.*)$/s.exec(each) ?? []
    if (name === '') throw new Fault('cli/bad-value', { detail: '--params takes KEY=VALUE' })
    return [name, jsonOr(text)] as const
  })
  return Object.fromEntries(entries)
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export const list: Run = async (given, output) => {
  const items = await listWallets(await connect(given))
  output.result({ items }, () =>
    items.length === 0
      ? ['There is no wallet yet. quorate wallet create makes one.']
      : table([
          ['NAME', 'NETWORK', 'SIGNERS', 'ADDRESS', 'ID'],
          ...items.map(({ label, network, threshold, parties, address, id }) => [
            label,
            network,
            `${threshold} of ${parties}`,
            address,
            id,
          ]),
        ]),
  )
}

export const show: Run = async (given, output) => {
  const wallet = await findWallet(await connect(given), given.argument(0))
  checkAddress(wallet)
  output.result(wallet, () => describeWallet(wallet))
}

export const refresh: Run = async (given, output) => {
  const connection = await connect(given)
  const wallet = await findWallet(connection, given.argument(0))
  const generation = await refreshWallet(connection, wallet, (text) => output.progress(text))
  output.result({ wallet: wallet.id, generation }, () => [
    `Every node has a new share of ${wallet.label}, generation ${generation}; the old ones are gone.`,
    'Key and address stay as they were.',
  ])
}

const describeWallet = (wallet: WalletJson): readonly string[] =>
  table([
    ['  name', wallet.label],
    ['  id', wallet.id],
    ['  network', `${wallet.network} (${wallet.caip2})`],
    ['  address', wallet.address],
    [
      '  signers',
      `${wallet.threshold} of ${wallet.parties} needed; ${wallet.corruptionBound} corrupt ones can do nothing`,
    ],
    ['  suite', wallet.suite],
    ['  group key', wallet.groupKey],
    ['  public key', wallet.publicKey],
    ['  generation', String(wallet.generation)],
    ['  environment', wallet.environment],
    ['  created', wallet.createdAt],
  ])
