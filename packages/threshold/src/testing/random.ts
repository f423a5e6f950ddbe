/** Repeatable randomness for tests: SHA-256 in counter mode over a seed. Never for keys that hold value. */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, encodeCbor, type Random } from '@quorate/base'

export function seededRandom(seed: string | number): Random {
  let counter = 0
  return {
    bytes(length) {
      const blocks: Uint8Array[] = []
      for (let have = 0; have < length; have += 32)
        blocks.push(sha256(encodeCbor([seed, counter++])))
      return concatBytes(...blocks).slice(0, length)
    },
  }
}

/** A number in 0 … below−1 from the source; slightly uneven, which is of no matter for choosing an order. */
export const pick = (random: Random, below: number): number =>
  new DataView(random.bytes(4).buffer).getUint32(0) % below
