/** What policy is told of calls and of rights for later: all of them, or that they are not known. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TxView } from '@quorate/api'
import { findAdapter } from '@quorate/chains'
import { encodeCall } from '#src/evm/abi.js'
import { decodeAddress, formatAddress } from '#src/evm/address.js'
import { erin, RECEIVER, TRANSFER_FIELDS, type TxFields, unsignedTx } from '../ecdsa-wallets.js'
import { NO_CONTEXT } from '../wallets.js'
import { approveCall, SOMEBODY, transferCall, USDC_SEPOLIA } from './samples.js'

const adapter = findAdapter('ethereum-sepolia')
const USDC = decodeAddress(USDC_SEPOLIA)
const somebody = formatAddress(SOMEBODY)
const receiver = formatAddress(RECEIVER)
const UNBOUNDED = 2n ** 256n - 1n
const asset = (kind: string, address: string): string => `eip155:11155111/${kind}:${address}`

const viewOf = (fields: Partial<TxFields>): TxView =>
  adapter
    .parse({
      unsigned: unsignedTx({ ...TRANSFER_FIELDS, value: 0n, gasLimit: 1_000_000n, ...fields }),
      context: NO_CONTEXT,
      key: erin.key,
    })
    .view()

test('a token transfer is one call, and gives nobody a right', () => {
  const { calls, allowances } = viewOf({ to: USDC, data: transferCall(SOMEBODY, 1n) })
  assert.deepEqual(calls, [{ contract: USDC_SEPOLIA, selector: '0xa9059cbb' }])
  assert.deepEqual(allowances, [])
})

test('an allowance is told with spender, token and amount', () => {
  const { calls, allowances } = viewOf({ to: USDC, data: approveCall(SOMEBODY, 5n) })
  assert.deepEqual(calls, [{ contract: USDC_SEPOLIA, selector: '0x095ea7b3' }])
  const right = { spender: somebody, asset: asset('erc20', USDC_SEPOLIA) }
  assert.deepEqual(allowances, [{ ...right, amount: 5n, isClaimed: false }])
})

test('of a contract that nobody knows, the number may be the id of a token', () => {
  const { allowances } = viewOf({ data: approveCall(SOMEBODY, 5n) })
  const right = { spender: somebody, asset: asset('erc20', receiver) }
  assert.deepEqual(allowances, [{ ...right, amount: 5n, isClaimed: true }])
})

test('a right on top of another, and one over a collection, are unbounded', () => {
  const more = viewOf({
    to: USDC,
    data: encodeCall('increaseAllowance(address,uint256)', [SOMEBODY, 5n]),
  })
  const all = viewOf({ data: encodeCall('setApprovalForAll(address,bool)', [SOMEBODY, true]) })
  assert.deepEqual(more.allowances, [
    { spender: somebody, asset: asset('erc20', USDC_SEPOLIA), amount: UNBOUNDED, isClaimed: false },
  ])
  assert.deepEqual(all.allowances, [
    { spender: somebody, asset: asset('erc721', receiver), amount: UNBOUNDED, isClaimed: true },
  ])
})

test('the end of a right is none', () => {
  assert.deepEqual(viewOf({ to: USDC, data: approveCall(SOMEBODY, 0n) }).allowances, [])
})

test('an unknown call is listed, and what rights it gives is not known', () => {
  const { calls, allowances } = viewOf({ data: Uint8Array.of(1, 2, 3, 4, 5) })
  assert.deepEqual(calls, [{ contract: receiver, selector: '0x01020304' }])
  assert.equal(allowances, undefined)
})

test('a contract called upon itself: every call and every right in it is listed', () => {
  const data = [approveCall(SOMEBODY, 5n), transferCall(SOMEBODY, 1n)]
  const { calls, allowances } = viewOf({ to: USDC, data: encodeCall('multicall(bytes[])', [data]) })
  assert.deepEqual(
    calls?.map(({ selector }) => selector),
    ['0xac9650d8', '0x095ea7b3', '0xa9059cbb'],
  )
  assert.equal(allowances?.length, 1)
})

test('an unknown call in it leaves open what rights there are', () => {
  const data = [approveCall(SOMEBODY, 5n), Uint8Array.of(1, 2, 3, 4)]
  const { calls, allowances } = viewOf({ to: USDC, data: encodeCall('multicall(bytes[])', [data]) })
  assert.equal(calls?.length, 3)
  assert.equal(allowances, undefined)
})

test('calls through another contract are listed, and its own affairs are not known', () => {
  const { calls, allowances } = viewOf({
    data: encodeCall('aggregate((address,bytes)[])', [[[USDC, approveCall(SOMEBODY, 5n)]]]),
  })
  assert.deepEqual(calls?.[1], { contract: USDC_SEPOLIA, selector: '0x095ea7b3' })
  assert.equal(allowances, undefined)
})

test('code that runs as the account may call anything', () => {
  const { calls, allowances } = viewOf({
    data: encodeCall(
      'execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)',
      [
        SOMEBODY,
        0n,
        Uint8Array.of(1, 2, 3, 4),
        1n,
        0n,
        0n,
        0n,
        new Uint8Array(20),
        new Uint8Array(20),
        new Uint8Array(0),
      ],
    ),
  })
  assert.equal(calls, undefined)
  assert.equal(allowances, undefined)
})
