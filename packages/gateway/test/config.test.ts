import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultCode, isFault } from '@quorate/base'
import { GATEWAY_SETTINGS, gatewayConfig } from '@quorate/gateway'
import { loadConfig } from '@quorate/platform'
import { networkOf } from '#src/bridge/chain-types.js'

const NODES = '127.0.0.1:7600,unix:/run/node-2.sock,[::1]:7602'
const config = (flags: { readonly [key: string]: string }) =>
  gatewayConfig(loadConfig(GATEWAY_SETTINGS, { flags: { nodes: NODES, ...flags }, env: {} }))
const fails = (code: FaultCode) => (error: unknown) => isFault(error, code)

test('it listens on loopback at the port of the old API unless told otherwise', () => {
  const { listen, nodes, limits } = config({ environment: 'production' })
  assert.deepEqual([listen.host, listen.port, listen.allowPlainHttp], ['127.0.0.1', 6000, false])
  assert.deepEqual(nodes, [
    { host: '127.0.0.1', port: 7600 },
    { socketPath: '/run/node-2.sock' },
    { host: '::1', port: 7602 },
  ])
  assert.ok(limits.ratePerSecond > 0 && limits.burst > 0)
})

test('there is no default environment', () => {
  assert.throws(() => config({}), fails('gateway/no-environment'))
  assert.throws(() => config({ environment: 'test' }), fails('platform/bad-setting'))
})

test('tokens cross a network in the clear only where somebody says so, in development never', () => {
  const at = (environment: string, more = {}) =>
    config({ environment, 'listen.host': '10.0.0.1', ...more })
  assert.throws(() => at('production'), fails('gateway/plain-http'))
  assert.equal(at('production', { 'listen.allowPlainHttp': 'true' }).listen.host, '10.0.0.1')
  assert.throws(
    () => at('development', { 'listen.allowPlainHttp': 'true' }),
    fails('gateway/loopback-only'),
  )
  assert.throws(
    () => at('development', { 'listen.host': '0.0.0.0' }),
    fails('gateway/loopback-only'),
  )
})

test('old names of chains mean a network, in development one for tests; unknown ones nothing', () => {
  const chains = new Map([['legacy', 'bitcoin-testnet4']])
  const of = (name: string, environment: 'development' | 'production') =>
    networkOf(name, { chains, environment })
  assert.equal(of('ETH', 'production'), 'ethereum')
  assert.equal(of('eth', 'development'), 'ethereum-sepolia')
  assert.equal(of('eddsa', 'production'), 'solana')
  assert.equal(of('solana-devnet', 'production'), 'solana-devnet')
  assert.equal(of('solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1', 'production'), 'solana-devnet')
  assert.equal(of('Legacy', 'production'), 'bitcoin-testnet4')
  for (const name of ['cosmos', '', 'constructor', '__proto__'])
    assert.throws(() => of(name, 'production'), fails('gateway/unknown-chain'), name)
})
