import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { isFault } from '@quorate/base'
import { DIGEST, type KeyRef, parseDigest } from '@quorate/chains'

const SEED = new Uint8Array(32).fill(7)
const digest = new Uint8Array(32).fill(0x5a)
const NONE = new Uint8Array()
const ecdsa: KeyRef = {
  scheme: 'ecdsa-secp256k1',
  publicKey: secp256k1.getPublicKey(SEED, true),
}
const edwards: KeyRef = { scheme: 'ed25519', publicKey: ed25519.getPublicKey(SEED) }
const read = (key: KeyRef, unsigned = digest, context = NONE) =>
  parseDigest({ unsigned, context, key })
const fails = (code: string) => (error: unknown) => isFault(error) && error.code === code

test('policy sees that nobody can see anything', () => {
  const view = read(ecdsa).view()
  assert.deepEqual(
    [view.network, view.kind, view.isComplete, view.outputs, view.fee],
    [DIGEST, 'opaque', false, [], undefined],
  )
  assert.match(view.notes[0]!, /5a5a/)
  assert.equal(view.warnings.length, 1)
})

test('an ECDSA digest is marked as one, and comes back with its recovery id', () => {
  const tx = read(ecdsa)
  const [item] = tx.prepare()
  assert.ok(item?.scheme === 'ecdsa-secp256k1')
  assert.equal(item.hash, 'prehash')
  assert.deepEqual(item.message, digest)
  const signature = secp256k1.sign(digest, SEED, { prehash: false })
  const { bytes, txid } = tx.attach(new Map([[item.id, signature]])).serialise()
  assert.equal(txid, undefined)
  const recovered = secp256k1.Signature.fromBytes(bytes.slice(0, 64), 'compact')
    .addRecoveryBit(bytes[64]!)
    .recoverPublicKey(digest)
  assert.deepEqual(recovered.toBytes(true), ecdsa.publicKey)
  assert.deepEqual(tx.verify(bytes), [])
  assert.equal(tx.verify(bytes.with(64, bytes[64]! ^ 1)).length, 1)
  // Of a message that hashes to something else, or in the upper half of the order.
  const hashed = secp256k1.sign(digest, SEED)
  assert.throws(() => tx.attach(new Map([[item.id, hashed]])), fails('chains/bad-signature'))
  assert.throws(() => tx.attach(new Map()), fails('chains/missing-signature'))
})

test('an Ed25519 digest is a message of 32 bytes', () => {
  const tx = read(edwards)
  const [item] = tx.prepare()
  const signature = ed25519.sign(digest, SEED)
  const { bytes } = tx.attach(new Map([[item!.id, signature]])).serialise()
  assert.deepEqual(bytes, signature)
  assert.deepEqual(tx.verify(bytes), [])
  const other = ed25519.sign(new Uint8Array(32), SEED)
  assert.throws(() => tx.attach(new Map([[item!.id, other]])), fails('chains/bad-signature'))
})

test('what is no digest, or no key that signs one, is refused', () => {
  for (const length of [0, 31, 33, 64])
    assert.throws(() => read(ecdsa, new Uint8Array(length)), fails('chains/malformed-transaction'))
  assert.throws(() => read(ecdsa, digest, digest), fails('chains/unexpected-context'))
  const taproot: KeyRef = { scheme: 'bip340-secp256k1', publicKey: ecdsa.publicKey }
  assert.throws(() => read(taproot), fails('chains/wrong-scheme'))
  assert.throws(() => read({ ...ecdsa, publicKey: digest }), fails('chains/bad-key'))
  assert.throws(() => read({ ...edwards, publicKey: NONE }), fails('chains/bad-key'))
})
