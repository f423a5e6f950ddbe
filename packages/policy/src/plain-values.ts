/** The forms in which people write the values of a policy, both ways. */
import { fromRfc3339, toRfc3339 } from '@quorate/api'
import {
  type Amounts,
  clockTime,
  type Functions,
  type Hours,
  type Quorum,
  WEEKDAYS,
} from './model.ts'
import { nearest, type Plain, type PlainReader } from './plain-reader.ts'

export const readText: PlainReader<string> = (plain) =>
  typeof plain.value === 'string' ? plain.value : plain.expected('text')

export const readBool: PlainReader<boolean> = (plain) =>
  typeof plain.value === 'boolean' ? plain.value : plain.expected('true or false')

export const readCount: PlainReader<number> = (plain) =>
  typeof plain.value === 'number' && Number.isSafeInteger(plain.value) && plain.value >= 0
    ? plain.value
    : plain.expected('a whole number')

/** Whatever `read` reads, in a list; what it does not is left out, for it is noted already. */
export const listOf =
  <T>(read: PlainReader<T>): PlainReader<readonly T[]> =>
  (plain) =>
    plain.items()?.flatMap((item) => {
      const value = read(item)
      return value === undefined ? [] : [value]
    })

export const readTexts: PlainReader<readonly string[]> = listOf(readText)

/** One of a few words. */
export const wordOf =
  <const T extends string>(words: readonly T[]): PlainReader<T> =>
  (plain) => {
    const found = words.find((word) => word === plain.value)
    if (found !== undefined) return found
    const near = typeof plain.value === 'string' ? nearest(plain.value, words) : undefined
    return plain.wrong(`expected one of ${words.join(', ')}`, near)
  }

function mapOf<T>(plain: Plain, read: PlainReader<T>): ReadonlyMap<string, T> | undefined {
  const members = plain.members()
  if (members === undefined) return undefined
  return new Map(
    [...members].flatMap(([key, member]) => {
      const value = read(member)
      return value === undefined ? [] : [[key, value] as const]
    }),
  )
}

/** `'150000'`, `'1_000_000'`, or a number that is exact; in the smallest unit. */
export const readAmount: PlainReader<bigint> = (plain) => {
  const { value } = plain
  const isExact = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  const text = isExact ? String(value) : value
  return typeof text === 'string' && /^(0|[1-9]\d{0,2}(_\d{3})+|[1-9]\d{0,77})$/.test(text)
    ? BigInt(text.replaceAll('_', ''))
    : plain.expected("a decimal amount in the smallest unit, e.g. '150_000'")
}

/** Amounts by asset: `{ BTC: '150_000' }`. */
export const readAmounts: PlainReader<Amounts> = (plain) => mapOf(plain, readAmount)

/** `{ '0x…': ['0xa9059cbb'] }`, or `'*'` for every function. */
export const readFunctions: PlainReader<Functions> = (plain) =>
  mapOf(plain, (each) => (each.value === '*' ? ['*'] : readTexts(each)))

const readClock: PlainReader<number> = (plain) => {
  const text = readText(plain)
  if (text === undefined) return undefined
  const [, hours, minutes] = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(text) ?? []
  const value = Number(hours) * 60 + Number(minutes)
  return value <= 1440 ? value : plain.expected("a time of day in UTC, e.g. '09:30'")
}

/** `{ days: [mon, tue], from: '09:00', until: '17:00' }`. */
export const readHours: PlainReader<Hours> = (plain) => {
  const given = plain.known(['days', 'from', 'until'])
  if (given === undefined) return undefined
  const days = required(plain, given, 'days', listOf(wordOf(WEEKDAYS)))
  const from = required(plain, given, 'from', readClock)
  const until = required(plain, given, 'until', readClock)
  return days === undefined || from === undefined || until === undefined
    ? undefined
    : { days, from, until }
}

/** `{ group: treasurers, need: 2 }`. */
export const readQuorum: PlainReader<Quorum> = (plain) => {
  const given = plain.known(['group', 'need'])
  if (given === undefined) return undefined
  const group = required(plain, given, 'group', readText)
  const need = required(plain, given, 'need', readCount)
  return group === undefined || need === undefined ? undefined : { group, need }
}

/** A member that must be there. */
export function required<T>(
  plain: Plain,
  given: ReadonlyMap<string, Plain>,
  name: string,
  read: PlainReader<T>,
): T | undefined {
  const member = given.get(name)
  return member === undefined ? plain.wrong(`${name} is missing`) : read(member)
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** `24h`: milliseconds. */
export const readDuration: PlainReader<number> = (plain) => {
  const [, count, unit] = /^([1-9]\d{0,9})(ms|[dhms])$/.exec(String(plain.value)) ?? []
  const size = UNITS.find(([name]) => name === unit)?.[1]
  return size === undefined
    ? plain.expected('a duration such as 30m, 24h or 7d')
    : Number(count) * size
}

/** `24h`, in the largest unit that says it exactly. */
export function durationText(ms: number): string {
  const [name, size] = UNITS.find(([, each]) => ms % each === 0)!
  return `${ms / size}${name}`
}

export const readTime: PlainReader<number> = (plain) => {
  const text = readText(plain)
  if (text === undefined) return undefined
  let time: number | undefined
  plain.holds(() => {
    time = fromRfc3339(text)
  })
  return time
}

export const amountsToPlain = (amounts: Amounts): { readonly [asset: string]: string } =>
  Object.fromEntries([...amounts].map(([asset, amount]) => [asset, String(amount)]))

export const functionsToPlain = (
  functions: Functions,
): { readonly [contract: string]: readonly string[] } => Object.fromEntries(functions)

export const hoursToPlain = ({
  days,
  from,
  until,
}: Hours): { readonly days: Hours['days']; readonly from: string; readonly until: string } => ({
  days,
  from: clockTime(from),
  until: clockTime(until),
})

export const timeToPlain: (time: number) => string = toRfc3339
