import { test } from 'node:test'
import { bitcoinTarget, flipEveryByte, fuzz, meaning } from '../fuzzing.js'

for (const [name, sample] of Object.entries(bitcoinTarget.samples))
  test(`no flipped byte leaves both view and messages the same: ${name}`, () => {
    flipEveryByte(bitcoinTarget, sample, (at) => at % 8)
  })

test('random and mutated bytes end in a fault or in a transaction, nothing else', () => {
  fuzz(bitcoinTarget, 150, (bytes) => {
    meaning(bitcoinTarget, bytes)
  })
})
