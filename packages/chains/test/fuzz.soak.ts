import { test } from 'node:test'
import { flipEveryByte, fuzz, meaning, TARGETS } from './fuzzing.js'

for (const target of TARGETS) {
  const { name } = target
  test(`every bit of every sample, ${name}`, () => {
    for (const sample of Object.values(target.samples))
      for (let bit = 0; bit < 8; bit++) flipEveryByte(target, sample, () => bit)
  })
  test(`many random and mutated transactions, ${name}`, () => {
    fuzz(target, 20_000, (bytes) => {
      meaning(target, bytes)
    })
  })
}
