import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCbor, type FaultCode, fromHex, isFault, toHex } from '@quorate/base'
import {
  chooseTemplate,
  decide,
  encodePolicy,
  type Facts,
  instantiate,
  listTemplates,
  type Policy,
} from '@quorate/policy'
import { facts, output } from './sample.ts'

const fails = (code: FaultCode) => (error: unknown) => isFault(error, code)
const outcome = (policy: Policy, about: Facts): string => {
  const { decision, rule } = decide(policy, about)
  return `${decision} ${rule ?? '-'}`
}
const fee = (asset: string, amount: bigint) => ({ fee: { asset, amount, isClaimed: false } })

test('testnet-open: complete transactions with a small fee and messages, on testnets alone', () => {
  const policy = instantiate(chooseTemplate('testnet-open', {}), 'development')
  assert.equal(outcome(policy, facts()), 'allow testnet')
  assert.equal(outcome(policy, facts(fee('BTC', 100_000n))), 'allow testnet')
  assert.equal(outcome(policy, facts(fee('BTC', 100_001n))), 'deny -')
  assert.equal(outcome(policy, facts(fee('SOL', 10_000_000n))), 'allow testnet')
  assert.equal(outcome(policy, facts(fee('SOL', 10_000_001n))), 'deny -')
  assert.equal(outcome(policy, facts(fee('ETH', 10n ** 16n))), 'allow testnet')
  assert.equal(outcome(policy, facts(fee('ETH', 10n ** 16n + 1n))), 'deny -')
  assert.equal(outcome(policy, facts(fee('DOGE', 10n ** 9n))), 'allow testnet')
  assert.equal(outcome(policy, facts(fee('DOGE', 10n ** 9n + 1n))), 'deny -')
  assert.equal(outcome(policy, facts(fee('XYZ', 1n))), 'deny -')
  assert.equal(outcome(policy, facts({ fee: undefined })), 'deny -')
  const message = { kind: 'message', fee: undefined, isComplete: false } as const
  assert.equal(outcome(policy, facts(message)), 'allow testnet-messages')
  assert.equal(outcome(policy, facts(message, { isTestnet: false })), 'deny no-mainnet')
  assert.equal(outcome(policy, facts({ isComplete: false })), 'deny -')
  assert.equal(outcome(policy, facts({ kind: 'opaque' })), 'deny no-opaque')
  assert.equal(outcome(policy, facts({}, { isTestnet: false })), 'deny no-mainnet')
  assert.equal(
    outcome(policy, facts({ outputs: [output({ amount: 10n ** 15n })] })),
    'allow testnet',
  )
})

test('testnet-open with a fee cap of its own', () => {
  const policy = instantiate(
    chooseTemplate('testnet-open', { maxFee: { BTC: '150' } }),
    'development',
  )
  assert.equal(outcome(policy, facts()), 'deny -')
  assert.equal(outcome(policy, facts(fee('BTC', 150n))), 'allow testnet')
  assert.equal(outcome(policy, facts(fee('SOL', 1n))), 'deny -')
})

const params = {
  networks: ['bitcoin-testnet4'],
  recipients: ['alice', 'bob'],
  maxAmount: { BTC: '1500' },
  maxFee: { BTC: '300' },
}

test('allow-list: listed recipients, amounts, fees and networks, in every environment', () => {
  for (const environment of ['development', 'staging', 'production'] as const) {
    const policy = instantiate(chooseTemplate('allow-list', params), environment)
    assert.equal(outcome(policy, facts()), 'allow listed')
    const wrong: readonly Facts[] = [
      facts({ network: 'bitcoin' }),
      facts({ outputs: [output({ to: 'eve' })] }),
      facts({ outputs: [output(), output({ to: 'bob', amount: 501n })] }),
      facts({ outputs: [output({ isClaimed: true })] }),
      facts({ outputs: [output({ asset: 'SOL' })] }),
      facts(fee('BTC', 301n)),
      facts({ fee: undefined }),
      facts({ kind: 'call' }),
      facts({ isComplete: false }),
    ]
    for (const [i, about] of wrong.entries())
      assert.equal(outcome(policy, about), 'deny -', `case ${i}`)
  }
})

