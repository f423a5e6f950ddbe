import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkLifetime,
  checkThreshold,
  decodeIntent,
  encodeIntent,
  type Intent,
  intentHash,
  MAX_CONTEXT_BYTES,
  MAX_PARTIES,
  MAX_UNSIGNED_BYTES,
  PROTOCOLS,
  walletRequestCodec,
} from '@quorate/api'
import { decode, encode, type FaultCode, isFault, toHex } from '@quorate/base'
import fc from 'fast-check'
import { fill, intent, NOW, walletRequest } from './sample.ts'

const fails = (code: FaultCode) => (error: unknown) => isFault(error, code)

test('any intent comes back as it was, and its hash stands for all of it', () => {
  const int = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max })
  const anyIntent: fc.Arbitrary<Intent> = fc
    .record({
      generation: int(2 ** 32 - 1),
      network: fc.constantFrom('bitcoin', 'bitcoin-testnet4', 'solana-devnet'),
      unsigned: fc.uint8Array({ minLength: 1, maxLength: 200 }),
      context: fc.uint8Array({ maxLength: 200 }),
      path: fc.array(int(2 ** 31 - 1), { maxLength: 10 }),
      policyHash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      createdAt: int(2 ** 42),
      expiresAt: int(2 ** 42),
    })
    .map((parts) => ({ ...intent, ...parts }))
  fc.assert(
    fc.property(anyIntent, anyIntent, (a, b) => {
      assert.deepEqual(decodeIntent(encodeIntent(a)), a)
      const isSame = toHex(encodeIntent(a)) === toHex(encodeIntent(b))
      assert.equal(toHex(intentHash(a)) === toHex(intentHash(b)), isSame)
    }),
  )
})

test('the largest intent goes through, one byte more does not', () => {
  const largest = {
    ...intent,
    unsigned: fill(MAX_UNSIGNED_BYTES, 1),
    context: fill(MAX_CONTEXT_BYTES, 1),
    path: Array.from({ length: 10 }, () => 2 ** 31 - 1),
  }
  assert.equal(decodeIntent(encodeIntent(largest)).unsigned.length, MAX_UNSIGNED_BYTES)
  for (const wrong of [
    { unsigned: fill(MAX_UNSIGNED_BYTES + 1, 1) },
    { unsigned: fill(0, 0) },
    { context: fill(MAX_CONTEXT_BYTES + 1, 1) },
    { path: fill(11, 0) },
    { path: [2 ** 31] },
    { path: [-1] },
    { policyHash: fill(31, 0) },
    { network: 'Bitcoin' },
    { network: 'bitcoin-' },
    { generation: -1 },
  ])
    assert.throws(() => encodeIntent({ ...intent, ...wrong } as Intent), fails('base/malformed'))
})

test('an id of another kind is refused', () => {
  const wrong = { ...intent, wallet: intent.project } as unknown as Intent
  assert.throws(() => encodeIntent(wrong), fails('base/bad-id'))
})

test('thresholds: a majority, or less when that is asked for, never below two', () => {
  for (let parties = 1; parties <= MAX_PARTIES + 1; parties++)
    for (let threshold = 0; threshold <= parties + 1; threshold++) {
      const isPossible = threshold >= 2 && threshold <= parties && parties <= MAX_PARTIES
      // t ≥ ⌊n/2⌋+1 says 2t > n.
      const isMajority = 2 * threshold > parties
      for (const unsafeThreshold of [false, true]) {
        const check = (): void => checkThreshold({ threshold, parties, unsafeThreshold })
        if (!isPossible) assert.throws(check, fails('api/bad-threshold'))
        else if (isMajority || unsafeThreshold) assert.doesNotThrow(check)
        else assert.throws(check, fails('api/unsafe-threshold'))
      }
    }
  assert.throws(
    () => checkThreshold({ threshold: 2.5, parties: 3, unsafeThreshold: false }),
    fails('api/bad-threshold'),
  )
})

test('no wallet request with an unsound threshold can be encoded or decoded', () => {
  const sound = walletRequestCodec.toCbor(walletRequest) as Map<number, number>
  for (const [threshold, code] of [
    [1, 'api/bad-threshold'],
    [6, 'api/bad-threshold'],
    [2, 'api/unsafe-threshold'],
  ] as const) {
    assert.throws(() => encode(walletRequestCodec, { ...walletRequest, threshold }), fails(code))
    const cbor = new Map(sound).set(7, threshold)
    assert.throws(() => walletRequestCodec.fromCbor(cbor, 'request'), fails(code))
  }
  const label = { ...walletRequest, label: '-x' }
  assert.throws(() => encode(walletRequestCodec, label), fails('base/malformed'))
})

test('a wallet request names its protocol exactly: an alias is for the edge only', () => {
  for (const protocol of PROTOCOLS)
    assert.equal(
      decode(walletRequestCodec, encode(walletRequestCodec, { ...walletRequest, protocol }), {
        maxBytes: 1024,
      }).protocol,
      protocol,
    )
  for (const protocol of ['cggmp21', 'FROST', '']) {
    const wrong = { ...walletRequest, protocol } as unknown as typeof walletRequest
    assert.throws(() => encode(walletRequestCodec, wrong), fails('base/malformed'))
    const cbor = walletRequestCodec.toCbor(walletRequest) as Map<number, string>
    assert.throws(
      () => walletRequestCodec.fromCbor(new Map(cbor).set(4, protocol), 'request'),
      fails('base/malformed'),
    )
  }
})

test('a request lives at most five minutes, with 30 seconds for clocks that differ', () => {
  const life = { createdAt: NOW, expiresAt: NOW + 300_000 }
  for (const now of [NOW - 30_000, NOW, NOW + 300_000, NOW + 330_000])
    assert.doesNotThrow(() => checkLifetime(life, now))
  assert.throws(() => checkLifetime(life, NOW - 30_001), fails('api/from-the-future'))
  assert.throws(() => checkLifetime(life, NOW + 330_001), fails('api/expired'))
  for (const expiresAt of [NOW, NOW - 1, NOW + 300_001])
    assert.throws(() => checkLifetime({ createdAt: NOW, expiresAt }, NOW), fails('api/lifetime'))
})
