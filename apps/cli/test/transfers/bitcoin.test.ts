/** Transfers made by hand, and with coins that a node knows of. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { concatBytes, type FaultCode, fromHex, isFault, toHex } from '@quorate/base'
import { Address, OutScript, TEST_NETWORK, Transaction } from '@scure/btc-signer'
import type { Account } from '#src/account.js'
import { broadcast } from '#src/remote/broadcast.js'
import { endpointAt } from '#src/remote/endpoint.js'
import { readTx } from '#src/signing.js'
import { makeTransfer } from '#src/transfers/index.js'
import { accountOn, givenTo, scratchFile, signedBy } from '../support/accounts.js'
import { type Answer, type FakeNetwork, startNetwork } from '../support/network.js'

const NETWORK = 'bitcoin-testnet4'
const taproot = accountOn(NETWORK)
const ecdsa = accountOn(NETWORK, 'CGGMP24-secp256k1-SHA256-112-v1')
const to = 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx'
const GENESIS = '00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043'

let answer: Answer
let network: FakeNetwork
before(async () => {
  network = await startNetwork((asked) => answer(asked))
})
after(() => network.close())

async function make(account: Account, isAsked: boolean, ...words: readonly string[]) {
  const given = await givenTo('tx new transfer', '--to', to, ...words)
  const endpoint = isAsked ? endpointAt(network.url, false) : undefined
  const { unsigned } = await makeTransfer('coins', { given, account, endpoint })
  const { view } = readTx(account, unsigned)
  return { unsigned, view, psbt: Transaction.fromPSBT(unsigned) }
}

const refuses = (account: Account, code: FaultCode, ...words: readonly string[]) =>
  assert.rejects(make(account, false, ...words), (error) => isFault(error, code), words.join(' '))

/** A transaction that pays `amount` to `address`, with what looks like a signature. */
function paying(
  address: string,
  amount: bigint,
): { readonly txid: string; readonly bytes: Uint8Array } {
  const number = new Uint8Array(8)
  new DataView(number.buffer).setBigUint64(0, amount, true)
  const script = OutScript.encode(Address(TEST_NETWORK).decode(address))
  const bytes = concatBytes(
    fromHex(`0200000001${'11'.repeat(32)}00000000015100ffffff01`),
    number,
    Uint8Array.of(script.length),
    script,
    new Uint8Array(4),
  )
  const sha256 = (of: Uint8Array) => createHash('sha256').update(of).digest()
  return { txid: toHex(sha256(sha256(bytes)).reverse()), bytes }
}

test('coins given by hand', async () => {
  const coin = `${'AB'.repeat(32)}:1:50000`
  const rest = ['--fee-rate', '2.5', '--lock-time', '800000']
  const { view, psbt } = await make(
    taproot,
    false,
    '--amount',
    '0.0002 BTC',
    '--coin',
    coin,
    ...rest,
  )
  assert.deepEqual(
    view.outputs.map(({ amount, isChange }) => [isChange, amount]),
    [
      [false, 20_000n],
      [true, 30_000n - view.fee!.amount],
    ],
  )
  assert.deepEqual([psbt.lockTime, psbt.getInput(0).index], [800_000, 1])
})

test('an ECDSA wallet needs the transactions that made its coins, in any order', async () => {
  const [first, second] = [paying(ecdsa.address, 30_000n), paying(ecdsa.address, 25_000n)]
  const files = [second, first].flatMap(({ bytes }) => ['--previous', scratchFile(bytes)])
  const coins = [first, second].flatMap(({ txid }) => ['--coin', `${txid}:0`])
  const pay = ['--amount', '50000', '--fee-rate', '2']
  const { view } = await make(ecdsa, false, ...pay, ...coins, ...files)
  assert.deepEqual([view.isComplete, view.outputs[0]?.amount], [true, 50_000n])
  await refuses(ecdsa, 'chains/missing-utxo', ...pay, ...coins, ...files.slice(2))
})