test('a template for development is refused elsewhere', () => {
  for (const { name, isDevelopmentOnly } of listTemplates()) {
    assert.equal(isDevelopmentOnly, name === 'testnet-open')
    if (!isDevelopmentOnly) continue
    for (const environment of ['staging', 'production'] as const)
      assert.throws(
        () => instantiate(chooseTemplate(name, {}), environment),
        fails('policy/development-only'),
      )
  }
})

test('unknown templates and parameters are refused', () => {
  assert.throws(() => chooseTemplate('treasure', {}), fails('policy/unknown-template'))
  assert.throws(() => chooseTemplate('toString', {}), fails('policy/unknown-template'))
  assert.throws(
    () => instantiate({ template: 'treasure', params: fromHex('a0') }, 'development'),
    fails('policy/unknown-template'),
  )
  for (const wrong of [
    {},
    { ...params, more: 1 },
    { ...params, recipients: 'alice' },
    { ...params, maxFee: { BTC: 'much' } },
  ])
    assert.throws(() => chooseTemplate('allow-list', wrong), fails('policy/malformed'))
  for (const wrong of [
    { ...params, recipients: [] },
    { ...params, maxAmount: {} },
  ])
    assert.throws(() => chooseTemplate('allow-list', wrong), fails('base/malformed'))
  const extended = encodeCbor(new Map([[99, 1]]))
  assert.throws(
    () => instantiate({ template: 'testnet-open', params: extended }, 'development'),
    fails('base/malformed'),
  )
})

test('the same choice makes the same policy', () => {
  const make = (): string =>
    toHex(encodePolicy(instantiate(chooseTemplate('allow-list', params), 'staging')))
  assert.equal(make(), make())
})

const treasuryParams = {
  networks: ['bitcoin-testnet4'],
  recipients: ['alice', 'bob'],
  maxFee: { BTC: '300' },
  limit: { BTC: '10_000' },
  within: '24h',
  approveAbove: { BTC: '1_000' },
  approvers: { group: 'treasurers', need: 2 },
  delayAbove: { BTC: '5_000' },
  delay: '12h',
  change: { group: 'board', need: 3 },
}

test('treasury: small ones pass, larger ones take approvals, the largest a delay too, all within the limit', () => {
  const policy = instantiate(chooseTemplate('treasury', treasuryParams), 'production')
  const pays = (amount: bigint) => decide(policy, facts({ outputs: [output({ amount })] }))
  const small = pays(1000n)
  assert.deepEqual([small.decision, small.rule], ['allow', 'listed'])
  assert.deepEqual(
    small.charges.map(({ amount, cap, windowMs }) => [amount, cap, windowMs]),
    [[1200n, 10_000n, 86_400_000]],
  )
  const large = pays(1001n)
  assert.deepEqual([large.decision, large.delayMs, large.vetoes], ['approve', 0, ['treasurers']])
  assert.deepEqual(large.approvals, [{ group: 'treasurers', need: 2, allowsSelfApproval: false }])
  assert.equal(pays(5001n).delayMs, 12 * 3_600_000)
  assert.deepEqual([pays(9801n).decision, pays(9801n).rule], ['deny', 'velocity'])
  assert.equal(pays(9800n).decision, 'approve')
  assert.equal(outcome(policy, facts({ outputs: [output({ to: 'eve' })] })), 'deny -')
  assert.equal(outcome(policy, facts(fee('BTC', 301n))), 'deny -')
  assert.deepEqual(policy.change, { group: 'board', need: 3 })
})

test('treasury takes all of its parameters', () => {
  for (const name of Object.keys(treasuryParams)) {
    const { [name as keyof typeof treasuryParams]: _, ...rest } = treasuryParams
    assert.throws(
      () => chooseTemplate('treasury', rest),
      (error) =>
        isFault(error, 'policy/malformed') && error.detail === `params: ${name} is missing`,
    )
  }
})
