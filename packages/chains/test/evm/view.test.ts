import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TxView } from '@quorate/api'
import { concatBytes, fromHex } from '@quorate/base'
import { describeView, findAdapter } from '@quorate/chains'
import { toBytesBe } from '@quorate/math'
import { formatAddress } from '#src/evm/address.js'
import { erin, RECEIVER, TRANSFER_FIELDS, type TxFields, unsignedTx } from '../ecdsa-wallets.js'
import { NO_CONTEXT } from '../wallets.js'

const adapter = findAdapter('ethereum-sepolia')
const viewOf = (fields: Partial<TxFields>): TxView =>
  adapter
    .parse({
      unsigned: unsignedTx({ ...TRANSFER_FIELDS, ...fields }),
      context: NO_CONTEXT,
      key: erin.key,
    })
    .view()
const has = (lines: readonly string[], text: string): boolean =>
  lines.some((line) => line.includes(text))

const own = adapter.address(erin.key)
const receiver = formatAddress(RECEIVER)
const SOMEBODY = new Uint8Array(20).fill(0x5a)
const call = (selector: string, address: Uint8Array, amount: bigint): Uint8Array =>
  concatBytes(fromHex(selector), new Uint8Array(12), address, toBytesBe(amount))
const transfer = call('a9059cbb', SOMEBODY, 250n)
const rich = { gasLimit: 60_000n }

test('a transfer: from, to, how much, the most that the fee can be', () => {
  const view = viewOf({})
  assert.deepEqual(view, {
    network: 'ethereum-sepolia',
    caip2: 'eip155:11155111',
    kind: 'transfer',
    from: [own],
    outputs: [
      {
        to: receiver,
        asset: 'ETH',
        amount: 1_500_000_000_000_000_000n,
        isChange: false,
        isClaimed: false,
      },
    ],
    fee: { asset: 'ETH', amount: 630_000_000_000_000n, isClaimed: false },
    calls: [{ contract: receiver, selector: '0x' }],
    allowances: [],
    isComplete: true,
    notes: [
      'nonce 7',
      'the fee is at most that: up to 21000 gas at up to 30 gwei, of it up to 1 gwei as priority fee',
    ],
    warnings: [],
  } satisfies TxView)
  assert.deepEqual(describeView(view).slice(0, 4), [
    'Ethereum Sepolia: a transfer',
    `from ${own}`,
    `1.5 ETH to ${receiver}`,
    'fee 0.00063 ETH',
  ])
})

test('what goes to the wallet itself comes back, what goes nowhere is called out', () => {
  const to = fromHex(own.slice(2).toLowerCase())
  assert.equal(viewOf({ to }).outputs[0]!.isChange, true)
  assert.ok(has(viewOf({ to: new Uint8Array(20) }).warnings, 'zero address'))
})

test('a token transfer is told with the contract that it is of', () => {
  const view = viewOf({ ...rich, value: 0n, data: transfer })
  assert.equal(view.kind, 'token')
  assert.equal(view.isComplete, true)
  assert.deepEqual(view.outputs, [
    {
      to: formatAddress(SOMEBODY),
      asset: `eip155:11155111/erc20:${receiver}`,
      amount: 250n,
      isChange: false,
      isClaimed: false,
    },
  ])
  assert.ok(has(view.notes, `0xa9059cbb, of ${receiver}`))
  assert.deepEqual(view.warnings, [])
  const paid = viewOf({ ...rich, value: 5n, data: transfer })
  assert.deepEqual(paid.outputs.map(({ to, asset, amount }) => [to, asset, amount]).at(-1), [
    receiver,
    'ETH',
    5n,
  ])
  assert.ok(has(paid.warnings, 'also pays the contract'))
  const lost = viewOf({ ...rich, value: 0n, data: call('a9059cbb', RECEIVER, 1n) })
  assert.ok(has(lost.warnings, 'their own contract'))
})

test('a token transfer with anything odd about it is a call that is not understood', () => {
  const dirty = transfer.slice()
  dirty[4] = 1
  for (const data of [dirty, transfer.slice(0, -1), concatBytes(transfer, Uint8Array.of(0))]) {
    const view = viewOf({ ...rich, value: 0n, data })
    assert.deepEqual([view.kind, view.isComplete], ['call', false])
    assert.deepEqual(
      view.outputs.map(({ to, amount }) => [to, amount]),
      [[receiver, 0n]],
    )
  }
})

test('allowances are called out, unlimited ones as such, and never pass as understood', () => {
  const approve = (amount: bigint): TxView =>
    viewOf({ ...rich, value: 0n, data: call('095ea7b3', SOMEBODY, amount) })
  for (const amount of [2n ** 256n - 1n, 2n ** 255n])
    assert.ok(has(approve(amount).warnings, `lets ${formatAddress(SOMEBODY)} take any amount`))
  const some = approve(2n ** 255n - 1n)
  assert.ok(has(some.warnings, `up to ${2n ** 255n - 1n} of the smallest unit of the token`))
  assert.deepEqual([some.kind, some.isComplete], ['call', false])
})

test('an unknown call names its selector, and data without one says so', () => {
  const view = viewOf({ ...rich, data: fromHex('deadbeef00') })
  assert.deepEqual([view.kind, view.isComplete], ['call', false])
  assert.equal(view.outputs[0]!.amount, TRANSFER_FIELDS.value)
  assert.ok(has(view.notes, `calls ${receiver} with selector 0xdeadbeef, 5 bytes`))
  assert.ok(has(view.warnings, 'not understood'))
  assert.ok(has(viewOf({ ...rich, data: fromHex('deadbe') }).notes, 'without a selector'))
})

test('the creation of a contract is opaque, and pays the contract to be', () => {
  const view = viewOf({ gasLimit: 100_000n, to: new Uint8Array(0), data: fromHex('6000') })
  assert.deepEqual([view.kind, view.isComplete], ['opaque', false])
  assert.match(view.outputs[0]!.to, /^0x[0-9a-fA-F]{40}$/)
  assert.notEqual(view.outputs[0]!.to, receiver)
  assert.equal(view.outputs[0]!.amount, TRANSFER_FIELDS.value)
  assert.ok(has(view.warnings, 'creates a contract from 2 bytes'))
})

test('gas limits that cannot do, and fees that are unusually high', () => {
  assert.ok(has(viewOf({ value: 0n, data: transfer }).warnings, 'too low'))
  const limit = (fields: Partial<TxFields>): bigint => {
    const [line] = viewOf(fields).warnings.filter((each) => each.includes('too low'))
    return BigInt(/([0-9]+) are charged/.exec(line!)![1]!)
  }
  // EIP-7623: 21000 + 10·(zeros + 4·others), which is more than the usual price of data alone.
  assert.equal(limit({ data: fromHex('00010203') }), 21_000n + 10n * 13n)
  assert.equal(limit({ to: new Uint8Array(0), data: fromHex('6000') }), 21_000n + 20n + 32_002n)
  const accessList = [[SOMEBODY, [new Uint8Array(32), new Uint8Array(32)]]]
  assert.equal(limit({ accessList }), 21_000n + 2_400n + 3_800n)
  assert.ok(has(viewOf({ ...rich, accessList }).notes, 'access to 1 address'))
  assert.ok(has(viewOf({ gasLimit: 16_777_217n, maxFee: 1_000_000_000n }).warnings, 'allows'))
  assert.deepEqual(viewOf({ gasLimit: 16_777_216n, maxFee: 1_000_000_000n }).warnings, [])
  assert.ok(has(viewOf({ gasLimit: 2_000_000n }).warnings, 'unusually high'))
})
