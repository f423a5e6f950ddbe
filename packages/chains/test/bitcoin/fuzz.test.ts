import { test } from 'node:test'
import { bitcoinTarget, flipEveryByte, fuzz, meaning, p2wpkhTarget } from '../fuzzing.js'

for (const target of [bitcoinTarget, p2wpkhTarget]) {
  for (const [name, sample] of Object.entries(target.samples))
    test(`${target.name}: no flipped byte leaves both view and messages the same: ${name}`, () => {
      flipEveryByte(target, sample, (at) => at % 8)
    })

  test(`${target.name}: random and mutated bytes end in a fault or in a transaction, nothing else`, () => {
    fuzz(target, 150, (bytes) => {
      meaning(target, bytes)
    })
  })
}
