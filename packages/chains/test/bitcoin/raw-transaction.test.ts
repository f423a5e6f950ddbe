import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, fromHex, isFault, toHex } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import fc from 'fast-check'
import {
  hashOf,
  type RawTx,
  readOutput,
  readTx,
  readWitness,
  txidOf,
  virtualSize,
  writeStripped,
  writeTx,
  writeWitness,
} from '#src/bitcoin/raw-transaction.js'
import { erin, p2wpkhOutput, SUITE } from '../ecdsa-wallets.js'
import { NO_CONTEXT, PAYEE_SCRIPT, psbtOf } from '../wallets.js'

/** BIP-143, "P2SH-P2WPKH": the signed transaction. */
const SIGNED =
  '01000000000101db6b1b20aa0fd7b23880be2ecbd4a98130974cf4748fb66092ac4d3ceb1a5477010000001716001479091972186c449eb1ded22b78e40d009bdf0089feffffff02b8b4eb0b000000001976a914a457b684d7f0d539a46a45bbc043f35b59d0d96388ac0008af2f000000001976a914fd270b1ee6abcaea97fea7ad0402e8bd8ad6d77c88ac02473044022047ac8e878352d3ebbde1c94ce3a10d057c24175747116f8288e5d794d12d482f0220217f36a485cae903c713331d877c1f64677e3622ad4010726870540656fe9dcb012103ad1d8e89212f0b92c74d23bb710c00662ad1470198ac48c43f7d6f93a2a2687392040000'

const bad = (error: unknown): boolean => isFault(error, 'chains/malformed-transaction')

test('a transaction with a witness: its parts, its id, its size', () => {
  const tx = readTx(fromHex(SIGNED))
  assert.equal(toHex(writeTx(tx)), SIGNED)
  assert.deepEqual(tx.stripped, writeStripped(tx))
  assert.equal(tx.hasWitnesses, true)
  // As explorers show it.
  assert.equal(txidOf(tx), 'ef48d9d0f595052e0f8cdcf825f7a5e50b6a388a81f206f3f4846e5ecd7a0c23')
  assert.equal(toHex(hashOf(tx.stripped).reverse()), txidOf(tx))
  assert.equal(tx.inputs[0]!.witness.length, 2)
  assert.equal(virtualSize(tx), 170)
})

/** Plain objects, as readers make them. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>

test('what is read is what is written, and nothing shorter or longer is read', () => {
  const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
  const u32 = fc.integer({ min: 0, max: 0xffffffff })
  const tx: fc.Arbitrary<RawTx> = record({
    version: u32,
    inputs: fc.array(
      record({
        outpoint: fc.uint8Array({ minLength: 36, maxLength: 36 }),
        scriptSig: bytes(300),
        sequence: u32,
        witness: fc.array(bytes(80), { maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    outputs: fc.array(
      record({ amount: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), script: bytes(300) }),
      { maxLength: 4 },
    ),
    lockTime: u32,
  })
  fc.assert(
    fc.property(tx, fc.nat(), (given, cut) => {
      const written = writeTx(given)
      const { stripped, hasWitnesses, ...read } = readTx(written)
      assert.deepEqual(read, given)
      assert.deepEqual(stripped, writeStripped(given))
      assert.equal(hasWitnesses, stripped.length !== written.length)
      assert.throws(() => readTx(written.slice(0, cut % written.length)), bad)
      assert.throws(() => readTx(concatBytes(written, Uint8Array.of(0))), bad)
    }),
    { numRuns: 200 },
  )
})

test('no inputs, an unknown flag, and a witness part without witnesses are refused', () => {
  const start = '02000000'
  const rest = `01${'11'.repeat(36)}00ffffffff00`
  assert.ok(readTx(fromHex(`${start}${rest}00000000`)))
  for (const hex of [
    `${start}000000000000`,
    `${start}0008${rest}0000000000`,
    `${start}0001${rest}0000000000`,
    `${start}01${'11'.repeat(36)}fd0000ffffffff0000000000`,
    '',
  ])
    assert.throws(() => readTx(fromHex(hex)), bad, hex)
})

test('single outputs and witnesses end where they end', () => {
  const stack = [Uint8Array.of(1, 2), new Uint8Array(0)]
  assert.deepEqual(readWitness(writeWitness(stack)), stack)
  assert.throws(() => readWitness(concatBytes(writeWitness(stack), Uint8Array.of(0))), bad)
  assert.throws(() => readWitness(Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0xff)), bad)
  assert.throws(() => readOutput(new Uint8Array(8)), bad)
})

test('a coin may come with a transaction of 28 000 outputs', () => {
  const script = p2wpkhOutput(erin)
  const previous: RawTx = {
    version: 2,
    inputs: [
      {
        outpoint: new Uint8Array(36).fill(1),
        scriptSig: new Uint8Array(0),
        sequence: 0,
        witness: [],
      },
    ],
    outputs: [
      ...Array.from({ length: 27_999 }, () => ({ script: new Uint8Array(0), amount: 1n })),
      { script, amount: 100_000n },
    ],
    lockTime: 0,
  }
  const whole = writeTx(previous)
  assert.ok(whole.length > 250_000)
  const coin = { txid: txidOf(previous), index: 27_999, witnessUtxo: { script, amount: 100_000n } }
  const parts = { inputs: [coin], outputs: [{ script: PAYEE_SCRIPT, amount: 99_000n }] }
  // Put in by hand: the library that makes the sample takes seconds to read it.
  const light = toHex(psbtOf(parts))
  const entry = `0100fe${toHex(new Uint8Array(new Uint32Array([whole.length]).buffer))}${toHex(whole)}`
  const at = light.indexOf('01011f')
  const unsigned = fromHex(`${light.slice(0, at)}${entry}${light.slice(at)}`)
  const tx = findAdapter('bitcoin', SUITE).parse({ unsigned, context: NO_CONTEXT, key: erin.key })
  assert.deepEqual(tx.view().fee, { asset: 'BTC', amount: 1_000n, isClaimed: false })
})
