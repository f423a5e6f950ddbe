import assert from 'node:assert/strict'
import { test } from 'node:test'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { fromHex } from '@quorate/base'
import fc from 'fast-check'
import { signatureHolds } from '#src/host/digest-judge.js'

const CURVES = { p256, secp256k1 } as const
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const hex = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0'))

for (const [algorithm, curve] of Object.entries(CURVES) as ['p256' | 'secp256k1', typeof p256][]) {
  const { n } = curve.Point.CURVE()
  const { secretKey, publicKey } = curve.keygen()
  const other = curve.keygen().publicKey
  const holds = (key: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean =>
    signatureHolds(algorithm, key, digest, signature)

  test(`${algorithm}: it agrees with noble, on good signatures and on changed ones`, () => {
    fc.assert(
      fc.property(bytes32, fc.nat(95), fc.nat(7), (digest, at, bit) => {
        const signature = curve.sign(digest, secretKey, { prehash: false, lowS: false })
        assert.ok(holds(publicKey, digest, signature))
        assert.ok(!holds(other, digest, signature))
        const s = n - BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`)
        const mirrored = Uint8Array.from([...signature.subarray(0, 32), ...hex(s)])
        assert.ok(holds(publicKey, digest, mirrored))
        const changed = Uint8Array.from([...digest, ...signature])
        changed[at]! ^= 1 << bit
        assert.ok(!holds(publicKey, changed.subarray(0, 32), changed.subarray(32)))
      }),
      { numRuns: 20 },
    )
  })

  test(`${algorithm}: digests at the edges`, () => {
    for (const value of [0n, 1n, n - 1n, n, n + 1n, 2n ** 256n - 1n]) {
      const digest = hex(value)
      const signature = curve.sign(digest, secretKey, { prehash: false })
      assert.ok(holds(publicKey, digest, signature), `${value}`)
    }
  })

  test(`${algorithm}: what is out of range does not hold, and what is no key is refused`, () => {
    const digest = hex(5n)
    const signature = curve.sign(digest, secretKey, { prehash: false })
    const [r, s] = [signature.subarray(0, 32), signature.subarray(32)]
    for (const [badR, badS] of [
      [hex(0n), s],
      [r, hex(0n)],
      [hex(n), s],
      [r, hex(n)],
      [r, new Uint8Array(31)],
    ] as const)
      assert.ok(!holds(publicKey, digest, Uint8Array.from([...badR, ...badS])))
    assert.ok(!holds(publicKey, digest.subarray(1), signature))
    assert.throws(() => holds(new Uint8Array(33).fill(2, 0, 1).fill(255, 1), digest, signature))
  })

  test(`${algorithm}: where both parts cancel or coincide`, () => {
    // Q = -(e/r)·G, and Q = (e/r)·G: of a key that is made for it.
    const e = 1234n
    for (const sign of [-1n, 1n]) {
      const [r, s] = [777n, 888n]
      const scalar = curve.Point.Fn.create(sign * e * curve.Point.Fn.inv(r))
      const key = curve.Point.BASE.multiply(scalar)
      const signature = Uint8Array.from([...hex(r), ...hex(s)])
      const expected = curve.verify(signature, hex(e), key.toBytes(true), {
        prehash: false,
        lowS: false,
      })
      assert.equal(holds(key.toBytes(true), hex(e), signature), expected)
    }
  })
}
