/** What the instructions of both token programs are said to do, from the bytes of the official client. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TxView } from '@quorate/api'
import { associatedTokenAddress } from '@quorate/chains'
import {
  ASSOCIATED_TOKEN_PROGRAM,
  TOKEN_2022_PROGRAM,
  TOKEN_PROGRAM,
  type TokenProgram,
} from '#src/solana/addresses.js'
import { createAssociated, transferChecked } from '#src/solana/compile.js'
import { call, has, MINT, OTHER, OWN, SOURCE, TARGET, viewOf } from './samples.js'
import { ASSOCIATED_VECTORS, TOKEN_VECTORS } from './token-vectors.js'

const ASSET = `solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/token:${MINT}`
const PROGRAMS = [TOKEN_PROGRAM, TOKEN_2022_PROGRAM] as const

type Expected = {
  readonly kind?: TxView['kind']
  readonly isComplete: boolean
  /** Payee and amount. */
  readonly outputs?: readonly (readonly [string, bigint])[]
  readonly note?: string
  readonly warning?: string
}
const transfer: Expected = { kind: 'token', isComplete: true, outputs: [[TARGET, 5_000_000n]] }

/** One for each vector. */
const EXPECTED: readonly Expected[] = [
  { isComplete: false, warning: `some token out of ${SOURCE} to ${TARGET}` },
  { isComplete: false, warning: `lets ${OTHER} take up to 7 of the smallest unit` },
  { isComplete: true, note: 'nobody else may take' },
  { isComplete: false, warning: `gives the right of owning for ${SOURCE} to ${OTHER}` },
  { isComplete: false, warning: `takes the right of minting from ${MINT} for ever` },
  { kind: 'token', isComplete: true, outputs: [[TARGET, 9n]], note: 'makes new 9 of the smallest' },
  { kind: 'token', isComplete: true, outputs: [[MINT, 9n]], warning: 'destroys 9 of' },
  { isComplete: true, warning: 'goes to this wallet' },
  { isComplete: false, warning: `goes to ${OTHER}` },
  { isComplete: true, warning: 'freezes' },
  { isComplete: true, note: 'frees the frozen' },
  { ...transfer, note: 'transfers 5 of the unknown mint' },
  { ...transfer, warning: `moves money of ${OTHER}` },
  {
    isComplete: false,
    warning: `lets ${OTHER} take any amount out of the token account ${SOURCE}`,
  },
  { isComplete: false, warning: 'up to 1.5 of the unknown mint' },
  { kind: 'token', isComplete: true, outputs: [[TARGET, 9n]], note: '0.000009' },
  { kind: 'token', isComplete: true, outputs: [[MINT, 9n]], warning: 'destroys 0.000009' },
  { isComplete: true, note: 'as wSOL' },
  { isComplete: true, note: `makes ${SOURCE} a token account of ${OTHER}` },
  { isComplete: true, note: `makes ${SOURCE} a token account of ${OTHER}` },
  { isComplete: true, note: `makes ${SOURCE} a token account of ${OTHER}` },
  { isComplete: true, note: `${OTHER} may freeze them` },
  { isComplete: true, note: 'nobody may freeze them' },
  { isComplete: true, note: `a signature of 2 of ${OWN}, ${OTHER}` },
  { isComplete: true, note: `a signature of 2 of ${OWN}, ${OTHER}` },
  { isComplete: true, note: 'final' },
  { ...transfer, note: 'the mint keeps 0.01 of' },
]

for (const program of PROGRAMS)
  TOKEN_VECTORS.forEach(([name, data, accounts], i) => {
    const { kind = 'call', isComplete, outputs = [], note, warning } = EXPECTED[i]!
    const isMultisig = accounts.length === 6
    const isOnlyOf2022 = name === 'TransferCheckedWithFee'
    if (program === TOKEN_PROGRAM ? isOnlyOf2022 : isMultisig) return
    test(`${name} (${data}) of ${program}`, () => {
      const view = viewOf([call(program, data, accounts)])
      assert.equal(view.kind, kind)
      assert.equal(view.isComplete, isComplete)
      assert.deepEqual(
        view.outputs.map((output) => [output.to, output.amount]),
        outputs,
      )
      for (const { asset, isClaimed, isChange } of view.outputs)
        assert.deepEqual([asset, isClaimed, isChange], [ASSET, false, false])
      if (note !== undefined) assert.ok(has(view.notes, note), view.notes.join('\n'))
      if (warning !== undefined) assert.ok(has(view.warnings, warning), view.warnings.join('\n'))
      assert.ok(note !== undefined || warning !== undefined)
    })
  })

test('there is an expectation for every vector', () => {
  assert.equal(EXPECTED.length, TOKEN_VECTORS.length)
})

test('what differs from the layout by one account or byte is not understood', () => {
  for (const [name, data, accounts] of TOKEN_VECTORS) {
    const odd = [
      call(TOKEN_2022_PROGRAM, `${data}00`, accounts),
      call(TOKEN_2022_PROGRAM, data.slice(0, -2), accounts),
      call(TOKEN_2022_PROGRAM, data, accounts.slice(0, -1)),
      call(TOKEN_2022_PROGRAM, data, [...accounts, 'second 1']),
    ]
    odd.forEach((instruction, i) => {
      // One signer of a multisignature more or less is another one, not a mistake.
      if (name.startsWith('InitializeMultisig') && i > 1) return
      if (name === 'SyncNative' && i === 2) return
      assert.equal(viewOf([instruction]).isComplete, false, `${name} ${i}`)
    })
  }
})

