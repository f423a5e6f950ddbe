import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault, toHex } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import fc from 'fast-check'
import { alice, bob, coinOf, NO_CONTEXT, psbtOf, SAMPLE } from '../wallets.js'

const adapter = findAdapter('bitcoin-testnet4')

/** What people see and what is signed, as one text; `undefined` where the bytes are refused with a fault. */
function meaning(unsigned: Uint8Array): string | undefined {
  try {
    const tx = adapter.parse({ unsigned, context: NO_CONTEXT, key: alice.key })
    const view = JSON.stringify(tx.view(), (_, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    )
    return (
      view +
      tx
        .prepare()
        .map(({ id, message, publicKey }) => id + toHex(message) + toHex(publicKey))
        .join()
    )
  } catch (error) {
    assert.ok(isFault(error), String(error))
    assert.ok(error.code.startsWith('chains/'), error.code)
    return undefined
  }
}

const samples = {
  'several coins and change': psbtOf(SAMPLE),
  'coins of others, a lock time, key origins': psbtOf({
    inputs: [
      coinOf(alice, 0, 90_000n, {
        sequence: 5,
        sighashType: 1,
        tapBip32Derivation: [
          [alice.key.publicKey.slice(1), { hashes: [], der: { fingerprint: 7, path: [86, 1] } }],
        ],
      }),
      coinOf(bob, 1, 90_000n, { sighashType: 3 }),
    ],
    outputs: SAMPLE.outputs,
    lockTime: 850_000,
  }),
  'version 2': psbtOf({ ...SAMPLE, version: 2 }),
}

for (const [name, sample] of Object.entries(samples))
  test(`no flipped byte leaves both view and messages the same: ${name}`, () => {
    const original = meaning(sample)
    assert.notEqual(original, undefined)
    for (let at = 0; at < sample.length; at++) {
      const flipped = sample.slice()
      flipped[at]! ^= 1 << (at % 8)
      assert.notEqual(meaning(flipped), original, `byte ${at}`)
    }
  })

test('random and mutated bytes end in a fault or in a transaction, nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      meaning(bytes)
      meaning(Uint8Array.from([0x70, 0x73, 0x62, 0x74, 0xff, ...bytes]))
    }),
    { numRuns: 300 },
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(samples)),
      fc.array(fc.tuple(fc.nat(700), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.option(fc.nat(700)),
      (sample, edits, cut) => {
        const bytes = sample.slice(0, cut ?? sample.length)
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value
        meaning(bytes)
      },
    ),
    { numRuns: 500 },
  )
})
