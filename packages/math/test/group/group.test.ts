import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ed25519 as nobleEd25519 } from '@noble/curves/ed25519.js'
import { secp256k1 as nobleSecp256k1 } from '@noble/curves/secp256k1.js'
import { fromHex, isFault, toHex } from '@quorate/base'
import { decodeX, ed25519, encodeX, type Group, hasEvenY, mod, secp256k1 } from '@quorate/math'
import { chooseBackends } from '@quorate/math/native'
import fc from 'fast-check'
import { random } from '../random.ts'

const scalarsOf = (group: Group): fc.Arbitrary<bigint> =>
  fc.oneof(
    fc.bigInt(0n, group.order - 1n),
    fc.constantFrom(0n, 1n, 2n, 255n, 256n, group.order - 1n, group.order - 2n),
  )
const runs = { numRuns: 12 }
const hexOf = (group: Group, e: Parameters<Group['encode']>[0]): string =>
  group.isIdentity(e) ? 'identity' : toHex(group.encode(e))

/** k·G by noble alone. */
const nobleBase = (group: Group, k: bigint): string => {
  if (mod(k, group.order) === 0n) return 'identity'
  const { BASE } = (group.name === 'ed25519' ? nobleEd25519 : nobleSecp256k1).Point
  return toHex(BASE.multiply(mod(k, group.order)).toBytes())
}

function conforms(group: Group): void {
  const { order: q } = group
  const scalar = scalarsOf(group)

  test('multiplication of the generator is that of noble', () => {
    fc.assert(
      fc.property(scalar, (k) => {
        assert.equal(hexOf(group, group.mulBase(k)), nobleBase(group, k))
        assert.equal(hexOf(group, group.mul(k, group.generator)), nobleBase(group, k))
        assert.equal(hexOf(group, group.mulSecret(k, group.generator)), nobleBase(group, k))
      }),
      runs,
    )
  })

  test('addition, negation, sums and multi-scalar multiplication follow the exponents', () => {
    fc.assert(
      fc.property(scalar, scalar, scalar, (a, b, c) => {
        const [A, B] = [group.mulBase(a), group.mulBase(b)]
        assert.equal(hexOf(group, group.add(A, B)), nobleBase(group, a + b))
        assert.equal(hexOf(group, group.negate(A)), nobleBase(group, -a))
        assert.equal(hexOf(group, group.sum([A, B, A])), nobleBase(group, 2n * a + b))
        assert.equal(hexOf(group, group.msm([b, c], [A, B])), nobleBase(group, b * a + c * b))
        assert.equal(hexOf(group, group.mul(c, A)), nobleBase(group, c * a))
        assert.equal(hexOf(group, group.mulSecret(c, A)), nobleBase(group, c * a))
        assert.equal(group.equals(A, B), a === b)
        assert.ok(group.isIdentity(group.add(A, group.negate(A))))
      }),
      runs,
    )
    assert.ok(group.isIdentity(group.sum([])))
    assert.throws(() => group.msm([1n], []), { code: 'math/bad-length' })
  })

  test('decode gives back what encode made, and its operations go on from there', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, q - 1n), fc.bigInt(1n, 300n), (k, small) => {
        const bytes = group.encode(group.mulBase(k))
        assert.equal(bytes.length, group.elementLength)
        const decoded = group.decode(bytes)
        assert.deepEqual(group.encode(decoded), bytes)
        assert.ok(group.equals(decoded, group.mulBase(k)))
        assert.equal(hexOf(group, group.mul(small, decoded)), nobleBase(group, small * k))
        assert.equal(hexOf(group, group.negate(group.decode(bytes))), nobleBase(group, -k))
        bytes.fill(0)
        assert.equal(hexOf(group, decoded), nobleBase(group, k))
      }),
      runs,
    )
  })

  test('the identity is never encoded', () => {
    assert.throws(() => group.encode(group.identity), { code: 'math/identity' })
    assert.ok(group.isIdentity(group.mulBase(0n)) && group.isIdentity(group.mulBase(q)))
    assert.ok(group.isIdentity(group.mulSecret(5n, group.identity)))
    assert.ok(group.isIdentity(group.negate(group.identity)))
    assert.ok(!group.equals(group.identity, group.generator))
    assert.ok(group.equals(group.identity, group.mulBase(0n)))
  })

  test('random scalars are below the order and never zero', () => {
    for (let i = 0; i < 50; i++) {
      const k = group.randomScalar(random)
      assert.ok(k > 0n && k < q)
    }
    const draws = [new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(32).fill(7)]
    const k = group.randomScalar({ bytes: () => draws.shift()! })
    assert.equal(draws.length, 0, 'zero and all ones are drawn again')
    assert.ok(k > 0n)
  })

  test('scalars have one encoding', () => {
    fc.assert(
      fc.property(scalar, (k) => assert.equal(group.decodeScalar(group.encodeScalar(k)), k)),
    )
    const big = group.encodeScalar(q - 1n)
    // The order itself: one more than the greatest scalar.
    const at = group.name === 'ed25519' ? 0 : 31
    big[at]! += 1
    for (const bytes of [big, new Uint8Array(32).fill(255), new Uint8Array(31), new Uint8Array(33)])
      assert.throws(() => group.decodeScalar(bytes), { code: 'math/bad-scalar' })
    assert.deepEqual(group.encodeScalar(-1n), group.encodeScalar(q - 1n))
  })

  test('elements of the other group are refused', () => {
    const other = group.name === 'ed25519' ? secp256k1 : ed25519
    assert.throws(() => group.add(group.generator, other.generator), { code: 'math/bad-element' })
  })

  test('malformed points are refused', () => {
    const good = group.encode(group.generator)
    const bad: readonly Uint8Array[] = [
      new Uint8Array(),
      good.subarray(1),
      new Uint8Array([...good, 0]),
      ...(group.name === 'ed25519' ? BAD_ED25519 : BAD_SECP256K1).map(fromHex),
    ]
    for (const bytes of bad)
      assert.throws(() => group.decode(bytes), { code: 'math/bad-element' }, toHex(bytes))
  })

  test('a peer that sends thousands of malformed points or sums to the identity wears nothing out', () => {
    const off =
      group.name === 'ed25519' ? fromHex(`02${'00'.repeat(31)}`) : fromHex(`02${'00'.repeat(31)}05`)
    const [plus, minus] = [
      group.decode(group.encode(group.mulBase(7n))),
      group.decode(group.encode(group.mulBase(-7n))),
    ]
    for (let i = 0; i < 5000; i++) {
      assert.throws(() => group.decode(off), { code: 'math/bad-element' })
      assert.ok(group.isIdentity(group.add(plus, minus)))
    }
    assert.equal(hexOf(group, group.mul(300n, plus)), nobleBase(group, 2100n))
  })
}

