import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultCode, isFault } from '@quorate/base'
import { NETWORKS, suitesOf } from '@quorate/chains'
import { chooseSuite } from '#src/suites.js'

const fails = (code: FaultCode, said: RegExp) => (error: unknown) =>
  isFault(error, code) && said.test(error.message)
const STRONG = 'CGGMP24-secp256k1-SHA256-128-v1'
const SHORT = 'CGGMP24-secp256k1-SHA256-112-v1'
const TAPROOT = 'FROST-secp256k1-SHA256-TR-v1'

test('without a choice a wallet gets the first suite of its network', () => {
  for (const { slug, caip2 } of NETWORKS)
    for (const name of [slug, caip2]) assert.equal(chooseSuite(name, {}).suite, suitesOf(slug)[0])
  assert.deepEqual(chooseSuite('bitcoin-testnet4', {}), { protocol: 'frost', suite: TAPROOT })
  assert.deepEqual(chooseSuite('ethereum-sepolia', {}), { protocol: 'cggmp24', suite: STRONG })
})

test('a protocol gets its first suite there, whichever of its names is used', () => {
  for (const protocol of ['cggmp24', 'cggmp21'])
    for (const network of ['bitcoin-testnet4', 'ethereum-sepolia'])
      assert.deepEqual(chooseSuite(network, { protocol }), { protocol: 'cggmp24', suite: STRONG })
  assert.equal(chooseSuite('bitcoin-testnet4', { protocol: 'frost' }).suite, TAPROOT)
})

test('an exact suite is taken as it is', () => {
  for (const protocol of [undefined, 'cggmp24', 'cggmp21'])
    assert.deepEqual(chooseSuite('ethereum-sepolia', { protocol, suite: SHORT }), {
      protocol: 'cggmp24',
      suite: SHORT,
    })
})

test('what a network cannot use is refused, with what it can', () => {
  assert.throws(
    () => chooseSuite('solana-devnet', { protocol: 'cggmp24' }),
    fails('cli/wrong-protocol', /solana-devnet takes frost \(FROST-ED25519-SHA512-v1\)/),
  )
  assert.throws(
    () => chooseSuite('ethereum-sepolia', { protocol: 'frost' }),
    fails('cli/wrong-protocol', /cggmp24 \(CGGMP24-secp256k1-SHA256-128-v1\)/),
  )
  assert.throws(
    () => chooseSuite('ethereum-sepolia', { suite: TAPROOT }),
    fails('chains/unsupported-suite', /CGGMP24-secp256k1-SHA256-128-v1/),
  )
  assert.throws(
    () => chooseSuite('bitcoin-testnet4', { protocol: 'frost', suite: STRONG }),
    fails('cli/wrong-protocol', /is of cggmp24/),
  )
  assert.throws(
    () => chooseSuite('bitcoin-testnet4', { protocol: 'gg20' }),
    fails('api/unknown-protocol', /frost, cggmp24, cggmp21/),
  )
  assert.throws(() => chooseSuite('bitcoin-testnet5', {}), fails('chains/unknown-network', /did/))
})
