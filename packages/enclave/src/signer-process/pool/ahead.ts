/** What a request's coordinator finds in the pools. */
import type { Manifest } from '@quorate/threshold'
import type { Ahead } from '../coordinator.ts'
import type { Peers } from '../peers.ts'
import { kindOf, type Pools, signersOf } from './pools.ts'

/** For a request that needs `items` of them. */
export function aheadOf(
  pools: Pools,
  peers: Peers,
  { wallet, generation, protocol }: Pick<Manifest, 'wallet' | 'generation' | 'protocol'>,
  items: number,
): Ahead {
  return {
    claim(parties) {
      const signers = signersOf(parties, (party) => peers.epochOf(party))
      const owner = { wallet, generation, signers, coordinator: peers.self }
      return pools.claim(kindOf({ protocol }), owner, items)
    },
    release: (pooled) => pools.release(pooled),
    distrust: (manifest) => pools.distrust(manifest),
  }
}
