/**
 * Whether the time of an operation tells a secret, as dudect asks it (Reparaz–Balasch–Verbauwhede,
 * DATE 2017): two classes of inputs in random order, Welch's t over times cropped at several
 * percentiles. |t| above 10 in three runs of three is a leak; below 4.5 nothing was found.
 *
 * What is claimed to be constant-time fails here if it leaks; what is known to leak must be found, or
 * the measurement is worth nothing. The rest is printed.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { bigintEngine, type PowerContext, randomBelow } from '@quorate/math'
import { engine } from '../native/openssl-integers.js'
import { random } from './random.js'

const RUNS = 3
const LEAK = 10

type Row = { readonly name: string; readonly t: readonly number[]; readonly medianUs: number }
const rows: Row[] = []

const BITS = 1536
const n = (1n << BigInt(BITS)) - randomBelow(1n << 1000n, random) * 2n - 1n
const top = 1n << BigInt(BITS - 1)
/** Of full length, nearly all other bits 0. */
const LOW_WEIGHT = top | 1n
const randomExponent = (): bigint => top | randomBelow(top, random)
const randomBase = (): bigint => randomBelow(n - 4n, random) + 2n

const power =
  (context: PowerContext) =>
  ([base, exponent]: readonly [bigint, bigint]): unknown =>
    context.power(base, exponent)

const byObject = power(engine(0).context(n)!)
const byKey = power(engine(Number.POSITIVE_INFINITY).context(n)!)
const byBigint = power(bigintEngine.context(n)!)

const weight = (isFixed: boolean): [bigint, bigint] => [
  randomBase(),
  isFixed ? LOW_WEIGHT : randomExponent(),
]
const fixedBase = randomBase()
const base = (isFixed: boolean): [bigint, bigint] => [
  isFixed ? fixedBase : randomBase(),
  randomExponent(),
]
const length =
  (missingBits: bigint) =>
  (isFixed: boolean): [bigint, bigint] => [
    randomBase(),
    randomExponent() >> (isFixed ? missingBits : 0n),
  ]

test('control: an early return from a comparison is found', () => {
  const secret = randomBytes(4096)
  const compare = (guess: Buffer): unknown => secret.every((byte, i) => byte === guess[i])
  const inputs = (isFixed: boolean): Buffer => (isFixed ? Buffer.from(secret) : randomBytes(4096))
  assert.ok(isLeak(measure('naive comparison (control)', 2000, inputs, compare)))
})

test('control: the weight of the exponent in square-and-multiply is found', () => {
  const plain = ([b, exponent]: readonly [bigint, bigint]): unknown => {
    let result = 1n
    for (const bit of exponent.toString(2)) {
      result = (result * result) % n
      if (bit === '1') result = (result * b) % n
    }
    return result
  }
  assert.ok(isLeak(measure('square and multiply, weight (control)', 200, weight, plain)))
})

test('OpenSSL: neither the weight of the exponent nor the base shows', () => {
  for (const [name, work] of [
    ['openssl by object', byObject],
    ['openssl by key', byKey],
  ] as const) {
    assert.ok(!isLeak(measure(`${name}, weight of the exponent`, 1500, weight, work)))
    assert.ok(!isLeak(measure(`${name}, fixed base`, 1500, base, work)))
    assert.ok(!isLeak(measure(`${name}, 1 bit shorter`, 1500, length(1n), work)))
  }
})

test('what is not claimed: lengths in words, and everything over bigint', () => {
  measure('openssl by object, 64 bits shorter', 1000, length(64n), byObject)
  measure('openssl by object, half as long', 200, length(BigInt(BITS / 2)), byObject)
  measure('bigint, weight of the exponent', 200, weight, byBigint)
})

after(() => {
  for (const { name, t, medianUs } of rows)
    console.log(
      `${name.padEnd(42)} max|t| ${t.map((each) => each.toFixed(1).padStart(7)).join('')}`,
      ` median ${medianUs.toFixed(0)} µs`,
    )
})

const isLeak = (t: readonly number[]): boolean => t.every((each) => Math.abs(each) > LEAK)

/** The largest t of each run. */
function measure<T>(
  name: string,
  samples: number,
  prepare: (isFixed: boolean) => T,
  work: (input: T) => unknown,
): readonly number[] {
  for (let i = 0; i < samples / 10; i++) work(prepare(i % 2 === 0))
  const all: number[] = []
  const t = Array.from({ length: RUNS }, () => {
    const times: [number[], number[]] = [[], []]
    for (let i = 0; i < samples; i++) {
      const isFixed = (randomBytes(1)[0]! & 1) === 0
      const input = prepare(isFixed)
      const start = process.hrtime.bigint()
      work(input)
      times[isFixed ? 0 : 1].push(Number(process.hrtime.bigint() - start))
    }
    all.push(...times[0], ...times[1])
    return largestT(times)
  })
  rows.push({ name, t, medianUs: all.toSorted((a, b) => a - b)[all.length >> 1]! / 1000 })
  return t
}

function largestT([fixed, drawn]: readonly [readonly number[], readonly number[]]): number {
  const sorted = [...fixed, ...drawn].toSorted((a, b) => a - b)
  const values = [1, 0.95, 0.9, 0.8, 0.5].map((share) => {
    const limit = sorted[Math.floor((sorted.length - 1) * share)]!
    return welch(
      fixed.filter((time) => time <= limit),
      drawn.filter((time) => time <= limit),
    )
  })
  return values.reduce((worst, t) => (Math.abs(t) > Math.abs(worst) ? t : worst), 0)
}

function welch(a: readonly number[], b: readonly number[]): number {
  // One class of which hardly a time is among the fast ones: as far apart as it gets.
  if (a.length < 2 || b.length < 2) return a.length < b.length ? Infinity : -Infinity
  const [first, second] = [moments(a), moments(b)]
  return (
    (first.mean - second.mean) / Math.sqrt(first.variance / a.length + second.variance / b.length)
  )
}

function moments(times: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length
  const squares = times.reduce((sum, time) => sum + (time - mean) ** 2, 0)
  return { mean, variance: squares / (times.length - 1) }
}
