import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault, utf8 } from '@quorate/base'
import {
  addressProof,
  findAdapter,
  NETWORKS,
  type Network,
  proveAddress,
  type SignItem,
} from '@quorate/chains'
import { adaptersOf } from '#src/registry.js'
import { erin, frank } from './ecdsa-wallets.js'
import { alice, bob, carol, dave, type Wallet } from './wallets.js'

const unproven = (error: unknown): boolean => isFault(error, 'chains/address-unproven')

const OWNERS: { readonly [A in Network['adapter']]: readonly (readonly [Wallet, Wallet])[] } = {
  bitcoin: [
    [alice, bob],
    [erin, frank],
  ],
  solana: [[carol, dave]],
  evm: [[erin, frank]],
}

test('on every network the wallet proves its address, and nobody else does', () => {
  for (const { slug, adapter } of NETWORKS)
    for (const [owner, stranger] of OWNERS[adapter]) {
      const served = adaptersOf(slug).find(({ scheme }) => scheme === owner.key.scheme)
      if (served === undefined) continue
      const { suite } = served
      const { address, item } = addressProof(slug, owner.key)
      assert.equal(address, findAdapter(slug, suite).address(owner.key))
      proveAddress(slug, address, item.message, owner.sign(item))
      assert.throws(() => proveAddress(slug, address, item.message, stranger.sign(item)), unproven)
      const other = addressProof(slug, stranger.key)
      assert.throws(
        () => proveAddress(slug, other.address, item.message, owner.sign(item)),
        unproven,
      )
      for (const bad of [new Uint8Array(0), new Uint8Array(64), new Uint8Array(65)])
        assert.throws(() => proveAddress(slug, address, item.message, bad), unproven)
    }
})

test('what is signed for a proof is 32 bytes, framed where ECDSA hashes it', () => {
  const messageOf = (slug: string, { key }: Wallet): Uint8Array =>
    addressProof(slug, key).item.message
  assert.equal(messageOf('bitcoin', alice).length, 32)
  assert.equal(messageOf('solana', carol).length, 32)
  assert.deepEqual(
    messageOf('ethereum', erin).slice(0, -32),
    utf8('\x19Ethereum Signed Message:\n32'),
  )
  assert.deepEqual(messageOf('bitcoin', erin).slice(0, -32), utf8('\x18Bitcoin Signed Message:\n '))
})

test('a wallet of a scheme that the network does not have proves nothing', () => {
  for (const [slug, { key }] of [
    ['ethereum', alice],
    ['solana', erin],
    ['bitcoin', carol],
  ] as const)
    assert.throws(
      () => addressProof(slug, key),
      (error) => isFault(error, 'chains/wrong-scheme'),
    )
})

test('a signature without the tweak does not prove a Taproot address', () => {
  const { address, item } = addressProof('bitcoin', alice.key)
  assert.equal(item.scheme, 'bip340-secp256k1')
  const untweaked = alice.sign({
    ...item,
    tweak: { kind: 'taproot', merkleRoot: new Uint8Array(32) },
  } as SignItem)
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
        'bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3',
        new Uint8Array(32),
        new Uint8Array(64),
      ),
    (error) => isFault(error, 'chains/no-key-in-address'),
  )
})
