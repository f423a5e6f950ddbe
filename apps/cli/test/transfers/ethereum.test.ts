/** Transfers made by hand, and with a node that answers for what is not given; read by viem. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type FaultCode, isFault, toHex } from '@quorate/base'
import { keccak256, parseTransaction } from 'viem'
import { broadcast, checkNode } from '#src/remote/broadcast.js'
import { endpointAt } from '#src/remote/endpoint.js'
import { makeTransfer, type TransferKind } from '#src/transfers/index.js'
import { accountOn, givenTo, signedBy } from '../support/accounts.js'
import { type FakeNetwork, rpcAnswers, startNetwork } from '../support/network.js'

const till = accountOn('ethereum-sepolia')
const to = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const USDC = '0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238'

let answers: { [method: string]: (params: readonly unknown[]) => unknown }
let network: FakeNetwork
before(async () => {
  network = await startNetwork((asked) => rpcAnswers(answers)(asked))
})
after(() => network.close())

const names = { coins: 'tx new transfer', tokens: 'tx new token-transfer' } as const

async function make(kind: TransferKind, isAsked: boolean, ...words: readonly string[]) {
  const given = await givenTo(names[kind], ...words)
  const endpoint = isAsked ? endpointAt(network.url, false) : undefined
  const { unsigned, context } = await makeTransfer(kind, { given, account: till, endpoint })
  assert.equal(context.length, 0)
  return { unsigned, read: parseTransaction(`0x${toHex(unsigned)}`) }
}

const refuses = (kind: TransferKind, code: FaultCode, ...words: readonly string[]) =>
  assert.rejects(make(kind, false, ...words), (error) => isFault(error, code), words.join(' '))

const BY_HAND = ['--nonce', '7', '--max-fee', '20gwei', '--priority-fee', '1000000000']

test('a transfer made by hand', async () => {
  const { read } = await make('coins', false, '--to', to, '--amount', '0.05 ETH', ...BY_HAND)
  assert.deepEqual(read, {
    type: 'eip1559',
    chainId: 11_155_111,
    nonce: 7,
    to: to.toLowerCase(),
    value: 5n * 10n ** 16n,
    gas: 21_000n,
    maxFeePerGas: 20n * 10n ** 9n,
    maxPriorityFeePerGas: 10n ** 9n,
  })
  const legacy = ['--nonce', '0', '--gas-price', '5gwei', '--gas-limit', '30000']
  const { read: old } = await make('coins', false, '--to', to, '--amount', '1', ...legacy)
  assert.deepEqual([old.type, old.gasPrice, old.gas], ['legacy', 5n * 10n ** 9n, 30_000n])
})

test('tokens by symbol or by contract', async () => {
  const data = `0xa9059cbb${to.slice(2).toLowerCase().padStart(64, '0')}${(25_000_000).toString(16).padStart(64, '0')}`
  for (const [token, amount] of [
    ['USDC', '25 USDC'],
    [USDC, '25 usdc'],
    [USDC.toLowerCase(), '25000000'],
  ] as const) {
    const words = ['--token', token, '--to', to, '--amount', amount, ...BY_HAND]
    const { read } = await make('tokens', false, ...words)
    assert.deepEqual([read.to, read.data, read.gas], [USDC.toLowerCase(), data, 100_000n])
  }
})

test('what is not given is asked for', async () => {
  const estimated: unknown[] = []
  answers = {
    eth_getTransactionCount: ([address, tag]) =>
      address === till.address && tag === 'pending' ? '0x1f' : undefined,
    eth_getBlockByNumber: () => ({ baseFeePerGas: '0x3b9aca00' }),
    eth_maxPriorityFeePerGas: () => '0x5',
    eth_estimateGas: ([call]) => {
      estimated.push(call)
      return '0xc350'
    },
  }
  const { read } = await make('coins', true, '--to', to, '--amount', '16')
  assert.deepEqual([read.nonce, read.gas], [31, 50_000n])
  assert.deepEqual([read.maxFeePerGas, read.maxPriorityFeePerGas], [2_000_000_005n, 5n])
  assert.deepEqual(estimated, [{ from: till.address, to, value: '0x10', data: '0x' }])
  const tokens = await make('tokens', true, '--token', 'USDC', '--to', to, '--amount', '1')
  assert.deepEqual([tokens.read.gas, tokens.read.to], [60_000n, USDC.toLowerCase()])
  assert.equal((estimated[1] as { data: string }).data, tokens.read.data)
  answers = { ...answers, eth_getBlockByNumber: () => ({}), eth_gasPrice: () => '0x7' }
  const legacy = await make('coins', true, '--to', to, '--amount', '16')
  assert.deepEqual([legacy.read.type, legacy.read.gasPrice], ['legacy', 7n])
  answers = { ...answers, eth_getTransactionCount: () => 'many' }
  await assert.rejects(make('coins', true, '--to', to, '--amount', '1'), (error) =>
    isFault(error, 'cli/rpc-bad-answer'),
  )
})

test('what is missing or contradicts itself is refused by name', async () => {
  const pay = ['--to', to, '--amount', '1']
  await refuses('coins', 'cli/missing-argument', '--amount', '1', ...BY_HAND)
  await refuses('coins', 'cli/missing-argument', ...pay)
  await refuses('coins', 'cli/missing-argument', ...pay, '--nonce', '1', '--max-fee', '1')
  await refuses('coins', 'cli/bad-value', ...pay, ...BY_HAND, '--gas-price', '1')
  await refuses('coins', 'cli/bad-value', ...pay, ...BY_HAND, '--blockhash', 'x')
  await refuses('coins', 'cli/bad-value', ...pay, ...BY_HAND.with(1, '0x7'))
  await refuses('coins', 'chains/bad-amount', '--to', to, '--amount', '1 BTC', ...BY_HAND)
  await refuses(
    'coins',
    'chains/bad-address',
    '--to',
    to.replace('A', 'a'),
    '--amount',
    '1',
    ...BY_HAND,
  )
  await refuses('tokens', 'chains/unknown-token', '--token', 'USDX', ...pay, ...BY_HAND)
  await refuses('tokens', 'cli/missing-argument', ...pay, ...BY_HAND)
})

test('what is sent is known by the id that is worked out here', async () => {
  const { unsigned } = await make('coins', false, '--to', to, '--amount', '1', ...BY_HAND)
  const { bytes } = (await signedBy(till, unsigned)).serialise()
  const id = keccak256(bytes)
  const node = endpointAt(network.url, false)
  answers = {
    eth_chainId: () => '0xaa36a7',
    eth_sendRawTransaction: ([raw]) => (raw === `0x${toHex(bytes)}` ? id : undefined),
  }
  assert.equal(await broadcast(node, till.adapter.network, bytes), id)
  answers = { ...answers, eth_sendRawTransaction: () => `0x${'00'.repeat(32)}` }
  await assert.rejects(broadcast(node, till.adapter.network, bytes), (error) =>
    isFault(error, 'cli/does-not-verify'),
  )
  answers = { ...answers, eth_chainId: () => '0x1' }
  for (const attempt of [
    broadcast(node, till.adapter.network, bytes),
    checkNode(node, till.adapter.network),
  ])
    await assert.rejects(attempt, (error) => isFault(error, 'cli/other-network'))
})
