import { test } from 'node:test'
import { evmTarget, flipEveryByte, fuzz, meaning } from '../fuzzing.js'

for (const [name, sample] of Object.entries(evmTarget.samples))
  test(`no flipped bit leaves both view and message the same: ${name}`, () => {
    for (const first of [0, 5]) flipEveryByte(evmTarget, sample, (at) => (at + first) % 8)
  })

test('random and mutated bytes end in a fault or in a transaction, nothing else', () => {
  fuzz(evmTarget, 300, (bytes) => {
    meaning(evmTarget, bytes)
  })
})