const P = nobleEd25519.Point
const BAD_ED25519 = [
  `01${'00'.repeat(31)}`,
  `01${'00'.repeat(30)}80`,
  '00'.repeat(32),
  `${'00'.repeat(31)}80`,
  `ec${'ff'.repeat(30)}7f`,
  `ec${'ff'.repeat(31)}`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
  `f0${'ff'.repeat(30)}7f`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  ...['00'.repeat(32), '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'].map(
    (small) => P.BASE.multiply(77n).add(P.fromHex(small)).toHex(),
  ),
  `02${'00'.repeat(31)}`,
]
const G_X = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
const BAD_SECP256K1 = [
  '00'.repeat(33),
  `02${'00'.repeat(31)}05`,
  '02fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f',
  '02fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30',
  `02${'ff'.repeat(32)}`,
  ...['00', '01', '04', '05', '06', '07', '82'].map((form) => form + G_X),
]

for (const only of ['noble', undefined] as const) {
  describe(only === undefined ? 'with the fastest backend that is installed' : 'with noble', () => {
    before(async () => {
      await chooseBackends(only === undefined ? {} : { only })
    })
    after(async () => {
      await chooseBackends({ only: 'noble' })
    })
    for (const group of [secp256k1, ed25519]) describe(group.name, () => conforms(group))

    test('x-only keys are those of even y', () => {
      fc.assert(
        fc.property(fc.bigInt(1n, secp256k1.order - 1n), (k) => {
          const e = secp256k1.mulBase(k)
          const even = hasEvenY(e) ? e : secp256k1.negate(e)
          assert.notEqual(hasEvenY(e), hasEvenY(secp256k1.negate(e)))
          assert.ok(secp256k1.equals(decodeX(encodeX(e)), even))
        }),
        runs,
      )
      assert.throws(() => decodeX(new Uint8Array(32)), { code: 'math/bad-element' })
      assert.throws(
        () => decodeX(new Uint8Array(33)),
        (error) => isFault(error, 'math/bad-element'),
      )
      assert.throws(() => encodeX(secp256k1.identity), { code: 'math/identity' })
    })
  })
}
