import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault, toHex } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import fc from 'fast-check'
import { encodeTransaction, readTransaction } from '#src/solana/message.js'
import { carol, messageOf, NO_CONTEXT, TRANSFER, wireOf } from '../wallets.js'

const adapter = findAdapter('solana')

/** What people see and what is signed, as one text; `undefined` where the bytes are refused with a fault. */
function meaning(unsigned: Uint8Array): string | undefined {
  try {
    const tx = adapter.parse({ unsigned, context: NO_CONTEXT, key: carol.key })
    const view = JSON.stringify(tx.view(), (_, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    )
    return (
      view +
      tx
        .prepare()
        .map(({ message }) => toHex(message))
        .join()
    )
  } catch (error) {
    assert.ok(isFault(error), String(error))
    assert.ok(error.code.startsWith('chains/'), error.code)
    return undefined
  }
}

const lookups = [Uint8Array.from([...new Uint8Array(32).fill(3), 2, 1, 2, 1, 3])]
const samples = {
  'version 0': wireOf(messageOf({ ...TRANSFER, lookups })),
  legacy: wireOf(messageOf({ ...TRANSFER, isLegacy: true })),
  'bare message': messageOf(TRANSFER),
}

for (const [name, sample] of Object.entries(samples))
  test(`no flipped byte leaves both view and message the same: ${name}`, () => {
    const original = meaning(sample)
    assert.notEqual(original, undefined)
    for (let at = 0; at < sample.length; at++) {
      const flipped = sample.slice()
      flipped[at]! ^= 1 << (at % 8)
      assert.notEqual(meaning(flipped), original, `byte ${at}`)
    }
  })

test('random and mutated bytes end in a fault or in the same bytes again', () => {
  const roundTrip = (bytes: Uint8Array): void => {
    if (meaning(bytes) === undefined) return
    const written = encodeTransaction(readTransaction(bytes))
    assert.deepEqual(bytes[0]! >= 0x80 ? written.slice(-bytes.length) : written, bytes)
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 1300 }), roundTrip), { numRuns: 500 })
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(samples)),
      fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 4,
      }),
      (sample, edits) => {
        const bytes = sample.slice()
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value
        roundTrip(bytes)
      },
    ),
    { numRuns: 1000 },
  )
})
