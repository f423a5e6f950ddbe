/** The sets of signers that a node may lead. */
import type { PartyId } from '@quorate/threshold'

/** Sets that pools are kept for at most: those of 3 of 5, and of 2 of many. */
const MAX_SETS = 20

/** Sets of `size` parties among `present`, `self` in each, ascending; the first ones in order where there are too many. */
export function signerSets(
  present: readonly PartyId[],
  self: PartyId,
  size: number,
): readonly (readonly PartyId[])[] {
  const others = present.filter((party) => party !== self)
  const sets: (readonly PartyId[])[] = []
  const choose = (chosen: readonly PartyId[], from: number): void => {
    if (sets.length === MAX_SETS) return
    if (chosen.length === size - 1) {
      sets.push([self, ...chosen].sort((a, b) => a - b))
      return
    }
    for (let i = from; i < others.length; i++) choose([...chosen, others[i]!], i + 1)
  }
  choose([], 0)
  return sets
}
