import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import {
  describeView,
  findAdapter,
  findNetwork,
  formatAmount,
  NETWORKS,
  suitesOf,
} from '@quorate/chains'
import { erin } from './ecdsa-wallets.js'
import { alice, carol, NO_CONTEXT, psbtOf, SAMPLE } from './wallets.js'

test('every network is found by slug and by CAIP-2, and has an adapter of its own', () => {
  for (const network of NETWORKS) {
    assert.equal(findNetwork(network.slug), network)
    assert.equal(findNetwork(network.caip2), network)
    assert.equal(findAdapter(network.caip2).network, network)
    assert.match(network.caip2, /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/)
  }
  assert.equal(new Set(NETWORKS.map(({ caip2 }) => caip2)).size, NETWORKS.length)
  assert.deepEqual(
    NETWORKS.filter(({ isTestnet }) => !isTestnet).map(({ slug }) => slug),
    [
      'bitcoin',
      'litecoin',
      'dogecoin',
      'bitcoin-cash',
      'solana',
      'ethereum',
      'bnb',
      'polygon',
      'avalanche',
      'lux',
      'arbitrum',
      'optimism',
      'base',
      'gnosis',
      'linea',
    ],
  )
})

const [STRONG, SHORT] = ['CGGMP24-secp256k1-SHA256-128-v1', 'CGGMP24-secp256k1-SHA256-112-v1']

test('a network has one adapter for each suite, the first by default', () => {
  assert.deepEqual(suitesOf('bitcoin'), ['FROST-secp256k1-SHA256-TR-v1', STRONG, SHORT])
  assert.deepEqual(suitesOf('eip155:11155111'), [STRONG, SHORT])
  assert.deepEqual(suitesOf('solana'), ['FROST-ED25519-SHA512-v1'])
  for (const { slug } of NETWORKS) {
    assert.equal(findAdapter(slug), findAdapter(slug, suitesOf(slug)[0]))
    for (const suite of suitesOf(slug)) {
      const adapter = findAdapter(slug, suite)
      assert.ok(adapter.suites.includes(suite))
      assert.equal(adapter.suite, adapter.suites[0])
    }
  }
  assert.equal(findAdapter('bitcoin', STRONG).scheme, 'ecdsa-secp256k1')
  assert.equal(findAdapter('bitcoin', SHORT), findAdapter('bitcoin', STRONG))
})

test('a suite that the network has no use for is refused with those that it has', () => {
  for (const [slug, suite] of [
    ['solana', STRONG],
    ['ethereum', 'FROST-secp256k1-SHA256-TR-v1'],
    ['bitcoin', ''],
    ['bitcoin', 'toString'],
  ] as const)
    assert.throws(
      () => findAdapter(slug, suite),
      (error) =>
        isFault(error, 'chains/unsupported-suite') &&
        suitesOf(slug).every((each) => error.message.includes(each)),
    )
})

test('an unknown network is refused with the nearest names, whatever it is called', () => {
  assert.throws(
    () => findNetwork('bitcoin-tesnet4'),
    (error) =>
      isFault(error, 'chains/unknown-network') && error.message.includes('bitcoin-testnet4'),
  )
  for (const text of ['', 'constructor', '__proto__', 'BITCOIN', 'x'.repeat(1_000_000)])
    assert.throws(
      () => findAdapter(text),
      (error) => isFault(error, 'chains/unknown-network'),
    )
})

test('amounts are exact and in the usual unit', () => {
  assert.equal(formatAmount(12_345n, 'BTC'), '0.00012345 BTC')
  assert.equal(formatAmount(2_100_000_000_000_000n, 'BTC'), '21000000 BTC')
  assert.equal(formatAmount(0n, 'BTC'), '0 BTC')
  assert.equal(formatAmount(1_500_000_000n, 'SOL'), '1.5 SOL')
  assert.equal(formatAmount(1n, 'SOL'), '0.000000001 SOL')
  assert.equal(formatAmount(1_000_000_000_000_000_001n, 'ETH'), '1.000000000000000001 ETH')
  assert.equal(formatAmount(-5n, 'BTC'), '-0.00000005 BTC')
  assert.equal(formatAmount(7n, 'toString'), '7 of the smallest unit of toString')
})

test('a key of another scheme has no address and signs nothing', () => {
  for (const [adapter, stranger] of [
    [findAdapter('bitcoin'), carol],
    [findAdapter('bitcoin'), erin],
    [findAdapter('bitcoin', STRONG), alice],
    [findAdapter('solana'), alice],
    [findAdapter('ethereum'), alice],
  ] as const) {
    const wrong = (error: unknown): boolean => isFault(error, 'chains/wrong-scheme')
    assert.throws(() => adapter.address(stranger.key), wrong)
    assert.throws(
      () => adapter.parse({ unsigned: new Uint8Array(9), context: NO_CONTEXT, key: stranger.key }),
      wrong,
    )
  }
})

test('a view is told in plain words', () => {
  const adapter = findAdapter('bitcoin-testnet4')
  const view = adapter
    .parse({ unsigned: psbtOf(SAMPLE), context: NO_CONTEXT, key: alice.key })
    .view()
  assert.deepEqual(describeView(view), [
    'Bitcoin testnet4: a transfer',
    `from ${adapter.address(alice.key)}`,
    `0.0006 BTC to ${view.outputs[0]!.to}`,
    `0.000397 BTC comes back to this wallet, ${adapter.address(alice.key)}`,
    'fee 0.000003 BTC',
    'spends 2 coins of this wallet, 0.001 BTC together',
    'fee 300 sat, 1.5 sat/vB',
  ])
  const doubtful = describeView({
    ...view,
    isComplete: false,
    warnings: ['look'],
    fee: { asset: 'BTC', amount: 1n, isClaimed: true },
  })
  assert.equal(doubtful[4], 'fee 0.00000001 BTC (claimed)')
  assert.deepEqual(doubtful.slice(-2), [
    'Warning: not everything in this transaction is understood',
    'Warning: look',
  ])
})
