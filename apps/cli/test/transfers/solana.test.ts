/** Transfers made by hand, and with a node that answers for what is not given. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TxView } from '@quorate/api'
import { type FaultCode, isFault, toBase64 } from '@quorate/base'
import { getTransactionDecoder } from '@solana/kit'
import { broadcast } from '#src/remote/broadcast.js'
import { endpointAt } from '#src/remote/endpoint.js'
import { readTx } from '#src/signing.js'
import { makeTransfer, type TransferKind } from '#src/transfers/index.js'
import { accountOn, givenTo, signedBy } from '../support/accounts.js'
import { type FakeNetwork, rpcAnswers, startNetwork } from '../support/network.js'

const wallet = accountOn('solana-devnet')
const to = 'Eo7WjKq67rjJQSZxS6z3YkapzY3eMj6Xy8X5EQVn5UaB'
const BLOCKHASH = 'EETubP5AKHgjPAhzPAFcb8BAY1hMH639CWCFTqi3hq1k'
const USDC = '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU'
const MINT = 'So11111111111111111111111111111111111111113'
const TOKEN_2022 = 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb'
const DEVNET = 'EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG'

let answers: { [method: string]: (params: readonly unknown[]) => unknown }
let network: FakeNetwork
before(async () => {
  network = await startNetwork((asked) => rpcAnswers(answers)(asked))
})
after(() => network.close())

const names = { coins: 'tx new transfer', tokens: 'tx new token-transfer' } as const

async function make(
  kind: TransferKind,
  isAsked: boolean,
  ...words: readonly string[]
): Promise<{ readonly unsigned: Uint8Array; readonly view: TxView }> {
  const given = await givenTo(names[kind], ...words)
  const endpoint = isAsked ? endpointAt(network.url, false) : undefined
  const { unsigned } = await makeTransfer(kind, { given, account: wallet, endpoint })
  return { unsigned, view: readTx(wallet, unsigned).view }
}

const refuses = (kind: TransferKind, code: FaultCode, ...words: readonly string[]) =>
  assert.rejects(make(kind, false, ...words), (error) => isFault(error, code), words.join(' '))

const paid = ({ outputs }: TxView) => outputs.map(({ to: payee, amount }) => [payee, amount])

test('a transfer made by hand, with a blockhash or a durable nonce', async () => {
  const pay = ['--to', to, '--amount', '1.5 SOL']
  const fee = ['--unit-limit', '1000', '--unit-price', '5000000']
  const { view } = await make('coins', false, ...pay, '--blockhash', BLOCKHASH, ...fee)
  assert.deepEqual(
    [view.kind, view.isComplete, paid(view)],
    ['transfer', true, [[to, 1_500_000_000n]]],
  )
  assert.equal(view.fee?.amount, 5_000n + 5_000n)
  const nonce = ['--nonce-account', USDC, '--nonce', BLOCKHASH, '--memo', 'rent']
  const durable = await make('coins', false, ...pay, ...nonce)
  assert.ok(durable.view.notes.some((note) => note.includes(USDC)))
  assert.ok(durable.view.notes.some((note) => note.includes('rent')))
})

test('tokens of our own table, and others by hand', async () => {
  const rest = ['--to', to, '--blockhash', BLOCKHASH]
  const { view } = await make('tokens', false, '--token', 'USDC', '--amount', '2.5 USDC', ...rest)
  assert.deepEqual([view.kind, view.outputs.at(-1)?.amount], ['token', 2_500_000n])
  const other = ['--token', MINT, '--amount', '7', ...rest]
  await refuses('tokens', 'cli/missing-argument', ...other)
  const legacy = await make('tokens', false, ...other, '--decimals', '3')
  const modern = await make('tokens', false, ...other, '--decimals', '3', '--token-2022')
  assert.equal(modern.view.outputs.at(-1)?.amount, 7n)
  assert.notDeepEqual(modern.unsigned, legacy.unsigned)
  answers = {
    getAccountInfo: ([mint]) => {
      const data = new Uint8Array(82)
      data[44] = 3
      return mint === MINT
        ? { value: { owner: TOKEN_2022, data: [toBase64(data), 'base64'] } }
        : null
    },
  }
  assert.deepEqual((await make('tokens', true, ...other)).unsigned, modern.unsigned)
  answers = {
    getAccountInfo: () => ({
      value: { owner: USDC, data: [toBase64(new Uint8Array(82)), 'base64'] },
    }),
  }
  await assert.rejects(make('tokens', true, ...other), (error) => isFault(error, 'cli/bad-value'))
  answers = { getAccountInfo: () => ({ value: null }) }
  await assert.rejects(make('tokens', true, ...other), (error) =>
    isFault(error, 'cli/rpc-bad-answer'),
  )
})

test('a blockhash that is not given is asked for', async () => {
  answers = { getLatestBlockhash: () => ({ value: { blockhash: BLOCKHASH } }) }
  const asked = await make('coins', true, '--to', to, '--amount', '5')
  const given = await make('coins', false, '--to', to, '--amount', '5', '--blockhash', BLOCKHASH)
  assert.deepEqual(asked.unsigned, given.unsigned)
})

test('what is missing or contradicts itself is refused by name', async () => {
  const pay = ['--to', to, '--amount', '1']
  const hash = ['--blockhash', BLOCKHASH]
  await refuses('coins', 'cli/missing-argument', ...pay)
  await refuses('coins', 'cli/missing-argument', ...pay, ...hash, '--nonce', BLOCKHASH)
  await refuses('coins', 'cli/missing-argument', ...pay, '--nonce-account', to)
  await refuses('coins', 'cli/missing-argument', ...pay, ...hash, '--unit-limit', '5')
  await refuses('coins', 'cli/bad-value', ...pay, ...hash, '--nonce-account', to)
  await refuses('coins', 'cli/bad-value', ...pay, ...hash, '--max-fee', '5')
  await refuses('coins', 'chains/bad-amount', '--to', to, '--amount', '0', ...hash)
})

test('what is sent is known by its first signature, and only on its own network', async () => {
  const { unsigned } = await make(
    'coins',
    false,
    '--to',
    to,
    '--amount',
    '1',
    '--blockhash',
    BLOCKHASH,
  )
  const { bytes, txid } = (await signedBy(wallet, unsigned)).serialise()
  assert.equal(Object.keys(getTransactionDecoder().decode(bytes).signatures)[0], wallet.address)
  const node = endpointAt(network.url, false)
  answers = {
    getGenesisHash: () => DEVNET,
    sendTransaction: ([wire]) => (wire === toBase64(bytes) ? txid : undefined),
  }
  assert.equal(await broadcast(node, wallet.adapter.network, bytes), txid)
  answers = { ...answers, getGenesisHash: () => '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d' }
  await assert.rejects(broadcast(node, wallet.adapter.network, bytes), (error) =>
    isFault(error, 'cli/other-network'),
  )
})
