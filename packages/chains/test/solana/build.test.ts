/** What the builders make is what the adapter shows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultCode, isFault } from '@quorate/base'
import {
  associatedTokenAddress,
  buildSolanaTokenTransfer,
  buildSolanaTransfer,
  type SolanaTransfer,
} from '@quorate/chains'
import { base58 } from '@scure/base'
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from '#src/solana/addresses.js'
import { dave, ed25519Wallet } from '../wallets.js'
import { BLOCKHASH, has, OWN, SECOND, viewOfBytes } from './samples.js'

const PAYEE = base58.encode(dave.key.publicKey)
const SPONSOR = base58.encode(ed25519Wallet(new Uint8Array(32).fill(3)).key.publicKey)
const USDC = 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v'
const lifetime = { blockhash: BLOCKHASH }
const payment: SolanaTransfer = { from: OWN, to: PAYEE, lamports: 1_500_000_000n, lifetime }
const token = { from: OWN, to: PAYEE, mint: USDC, amount: 2_500_000n, decimals: 6, lifetime }

test('a transfer, in both versions', () => {
  for (const version of ['legacy', 0] as const) {
    const { unsigned, context } = buildSolanaTransfer({ ...payment, version })
    assert.equal(context.length, 0)
    const view = viewOfBytes(unsigned)
    assert.deepEqual([view.kind, view.isComplete, view.warnings], ['transfer', true, []])
    assert.deepEqual(
      view.outputs.map(({ to, amount }) => [to, amount]),
      [[PAYEE, 1_500_000_000n]],
    )
  }
})

test('priority, memo, a payer of the fee and a durable nonce', () => {
  const { unsigned } = buildSolanaTransfer({
    ...payment,
    feePayer: SPONSOR,
    priority: { units: 1_000, microLamports: 2_000_000n },
    memo: 'rent for May',
    lifetime: { nonce: BLOCKHASH, nonceAccount: SECOND },
  })
  assert.equal(unsigned[0], 2)
  const view = viewOfBytes(unsigned)
  assert.equal(view.isComplete, true)
  assert.equal(view.fee!.amount, 10_000n + 2_000n)
  assert.ok(has(view.notes, '"rent for May"'))
  assert.ok(has(view.notes, `from ${SPONSOR}`))
  assert.ok(has(view.notes, `the durable nonce ${SECOND}, which ${OWN} controls`))
})

test('a transfer of tokens makes the account of the payee, who is shown by the wallet', () => {
  for (const tokenProgram of [undefined, TOKEN_PROGRAM, TOKEN_2022_PROGRAM] as const) {
    const view = viewOfBytes(buildSolanaTokenTransfer({ ...token, tokenProgram }).unsigned)
    assert.deepEqual([view.kind, view.isComplete], ['token', true])
    assert.deepEqual(
      view.outputs.map(({ to, isClaimed }) => [to, isClaimed]),
      [
        [PAYEE, false],
        [PAYEE, false],
      ],
    )
    assert.equal(view.outputs[1]!.amount, 2_500_000n)
    assert.ok(has(view.notes, 'transfers 2.5 USDC'))
    assert.deepEqual(view.warnings, [])
  }
})

test('what cannot be meant is refused', () => {
  const refuses = (make: () => unknown, code: FaultCode): void => {
    assert.throws(make, (error) => isFault(error, code), code)
  }
  const vault = associatedTokenAddress(PAYEE, USDC, TOKEN_PROGRAM)
  for (const bad of ['', '0', PAYEE.slice(1, -4)]) {
    refuses(() => buildSolanaTransfer({ ...payment, to: bad }), 'chains/bad-address')
    refuses(() => buildSolanaTransfer({ ...payment, from: bad }), 'chains/bad-address')
    refuses(() => buildSolanaTransfer({ ...payment, feePayer: bad }), 'chains/bad-address')
    refuses(
      () => buildSolanaTransfer({ ...payment, lifetime: { blockhash: bad } }),
      'chains/bad-address',
    )
    refuses(() => buildSolanaTokenTransfer({ ...token, mint: bad }), 'chains/bad-address')
  }
  for (const lamports of [0n, -1n, 2n ** 64n])
    refuses(() => buildSolanaTransfer({ ...payment, lamports }), 'chains/bad-amount')
  for (const decimals of [-1, 0.5, 256])
    refuses(() => buildSolanaTokenTransfer({ ...token, decimals }), 'chains/bad-amount')
  refuses(
    () => buildSolanaTransfer({ ...payment, priority: { units: 1.5, microLamports: 1n } }),
    'chains/bad-amount',
  )
  refuses(
    () => buildSolanaTransfer({ ...payment, memo: 'x'.repeat(1200) }),
    'chains/transaction-too-large',
  )
  refuses(() => buildSolanaTokenTransfer({ ...token, to: vault }), 'chains/bad-address')
  buildSolanaTokenTransfer({ ...token, to: vault, isToProgram: true })
})
