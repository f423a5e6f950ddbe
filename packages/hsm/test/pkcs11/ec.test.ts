import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes, equalBytes, fromHex } from '@quorate/base'
import fc from 'fast-check'
import {
  algorithmOfParams,
  ecParams,
  pointOfPublicKey,
  publicKeyOfPoint,
  publicKeyOfSecret,
  rawSignature,
} from '#src/pkcs11/ec.js'
import { isCode } from '../kit.ts'

const ALGORITHMS = ['ed25519', 'p256', 'secp256k1'] as const
const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => {
  // Below the order of each curve, and not zero.
  bytes[0] = 1
  return bytes
})

describe('CKA_EC_POINT', () => {
  for (const algorithm of ALGORITHMS)
    test(`of ${algorithm} is read raw, as OCTET STRING and as BIT STRING, compressed or not`, () => {
      fc.assert(
        fc.property(secret, (bytes) => {
          const publicKey = publicKeyOfSecret(algorithm, bytes)
          const der = pointOfPublicKey(algorithm, publicKey)
          for (const raw of [der.subarray(2), publicKey])
            for (const form of [
              raw,
              concatBytes(Uint8Array.of(4, raw.length), raw),
              concatBytes(Uint8Array.of(3, raw.length + 1, 0), raw),
            ])
              assert.ok(equalBytes(publicKeyOfPoint(algorithm, form), publicKey))
        }),
        { numRuns: 20 },
      )
    })

  test('that is no point, of another curve or of small order is refused', () => {
    const k1 = secp256k1.Point.BASE.toBytes(false)
    const wrong: readonly (readonly [(typeof ALGORITHMS)[number], Uint8Array])[] = [
      ['p256', k1],
      ['p256', new Uint8Array(65)],
      ['p256', new Uint8Array(33)],
      ['secp256k1', p256.Point.BASE.toBytes(false)],
      ['secp256k1', k1.subarray(1)],
      ['secp256k1', concatBytes(Uint8Array.of(4, 64), k1)],
      ['secp256k1', new Uint8Array()],
      ['ed25519', new Uint8Array(32)],
      ['ed25519', fromHex(`01${'00'.repeat(31)}`)],
      ['ed25519', ed25519.Point.BASE.toBytes().subarray(1)],
    ]
    for (const [algorithm, point] of wrong)
      assert.throws(() => publicKeyOfPoint(algorithm, point), isCode('hsm/object-damaged'))
  })
})

test('CKA_EC_PARAMS of every form name their algorithm, and no other', () => {
  for (const algorithm of ALGORITHMS) {
    const forms = ecParams(algorithm, ['oid', 'printable', 'gnu'])
    assert.equal(forms.length, algorithm === 'ed25519' ? 3 : 1)
    for (const form of forms) assert.equal(algorithmOfParams(form), algorithm)
  }
  assert.deepEqual(ecParams('ed25519', []), [])
  // secp384r1
  assert.equal(algorithmOfParams(fromHex('06052b81040022')), undefined)
})

test('a signature is the same raw and as DER', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('p256' as const, 'secp256k1' as const),
      fc.bigInt({ min: 1n, max: (1n << 255n) - 1n }),
      fc.bigInt({ min: 1n, max: (1n << 255n) - 1n }),
      (algorithm, r, s) => {
        const curve = { p256, secp256k1 }[algorithm]
        const signature = new curve.Signature(r, s)
        const raw = signature.toBytes('compact')
        const der = signature.toBytes('der')
        if (der.length !== 64) assert.ok(equalBytes(rawSignature(algorithm, der), raw))
        assert.ok(equalBytes(rawSignature(algorithm, raw), raw))
      },
    ),
  )
})

test('what is no signature is refused', () => {
  for (const length of [0, 63, 65, 72])
    assert.throws(
      () => rawSignature('p256', new Uint8Array(length).fill(0x30)),
      isCode('hsm/object-damaged'),
    )
})
