/** Ids of requests: what `newId('req', …)` of `base` makes, for a server that needs thousands a second. */
import { type Clock, type Id, idFrom, type Random } from '@quorate/base'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const RANDOM_DIGITS = 16
const POOL_BYTES = 4096
const EMPTY_ENTROPY = new Uint8Array(10)

/** A maker of ids. Each random byte gives one digit of five bits, so a digit is uniform. */
export function requestIds(clock: Clock, random: Random): () => Id<'req'> {
  let pool: Uint8Array = new Uint8Array(0)
  let at = 0
  let time = -1
  let prefix = ''
  return () => {
    const now = clock.now()
    if (now !== time) {
      // The first ten digits are the time alone.
      prefix = idFrom('req', now, EMPTY_ENTROPY).slice(0, -RANDOM_DIGITS)
      time = now
    }
    if (at + RANDOM_DIGITS > pool.length) {
      pool = random.bytes(POOL_BYTES)
      at = 0
    }
    let digits = prefix
    for (let i = 0; i < RANDOM_DIGITS; i++) digits += ALPHABET[pool[at++]! & 31]!
    return digits as Id<'req'>
  }
}
