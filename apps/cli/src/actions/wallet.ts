/** wallet create, list, show and refresh. */
import { parseProtocol, type StatusJson, type WalletJson } from '@quorate/api'
import { Fault, isFault, toHex } from '@quorate/base'
import { findNetwork } from '@quorate/chains'
import { formatPath } from '@quorate/math'
import { chooseTemplate } from '@quorate/policy'
import { accountOf, addressesAt, pathOf } from '../account.ts'
import type { Given, Run } from '../command.ts'
import { connect, connectEach } from '../connection.ts'
import { custodyText } from '../custody.ts'
import { table } from '../output.ts'
import type { Phase } from '../progress.ts'
import { chooseSuite } from '../suites.ts'
import { checkAddress, createWallet, findWallet, listWallets, refreshWallet } from '../wallets.ts'

const DEFAULT_NETWORK = 'bitcoin-testnet4'

export const create: Run = async (given, output) => {
  const network = findNetwork(given.text('network') ?? DEFAULT_NETWORK).slug
  const choice = { protocol: given.text('protocol'), suite: given.text('suite') }
  const { protocol } = chooseSuite(network, choice)
  const connection = await connect(given)
  const template = given.text('policy') ?? connection.cluster.record.defaultPolicy
  if (protocol === 'cggmp24')
    output.note('The first ECDSA wallet of a cluster takes a while: every node makes large primes.')
  const { wallet, keygenMs, phases } = await createWallet(
    connection,
    {
      network,
      ...choice,
      name: given.text('name'),
      threshold: given.integer('threshold', 1, 50),
      isUnsafeAccepted: given.flag('unsafe-threshold'),
      policy: chooseTemplate(template, paramsOf(given)),
    },
    (text) => output.progress(text),
  )
  output.result({ wallet, keygenMs: Math.round(keygenMs), phases: phasesJson(phases) }, () => [
    `${wallet.parties} nodes made a key together in ${seconds(keygenMs)}. Each holds a share; the key itself was never anywhere.`,
    ...describeWallet(wallet),
    ...(wallet.unsafeThreshold
      ? [
          'The threshold is below a majority: limits do not hold across signer sets that share no node.',
        ]
      : []),
  ])
}

export const phasesJson = (phases: readonly Phase[]): readonly object[] =>
  phases.map(({ name, ms }) => ({ phase: name, ms: Math.round(ms) }))

/** Such as `making primes 20.13 s, making the key 1.20 s`. */
export const describePhases = (phases: readonly Phase[]): string =>
  phases.map(({ name, ms }) => `${name} ${seconds(ms)}`).join(', ')

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
  const wanted = given.text('protocol')
  const protocol = wanted === undefined ? undefined : parseProtocol(wanted)
  const items = await listWallets(await connect(given), protocol)
  output.result({ items }, () =>
    items.length === 0
      ? ['There is no wallet yet. quorate wallet create makes one.']
      : table([
          ['NAME', 'NETWORK', 'PROTOCOL', 'SIGNERS', 'ADDRESS', 'ID'],
          ...items.map(({ label, network, protocol, threshold, parties, address, id }) => [
            label,
            network,
            protocol,
            `${threshold} of ${parties}`,
            address,
            id,
          ]),
        ]),
  )
}

export const show: Run = async (given, output) => {
  const path = pathOf(given)
  const wallet = await findWallet(await connect(given), given.argument(0))
  checkAddress(wallet)
  const custody = await custodyOf(given)
  const lines = (): readonly string[] => [
    ...describeWallet(wallet),
    ...table(
      custody.map(({ node, ...of }) => [`  share of node ${node}`, `custody ${custodyText(of)}`]),
    ),
  ]
  if (path.length === 0) {
    output.result({ ...wallet, custody }, lines)
    return
  }
  const { publicKey } = accountOf(wallet, { path }).key
  const derived = {
    path: formatPath(path),
    publicKey: toHex(publicKey),
    addresses: addressesAt(wallet, path),
  }
  output.result({ ...wallet, custody, derived }, () => [
    ...lines(),
    `Key ${derived.path} of it`,
    ...table([['  public key', derived.publicKey], ...addressRows(derived.addresses)]),
  ])
}

type Custody = StatusJson['custody'] & { readonly node: number }

/** What seals the share of each node that answers this client. */
async function custodyOf(given: Given): Promise<readonly Custody[]> {
  const all = await Promise.all(
    (await connectEach(given)).map(async ({ client }): Promise<readonly Custody[]> => {
      try {
        const { node, custody } = await client.call('getStatus', {})
        return [{ node: node.index, ...custody }]
      } catch (error) {
        if (isFault(error)) return []
        throw error
      }
    }),
  )
  return all.flat()
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

const addressRows = (addresses: WalletJson['addresses']): readonly (readonly string[])[] =>
  Object.entries(addresses).map(([network, address]) => ['  address', `${address} (${network})`])

const describeWallet = (wallet: WalletJson): readonly string[] =>
  table([
    ['  name', wallet.label],
    ['  id', wallet.id],
    ['  network', `${wallet.network} (${wallet.caip2})`],
    ...addressRows(wallet.addresses),
    [
      '  signers',
      `${wallet.threshold} of ${wallet.parties} needed; ${wallet.corruptionBound} corrupt ones can do nothing`,
    ],
    ['  protocol', `${wallet.protocol}, ${wallet.suite}`],
    ['  group key', wallet.groupKey],
    ['  public key', wallet.publicKey],
    ['  generation', String(wallet.generation)],
    ['  environment', wallet.environment],
    ['  created', wallet.createdAt],
  ])
