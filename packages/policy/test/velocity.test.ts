import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Breach, randomOf, type World, worstExcess } from './velocity-model.ts'

const SHAPES = [
  [2, 2],
  [2, 3],
  [3, 4],
  [3, 5],
  [4, 5],
  [5, 7],
] as const

const worldOf = (seed: number, [t, n]: readonly [number, number], breach?: Breach): World => {
  const random = randomOf(seed)
  return { n, t, cap: 2 + Math.floor(random() * 2), random, breach }
}

for (const shape of SHAPES)
  test(`${shape.join('-of-')}: whatever order, crash, restore and lie, no window holds more than the cap`, () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => worstExcess(worldOf(seed, shape)) <= 0),
      { numRuns: 200 },
    )
  })

/** Seeds are fixed here: each run is the same on every machine. */
function firstExcess(shape: readonly [number, number], breach?: Breach): number | undefined {
  for (let seed = 1; seed <= 3000; seed++)
    if (worstExcess(worldOf(seed, shape, breach)) > 0) return seed
  return undefined
}

const BREACHES: readonly (readonly [Breach, readonly [number, number]])[] = [
  ['early-ledger', [2, 3]],
  ['one-tombstone', [3, 4]],
  ['one-more-liar', [3, 4]],
  ['no-high-water', [2, 2]],
  ['no-recovery', [2, 3]],
]

for (const [breach, shape] of BREACHES)
  test(`without its guard against "${breach}" the limit breaks`, () => {
    assert.notEqual(firstExcess(shape, breach), undefined)
  })

test('sessions do end in these worlds, up to the very cap', () => {
  const reached = SHAPES.map((shape) => {
    for (let seed = 1; seed <= 400; seed++) if (worstExcess(worldOf(seed, shape)) === 0) return true
    return false
  })
  assert.deepEqual(
    reached,
    SHAPES.map(() => true),
  )
})
