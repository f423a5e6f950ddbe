import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { bigintEngine, type IntegerEngine, integerEngine, useIntegerEngine } from '@quorate/math'
import { chooseBackends, opensslEngine, useFastIntegers } from '@quorate/math/native'
import { derInteger, dhPublicNumber, fromMagnitude, magnitude } from '../../native/der.js'
import { findDifference } from '../../native/openssl-integers.js'
import { random } from '../random.js'

afterEach(() => useIntegerEngine(bigintEngine))

test('OpenSSL serves integers after it has shown that it can', () => {
  assert.deepEqual(useFastIntegers(), {
    backend: 'openssl',
    reason: 'openssl agreed with bigint on every operation',
  })
  assert.equal(integerEngine(), opensslEngine)
})

test('the choice of backends covers integers', async () => {
  assert.equal((await chooseBackends()).integers.backend, 'openssl')
  assert.equal((await chooseBackends({ only: 'noble' })).integers.backend, 'bigint')
  assert.equal(integerEngine(), bigintEngine)
})

test('an engine that is wrong anywhere is found out', () => {
  const change = (
    wrong: (base: bigint, exponent: bigint, n: bigint) => boolean,
  ): IntegerEngine => ({
    ...opensslEngine,
    context: (n) => {
      const context = opensslEngine.context(n)
      return (
        context && {
          power: (base, exponent) =>
            context.power(base, exponent) ^ (wrong(base, exponent, n) ? 1n : 0n),
        }
      )
    },
  })
  const differenceOf = (engine: IntegerEngine) => findDifference([opensslEngine, engine], random)
  assert.equal(differenceOf(change(() => false)), undefined)
  const wrongs: readonly Parameters<typeof change>[0][] = [
    () => true,
    (base) => base === 0n,
    (base, exponent, n) => base === n - 1n && exponent === n,
    (_, exponent) => exponent === 0n,
    (_, exponent, n) => exponent > n,
  ]
  for (const wrong of wrongs)
    assert.equal(differenceOf(change(wrong)), 'power gives another result')
  const engine = { ...opensslEngine, context: () => undefined }
  assert.equal(differenceOf(engine), 'power gives another result')
  assert.equal(
    differenceOf({ ...opensslEngine, isProbablePrime: (n) => n === 561n }),
    'isProbablePrime gives another answer',
  )
})

test('sizes that OpenSSL does not take are left to others', () => {
  for (const bits of [2n, 511n, 10_001n])
    assert.equal(opensslEngine.context(2n ** bits - 1n), undefined)
  for (const bits of [512n, 10_000n]) assert.ok(opensslEngine.context(2n ** bits - 1n))
})

test('DER integers, and what is no key', () => {
  for (const value of [
    0n,
    1n,
    127n,
    128n,
    255n,
    256n,
    2n ** 1015n,
    2n ** 1016n - 1n,
    2n ** 70_000n,
  ]) {
    const bytes = magnitude(value)
    assert.equal(fromMagnitude(bytes), value)
    const der = derInteger(bytes)
    // Positive, and not longer than it must be.
    const contents = der.subarray(-bytes.length - ((bytes[0]! & 128) === 0 ? 0 : 1))
    assert.ok(contents[0]! < 128)
    assert.equal(fromMagnitude(contents), value)
  }
  assert.equal(derInteger(Buffer.alloc(128, 1)).subarray(0, 3).toString('hex'), '028180')
  for (const hex of ['', '30', '3000', '30020201', '3003030101', '300630000303000201'])
    assert.equal(dhPublicNumber(Buffer.from(hex, 'hex')), undefined, hex)
  assert.equal(dhPublicNumber(Buffer.from('30083000030400020107', 'hex')), 7n)
})
