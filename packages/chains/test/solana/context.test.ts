/** Accounts out of address tables: never believed, shown only if they are told, and then as claimed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TxView } from '@quorate/api'
import { concatBytes, encodeCbor, isFault } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import { base58 } from '@scure/base'
import { encodeContext, type SolanaContext } from '#src/solana/context.js'
import {
  type Call,
  carol,
  messageOf,
  RECIPIENT,
  TRANSFER,
  transferData,
  wireOf,
} from '../wallets.js'
import { has, OTHER, SECOND, TARGET } from './samples.js'

const adapter = findAdapter('solana')
const TABLE = new Uint8Array(32).fill(0x33)
/** Accounts 3 and 4 are written, 5 is only read. */
const lookups = [concatBytes(TABLE, Uint8Array.of(2, 9, 4, 1, 7))]
const loaded = { writable: [TARGET, OTHER], readonly: [SECOND] }
const pay = (lamports: bigint, to: number): Call => ({
  program: 2,
  accounts: [0, to],
  data: transferData(lamports),
})
const view = (context: SolanaContext, calls: readonly Call[]): TxView =>
  adapter
    .parse({
      unsigned: wireOf(messageOf({ ...TRANSFER, lookups, calls })),
      context: encodeContext(context),
      key: carol.key,
    })
    .view()

test('a payee in a table is not understood without the context, and claimed with it', () => {
  const silent = view({}, [pay(5n, 3)])
  assert.deepEqual([silent.kind, silent.isComplete, silent.outputs], ['opaque', false, []])
  const told = view({ loaded }, [pay(5n, 3), pay(6n, 4), pay(7n, 1)])
  assert.deepEqual(
    told.outputs.map(({ to, amount, isClaimed }) => [to, amount, isClaimed]),
    [
      [TARGET, 5n, true],
      [OTHER, 6n, true],
      [base58.encode(RECIPIENT), 7n, false],
    ],
  )
  assert.ok(has(told.warnings, `only claimed: ${base58.encode(TABLE)}`))
})

test('a replaced payee changes nothing of what is signed, so the view never calls it bound', () => {
  const first = view({ loaded }, [pay(5n, 3)])
  const second = view({ loaded: { ...loaded, writable: [SECOND, OTHER], readonly: [TARGET] } }, [
    pay(5n, 3),
  ])
  assert.notEqual(first.outputs[0]!.to, second.outputs[0]!.to)
  assert.ok(first.outputs[0]!.isClaimed && second.outputs[0]!.isClaimed)
})

test('an instruction that moves nothing counts as incomplete if it names claimed accounts', () => {
  const allocate: Call = {
    program: 2,
    accounts: [3],
    data: Uint8Array.of(8, 0, 0, 0, ...new Uint8Array(8)),
  }
  const bound: Call = { ...allocate, accounts: [1] }
  assert.equal(view({ loaded }, [allocate]).isComplete, false)
  assert.equal(view({ loaded }, [bound]).isComplete, true)
})

test('a context that does not fit is refused', () => {
  const claim = { account: TARGET, owner: OTHER, mint: SECOND }
  const own = base58.encode(carol.key.publicKey)
  const bad: readonly SolanaContext[] = [
    { loaded: { writable: [TARGET], readonly: [SECOND] } },
    { loaded: { writable: [TARGET, OTHER], readonly: [] } },
    { loaded: { writable: [TARGET, TARGET], readonly: [SECOND] } },
    { loaded: { writable: [TARGET, own], readonly: [SECOND] } },
    { tokenAccounts: [claim] },
    { loaded, tokenAccounts: [claim, { ...claim, owner: SECOND }] },
  ]
  for (const context of bad)
    assert.throws(
      () => view(context, [pay(5n, 1)]),
      (error) => isFault(error, 'chains/bad-context'),
    )
  view({ loaded, tokenAccounts: [claim] }, [pay(5n, 1)])
})

test('a context of another form is refused, and one where nothing is looked up', () => {
  const unsigned = wireOf(messageOf(TRANSFER))
  const canonical = encodeContext({ loaded })
  const refused = [
    Uint8Array.of(0),
    encodeCbor(new Map()),
    concatBytes(canonical, Uint8Array.of(0)),
    canonical.slice(0, -1),
    canonical,
    encodeContext({ loaded: { writable: [], readonly: [] } }),
  ]
  for (const context of refused)
    assert.throws(
      () => adapter.parse({ unsigned, context, key: carol.key }),
      (error) => isFault(error, 'chains/bad-context'),
    )
})

test('another byte of the context never shows the same as bound', () => {
  const unsigned = wireOf(messageOf({ ...TRANSFER, lookups, calls: [pay(5n, 3)] }))
  const context = encodeContext({ loaded })
  for (let at = 0; at < context.length; at++) {
    const flipped = context.slice()
    flipped[at]! ^= 1
    try {
      const seen = adapter.parse({ unsigned, context: flipped, key: carol.key }).view()
      assert.ok(seen.outputs.every(({ isClaimed }) => isClaimed))
    } catch (error) {
      assert.ok(isFault(error, 'chains/bad-context'), String(error))
    }
  }
})
