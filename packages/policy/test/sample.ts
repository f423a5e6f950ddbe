/** Transactions and policies to test with, and generators of any. */
import type { TxOutput, TxView } from '@quorate/api'
import {
  type AllowRule,
  type Conditions,
  type DenyRule,
  type Facts,
  type Limit,
  type LimitRule,
  type Policy,
  type Rule,
  WEEKDAYS,
} from '@quorate/policy'
import fc from 'fast-check'

export const NOW = 1_767_225_600_000

export const output = (change: Partial<TxOutput> = {}): TxOutput => ({
  to: 'alice',
  asset: 'BTC',
  amount: 1000n,
  isChange: false,
  isClaimed: false,
  ...change,
})

export const view = (change: Partial<TxView> = {}): TxView => ({
  network: 'bitcoin-testnet4',
  caip2: 'bip122:00000000da84f2bafbbc53dee25a72ae',
  kind: 'transfer',
  from: ['me'],
  outputs: [output(), output({ to: 'me', amount: 9000n, isChange: true })],
  fee: { asset: 'BTC', amount: 200n, isClaimed: false },
  isComplete: true,
  notes: [],
  warnings: [],
  calls: [],
  allowances: [],
  ...change,
})

export const facts = (change: Partial<TxView> = {}, more: Partial<Facts> = {}): Facts => ({
  view: view(change),
  initiator: 'cli_a',
  isTestnet: true,
  now: NOW,
  wallet: 'wal_a',
  ...more,
})

export const policyOf = (...rules: readonly Rule[]): Policy => ({ v: 1, rules })
export const allow = (when: Conditions, id = 'ok'): AllowRule => ({ id, action: 'allow', when })
export const deny = (when: Conditions, id = 'no'): DenyRule => ({ id, action: 'deny', when })
export const limit = (limit: Limit, when: Conditions = {}, id = 'limit'): LimitRule => ({
  id,
  action: 'limit',
  when,
  limit,
})

const names = fc.subarray(['alice', 'bob', 'me'], { minLength: 1 })
const amount = fc.bigInt({ min: 0n, max: 3000n })
const amounts = fc
  .uniqueArray(fc.tuple(fc.constantFrom('BTC', 'SOL'), amount), {
    minLength: 1,
    selector: ([asset]) => asset,
  })
  .map((pairs) => new Map(pairs))
const networks = ['bitcoin-testnet4', 'solana-devnet'] as const
const kinds = ['transfer', 'token', 'call', 'batch', 'opaque'] as const

const functions = fc
  .uniqueArray(
    fc.tuple(
      fc.constantFrom('token', 'router'),
      fc.subarray(['0xa9059cbb', '0x', '*'], { minLength: 1 }),
    ),
    { minLength: 1, selector: ([contract]) => contract },
  )
  .map((pairs) => new Map(pairs))
const assets = fc.subarray(['BTC', 'SOL'], { minLength: 1 })
const hours = fc.array(
  fc
    .record({
      days: fc.subarray([...WEEKDAYS], { minLength: 1 }),
      from: fc.nat(1439),
      length: fc.integer({ min: 1, max: 1440 }),
    })
    .map(({ days, from, length }) => ({ days, from, until: Math.min(1440, from + length) })),
  { minLength: 1, maxLength: 2 },
)

export const anyConditions: fc.Arbitrary<Conditions> = fc
  .record(
    {
      networks: fc.subarray([...networks], { minLength: 1 }),
      chains: fc.constantFrom(['x:y'], ['x:z']),
      isTestnet: fc.boolean(),
      kinds: fc.subarray([...kinds], { minLength: 1 }),
      isComplete: fc.boolean(),
      wallets: fc.constantFrom(['wal_a'], ['wal_b']),
      initiators: fc.constantFrom(['cli_a'], ['cli_b', 'cli_a']),
      onlyRecipients: names,
      anyRecipient: names,
      otherRecipient: names,
      onlyAssets: assets,
      anyAsset: assets,
      maxPayments: fc.nat(3),
      paymentsAbove: fc.nat(3),
      maxAmount: amounts,
      amountAbove: amounts,
      maxFee: amounts,
      feeAbove: amounts,
      onlyCalls: functions,
      anyCall: functions,
      onlySpenders: names,
      anySpender: names,
      maxAllowance: amounts,
      allowanceAbove: amounts,
      during: hours,
      notBefore: fc.constantFrom(NOW - 1, NOW, NOW + 1),
      notAfter: fc.constantFrom(NOW - 1, NOW, NOW + 1),
    },
    { requiredKeys: [] },
  )
  // A rule with many conditions matches nothing; few of them at a time say more.
  .chain((all) =>
    fc
      .shuffledSubarray(Object.keys(all) as (keyof Conditions)[], { maxLength: 3 })
      .map((kept) => Object.fromEntries(kept.map((name) => [name, all[name]])) as Conditions),
  )