test('coins and fee rate that a node knows of; what is not in a block yet is left alone', async () => {
  const big = paying(ecdsa.address, 40_000n)
  const small = paying(ecdsa.address, 30_000n)
  const utxo = (txid: string, value: number, confirmed = true) => ({
    txid,
    vout: 0,
    value,
    status: { confirmed },
  })
  answer = ({ line }) => {
    const path = line.slice('GET '.length)
    if (path === '/fee-estimates') return { body: '{"1":9.5,"6":3.2}' }
    if (path === `/address/${ecdsa.address}/utxo`)
      return {
        body: JSON.stringify([
          utxo(small.txid, 30_000),
          utxo(big.txid, 40_000),
          utxo('ee'.repeat(32), 10 ** 6, false),
        ]),
      }
    if (path === `/address/${taproot.address}/utxo`)
      return { body: JSON.stringify([utxo('cd'.repeat(32), 90_000)]) }
    if (path.startsWith('/address/')) return { body: '[]' }
    const found = [big, small].find(({ txid }) => path === `/tx/${txid}/hex`)
    return found === undefined ? { status: 404, body: '' } : { body: `${toHex(found.bytes)}\n` }
  }
  const one = await make(ecdsa, true, '--amount', '20000')
  assert.deepEqual([one.psbt.inputsLength, toHex(one.psbt.getInput(0).txid!)], [1, big.txid])
  const both = await make(ecdsa, true, '--amount', '50000', '--fee-rate', '1')
  assert.equal(both.psbt.inputsLength, 2)
  await assert.rejects(make(ecdsa, true, '--amount', '90000'), (error) =>
    isFault(error, 'chains/insufficient-funds'),
  )
  const { psbt } = await make(taproot, true, '--amount', '50000')
  assert.equal(toHex(psbt.getInput(0).txid!), 'cd'.repeat(32))
  // A node that lies about a transaction is found out: its id is that of the coin.
  const lie = paying(ecdsa.address, 10n ** 8n)
  big.bytes.set(lie.bytes)
  await assert.rejects(make(ecdsa, true, '--amount', '20000'), (error) =>
    isFault(error, 'chains/malformed-transaction'),
  )
})

test('what is missing or malformed is refused by name', async () => {
  const pay = ['--amount', '20000', '--fee-rate', '2']
  await refuses(taproot, 'cli/missing-argument', ...pay)
  await refuses(taproot, 'cli/missing-argument', '--amount', '20000')
  for (const coin of ['x', `${'ab'.repeat(32)}`, `${'ab'.repeat(31)}:0:5`])
    await refuses(taproot, 'cli/bad-value', ...pay, '--coin', coin)
  for (const rate of ['0', '-1', '1e3', 'x'])
    await refuses(taproot, 'cli/bad-value', '--amount', '1', '--fee-rate', rate)
  await refuses(taproot, 'cli/bad-value', ...pay, '--nonce', '1')
  const given = await givenTo('tx new token-transfer', '--to', to, '--amount', '5', '--token', 'x')
  await assert.rejects(
    makeTransfer('tokens', { given, account: taproot, endpoint: undefined }),
    (error) => isFault(error, 'cli/bad-value'),
  )
})

test('what is sent is known by its id, and only on its own network', async () => {
  const coin = `${'ab'.repeat(32)}:0:50000`
  const { unsigned } = await make(
    taproot,
    false,
    '--amount',
    '20000',
    '--coin',
    coin,
    '--fee-rate',
    '2',
  )
  const { bytes, txid } = (await signedBy(taproot, unsigned)).serialise()
  let genesis = GENESIS
  answer = ({ line, body }) => {
    if (line === 'GET /block-height/0') return { body: genesis }
    return line === 'POST /tx' && body === toHex(bytes)
      ? { body: `${txid}\n` }
      : {
          status: 400,
          body: 'sendrawtransaction RPC error: {"code":-25,"message":"bad-txns-inputs-missingorspent"}',
        }
  }
  const node = endpointAt(network.url, false)
  assert.equal(await broadcast(node, taproot.adapter.network, bytes), txid)
  const spent = paying(to, 5n)
  await assert.rejects(
    broadcast(node, taproot.adapter.network, spent.bytes),
    (error) =>
      isFault(error, 'cli/rpc-refused') && error.detail?.includes('a coin is spent') === true,
  )
  genesis = '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f'
  await assert.rejects(broadcast(node, taproot.adapter.network, bytes), (error) =>
    isFault(error, 'cli/other-network'),
  )
})
