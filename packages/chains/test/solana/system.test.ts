/** Instructions of the System and Stake programs that give something away, or seem to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, toHex, utf8 } from '@quorate/base'
import { associatedTokenAddress } from '@quorate/chains'
import { base58 } from '@scure/base'
import {
  RECENT_BLOCKHASHES,
  STAKE_PROGRAM,
  SYSTEM_PROGRAM,
  TOKEN_PROGRAM,
} from '#src/solana/addresses.js'
import { transfer } from '#src/solana/compile.js'
import { addressWithSeed } from '#src/solana/derive.js'
import { littleEndian } from '../wallets.js'
import { call, has, OTHER, OWN, SOURCE, viewOf } from './samples.js'

const u32 = (value: number): Uint8Array => littleEndian(BigInt(value), 4)
const u64 = (value: bigint): Uint8Array => littleEndian(value, 8)
const key = (address: string): Uint8Array => base58.decode(address)
const seeded = concatBytes(u64(4n), utf8('seed'))
const derived = addressWithSeed(OWN, utf8('seed'), STAKE_PROGRAM)
const system = (parts: readonly Uint8Array[], accounts: readonly string[]) =>
  call(SYSTEM_PROGRAM, toHex(concatBytes(...parts)), accounts)
const stake = (parts: readonly Uint8Array[], accounts: readonly string[]) =>
  call(STAKE_PROGRAM, toHex(concatBytes(...parts)), accounts)

test('an account that is given to a program is a loud warning, this wallet above all', () => {
  const assign = viewOf([system([u32(1), key(OTHER)], ['own 3'])])
  assert.deepEqual([assign.kind, assign.isComplete], ['call', false])
  assert.ok(has(assign.warnings, `gives the account ${OWN} with all its SOL to program ${OTHER}`))
  const create = viewOf([system([u32(0), u64(5n), u64(0n), key(OTHER)], ['other 3', 'own 3'])])
  assert.equal(create.isComplete, false)
  assert.ok(has(create.warnings, 'gives this wallet itself to program'))
  assert.ok(!viewOf([system([u32(8), u64(9n)], ['own 3'])]).isComplete)
  assert.ok(viewOf([system([u32(8), u64(9n)], ['source 3'])]).isComplete)
  const seed = viewOf([
    system([u32(10), key(OWN), seeded, key(STAKE_PROGRAM)], [`${derived} 1`, 'own 2']),
  ])
  assert.ok(has(seed.warnings, `gives the account ${derived}`))
  const nonce = viewOf([system([u32(7), key(OTHER)], ['source 1', 'own 2'])])
  assert.ok(has(nonce.warnings, `gives the nonce account ${SOURCE} with all its SOL to ${OTHER}`))
})

test('an address made with a seed is made again', () => {
  const parts = [u32(3), key(OWN), seeded, u64(7n), u64(200n), key(STAKE_PROGRAM)]
  const view = viewOf([system(parts, ['own 3', `${derived} 1`])])
  assert.deepEqual([view.kind, view.isComplete], ['transfer', true])
  assert.deepEqual([view.outputs[0]!.to, view.outputs[0]!.amount], [derived, 7n])
  assert.equal(viewOf([system(parts, ['own 3', 'source 1'])]).kind, 'opaque')
  assert.equal(viewOf([system(parts, ['own 3', `${derived} 1`, 'other 2'])]).kind, 'opaque')
  const out = [u32(11), u64(7n), seeded, key(STAKE_PROGRAM)]
  const from = viewOf([system(out, [`${derived} 1`, 'own 2', 'other 1'])])
  assert.deepEqual([from.from, from.outputs[0]!.to, from.isComplete], [[OWN], OTHER, true])
  assert.equal(viewOf([system(out, ['source 1', 'own 2', 'other 1'])]).kind, 'opaque')
  const long = concatBytes(u64(33n), new Uint8Array(33))
  assert.equal(
    viewOf([
      system([u32(11), u64(7n), long, key(STAKE_PROGRAM)], [`${derived} 1`, 'own 2', 'other 1']),
    ]).kind,
    'opaque',
  )
})

test('wrapping keeps the money, paying a program loses it', () => {
  const wrapped = associatedTokenAddress(
    OWN,
    'So11111111111111111111111111111111111111112',
    TOKEN_PROGRAM,
  )
  const wrap = viewOf([transfer(OWN, wrapped, 5n), call(TOKEN_PROGRAM, '11', [`${wrapped} 1`])])
  assert.deepEqual([wrap.isComplete, wrap.outputs[0]!.isChange], [true, true])
  assert.ok(has(viewOf([transfer(OWN, TOKEN_PROGRAM, 5n)]).warnings, 'nothing returns'))
})

test('a nonce account: made, emptied, renewed', () => {
  const rest = [`${RECENT_BLOCKHASHES} 0`, 'SysvarRent111111111111111111111111111111111 0']
  const made = viewOf([system([u32(6), key(OTHER)], ['source 1', ...rest])])
  assert.ok(made.isComplete && has(made.notes, `which ${OTHER} controls`))
  const emptied = viewOf([system([u32(5), u64(9n)], ['source 1', 'other 1', ...rest, 'own 2'])])
  assert.deepEqual([emptied.from, emptied.outputs[0]!.to], [[OWN], OTHER])
  assert.ok(viewOf([system([u32(12)], ['source 1'])]).isComplete)
})

test('a stake that another may withdraw, one that is locked, and one that is given away', () => {
  const rent = 'SysvarRent111111111111111111111111111111111 0'
  const made = (withdrawer: string, lockup: Uint8Array) =>
    viewOf([stake([u32(0), key(OWN), key(withdrawer), lockup], ['source 1', rent])])
  const free = new Uint8Array(48)
  assert.deepEqual(made(OWN, free).warnings, [])
  assert.ok(has(made(OTHER, free).warnings, `will belong to ${OTHER}`))
  assert.ok(has(made(OWN, free.with(3, 1)).warnings, 'locked up'))
  const clock = 'SysvarC1ock11111111111111111111111111111111 0'
  const given = viewOf([stake([u32(1), key(OTHER), u32(1)], ['source 1', clock, 'own 2'])])
  assert.ok(!given.isComplete && has(given.warnings, `right of withdrawing the stake ${SOURCE}`))
  assert.equal(
    viewOf([stake([u32(1), key(OTHER), u32(2)], ['source 1', clock, 'own 2'])]).kind,
    'opaque',
  )
  const checked = viewOf([stake([u32(10), u32(0)], ['source 1', clock, 'own 2', 'other 2'])])
  assert.ok(has(checked.warnings, `right of staking the stake ${SOURCE} to ${OTHER}`))
  // Split and merge are not read.
  assert.equal(viewOf([stake([u32(3), u64(5n)], ['source 1', 'other 1', 'own 2'])]).kind, 'opaque')
})
