import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes, equalBytes } from '@quorate/base'
import type { SignItem } from '@quorate/chains'
import { toBytesBe } from '@quorate/math'
import fc from 'fast-check'
import { digestOf, recoverKeys, recoveryIdOf, verifyEcdsa } from '#src/ecdsa.js'
import { ecdsaWallet, erin, frank } from './ecdsa-wallets.js'

const { Fn } = secp256k1.Point
const order = Fn.ORDER
const key = erin.key.publicKey
const itemOf = (message: Uint8Array, hash: 'sha256d' | 'keccak256'): SignItem => ({
  id: 'x',
  scheme: 'ecdsa-secp256k1',
  publicKey: key,
  message,
  hash,
})
const HASHES = ['sha256d', 'keccak256'] as const

test('whatever is signed leads back to its key, and to no other message, hash or key', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: order - 1n }),
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(...HASHES),
      (secret, message, hash) => {
        const wallet = ecdsaWallet(toBytesBe(secret))
        const { publicKey } = wallet.key
        const signature = wallet.sign(itemOf(message, hash))
        const id = recoveryIdOf(publicKey, hash, message, signature)
        assert.ok(id === 0 || id === 1)
        const recovered = recoverKeys(hash, message, signature)
        assert.deepEqual(recovered.find((each) => each.recoveryId === id)?.publicKey, publicKey)
        assert.ok(verifyEcdsa(publicKey, hash, message, signature))
        const longer = concatBytes(message, Uint8Array.of(0))
        assert.equal(verifyEcdsa(publicKey, hash, longer, signature), false)
        const other = hash === 'sha256d' ? 'keccak256' : 'sha256d'
        assert.equal(verifyEcdsa(publicKey, other, message, signature), false)
        assert.equal(typeof recoveryIdOf(publicKey, other, message, signature), 'string')
      },
    ),
    { numRuns: 25 },
  )
})

test('a signature of another key, a high s, and r or s out of range are told apart', () => {
  const message = new Uint8Array(5)
  for (const hash of HASHES) {
    const signature = erin.sign(itemOf(message, hash))
    const [r, s] = [signature.slice(0, 32), signature.slice(32)]
    const why = (bytes: Uint8Array): string => {
      assert.equal(verifyEcdsa(key, hash, message, bytes), false)
      return recoveryIdOf(key, hash, message, bytes) as string
    }
    assert.match(why(frank.sign(itemOf(message, hash))), /not one of this key/)
    const highS = toBytesBe(order - Fn.fromBytes(s))
    assert.match(why(concatBytes(r, highS)), /upper half/)
    // The twin does verify where low s is not demanded: it is refused for its s alone.
    assert.ok(
      secp256k1.verify(concatBytes(r, highS), digestOf(hash, message), key, {
        prehash: false,
        lowS: false,
      }),
    )
    const zero = new Uint8Array(32)
    for (const bad of [zero, toBytesBe(order), toBytesBe(order + 1n), zero.map(() => 0xff)]) {
      assert.match(why(concatBytes(bad, s)), /between 1 and the group order/)
      assert.match(why(concatBytes(r, bad)), /between 1 and the group order/)
    }
    for (const length of [0, 63, 65]) assert.match(why(new Uint8Array(length)), /64 bytes/)
    assert.deepEqual(recoverKeys(hash, message, new Uint8Array(64)), [])
    const uncompressed = secp256k1.Point.fromBytes(key).toBytes(false)
    for (const bad of [uncompressed, new Uint8Array(33), key.slice(1), new Uint8Array(0)])
      assert.match(recoveryIdOf(bad, hash, message, signature) as string, /not one of this key/)
  }
})

test('any flipped bit spoils a signature', () => {
  const message = new Uint8Array(9)
  const signature = erin.sign(itemOf(message, 'keccak256'))
  for (let bit = 0; bit < 512; bit += 7) {
    const flipped = signature.slice()
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    assert.equal(verifyEcdsa(key, 'keccak256', message, flipped), false)
  }
})

test('a nonce point beyond the group order has recovery id 2 or 3', () => {
  const { signature, publicKey, recoveryId, message } = beyondOrder('sha256d')
  assert.ok(recoveryId >= 2)
  assert.equal(recoveryIdOf(publicKey, 'sha256d', message, signature), recoveryId)
  assert.ok(verifyEcdsa(publicKey, 'sha256d', message, signature))
  const found = recoverKeys('sha256d', message, signature)
  assert.ok(found.some((each) => equalBytes(each.publicKey, publicKey)))
})

test('keys that are no compressed points verify nothing', () => {
  const message = new Uint8Array(1)
  const signature = erin.sign(itemOf(message, 'sha256d'))
  const uncompressed = secp256k1.Point.fromBytes(key).toBytes(false)
  for (const bad of [new Uint8Array(33), key.slice(1), uncompressed, new Uint8Array(0)])
    assert.equal(verifyEcdsa(bad, 'sha256d', message, signature), false)
})

/** No one finds such a nonce by chance: the key is made to fit the signature instead. */
function beyondOrder(hash: 'sha256d' | 'keccak256') {
  const message = new Uint8Array(3)
  for (let r = 1n; ; r++)
    try {
      const signature = new secp256k1.Signature(r, 12_345n, 2)
      const publicKey = signature.recoverPublicKey(digestOf(hash, message)).toBytes(true)
      return { signature: signature.toBytes('compact'), publicKey, recoveryId: 2, message }
    } catch {
      // No point of the curve has x = r + order.
    }
}
