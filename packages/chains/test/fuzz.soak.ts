import { test } from 'node:test'
import { bitcoinTarget, flipEveryByte, fuzz, meaning, solanaTarget } from './fuzzing.js'

for (const target of [bitcoinTarget, solanaTarget]) {
  const { slug } = target.adapter.network
  test(`every bit of every sample, ${slug}`, () => {
    for (const sample of Object.values(target.samples))
      for (let bit = 0; bit < 8; bit++) flipEveryByte(target, sample, () => bit)
  })
  test(`many random and mutated transactions, ${slug}`, () => {
    fuzz(target, 20_000, (bytes) => {
      meaning(target, bytes)
    })
  })
}
