import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TxView } from '@quorate/api'
import { concatBytes } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import { base58 } from '@scure/base'
import {
  BUDGET,
  type Call,
  carol,
  dave,
  littleEndian,
  type MessageParts,
  messageOf,
  NO_CONTEXT,
  RECENT_BLOCKHASHES,
  RECIPIENT,
  TRANSFER,
  transferData,
  wireOf,
} from '../wallets.js'

const adapter = findAdapter('solana-devnet')
const viewOf = (parts: Partial<MessageParts>): TxView => {
  const whole = { ...TRANSFER, ...parts }
  const unsigned = wireOf(messageOf(whole), whole.header[0])
  return adapter.parse({ unsigned, context: NO_CONTEXT, key: carol.key }).view()
}
const has = (lines: readonly string[], text: string): boolean =>
  lines.some((line) => line.includes(text))

const own = adapter.address(carol.key)
const [transfer] = TRANSFER.calls as readonly [Call]
const NONCE = new Uint8Array(32).fill(0x21)
const PROGRAM = new Uint8Array(32).fill(0x55)
const SYSTEM = new Uint8Array(32)

/** carol, recipient, nonce account, system, budget, sysvar, another program */
const accounts = [
  carol.key.publicKey,
  RECIPIENT,
  NONCE,
  SYSTEM,
  BUDGET,
  RECENT_BLOCKHASHES,
  PROGRAM,
]
const header = [1, 0, 4] as const
const pay = (lamports: bigint, to = 1): Call => ({
  program: 3,
  accounts: [0, to],
  data: transferData(lamports),
})
const budget = (kind: number, value: bigint, length: number): Call => ({
  program: 4,
  accounts: [],
  data: concatBytes(Uint8Array.of(kind), littleEndian(value, length)),
})
const limit = (units: bigint): Call => budget(2, units, 4)
const price = (micro: bigint): Call => budget(3, micro, 8)
const withCalls = (...calls: readonly Call[]): TxView => viewOf({ accounts, header, calls })

test('a transfer: who pays, to whom, how much, fee', () => {
  assert.deepEqual(viewOf({}), {
    network: 'solana-devnet',
    caip2: 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1',
    kind: 'transfer',
    from: [own],
    outputs: [
      {
        to: base58.encode(RECIPIENT),
        asset: 'SOL',
        amount: 1_500_000_000n,
        isChange: false,
        isClaimed: false,
      },
    ],
    fee: { asset: 'SOL', amount: 5_000n, isClaimed: false },
    allowances: [],
    isComplete: true,
    notes: [
      'the fee pays 1 signature of 5000 lamports, from this wallet',
      'expires about a minute after its blockhash was made',
    ],
    warnings: [],
  } satisfies TxView)
})

test('several transfers are a batch, each with its recipient', () => {
  const view = withCalls(pay(1n), pay(2n, 2), pay(3n, 0))
  assert.equal(view.kind, 'batch')
  assert.deepEqual(
    view.outputs.map(({ to, amount, isChange }) => [to, amount, isChange]),
    [
      [base58.encode(RECIPIENT), 1n, false],
      [base58.encode(NONCE), 2n, false],
      [own, 3n, true],
    ],
  )
  assert.equal(view.isComplete, true)
})

test('amounts use all 64 bits', () => {
  assert.equal(withCalls(pay(2n ** 64n - 1n)).outputs[0]!.amount, 2n ** 64n - 1n)
})

test('a priority fee is price times limit, rounded up, and bounded where no limit is set', () => {
  const fee = (...calls: readonly Call[]): bigint | undefined =>
    withCalls(...calls, pay(1n)).fee?.amount
  assert.equal(fee(limit(10_000n), price(1_000_000n)), 15_000n)
  assert.equal(fee(limit(1n), price(1n)), 5_001n)
  assert.equal(fee(price(1_000_000n)), 5_000n + 400_000n)
  assert.equal(fee(limit(4_000_000n), price(1_000_000n)), 5_000n + 1_400_000n)
  assert.equal(fee(limit(10_000n)), 5_000n)
  assert.ok(has(withCalls(price(1_000_000n), pay(1n)).notes, 'at most 400000 lamports'))
  assert.ok(
    has(withCalls(limit(1_000_000n), price(10_000_000n), pay(1n)).warnings, 'unusually high'),
  )
  assert.equal(withCalls(budget(1, 32_768n, 4), budget(4, 65_536n, 4), pay(1n)).isComplete, true)
})

