/** Every buffer that the library hands out is given back: each is 4 KiB larger than its content here. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ZymbitContext } from '#src/zymbit/context.js'
import { adopt } from '../modules/fixture.ts'
import { skip } from './kit.ts'
import { ZymbitSimulator } from './simulator.ts'

/** Of one buffer that nobody gives back. */
const LEAK_BYTES = 4096

/** A context of its own device in this process. */
function contextFor(t: TestContext): ZymbitContext {
  const { settings } = new ZymbitSimulator(t)
  adopt(settings)
  const context = new ZymbitContext(settings.library)
  t.after(() => context.close())
  return context
}

/** By how much memory grows with `count` rounds: the least of three tries, for only a leak shows in each. */
function growth(count: number, round: () => void): number {
  const grown: number[] = []
  for (let i = 0; i < 4; i++) {
    const before = process.memoryUsage.rss()
    for (let j = 0; j < count; j++) round()
    // The first is for the memory that is only needed once.
    if (i > 0) grown.push(process.memoryUsage.rss() - before)
  }
  return Math.min(...grown)
}

test('ten thousand signatures leave no memory behind', { skip }, (t) => {
  const context = contextFor(t)
  const slot = context.generateKeyPair('p256')
  const digest = new Uint8Array(32).fill(7)
  const count = 3_500
  assert.ok(growth(count, () => context.signDigest(slot, digest)) < (count * LEAK_BYTES) / 2)
})

test('neither do lists, texts, and locked data', { skip }, (t) => {
  const context = contextFor(t)
  const count = 2_000
  const grown = growth(count, () => {
    context.slots()
    context.text('zkGetSerialNumberString')
    context.unlock(context.lock(new Uint8Array(40)))
  })
  assert.ok(grown < (count * LEAK_BYTES) / 2)
})
