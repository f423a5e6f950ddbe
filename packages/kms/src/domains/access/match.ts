/**
 * Conditions made ready for the hot path: each becomes one test of a request that says yes, no, or
 * unknown. Unknown is for an attribute that the action has but the request leaves open; a rule that
 * allows then does not match, and one that denies does.
 */
import { isInNetwork, LOCAL, type Network, parseNetwork } from './cidr.ts'
import { namePattern, type Pattern, pathPattern } from './glob.ts'
import {
  type Conditions,
  DAYS,
  endOf,
  type HeldRule,
  type Hours,
  minutesOf,
  startOf,
} from './model.ts'
import type { Resource } from './port.ts'

export type Question = {
  readonly resource: Resource
  /** Milliseconds since the epoch. */
  readonly now: number
  /** As text, and its bytes (`undefined` for `local`). */
  readonly address: string
  readonly addressBytes: Uint8Array | undefined
}

export const NO = 0
export const YES = 1
export const UNKNOWN = 2
export type Verdict = typeof NO | typeof YES | typeof UNKNOWN

export type Test = {
  /** Of the condition, for explanations. */
  readonly name: keyof Conditions | 'grant'
  /** What it asks for, in words that complete "it needs". */
  readonly wanted: string
  verdict(question: Question): Verdict
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const iso = (ms: number): string => new Date(ms).toISOString()

/** The tests of a held rule, cheapest first; all must say yes for it to match. */
export function testsOf({ rule, startsAt, endsAt }: HeldRule): readonly Test[] {
  const { when = {} } = rule
  const tests: Test[] = []
  if (startsAt > Number.NEGATIVE_INFINITY || endsAt < Number.POSITIVE_INFINITY)
    tests.push(during('grant', 'the grant to be in force', startsAt, endsAt))
  if (when.notBefore !== undefined)
    tests.push(during('notBefore', 'a later time', startOf(when), Number.POSITIVE_INFINITY))
  if (when.notAfter !== undefined)
    tests.push(during('notAfter', 'an earlier time', Number.NEGATIVE_INFINITY, endOf(when)))
  if (when.environments !== undefined)
    tests.push(
      patterns(
        'environments',
        'environment',
        when.environments.map(namePattern),
        (r) => r.environment,
      ),
    )
  if (when.paths !== undefined)
    tests.push(patterns('paths', 'path', when.paths.map(pathPattern), (r) => r.path))
  if (when.names !== undefined)
    tests.push(patterns('names', 'name', when.names.map(namePattern), (r) => r.name))
  if (when.tags !== undefined) tests.push(tagged(when.tags))
  if (when.addresses !== undefined) tests.push(from(when.addresses))
  if (when.hours !== undefined) tests.push(within(when.hours))
  return tests
}

function during(name: Test['name'], wanted: string, startsAt: number, endsAt: number): Test {
  const [start, end] = [
    startsAt > Number.NEGATIVE_INFINITY ? ` from ${iso(startsAt)}` : '',
    endsAt < Number.POSITIVE_INFINITY ? ` until ${iso(endsAt)}` : '',
  ]
  return {
    name,
    wanted: `${wanted} (${`${start}${end}`.trim()})`,
    verdict: ({ now }) => (now >= startsAt && now < endsAt ? YES : NO),
  }
}

function patterns(
  name: keyof Conditions,
  noun: string,
  wanted: readonly Pattern[],
  attributeOf: (resource: Resource) => string | undefined,
): Test {
  const [first] = wanted
  const only = wanted.length === 1 ? first : undefined
  return {
    name,
    wanted: `${noun} ${wanted.map(({ text }) => text).join(' or ')}`,
    verdict({ resource }) {
      const value = attributeOf(resource)
      if (value === undefined) return UNKNOWN
      if (only !== undefined) return only.matches(value) ? YES : NO
      return wanted.some((each) => each.matches(value)) ? YES : NO
    },
  }
}

function tagged(tags: readonly string[]): Test {
  const wanted = new Set(tags)
  return {
    name: 'tags',
    wanted: `tag ${tags.join(' or ')}`,
    verdict: ({ resource }) =>
      resource.tags === undefined
        ? UNKNOWN
        : resource.tags.some((tag) => wanted.has(tag))
          ? YES
          : NO,
  }
}

function from(texts: readonly string[]): Test {
  const networks: readonly Network[] = texts.map(parseNetwork)
  return {
    name: 'addresses',
    wanted: `a request from ${texts.join(' or ')}`,
    verdict({ address, addressBytes }) {
      if (addressBytes === undefined && address !== LOCAL) return NO
      return networks.some((network) => isInNetwork(addressBytes, network)) ? YES : NO
    },
  }
}

function within({ days, from, to }: Hours): Test {
  const [start, end] = [minutesOf(from), minutesOf(to)]
  const wanted = new Set((days ?? DAYS).map((day) => DAYS.indexOf(day)))
  return {
    name: 'hours',
    wanted: `a time between ${from} and ${to} UTC${days === undefined ? '' : ` on ${days.join(', ')}`}`,
    verdict({ now }) {
      // The epoch was a Thursday.
      const weekday = (((Math.floor(now / DAY_MS) + 4) % 7) + 7) % 7
      const minute = (now - Math.floor(now / DAY_MS) * DAY_MS) / MINUTE_MS
      return wanted.has(weekday) && minute >= start && minute < end ? YES : NO
    },
  }
}