test('a fee that cannot be told is not told', () => {
  const odd: readonly (readonly Call[])[] = [
    [price(1n), price(2n)],
    [limit(1n), limit(2n)],
    [{ ...price(1n), accounts: [0] }],
    [budget(0, 1n, 8)],
    [budget(9, 1n, 4)],
    [{ program: 4, accounts: [], data: new Uint8Array(0) }],
  ]
  for (const calls of odd) {
    const view = withCalls(...calls, pay(1n))
    assert.equal(view.fee, undefined)
    assert.equal(view.isComplete, false)
    assert.ok(has(view.warnings, 'fee cannot be told'))
  }
  for (const program of [
    'Ed25519SigVerify111111111111111111111111111',
    'KeccakSecp256k11111111111111111111111111111',
    'Secp256r1SigVerify1111111111111111111111111',
  ]) {
    const checker = base58.decode(program)
    assert.equal(checker.length, 32)
    const calls = [{ program: 6, accounts: [], data: Uint8Array.of(1) }, pay(1n)]
    const view = viewOf({ header, accounts: [...accounts.slice(0, 6), checker], calls })
    assert.equal(view.fee, undefined)
  }
})

test('a durable nonce is said to be one, in the first place only', () => {
  const advance: Call = { program: 3, accounts: [2, 5, 0], data: littleEndian(4n, 4) }
  const view = withCalls(advance, pay(1n))
  assert.equal(view.kind, 'transfer')
  assert.equal(view.isComplete, true)
  assert.ok(has(view.notes, `does not expire: it uses the durable nonce ${base58.encode(NONCE)}`))
  assert.ok(!has(view.notes, 'about a minute'))
  assert.equal(withCalls(pay(1n), advance).isComplete, false)
  assert.equal(withCalls({ ...advance, accounts: [2, 1, 0] }, pay(1n)).isComplete, false)
})

test('what is not understood hides nothing and is named', () => {
  const strange: readonly Call[] = [
    { program: 6, accounts: [0, 1], data: Uint8Array.of(1, 2, 3) },
    { ...pay(5n), data: concatBytes(transferData(5n), Uint8Array.of(0)) },
    { ...pay(5n), accounts: [0, 1, 2] },
    { ...pay(5n), accounts: [0] },
    { program: 3, accounts: [0], data: Uint8Array.of(2) },
    // Assign without the program that gets the account.
    { program: 3, accounts: [0], data: littleEndian(1n, 4) },
    // A number that the System program does not have.
    { program: 3, accounts: [0], data: littleEndian(99n, 4) },
  ]
  for (const call of strange) {
    const view = withCalls(call, pay(1n))
    assert.equal(view.kind, 'opaque')
    assert.equal(view.isComplete, false)
    assert.deepEqual(
      view.outputs.map(({ amount }) => amount),
      [1n],
    )
    assert.ok(has(view.warnings, base58.encode(accounts[call.program]!)))
  }
})

test('money of others, and a fee that others pay', () => {
  const view = viewOf({
    header: [2, 0, 1],
    accounts: [dave.key.publicKey, carol.key.publicKey, RECIPIENT, SYSTEM],
    calls: [{ program: 3, accounts: [0, 2], data: transferData(9n) }],
  })
  assert.deepEqual(view.from, [adapter.address(dave.key)])
  assert.equal(view.fee!.amount, 10_000n)
  assert.ok(has(view.notes, `2 signatures of 5000 lamports, from ${adapter.address(dave.key)}`))
  assert.ok(has(view.warnings, `moves money of ${adapter.address(dave.key)}`))
})

test('a recipient out of an address table is not guessed', () => {
  const table = concatBytes(new Uint8Array(32).fill(0x33), Uint8Array.of(1, 7, 0))
  const view = viewOf({ lookups: [table], calls: [{ ...transfer, accounts: [0, 3] }] })
  assert.equal(view.kind, 'opaque')
  assert.equal(view.isComplete, false)
  assert.deepEqual(view.outputs, [])
  assert.ok(has(view.warnings, 'address tables'))
  assert.equal(viewOf({ lookups: [table] }).isComplete, false, 'nor where it is not used')
})

test('a fee out of proportion is said, the price of signatures alone is not', () => {
  const warnings = (...calls: readonly Call[]): readonly string[] => withCalls(...calls).warnings
  const fee = [limit(1_000_000n), price(900_000n)]
  assert.ok(has(warnings(...fee, pay(1_000_000n)), 'more than 10 % of the amount sent'))
  assert.deepEqual(warnings(...fee, pay(1_000_000_000n)), [])
  assert.deepEqual(warnings(pay(1n)), [])
})

test('doing nothing is a call', () => {
  const view = viewOf({ calls: [] })
  assert.deepEqual([view.kind, view.isComplete, view.outputs.length], ['call', true, 0])
  assert.deepEqual(view.from, [own])
})
