import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { test } from 'node:test'
import { fromHex, toHex } from '@quorate/base'
import { toLowS } from '@quorate/hsm'
import { signDigest, verifyDigest } from '#src/ecdsa.js'
import { isCode } from './kit.ts'

const HALF_K1 = '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0'
const ABOVE_K1 = '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1'
const N_K1 = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'
const R = '11'.repeat(32)
const ZERO = '00'.repeat(32)
const ONE = `${'00'.repeat(31)}01`

test('s goes to the lower half exactly where it is in the upper one', () => {
  const low = (s: string) => toHex(toLowS('secp256k1', fromHex(R + s)))
  assert.equal(low(HALF_K1), R + HALF_K1)
  assert.equal(low(ABOVE_K1), R + HALF_K1)
  assert.equal(low(ONE), R + ONE)
  assert.equal(low(`${N_K1.slice(0, 62)}40`), R + ONE)
  for (const bad of [R, R + ZERO, R + N_K1, `${R}${HALF_K1}00`])
    assert.throws(() => toLowS('secp256k1', fromHex(bad)), isCode('hsm/bad-argument'))
})

test('signatures of another library verify, in either half', () => {
  const d = '0f'.repeat(32)
  for (const [algorithm, oid] of [
    ['p256', '06082a8648ce3d030107'],
    ['secp256k1', '06052b8104000a'],
  ] as const) {
    const inner =
      `02010104 20${d}a0${(oid.length / 2).toString(16).padStart(2, '0')}${oid}`.replaceAll(' ', '')
    const der = Buffer.from(`30${(inner.length / 2).toString(16).padStart(2, '0')}${inner}`, 'hex')
    const key = createPrivateKey({ key: der, format: 'der', type: 'sec1' })
    const { x, y } = createPublicKey(key).export({ format: 'jwk' })
    const parity = Buffer.from(y!, 'base64url')[31]! & 1
    const publicKey = Uint8Array.of(2 + parity, ...Buffer.from(x!, 'base64url'))
    const digest = fromHex('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    for (let i = 0; i < 8; i++) {
      const theirs = new Uint8Array(
        sign('sha256', Buffer.from('abc'), { key, dsaEncoding: 'ieee-p1363' }),
      )
      assert.ok(verifyDigest(algorithm, publicKey, digest, theirs))
      assert.ok(verifyDigest(algorithm, publicKey, digest, toLowS(algorithm, theirs)))
    }
    const ours = signDigest(algorithm, fromHex(d), digest)
    assert.ok(verifyDigest(algorithm, publicKey, digest, ours))
    assert.notDeepEqual(
      signDigest(algorithm, fromHex(d), digest),
      ours,
      'the nonce holds no randomness',
    )
  }
})
