/** Which suite a new wallet of a network has: the network says which there are, people choose among them. */
import { type Protocol, parseProtocol, protocolOfSuite } from '@quorate/api'
import { Fault } from '@quorate/base'
import { findAdapter, findNetwork, suitesOf } from '@quorate/chains'

export type SuiteChoice = {
  /** Any name of a protocol. */
  readonly protocol?: string | undefined
  /** Exact. */
  readonly suite?: string | undefined
}

export type ChosenSuite = { readonly protocol: Protocol; readonly suite: string }

/**
 * The suite of a new wallet on a network: the one that was named exactly, else the first of the
 * protocol, else the network's first.
 * @throws chains/unknown-network, chains/unsupported-suite, api/unknown-protocol, cli/wrong-protocol
 */
export function chooseSuite(network: string, choice: SuiteChoice): ChosenSuite {
  const { slug } = findNetwork(network)
  const wanted = choice.protocol === undefined ? undefined : parseProtocol(choice.protocol)
  if (choice.suite !== undefined) {
    // Refuses one that is of no use on this network.
    findAdapter(slug, choice.suite)
    const protocol = protocolOfSuite(choice.suite)
    if (wanted !== undefined && wanted !== protocol)
      throw new Fault('cli/wrong-protocol', { detail: `${choice.suite} is of ${protocol}` })
    return { protocol, suite: choice.suite }
  }
  const suites = suitesOf(slug).map((suite) => ({ protocol: protocolOfSuite(suite), suite }))
  const found = suites.find(({ protocol }) => wanted === undefined || protocol === wanted)
  if (found === undefined)
    throw new Fault('cli/wrong-protocol', {
      detail: `${slug} takes ${suites.map(({ protocol, suite }) => `${protocol} (${suite})`).join(', ')}`,
    })
  return found
}
