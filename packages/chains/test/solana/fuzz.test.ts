import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeTransaction, readTransaction } from '#src/solana/message.js'
import { flipEveryByte, fuzz, meaning, solanaTarget } from '../fuzzing.js'

for (const [name, sample] of Object.entries(solanaTarget.samples))
  test(`no flipped byte leaves both view and message the same: ${name}`, () => {
    flipEveryByte(solanaTarget, sample, (at) => at % 8)
  })

test('random and mutated bytes end in a fault or in the same bytes again', () => {
  fuzz(solanaTarget, 300, (bytes) => {
    if (meaning(solanaTarget, bytes) === undefined) return
    const written = encodeTransaction(readTransaction(bytes))
    assert.deepEqual(bytes[0]! >= 0x80 ? written.slice(-bytes.length) : written, bytes)
  })
})
