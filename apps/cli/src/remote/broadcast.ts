/** Handing signed transactions to a node of their network. */
import { Fault } from '@quorate/base'
import { type Network, transactionId } from '@quorate/chains'
import type { Endpoint } from './endpoint.ts'
import * as esplora from './esplora.ts'
import * as ethereum from './ethereum.ts'
import * as solana from './solana.ts'

type Door = {
  check(): Promise<void>
  send(signed: Uint8Array): Promise<string>
}

function doorOf(endpoint: Endpoint, network: Network): Door {
  const send =
    (to: typeof ethereum.send) =>
    (signed: Uint8Array): Promise<string> =>
      to(endpoint, signed)
  switch (network.adapter) {
    case 'evm':
      return { check: () => ethereum.checkChain(endpoint, network), send: send(ethereum.send) }
    case 'solana':
      return { check: () => solana.checkChain(endpoint, network), send: send(solana.send) }
    case 'bitcoin':
      return { check: () => esplora.checkChain(endpoint, network), send: send(esplora.send) }
  }
}

/** Returns if the node is one of the network. @throws cli/other-network, cli/rpc-… */
export const checkNode = (endpoint: Endpoint, network: Network): Promise<void> =>
  doorOf(endpoint, network).check()

/**
 * Hands the transaction in and returns its id, worked out here and confirmed by the node.
 * @throws chains/… for what is no signed transaction of the network, cli/other-network, cli/rpc-…,
 *   cli/does-not-verify where the node names another id
 */
export async function broadcast(
  endpoint: Endpoint,
  network: Network,
  signed: Uint8Array,
): Promise<string> {
  const txid = transactionId(network.slug, signed)
  const door = doorOf(endpoint, network)
  await door.check()
  if ((await door.send(signed)) !== txid)
    throw new Fault('cli/does-not-verify', {
      detail: `the node names another transaction than ${txid}`,
    })
  return txid
}
