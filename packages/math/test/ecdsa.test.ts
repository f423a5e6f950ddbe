import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { concatBytes } from '@quorate/base'
import {
  encodeUncompressed,
  hasLowS,
  recoveryId,
  removeBackend,
  secp256k1,
  toBytesBe,
  verifyEcdsa,
} from '@quorate/math'
import { chooseBackends } from '@quorate/math/native'
import fc from 'fast-check'

const { order } = secp256k1
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const secret = fc.bigInt({ min: 1n, max: order - 1n })
const scalar = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
const withS = (signature: Uint8Array, s: bigint): Uint8Array =>
  concatBytes(signature.subarray(0, 32), toBytesBe(s))
const recovers = (key: Uint8Array, digest: Uint8Array, signature: Uint8Array) =>
  recoveryId(secp256k1.decode(key), digest, signature)

for (const only of ['noble', undefined] as const)
  test(`what noble signs is recovered and verified, in both halves: ${only ?? 'the fastest backend'}`, async (t) => {
    t.after(() => removeBackend(secp256k1))
    if (only === undefined) await chooseBackends()
    fc.assert(
      fc.property(secret, bytes32, fc.nat(95), fc.nat(7), (k, digest, at, bit) => {
        const key = noble.getPublicKey(toBytesBe(k))
        const recovered = noble.sign(digest, toBytesBe(k), { prehash: false, format: 'recovered' })
        const signature = recovered.slice(1)
        assert.ok(hasLowS(signature))
        assert.equal(recovers(key, digest, signature), recovered[0])
        assert.ok(verifyEcdsa(key, digest, signature))
        // The mirrored one is of the mirrored nonce point.
        const high = withS(signature, order - scalar(signature.subarray(32)))
        assert.equal(hasLowS(high), false)
        assert.equal(recovers(key, digest, high), recovered[0]! ^ 1)
        assert.ok(verifyEcdsa(key, digest, high))
        const changed = concatBytes(digest, signature)
        changed[at]! ^= 1 << bit
        const parts = [changed.subarray(0, 32), changed.subarray(32)] as const
        assert.equal(recovers(key, ...parts), undefined)
        assert.equal(verifyEcdsa(key, ...parts), false)
      }),
      { numRuns: 20 },
    )
  })

test('r and s out of range, other lengths and what is no key are refused', () => {
  const key = secp256k1.encode(secp256k1.generator)
  const digest = new Uint8Array(32).fill(7)
  const signature = noble.sign(digest, toBytesBe(1n), { prehash: false })
  assert.ok(verifyEcdsa(key, digest, signature))
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)]
  const ends = [0n, order, 2n ** 256n - 1n].map((k) => toBytesBe(k))
  const wrong = [
    ...ends.flatMap((end) => [concatBytes(end, s), concatBytes(r, end)]),
    signature.subarray(1),
    concatBytes(signature, Uint8Array.of(0)),
  ]
  for (const each of wrong) {
    assert.equal(hasLowS(each), false)
    assert.equal(recovers(key, digest, each), undefined)
    assert.equal(verifyEcdsa(key, digest, each), false)
  }
  for (const each of [digest.subarray(1), concatBytes(digest, Uint8Array.of(0))])
    assert.equal(verifyEcdsa(key, each, signature), false)
  for (const each of [key.with(0, 4), key.subarray(1), new Uint8Array(33)])
    assert.equal(verifyEcdsa(each, digest, signature), false)
})

test('a digest counts modulo the group order', () => {
  const key = secp256k1.encode(secp256k1.generator)
  for (const value of [0n, 1n, order - 1n, order, order + 1n, 2n ** 256n - 1n]) {
    const digest = toBytesBe(value)
    const signature = noble.sign(digest, toBytesBe(1n), { prehash: false })
    assert.ok(verifyEcdsa(key, digest, signature), `${value}`)
  }
})

test('an uncompressed key is the one of noble', () => {
  fc.assert(
    fc.property(secret, (k) => {
      const expected = noble.getPublicKey(toBytesBe(k), false)
      assert.deepEqual(encodeUncompressed(secp256k1.mulBase(k)), expected)
    }),
    { numRuns: 5 },
  )
  assert.throws(() => encodeUncompressed(secp256k1.identity), { code: 'math/identity' })
})
