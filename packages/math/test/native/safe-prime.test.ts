import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bigintEngine, bitLength } from '@quorate/math'
import { safePrime } from '@quorate/math/native'
import { random } from '../random.js'

test('safe primes of sizes below and above what OpenSSL takes as RSA', () => {
  for (const bits of [64, 200, 512, 514]) {
    let last = 0
    const p = safePrime(bits, random, (tested) => {
      assert.equal(tested, ++last)
    })
    assert.equal(bitLength(p), bits)
    assert.equal(p >> BigInt(bits - 2), 3n)
    assert.ok(bigintEngine.isProbablePrime(p) && bigintEngine.isProbablePrime(p >> 1n))
    assert.ok(last > 0)
  }
})
