import { test } from 'node:test'
import {
  bitcoinTarget,
  cashTarget,
  flipEveryByte,
  fuzz,
  meaning,
  olderTarget,
  p2wpkhTarget,
} from '../fuzzing.js'

for (const target of [bitcoinTarget, p2wpkhTarget, olderTarget, cashTarget]) {
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
