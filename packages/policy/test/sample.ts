/** Transactions and policies to test with, and generators of any. */
import type { TxOutput, TxView } from '@quorate/api'
import type { Conditions, Facts, Policy, Rule } from '@quorate/policy'
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
export const allow = (when: Conditions, id = 'ok'): Rule => ({ id, action: 'allow', when })
export const deny = (when: Conditions, id = 'no'): Rule => ({ id, action: 'deny', when })

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

export const anyConditions: fc.Arbitrary<Conditions> = fc.record(
  {
    networks: fc.subarray([...networks], { minLength: 1 }),
    isTestnet: fc.boolean(),
    kinds: fc.subarray([...kinds], { minLength: 1 }),
    wallets: fc.constantFrom(['wal_a'], ['wal_b']),
    initiators: fc.constantFrom(['cli_a'], ['cli_b', 'cli_a']),
    onlyRecipients: names,
    anyRecipient: names,
    maxAmount: amounts,
    amountAbove: amounts,
    maxFee: amounts,
    feeAbove: amounts,
    notBefore: fc.constantFrom(NOW - 1, NOW, NOW + 1),
    notAfter: fc.constantFrom(NOW - 1, NOW, NOW + 1),
  },
  { requiredKeys: [] },
)

/** Without an id: a policy gives each its own. */
export const anyRule: fc.Arbitrary<Omit<Rule, 'id'>> = fc.oneof(
  fc.record({ action: fc.constant('deny' as const), when: anyConditions }),
  fc.record({ action: fc.constant('allow' as const), when: anyConditions }),
  fc.record({
    action: fc.constant('allow' as const),
    when: anyConditions,
    allowsIncomplete: fc.boolean(),
  }),
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
  }),
  initiator: fc.constantFrom('cli_a', 'cli_b'),
  isTestnet: fc.boolean(),
  now: fc.constant(NOW),
  wallet: fc.constantFrom('wal_a', 'wal_b'),
})
