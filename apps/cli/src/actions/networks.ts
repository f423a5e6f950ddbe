/** The networks that wallets can be made for, and with which suites. */
import { protocolOfSuite } from '@quorate/api'
import { findAdapter, NETWORKS, suitesOf } from '@quorate/chains'
import type { Run } from '../command.ts'
import { table } from '../output.ts'

export const networks: Run = async (_given, output) => {
  const items = NETWORKS.map(({ slug, caip2, name, isTestnet }) => {
    const { scheme, suite } = findAdapter(slug)
    const suites = suitesOf(slug).map((each) => ({
      suite: each,
      protocol: protocolOfSuite(each),
      scheme: findAdapter(slug, each).scheme,
    }))
    return { network: slug, caip2, name, isTestnet, scheme, suite, suites }
  })
  output.result({ items }, () =>
    table([
      ['NETWORK', 'NAME', '', 'PROTOCOLS', 'SUITES, THE DEFAULT ONE FIRST'],
      ...items.map(({ network, name, isTestnet, suites }) => [
        network,
        name,
        isTestnet ? 'testnet' : '',
        [...new Set(suites.map(({ protocol }) => protocol))].join(', '),
        suites.map(({ suite }) => suite).join(', '),
      ]),
    ]),
  )
}
