/**
 * Reads plain values, as YAML and JSON give them, and says of each that is wrong where it stands,
 * what was expected and which name was probably meant. All problems are gathered, not the first only.
 */
import { editDistance, isFault } from '@quorate/base'

export type PlainProblem = {
  /** Keys and positions from the top; empty for the whole. */
  readonly path: readonly (string | number)[]
  /** A clause: what was expected there, or what is wrong. */
  readonly problem: string
  /** The known name closest to the one that stands there. */
  readonly nearest?: string
}

/** `rules[0].when.maxFee`, or `the policy` for the whole. */
export const pathText = (path: readonly (string | number)[]): string =>
  path.length === 0
    ? 'the policy'
    : path
        .map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`))
        .join('')

/** One line: where, what, and which name was probably meant. */
export const problemText = ({ path, problem, nearest }: PlainProblem): string =>
  `${pathText(path)}: ${problem}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`

/** A value and where it stands. */
export class Plain {
  readonly value: unknown
  readonly #path: readonly (string | number)[]
  readonly #problems: PlainProblem[]

  constructor(
    value: unknown,
    path: readonly (string | number)[] = [],
    problems: PlainProblem[] = [],
  ) {
    this.value = value
    this.#path = path
    this.#problems = problems
  }

  get problems(): readonly PlainProblem[] {
    return this.#problems
  }

  /** Takes note of a problem; the answer stands for a value that will never be used. */
  wrong(problem: string, nearest?: string): undefined {
    const near = nearest === undefined ? {} : { nearest }
    this.#problems.push({ path: this.#path, problem, ...near })
    return undefined
  }

  expected(what: string): undefined {
    return this.wrong(`expected ${what}`)
  }

  /** What stands below it at a key or position. */
  at(step: string | number, value: unknown): Plain {
    return new Plain(value, [...this.#path, step], this.#problems)
  }

  /** The members of an object; `undefined` counts as absent. */
  members(): ReadonlyMap<string, Plain> | undefined {
    const { value } = this
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return this.expected('names with values')
    return new Map(
      Object.entries(value)
        .filter(([, each]) => each !== undefined)
        .map(([key, each]) => [key, this.at(key, each)]),
    )
  }

  /** The members of an object that has none but the `known` ones. */
  known(known: readonly string[]): ReadonlyMap<string, Plain> | undefined {
    const members = this.members()
    for (const [name, member] of members ?? [])
      if (!known.includes(name)) {
        const near = nearest(name, known)
        member.wrong(
          near === undefined ? `it is none of ${known.join(', ')}` : 'it is unknown',
          near,
        )
      }
    return members
  }

  /** The items of a list that is not empty. */
  items(): readonly Plain[] | undefined {
    const { value } = this
    return Array.isArray(value)
      ? value.map((each: unknown, i) => this.at(i, each))
      : this.expected('a list')
  }

  /** Takes note of what `check` throws. */
  holds(check: () => unknown): void {
    try {
      check()
    } catch (error) {
      if (!isFault(error)) throw error
      this.wrong((error.detail ?? error.message).replace(/^[^:]*: /, ''))
    }
  }
}

export type PlainReader<T> = (plain: Plain) => T | undefined

/** The candidate that was probably meant, where one is close enough. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.min(4, Math.ceil(name.length / 2))
  for (const candidate of candidates) {
    const distance = editDistance(name.slice(0, 40).toLowerCase(), candidate.toLowerCase())
    if (distance < least) {
      best = candidate
      least = distance
    }
  }
  return best
}
