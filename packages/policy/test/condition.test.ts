import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TxView } from '@quorate/api'
import { type Conditions, decide, type Facts } from '@quorate/policy'
import { allow, deny, facts, NOW, output, policyOf } from './sample.ts'

const isAllowed = (policy: Parameters<typeof decide>[0], about: Facts): boolean =>
  decide(policy, about).decision !== 'deny'

/** Each condition: facts for which it holds, does not, and cannot be told. */
type Row = readonly [name: string, when: Conditions, holds: Facts, not: Facts, unknown?: Facts]
const btc = (amount: bigint): ReadonlyMap<string, bigint> => new Map([['BTC', amount]])
const claimedOutput = facts({ outputs: [output({ isClaimed: true })] })
const noFee = facts({ fee: undefined })
const ROWS: readonly Row[] = [
  ['networks', { networks: ['bitcoin-testnet4'] }, facts(), facts({ network: 'bitcoin' })],
  ['isTestnet', { isTestnet: true }, facts(), facts({}, { isTestnet: false })],
  ['isTestnet false', { isTestnet: false }, facts({}, { isTestnet: false }), facts()],
  ['kinds', { kinds: ['transfer'] }, facts(), facts({ kind: 'call' })],
  ['wallets', { wallets: ['wal_a'] }, facts(), facts({}, { wallet: 'wal_b' })],
  ['initiators', { initiators: ['cli_a'] }, facts(), facts({}, { initiator: 'cli_b' })],
  [
    'onlyRecipients',
    { onlyRecipients: ['alice'] },
    facts(),
    facts({ outputs: [output(), output({ to: 'eve', amount: 0n })] }),
    claimedOutput,
  ],
  [
    'anyRecipient',
    { anyRecipient: ['alice'] },
    facts(),
    facts({ outputs: [output({ to: 'eve' })] }),
    claimedOutput,
  ],
  [
    'maxAmount',
    { maxAmount: btc(1000n) },
    facts(),
    facts({ outputs: [output(), output({ amount: 1n })] }),
    claimedOutput,
  ],
  [
    'maxAmount of another asset',
    { maxAmount: btc(1000n) },
    facts(),
    facts({ outputs: [output({ asset: 'SOL', amount: 0n })] }),
  ],
  [
    'maxAmount, negative amount',
    { maxAmount: btc(1000n) },
    facts(),
    facts({ outputs: [output({ amount: 1001n })] }),
    facts({ outputs: [output(), output({ amount: -5n })] }),
  ],
  [
    'amountAbove',
    { amountAbove: btc(999n) },
    facts(),
    facts({ outputs: [output({ amount: 999n })] }),
    claimedOutput,
  ],
  [
    'maxFee',
    { maxFee: btc(200n) },
    facts(),
    facts({ fee: { asset: 'BTC', amount: 201n, isClaimed: false } }),
    noFee,
  ],
  [
    'maxFee of another asset',
    { maxFee: btc(200n) },
    facts(),
    facts({ fee: { asset: 'SOL', amount: 1n, isClaimed: false } }),
  ],
  [
    'maxFee, claimed',
    { maxFee: btc(200n) },
    facts(),
    facts({ fee: { asset: 'BTC', amount: 201n, isClaimed: false } }),
    facts({ fee: { asset: 'BTC', amount: 1n, isClaimed: true } }),
  ],
  [
    'feeAbove',
    { feeAbove: btc(199n) },
    facts(),
    facts({ fee: { asset: 'BTC', amount: 199n, isClaimed: false } }),
    noFee,
  ],
  ['notBefore', { notBefore: NOW }, facts(), facts({}, { now: NOW - 1 })],
  ['notAfter', { notAfter: NOW }, facts(), facts({}, { now: NOW + 1 })],
]

