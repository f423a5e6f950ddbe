import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { TxView } from '@quorate/api'
import { decide, type Facts, type Rule } from '@quorate/policy'
import { lookIntoText } from '#src/policy-file.js'

const page = readFileSync(
  fileURLToPath(new URL('../../../../docs/reference/policy.md', import.meta.url)),
  'utf8',
)
const CONDITION = /### `(\w+)`\n[^#]*?```yaml\n([\s\S]*?)```/g
const indent = (text: string, by: number): string => text.replace(/^(?=.)/gm, ' '.repeat(by))

const USDT = 'eip155:1/erc20:0xdAC17F958D2ee523a2206206994597C13D831ec7'
const TOKEN = '0xdAC17F958D2ee523a2206206994597C13D831ec7'
const ROUTER = '0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45'
const output = (to: string, amount = 20_000_000n, asset = 'BTC') => ({
  to,
  asset,
  amount,
  isChange: false,
  isClaimed: false,
})
const facts = (view: Partial<TxView>, more: Partial<Facts> = {}): Facts => ({
  view: {
    network: 'bitcoin-testnet4',
    caip2: 'eip155:1',
    kind: 'transfer',
    from: ['me'],
    outputs: [output('alice')],
    fee: { asset: 'BTC', amount: 30_000n, isClaimed: false },
    isComplete: true,
    notes: [],
    warnings: [],
    calls: [],
    allowances: [],
    ...view,
  },
  initiator: 'cli_01jgfjjt000000000000000000',
  isTestnet: true,
  // A Monday, 09:00 UTC.
  now: Date.parse('2026-01-05T09:00:00.000Z'),
  wallet: 'wal_01jgfjjt000000000000000000',
  ...more,
})
const calls = (contract: string, selector: string) => facts({ calls: [{ contract, selector }] })
const allows = (spender: string, amount = 1_000_000n) =>
  facts({ allowances: [{ spender, asset: USDT, amount, isClaimed: false }] })
const at = (time: string) => facts({}, { now: Date.parse(time) })

/** For the example of each condition: facts for which it holds, and facts for which it does not. */
const CASES: { readonly [condition: string]: readonly [holds: Facts, not: Facts] } = {
  networks: [facts({}), facts({ network: 'litecoin' })],
  chains: [facts({}), facts({ caip2: 'eip155:5' })],
  isTestnet: [facts({}), facts({}, { isTestnet: false })],
  kinds: [facts({}), facts({ kind: 'call' })],
  isComplete: [facts({ isComplete: false }), facts({})],
  wallets: [facts({}), facts({}, { wallet: 'wal_x' })],
  initiators: [facts({}), facts({}, { initiator: 'cli_x' })],
  onlyRecipients: [facts({}), facts({ outputs: [output('alice'), output('eve')] })],
  anyRecipient: [facts({ outputs: [output('alice'), output('eve')] }), facts({})],
  otherRecipient: [facts({ outputs: [output('alice'), output('eve')] }), facts({})],
  onlyAssets: [facts({}), facts({ outputs: [output('alice', 1n, USDT)] })],
  anyAsset: [facts({ outputs: [output('alice', 1n, USDT)] }), facts({})],
  maxPayments: [facts({}), facts({ outputs: [output('alice'), output('alice')] })],
  paymentsAbove: [facts({ outputs: Array.from({ length: 21 }, () => output('a')) }), facts({})],
  maxAmount: [facts({}), facts({ outputs: [output('alice', 50_000_001n)] })],
  amountAbove: [facts({}), facts({ outputs: [output('alice', 10_000_000n)] })],
  maxFee: [facts({}), facts({ fee: { asset: 'BTC', amount: 50_001n, isClaimed: false } })],
  feeAbove: [facts({}), facts({ fee: { asset: 'BTC', amount: 20_000n, isClaimed: false } })],
  onlyCalls: [calls(ROUTER, '0x12345678'), calls(TOKEN, '0x095ea7b3')],
  anyCall: [calls(TOKEN, '0x095ea7b3'), calls(TOKEN, '0xa9059cbb')],
  onlySpenders: [allows(ROUTER), allows(TOKEN)],
  anySpender: [allows(ROUTER), allows(TOKEN)],
  maxAllowance: [allows(ROUTER), allows(ROUTER, 1_000_001n)],
  allowanceAbove: [allows(ROUTER, 1_000_001n), allows(ROUTER)],
  during: [facts({}), at('2026-01-05T18:00:00.000Z')],
  notBefore: [facts({}), at('2025-12-31T23:59:59.999Z')],
  notAfter: [facts({}), at('2027-01-01T00:00:00.000Z')],
}

const policyOf = (yaml: string) => {
  const read = lookIntoText(yaml)
  assert.ok('policy' in read, JSON.stringify(read))
  return read.policy
}

const examples = [...page.matchAll(CONDITION)].map(([, name, yaml]) => [name!, yaml!] as const)

test('the page has an example of every condition', () => {
  assert.deepEqual(
    examples.map(([name]) => name),
    Object.keys(CASES),
  )
})

for (const [name, yaml] of examples)
  test(`the example of ${name} means what the page says`, () => {
    const rule = (action: Rule['action']) =>
      `v: 1\nrules:\n  - id: any\n    action: allow\n    allowsIncomplete: true\n    when: {}\n` +
      `  - id: it\n    action: ${action}\n    when:\n${indent(yaml, 6)}`
    const policy = policyOf(rule('deny'))
    assert.deepEqual(Object.keys(policy.rules[1]!.when), [name])
    const [holds, not] = CASES[name]!
    assert.equal(decide(policy, holds).decision, 'deny')
    assert.equal(decide(policy, not).decision, 'allow')
  })

test('the example of a whole policy, and those of single rules, are policies', () => {
  const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => yaml!)
  const whole = blocks.filter((yaml) => yaml.startsWith('v: 1'))
  const rules = blocks.filter((yaml) => yaml.startsWith('- id:'))
  assert.deepEqual([whole.length, rules.length], [1, 3])
  assert.deepEqual(
    policyOf(whole[0]!).rules.map(({ action }) => action),
    ['allow', 'limit', 'approve', 'delay'],
  )
  for (const yaml of rules) policyOf(`v: 1\nrules:\n${indent(yaml, 2)}`)
})
