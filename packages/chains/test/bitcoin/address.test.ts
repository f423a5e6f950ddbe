import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import fc from 'fast-check'
import { alice } from '../wallets.js'

const [main, testnet4, signet, regtest] = [
  'bitcoin',
  'bitcoin-testnet4',
  'bitcoin-signet',
  'bitcoin-regtest',
].map((slug) => findAdapter(slug)) as [
  ReturnType<typeof findAdapter>,
  ...ReturnType<typeof findAdapter>[],
]

test('a Taproot address has the prefix of its network and gives back its key', () => {
  const prefixes = [
    [main, 'bc1p'],
    [testnet4, 'tb1p'],
    [signet, 'tb1p'],
    [regtest, 'bcrt1p'],
  ] as const
  for (const [adapter, prefix] of prefixes) {
    const address = adapter!.address(alice.key)
    assert.ok(address.startsWith(prefix))
    assert.deepEqual(
      adapter!.addressKey(address),
      adapter!.addressItem(alice.key, new Uint8Array(32)).publicKey,
    )
  }
})

test('standard addresses of others are accepted, in one spelling', () => {
  for (const address of [
    '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
    '3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy',
    'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
    'bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3',
    'bc1pfeessrawgf',
  ])
    assert.equal(main.parseAddress(address), address)
  assert.equal(
    main.parseAddress('BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4'),
    'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
  )
})

test('an address of another network is named as such', () => {
  const wrong = (from: string) => (error: unknown) =>
    isFault(error, 'chains/wrong-network') && error.message.includes(`address of ${from},`)
  assert.throws(() => main.parseAddress(testnet4!.address(alice.key)), wrong('bitcoin-testnet4'))
  assert.throws(() => testnet4!.parseAddress(main.address(alice.key)), wrong('bitcoin'))
  assert.throws(() => testnet4!.parseAddress(regtest!.address(alice.key)), wrong('bitcoin-regtest'))
  assert.throws(() => testnet4!.addressKey(main.address(alice.key)), wrong('bitcoin'))
})

test('an address with any one character changed is refused', () => {
  const address = main.address(alice.key)
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: address.length - 1 }),
      fc.constantFrom(...'qpzry9x8gf2tvdw0s3jn54khce6mua7l1b'.split('')),
      (at, letter) => {
        fc.pre(address[at] !== letter)
        const changed = address.slice(0, at) + letter + address.slice(at + 1)
        assert.throws(
          () => main.parseAddress(changed),
          (error) => isFault(error, 'chains/bad-address'),
        )
      },
    ),
  )
})

test('text that is no address, and a Taproot program that is no point, are refused', () => {
  const bad = (error: unknown): boolean => isFault(error, 'chains/bad-address')
  // Version 1, 32 bytes, valid checksum; but no point of the curve has x = 5.
  const OFF_CURVE = 'bc1pqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzs2jkusy'
  // A private key: the right checksum, yet no address.
  const WIF = '5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ'
  for (const text of ['', 'bc1', '1111', WIF, 'é'.repeat(40), 'x'.repeat(100_000), OFF_CURVE])
    assert.throws(() => main.parseAddress(text), bad)
})

test('an address that names a hash names no key', () => {
  assert.throws(
    () => main.addressKey('1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'),
    (error) => isFault(error, 'chains/no-key-in-address'),
  )
})

test('keys that are not compressed points are refused', () => {
  const bad = (error: unknown): boolean => isFault(error, 'chains/bad-key')
  for (const publicKey of [
    new Uint8Array(0),
    alice.key.publicKey.slice(1),
    new Uint8Array(33),
    new Uint8Array(33).fill(0xff),
  ])
    assert.throws(() => main.address({ scheme: 'bip340-secp256k1', publicKey }), bad)
})