test('associated token accounts are made again: payee, rent, and a wrong one is not understood', () => {
  for (const [name, data, accounts] of ASSOCIATED_VECTORS) {
    const view = viewOf([call(ASSOCIATED_TOKEN_PROGRAM, data, accounts)])
    const isClassic = accounts.at(-1)!.startsWith(TOKEN_PROGRAM)
    assert.deepEqual([view.kind, view.isComplete], ['call', true], name)
    assert.deepEqual(
      view.outputs.map(({ to, asset, amount }) => [to, asset, amount]),
      [[OTHER, 'SOL', isClassic ? 2_039_280n : 2_672_640n]],
    )
    const wrong = accounts.map((text, i) => (i === 1 ? 'target 1' : text))
    assert.equal(viewOf([call(ASSOCIATED_TOKEN_PROGRAM, data, wrong)]).kind, 'opaque')
    assert.equal(viewOf([call(ASSOCIATED_TOKEN_PROGRAM, '02', accounts)]).kind, 'opaque')
  }
})

const USDC = 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v'
const accountOf = (wallet: string, mint = USDC, program: TokenProgram = TOKEN_PROGRAM): string =>
  associatedTokenAddress(wallet, mint, program)
const pay = (target: string, { mint = USDC, decimals = 6, authority = OWN } = {}) =>
  transferChecked([accountOf(OWN), mint, target, authority], 1_500_000n, decimals, TOKEN_PROGRAM)

test('a known token has its name, whoever asks; an unknown one has none', () => {
  const known = viewOf([pay(TARGET)])
  assert.ok(has(known.notes, 'transfers 1.5 USDC to'))
  assert.deepEqual(known.from, [OWN])
  assert.ok(has(viewOf([pay(TARGET, { mint: MINT })]).notes, 'of the unknown mint'))
  // Mainnet's USDC is nothing on a testnet.
  assert.ok(has(viewOf([pay(TARGET)], {}, 'solana-testnet').notes, `unknown mint ${USDC}`))
})

test('decimals that are not those of the token are said to be wrong', () => {
  const view = viewOf([pay(TARGET, { decimals: 2 })])
  assert.ok(has(view.warnings, 'says 2 decimals, but USDC has 6'))
})

test('the payee is a wallet where the same transaction has its account made', () => {
  const target = accountOf(OTHER)
  const view = viewOf([createAssociated(OWN, target, OTHER, USDC, TOKEN_PROGRAM), pay(target)])
  assert.deepEqual([view.kind, view.isComplete], ['token', true])
  assert.deepEqual(
    view.outputs.map(({ to, isClaimed }) => [to, isClaimed]),
    [
      [OTHER, false],
      [OTHER, false],
    ],
  )
  // Made for another mint, it proves nothing about this one.
  const other = accountOf(OTHER, MINT)
  const strange = viewOf([createAssociated(OWN, other, OTHER, MINT, TOKEN_PROGRAM), pay(other)])
  assert.equal(strange.outputs[1]!.to, other)
})

test('context may say whose an account is: proven if it is derived, else only said', () => {
  const proven = { account: accountOf(OTHER), owner: OTHER, mint: USDC }
  const view = viewOf([pay(proven.account)], { tokenAccounts: [proven] })
  assert.deepEqual(
    view.outputs.map(({ to, isClaimed }) => [to, isClaimed]),
    [[OTHER, false]],
  )
  const said = { account: TARGET, owner: OTHER, mint: USDC }
  const claimed = viewOf([pay(TARGET)], { tokenAccounts: [said] })
  assert.equal(claimed.outputs[0]!.to, TARGET)
  assert.ok(has(claimed.warnings, `only said that ${TARGET} belongs to ${OTHER}`))
})

test('a transfer without its mint counts where an account shows it, and is claimed where it is said', () => {
  const transfer = (source: string, target: string) =>
    call(TOKEN_PROGRAM, '0360e3160000000000', [`${source} 1`, `${target} 1`, 'own 2'])
  const own = viewOf([transfer(accountOf(OWN), TARGET)])
  assert.deepEqual([own.kind, own.isComplete, own.outputs[0]!.isClaimed], ['token', true, false])
  assert.ok(has(own.notes, '1.5 USDC'))
  const said = viewOf([transfer(SOURCE, TARGET)], {
    tokenAccounts: [{ account: TARGET, owner: OTHER, mint: USDC }],
  })
  assert.deepEqual([said.isComplete, said.outputs[0]!.isClaimed], [true, true])
})

test('tokens of this wallet that somebody else moves, and tokens that come back to it', () => {
  const moved = viewOf([
    pay(TARGET, { authority: OTHER }),
    call(TOKEN_PROGRAM, '05', ['source 1', 'own 2']),
  ])
  assert.deepEqual(moved.from, [OWN])
  assert.ok(has(moved.warnings, `${OTHER} moves tokens of this wallet`))
  const target = accountOf(OWN)
  const back = viewOf([transferChecked([SOURCE, USDC, target, OWN], 1n, 6, TOKEN_PROGRAM)])
  assert.deepEqual(
    back.outputs.map(({ to, isChange }) => [to, isChange]),
    [[OWN, true]],
  )
  assert.ok(has(back.notes, `out of the token account ${SOURCE}`))
})

test('an approval beside a transfer is not hidden by it', () => {
  const view = viewOf([
    pay(TARGET),
    call(TOKEN_PROGRAM, '04ffffffffffffffff', ['source 1', 'other 0', 'own 2']),
  ])
  assert.deepEqual([view.kind, view.isComplete], ['batch', false])
  assert.ok(has(view.warnings, 'any amount'))
})
