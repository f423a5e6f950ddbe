/** Names that were probably meant. */
import { editDistance } from '@quorate/base'

/** The candidate closest to `name`, where one is close enough to be meant. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.min(4, Math.ceil(name.length / 2) + 1)
  for (const candidate of candidates) {
    const distance = editDistance(name.slice(0, 40).toLowerCase(), candidate)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}
