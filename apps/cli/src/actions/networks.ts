/** The networks that wallets can be made for. */
import { findAdapter, NETWORKS } from '@quorate/chains'
import type { Run } from '../command.ts'
import { table } from '../output.ts'

export const networks: Run = async (_given, output) => {
  const items = NETWORKS.map(({ slug, caip2, name, isTestnet }) => {
    const { scheme, suite } = findAdapter(slug)
    return { network: slug, caip2, name, isTestnet, scheme, suite }
  })
  output.result({ items }, () =>
    table(
      items.map(({ network, name, isTestnet, scheme }) => [
        network,
        name,
        scheme,
        isTestnet ? 'testnet' : '',
      ]),
    ),
  )
}