const call = (selector: string, contract = 'token') => ({ calls: [{ contract, selector }] })
const allowance = (change: Partial<NonNullable<TxView['allowances']>[0]> = {}) => ({
  allowances: [{ spender: 'alice', asset: 'BTC', amount: 1000n, isClaimed: false, ...change }],
})
const transfers = new Map([['token', ['0xa9059cbb']]])
const everything = new Map([['token', ['*']]])
const untold = facts({ calls: undefined, allowances: undefined })
const inCall = { kind: 'call', isComplete: false } as const
/** NOW is midnight on Thursday, 1 January 2026. */
const thursday = { days: ['wed', 'thu'], from: 0, until: 60 } as const
const MORE_ROWS: readonly Row[] = [
  ['chains', { chains: [facts().view.caip2] }, facts(), facts({ caip2: 'eip155:1' })],
  ['isComplete', { isComplete: true }, facts(), facts({ isComplete: false })],
  [
    'otherRecipient',
    { otherRecipient: ['alice'] },
    facts({ outputs: [output(), output({ to: 'eve' })] }),
    facts(),
    claimedOutput,
  ],
  [
    'onlyAssets',
    { onlyAssets: ['BTC'] },
    facts(),
    facts({ outputs: [output({ asset: 'SOL' })] }),
    claimedOutput,
  ],
  [
    'anyAsset',
    { anyAsset: ['BTC'] },
    facts(),
    facts({ outputs: [output({ asset: 'SOL' })] }),
    claimedOutput,
  ],
  [
    'maxPayments',
    { maxPayments: 1 },
    facts(),
    facts({ outputs: [output(), output()] }),
    claimedOutput,
  ],
  [
    'paymentsAbove',
    { paymentsAbove: 1 },
    facts({ outputs: [output(), output()] }),
    facts(),
    claimedOutput,
  ],
  ['onlyCalls', { onlyCalls: transfers }, facts(call('0xa9059cbb')), facts(call('0x')), untold],
  [
    'onlyCalls of another contract',
    { onlyCalls: transfers },
    facts(call('0xa9059cbb')),
    facts(call('0xa9059cbb', 'other')),
  ],
  [
    'onlyCalls of any function',
    { onlyCalls: everything },
    facts(call('0x')),
    facts(call('0x', 'x')),
  ],
  ['anyCall', { anyCall: transfers }, facts(call('0xa9059cbb')), facts(call('0x')), untold],
  [
    'anyCall, with more inside',
    { anyCall: transfers },
    facts(call('0xa9059cbb')),
    facts(call('0x')),
    facts({ ...call('0x'), ...inCall }),
  ],
  [
    'onlySpenders',
    { onlySpenders: ['alice'] },
    facts(allowance()),
    facts(allowance({ spender: 'eve' })),
    untold,
  ],
  [
    'anySpender',
    { anySpender: ['alice'] },
    facts(allowance()),
    facts(allowance({ spender: 'eve' })),
    untold,
  ],
  [
    'maxAllowance',
    { maxAllowance: btc(1000n) },
    facts(allowance()),
    facts(allowance({ amount: 1001n })),
    facts(allowance({ isClaimed: true })),
  ],
  [
    'maxAllowance of another asset',
    { maxAllowance: btc(1000n) },
    facts(allowance()),
    facts(allowance({ asset: 'SOL', amount: 0n })),
    untold,
  ],
  [
    'allowanceAbove',
    { allowanceAbove: btc(999n) },
    facts(allowance()),
    facts(allowance({ amount: 999n })),
    facts(allowance({ isClaimed: true })),
  ],
  ['during', { during: [thursday] }, facts(), facts({}, { now: NOW + 3_600_000 })],
  [
    'during, another day',
    { during: [thursday] },
    facts({}, { now: NOW + 3_599_999 }),
    facts({}, { now: NOW + 86_400_000 }),
  ],
]

for (const [name, when, holds, not, unknown] of [...ROWS, ...MORE_ROWS])
  test(`condition ${name}: allow needs it to hold, deny needs it not to be ruled out`, () => {
    const allows = (about: Facts): boolean => isAllowed(policyOf(allow(when)), about)
    const denies = (about: Facts): boolean =>
      !isAllowed(policyOf({ ...allow({}), allowsIncomplete: true }, deny(when)), about)
    // Every other action applies exactly where a rule to deny would.
    const asks = (about: Facts): boolean => {
      const rule = { id: 'wait', action: 'delay', when, delayMs: 5 } as const
      return decide(policyOf({ ...allow({}), allowsIncomplete: true }, rule), about).delayMs === 5
    }
    for (const about of [holds, not, unknown ?? holds]) assert.equal(asks(about), denies(about))
    assert.deepEqual([allows(holds), denies(holds)], [true, true])
    assert.deepEqual([allows(not), denies(not)], [false, false])
    if (unknown !== undefined) assert.deepEqual([allows(unknown), denies(unknown)], [false, true])
  })