const quorums = fc.uniqueArray(
  fc.record({
    group: fc.constantFrom('ops', 'board', 'admins'),
    need: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 1, maxLength: 3, selector: ({ group }) => group },
)
const anyLimit: fc.Arbitrary<Limit> = fc
  .record(
    {
      windowMs: fc.integer({ min: 1, max: 31 * 86_400_000 }),
      amounts,
      count: fc.nat(3),
      perRecipient: fc.boolean(),
    },
    { requiredKeys: ['windowMs', 'amounts'] },
  )
  .chain((made) =>
    fc.option(fc.boolean(), { nil: undefined }).map((includesFee) => ({ ...made, includesFee })),
  )

const bare = { when: anyConditions, id: fc.constant('any') }
/** A policy gives each an id of its own. */
export const anyRule: fc.Arbitrary<Rule> = fc.oneof(
  fc.record({ ...bare, action: fc.constant('deny' as const) }),
  fc.record({ ...bare, action: fc.constant('allow' as const) }),
  fc.record({ ...bare, action: fc.constant('allow' as const), allowsIncomplete: fc.boolean() }),
  fc.record({
    ...bare,
    action: fc.constant('approve' as const),
    approvals: quorums,
    allowsSelfApproval: fc.option(fc.boolean(), { nil: undefined }),
  }),
  fc.record({
    ...bare,
    action: fc.constant('delay' as const),
    delayMs: fc.integer({ min: 1, max: 86_400_000 }),
    veto: fc.option(fc.constantFrom('ops', 'board'), { nil: undefined }),
  }),
  fc.record({ ...bare, action: fc.constant('limit' as const), limit: anyLimit }),
)

export const anyPolicy: fc.Arbitrary<Policy> = fc
  .array(anyRule, { maxLength: 6 })
  .map((rules) => policyOf(...rules.map((rule, i) => ({ ...rule, id: `rule-${i}` }))))

export const anyFacts: fc.Arbitrary<Facts> = fc.record({
  view: fc.record({
    network: fc.constantFrom(...networks),
    caip2: fc.constant('x:y'),
    kind: fc.constantFrom(...kinds),
    from: fc.constant(['me']),
    outputs: fc.array(
      fc.record({
        to: fc.constantFrom('alice', 'bob', 'me', 'eve'),
        asset: fc.constantFrom('BTC', 'SOL'),
        amount: fc.bigInt({ min: -10n, max: 3000n }),
        isChange: fc.boolean(),
        isClaimed: fc.boolean(),
      }),
      { maxLength: 4 },
    ),
    fee: fc.option(
      fc.record({ asset: fc.constantFrom('BTC', 'SOL'), amount, isClaimed: fc.boolean() }),
      { nil: undefined },
    ),
    isComplete: fc.boolean(),
    notes: fc.constant([]),
    warnings: fc.constant([]),
    calls: fc.option(
      fc.array(
        fc.record({
          contract: fc.constantFrom('token', 'router', 'other'),
          selector: fc.constantFrom('0xa9059cbb', '0x', '0x12345678'),
        }),
        { maxLength: 2 },
      ),
      { nil: undefined },
    ),
    allowances: fc.option(
      fc.array(
        fc.record({
          spender: fc.constantFrom('alice', 'bob', 'eve'),
          asset: fc.constantFrom('BTC', 'SOL'),
          amount,
          isClaimed: fc.boolean(),
        }),
        { maxLength: 2 },
      ),
      { nil: undefined },
    ),
  }),
  initiator: fc.constantFrom('cli_a', 'cli_b'),
  isTestnet: fc.boolean(),
  now: fc.constantFrom(NOW, NOW + 3 * 86_400_000 + 5_000_000),
  wallet: fc.constantFrom('wal_a', 'wal_b'),
})
