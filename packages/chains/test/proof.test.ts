import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import { addressProof, findAdapter, NETWORKS, proveAddress } from '@quorate/chains'
import { alice, bob, carol, dave } from './wallets.js'

const unproven = (error: unknown): boolean => isFault(error, 'chains/address-unproven')

test('on every network the wallet proves its address, and nobody else does', () => {
  for (const { slug, adapter } of NETWORKS) {
    const [owner, stranger] = adapter === 'bitcoin' ? [alice, bob] : [carol, dave]
    const { address, item } = addressProof(slug, owner.key)
    assert.equal(address, findAdapter(slug).address(owner.key))
    assert.equal(item.message.length, 32)
    proveAddress(slug, address, item.message, owner.sign(item))
    assert.throws(() => proveAddress(slug, address, item.message, stranger.sign(item)), unproven)
    const other = addressProof(slug, stranger.key)
    assert.throws(() => proveAddress(slug, other.address, item.message, owner.sign(item)), unproven)
    for (const bad of [new Uint8Array(0), new Uint8Array(64), new Uint8Array(65)])
      assert.throws(() => proveAddress(slug, address, item.message, bad), unproven)
  }
})

test('a signature without the tweak does not prove a Taproot address', () => {
  const { address, item } = addressProof('bitcoin', alice.key)
  const untweaked = alice.sign({
    ...item,
    tweak: { kind: 'taproot', merkleRoot: new Uint8Array(32) },
  })
  assert.throws(() => proveAddress('bitcoin', address, item.message, untweaked), unproven)
})

test('the message differs between networks that share an address format', () => {
  const [testnet, signet] = ['bitcoin-testnet4', 'bitcoin-signet'].map((slug) =>
    addressProof(slug, alice.key),
  )
  assert.equal(testnet!.address, signet!.address)
  assert.notDeepEqual(testnet!.item.message, signet!.item.message)
})

test('an address that holds no key cannot be proved', () => {
  assert.throws(
    () =>
      proveAddress(
        'bitcoin',
        'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
        new Uint8Array(32),
        new Uint8Array(64),
      ),
    (error) => isFault(error, 'chains/no-key-in-address'),
  )
})
