/** Whoever owns the network: loses, repeats, keeps back, rewrites what passes, and says old things again. */
import type { Chance } from './random.ts'

/** How likely each is to befall a message, from 0 to 1. */
export type Odds = {
  readonly lose: number
  readonly repeat: number
  /** Kept back, and let go later among others in any order. */
  readonly delay: number
  readonly alter: number
  /** An old message comes along, to whomever. */
  readonly replay: number
}

export const CALM: Odds = { lose: 0, repeat: 0, delay: 0, alter: 0, replay: 0 }
export const ROUGH: Odds = { lose: 0.08, repeat: 0.08, delay: 0.15, alter: 0.05, replay: 0.08 }

/** Old messages that it can say again. */
const REMEMBERED = 400

export type Tally = { passed: number; lost: number; repeated: number; delayed: number } & {
  altered: number
  replayed: number
}

export class Storm<Message> {
  odds: Odds
  readonly tally: Tally = {
    passed: 0,
    lost: 0,
    repeated: 0,
    delayed: 0,
    altered: 0,
    replayed: 0,
  }
  readonly #chance: Chance
  readonly #alter: (message: Message, chance: Chance) => Message
  readonly #past: Message[] = []
  readonly #held: Message[] = []

  /** `alter` makes another message of one. */
  constructor(
    chance: Chance,
    alter: (message: Message, chance: Chance) => Message,
    odds: Odds = ROUGH,
  ) {
    this.#chance = chance
    this.#alter = alter
    this.odds = odds
  }

  /** What arrives in place of a message, in this order. */
  pass(message: Message): readonly Message[] {
    const { odds, tally } = this
    const chance = this.#chance
    this.#remember(message)
    const arriving: Message[] = []
    if (chance.is(odds.lose)) tally.lost++
    else if (chance.is(odds.delay)) {
      tally.delayed++
      this.#held.push(message)
    } else if (chance.is(odds.alter)) {
      tally.altered++
      arriving.push(this.#alter(message, chance))
    } else {
      tally.passed++
      arriving.push(message)
      if (chance.is(odds.repeat)) {
        tally.repeated++
        arriving.push(message)
      }
    }
    if (this.#past.length > 0 && chance.is(odds.replay)) {
      tally.replayed++
      arriving.push(chance.pick(this.#past))
    }
    // Delayed ones overtake each other on their way out.
    if (this.#held.length > 0 && chance.is(Math.max(0.3, 1 - this.#held.length / 50)))
      arriving.push(...this.#held.splice(chance.below(this.#held.length), 1))
    return arriving
  }

  #remember(message: Message): void {
    if (this.#past.length < REMEMBERED) this.#past.push(message)
    else this.#past[this.#chance.below(REMEMBERED)] = message
  }

  /** The weather clears: what was kept back comes late, in any order. */
  clear(): readonly Message[] {
    this.odds = CALM
    return this.#chance.shuffled(this.#held.splice(0))
  }
}

/** The bytes with some of them changed, cut off, or more added. */
export function mangled(bytes: Uint8Array, chance: Chance): Uint8Array {
  const kind = chance.below(4)
  if (kind === 0) return bytes.subarray(0, chance.below(bytes.length + 1)).slice()
  if (kind === 1) return Uint8Array.of(...bytes, chance.below(256))
  const copy = bytes.slice()
  for (let left = kind === 2 ? 1 : 8; left > 0 && copy.length > 0; left--)
    copy[chance.below(copy.length)]! ^= 1 << chance.below(8)
  return copy
}
