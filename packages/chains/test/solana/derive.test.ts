/** Derived addresses: those of the official token client, and what cannot be one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault, utf8 } from '@quorate/base'
import { associatedTokenAddress, findProgramAddress } from '@quorate/chains'
import { base58 } from '@scure/base'
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from '#src/solana/addresses.js'
import { addressWithSeed, isOnCurve } from '#src/solana/derive.js'
import { carol } from '../wallets.js'
import { MINT, OTHER } from './samples.js'

test('associated token accounts, as @solana-program/token-2022 derives them', () => {
  assert.equal(
    associatedTokenAddress(OTHER, MINT, TOKEN_PROGRAM),
    '9ErFhZpVCkjr6ZLxZcibXZAEdEYcPyE6UfQMsmMkYEBF',
  )
  assert.equal(
    associatedTokenAddress(OTHER, MINT, TOKEN_2022_PROGRAM),
    'EBnfn5Kj46FSgNAVwyP3xyDZF4evWHqi24W9VzbatdkY',
  )
})

test('a program address is no point, a key is one', () => {
  const { address, bump } = findProgramAddress([utf8('vault')], TOKEN_PROGRAM)
  assert.equal(isOnCurve(base58.decode(address)), false)
  assert.ok(bump <= 255)
  assert.equal(isOnCurve(carol.key.publicKey), true)
})

test('seeds change the address, and have limits', () => {
  const seed = (length: number): Uint8Array => new Uint8Array(length)
  const seeds = (count: number): Uint8Array[] => Array.from({ length: count }, () => seed(1))
  const one = findProgramAddress(seeds(15), TOKEN_PROGRAM).address
  assert.notEqual(one, findProgramAddress(seeds(14), TOKEN_PROGRAM).address)
  assert.notEqual(one, findProgramAddress(seeds(15), TOKEN_2022_PROGRAM).address)
  for (const bad of [seeds(16), [seed(33)]])
    assert.throws(
      () => findProgramAddress(bad, TOKEN_PROGRAM),
      (error) => isFault(error, 'chains/bad-address'),
    )
  assert.notEqual(
    addressWithSeed(OTHER, utf8('a'), TOKEN_PROGRAM),
    addressWithSeed(OTHER, utf8('b'), TOKEN_PROGRAM),
  )
})
