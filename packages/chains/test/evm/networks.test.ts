import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import {
  buildEvmTokenTransfer,
  buildEvmTransfer,
  EVM_TOKENS,
  evmUnderstood,
  findAdapter,
  findNetwork,
  formatAmount,
} from '@quorate/chains'
import { EVM_NETWORKS } from '#src/evm/networks.js'
import { erin } from '../ecdsa-wallets.js'
import { signaturesFor } from '../wallets.js'

const TO = '0x52908400098527886E0F7030069857D2E4169EE7'
const fees = { maxFeePerGas: 2_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n }

test('chain ids are those that the networks publish, each once', () => {
  const ids = Object.fromEntries(EVM_NETWORKS.map(({ slug, chainId }) => [slug, chainId]))
  assert.equal(new Set(EVM_NETWORKS.map(({ chainId }) => chainId)).size, EVM_NETWORKS.length)
  assert.deepEqual(
    [ids['bnb'], ids['polygon'], ids['avalanche'], ids['lux'], ids['lux-testnet'], ids['gnosis']],
    [56n, 137n, 43_114n, 96_369n, 96_368n, 100n],
  )
  for (const { caip2, chainId } of EVM_NETWORKS) assert.equal(caip2, `eip155:${chainId}`)
})

test('every coin is told in its own unit', () => {
  for (const { asset, highFee } of EVM_NETWORKS) {
    assert.equal(formatAmount(10n ** 18n, asset), `1 ${asset}`)
    assert.ok(highFee > 0n)
  }
})

test('the addresses of the token table have the right checksum and stand once', () => {
  for (const [slug, tokens] of Object.entries(EVM_TOKENS)) {
    const adapter = findAdapter(slug)
    for (const { address, decimals } of tokens) {
      assert.equal(adapter.parseAddress(address), address)
      assert.ok(decimals >= 0 && decimals <= 18)
    }
    assert.equal(new Set(tokens.map(({ address }) => address)).size, tokens.length)
    assert.equal(new Set(tokens.map(({ symbol }) => symbol)).size, tokens.length)
  }
})

test('a transfer built for each network is the one that its view tells, of either type', () => {
  for (const { slug, caip2, asset } of EVM_NETWORKS)
    for (const [network, price] of [
      [slug, fees],
      [caip2, { gasPrice: 3_000_000_000n }],
    ] as const) {
      const built = buildEvmTransfer({
        network,
        to: TO,
        amount: 10n ** 18n,
        nonce: 4n,
        fees: price,
      })
      const tx = findAdapter(slug).parse({ ...built, key: erin.key })
      const view = tx.view()
      assert.deepEqual(view.outputs, [
        { to: TO, asset, amount: 10n ** 18n, isChange: false, isClaimed: false },
      ])
      assert.deepEqual([view.isComplete, view.warnings, view.notes[0]], [true, [], 'nonce 4'])
      const { bytes } = tx.attach(signaturesFor(tx, erin)).serialise()
      assert.deepEqual(tx.verify(bytes), [])
    }
})

test('a token transfer, by symbol or by contract', () => {
  const [usdc] = EVM_TOKENS['base']!
  const common = { network: 'base', to: TO, amount: 1_500_000n, nonce: 0n, fees }
  const built = buildEvmTokenTransfer({ ...common, token: 'USDC' })
  assert.deepEqual(buildEvmTokenTransfer({ ...common, token: usdc!.address }), built)
  const view = findAdapter('base')
    .parse({ ...built, key: erin.key })
    .view()
  assert.deepEqual([view.kind, view.isComplete], ['token', true])
  assert.deepEqual(
    view.outputs.map(({ to, asset, amount }) => [to, asset, amount]),
    [[TO, `eip155:8453/erc20:${usdc!.address}`, 1_500_000n]],
  )
  const refuses = (more: object, code: string): void =>
    assert.throws(
      () => buildEvmTokenTransfer({ ...common, token: 'USDC', ...more }),
      (error) => isFault(error) && error.code === code,
    )
  refuses({ token: 'NONE' }, 'chains/unknown-token')
  refuses({ token: `${usdc!.address.slice(0, -1)}0` }, 'chains/bad-address')
  refuses({ to: 'bob' }, 'chains/bad-address')
  refuses({ amount: -1n }, 'chains/bad-amount')
  refuses({ amount: 2n ** 256n }, 'chains/bad-amount')
  refuses({ network: 'bitcoin' }, 'chains/unknown-network')
})

test('the table of what is understood has each type once', () => {
  assert.equal(new Set(evmUnderstood.map(({ type }) => type)).size, evmUnderstood.length)
  assert.equal(findNetwork('lux').adapter, 'evm')
})
