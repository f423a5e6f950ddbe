import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { decodeCbor, encodeCbor, type FaultCode, isFault, toHex } from '@quorate/base'
import {
  decodePolicy,
  encodePolicy,
  type Policy,
  policyFromPlain,
  policyHash,
  policyToPlain,
  type Rule,
  readPolicy,
} from '@quorate/policy'
import fc from 'fast-check'
import { allow, anyPolicy, deny, NOW, policyOf } from './sample.ts'

const fails = (code: FaultCode) => (error: unknown) => isFault(error, code)

const full: Policy = policyOf(deny({ isTestnet: false, notBefore: NOW }, 'no-mainnet'), {
  ...allow(
    {
      networks: ['bitcoin-testnet4'],
      kinds: ['transfer', 'batch'],
      wallets: ['wal_a'],
      initiators: ['cli_a'],
      onlyRecipients: ['tb1qexample'],
      anyRecipient: ['tb1qexample'],
      maxAmount: new Map([
        ['SOL', 2n ** 256n - 1n],
        ['BTC', 0n],
      ]),
      amountAbove: new Map([['BTC', 1n]]),
      maxFee: new Map([['BTC', 10_000n]]),
      feeAbove: new Map([['BTC', 5n]]),
      notAfter: NOW,
    },
    'listed',
  ),
  allowsIncomplete: false,
})

test('any policy comes back from its bytes and from its plain form', () => {
  fc.assert(
    fc.property(anyPolicy, (policy) => {
      const bytes = encodePolicy(policy)
      assert.equal(toHex(encodePolicy(decodePolicy(bytes))), toHex(bytes))
      const plain: unknown = JSON.parse(JSON.stringify(policyToPlain(policy)))
      assert.equal(toHex(encodePolicy(policyFromPlain(plain))), toHex(bytes))
    }),
  )
  assert.deepEqual(decodePolicy(encodePolicy(full)), policyFromPlain(policyToPlain(full)))
})

/** `test/vectors/formats/policy.json` of the workspace. */
function vectorFile(): string {
  let at = dirname(fileURLToPath(import.meta.url))
  const isWorkspace = (): boolean => {
    const file = join(at, 'package.json')
    return existsSync(file) && readFileSync(file, 'utf8').includes('"quorate-workspace"')
  }
  while (!isWorkspace()) at = dirname(at)
  return join(at, 'test', 'vectors', 'formats', 'policy.json')
}

test('the published vector of a policy is what the code makes', () => {
  const made = [
    {
      value: JSON.parse(JSON.stringify(policyToPlain(full))),
      bytes: toHex(encodePolicy(full)),
      hash: toHex(policyHash(full)),
    },
  ]
  if (process.env['UPDATE_VECTORS'] === '1')
    writeFileSync(vectorFile(), `${JSON.stringify(made, null, 1)}\n`)
  assert.deepEqual(JSON.parse(readFileSync(vectorFile(), 'utf8')), made)
})

test('the hash depends on the rules and their order, not on the order of amounts', () => {
  const [first, second] = full.rules
  const swapped = new Map([...second!.when.maxAmount!].toReversed())
  const same = policyOf(first!, { ...second!, when: { ...second!.when, maxAmount: swapped } })
  assert.equal(toHex(policyHash(same)), toHex(policyHash(full)))
  assert.notEqual(toHex(policyHash(policyOf(second!, first!))), toHex(policyHash(full)))
  assert.notEqual(toHex(policyHash(policyOf(first!))), toHex(policyHash(full)))
})

test('what has no meaning, or two, has no encoding', () => {
  const wrong: readonly (readonly [Policy, FaultCode])[] = [
    [policyOf(allow({}), deny({}, 'ok')), 'policy/malformed'],
    [policyOf({ ...deny({}), allowsIncomplete: true } as Rule), 'policy/malformed'],
    [policyOf(allow({ maxFee: new Map([['BTC', -1n]]) })), 'policy/malformed'],
    [policyOf(allow({ maxFee: new Map([['BTC', 2n ** 256n]]) })), 'policy/malformed'],
    [policyOf(allow({ maxFee: new Map() })), 'base/malformed'],
    [policyOf(allow({ onlyRecipients: [] })), 'base/malformed'],
    [policyOf(allow({ onlyRecipients: ['a b'] })), 'base/malformed'],
    [policyOf(allow({}, 'Not An Id')), 'base/malformed'],
    [policyOf(...Array.from({ length: 257 }, (_, i) => allow({}, `r${i}`))), 'base/malformed'],
  ]
  for (const [i, [policy, code]] of wrong.entries())
    assert.throws(() => encodePolicy(policy), fails(code), `case ${i}`)
})

test('bytes with amounts out of order are refused', () => {
  const policy = policyOf(
    allow({
      maxFee: new Map([
        ['BTC', 1n],
        ['SOL', 1n],
      ]),
    }),
  )
  type Tree = Map<number, unknown>
  const cbor = decodeCbor(encodePolicy(policy), { maxBytes: 1000 }) as unknown as Tree
  const rule = (cbor.get(1) as Tree[])[0]!
  const when = rule.get(3) as Tree
  when.set(10, (when.get(10) as unknown[]).toReversed())
  assert.throws(
    () => decodePolicy(encodeCbor(cbor as Parameters<typeof encodeCbor>[0])),
    fails('policy/malformed'),
  )
})

test('plain forms: unknown keys, wrong types and odd amounts are refused with their place', () => {
  const rule = { id: 'a', action: 'allow', when: {} }
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [null, /the policy: expected names with values/],
    [[], /the policy: expected names with values/],
    [{ v: 2, rules: [] }, /v: v is 1/],
    [{ v: 1 }, /the policy: rules is missing/],
    [{ v: 1, rules: {} }, /rules: expected a list/],
    [{ v: 1, rules: [], more: 1 }, /more: it is none of v, rules, change/],
    [{ v: 1, rules: [], chang: 1 }, /chang: it is unknown; did you mean change\?/],
    [{ v: 1, rules: [{ ...rule, action: 'alow' }] }, /rules\[0\]\.action: .*did you mean allow\?/],
    [{ v: 1, rules: [{ ...rule, when: undefined }] }, /rules\[0\]: when is missing/],
    [
      { v: 1, rules: [{ ...rule, when: { maxAmmount: {} } }] },
      /rules\[0\]\.when\.maxAmmount: it is unknown; did you mean maxAmount\?/,
    ],
    ...[{ BTC: '1.5' }, { BTC: -1 }, { BTC: 1e21 }, { BTC: '1_00' }, { BTC: '01' }].map(
      (maxFee) =>
        [
          { v: 1, rules: [{ ...rule, when: { maxFee } }] },
          /when\.maxFee\.BTC: expected a decimal amount/,
        ] as const,
    ),
    [{ v: 1, rules: [{ ...rule, when: { maxFee: ['1'] } }] }, /when\.maxFee: expected names/],
    [
      { v: 1, rules: [{ ...rule, when: { kinds: ['theft'] } }] },
      /when\.kinds\[0\]: expected one of/,
    ],
    [{ v: 1, rules: [{ ...rule, when: { isTestnet: 'yes' } }] }, /when\.isTestnet: expected true/],
    [{ v: 1, rules: [{ ...rule, when: { networks: 'x' } }] }, /when\.networks: expected a list/],
    [
      { v: 1, rules: [{ ...rule, when: { networks: [] } }] },
      /when\.networks: expected 1 to 1000 items/,
    ],
    [{ v: 1, rules: [{ ...rule, when: { notAfter: 5 } }] }, /when\.notAfter: expected text/],
    [{ v: 1, rules: [{ ...rule, when: { notAfter: 'soon' } }] }, /when\.notAfter: expected a time/],
    [
      { v: 1, rules: [{ ...rule, when: { maxPayments: -1 } }] },
      /when\.maxPayments: expected a whole/,
    ],
    [
      { v: 1, rules: [{ ...rule, when: { onlyCalls: { token: ['transfer'] } } }] },
      /when\.onlyCalls: expected text .* in the documented form/,
    ],
    ...['24:01', '9:00', '25:00', 'noon'].map(
      (until) =>
        [
          {
            v: 1,
            rules: [{ ...rule, when: { during: [{ days: ['mon'], from: '08:00', until }] } }],
          },
          /when\.during\[0\]\.until: expected a time of day/,
        ] as const,
    ),
    [
      {
        v: 1,
        rules: [{ ...rule, when: { during: [{ days: ['mon'], from: '09:00', until: '09:00' }] } }],
      },
      /when\.during: hours end after they begin/,
    ],
    [{ v: 1, rules: [{ ...rule, delay: '1h' }] }, /rules\[0\]: delay is not for rules to allow/],
    [{ v: 1, rules: [{ ...rule, action: 'delay' }] }, /rules\[0\]: a rule to delay has delay/],
    [
      { v: 1, rules: [{ ...rule, action: 'delay', delay: '1 hour' }] },
      /delay: expected a duration/,
    ],
    [
      { v: 1, rules: [{ ...rule, action: 'delay', delay: '32d' }] },
      /rules\[0\]\.delay: expected an integer from 1/,
    ],
    [{ v: 1, rules: [{ ...rule, action: 'limit' }] }, /a rule to limit has limit/],
    [
      { v: 1, rules: [{ ...rule, action: 'limit', limit: { within: '1h' } }] },
      /limit: a limit is of amounts, of a count or of both/,
    ],
    [
      { v: 1, rules: [{ ...rule, action: 'approve', approvals: [{ group: 'ops' }] }] },
      /approvals\[0\]: need is missing/,
    ],
    [
      {
        v: 1,
        rules: [
          {
            ...rule,
            action: 'approve',
            approvals: [
              { group: 'ops', need: 1 },
              { group: 'ops', need: 1 },
            ],
          },
        ],
      },
      /a group appears twice in one rule/,
    ],
    [{ v: 1, rules: [rule, rule] }, /rules\[1\]: another rule has the same id/],
  ]
  for (const [plain, message] of cases)
    assert.throws(
      () => policyFromPlain(plain),
      (error) => isFault(error) && message.test(error.message),
      String(message),
    )
  const exact = { v: 1, rules: [{ ...rule, when: { maxFee: { BTC: 150 } } }] }
  assert.equal(policyFromPlain(exact).rules[0]!.when.maxFee!.get('BTC'), 150n)
})

test('all that is wrong is told at once, each with its place', () => {
  const read = readPolicy({
    v: 1,
    rules: [
      { id: 'a', action: 'alow', when: {} },
      { id: 'b', action: 'allow', when: { maxFees: {} } },
    ],
  })
  assert.ok('problems' in read)
  assert.deepEqual(
    read.problems.map(({ path, nearest }) => [path, nearest]),
    [
      [['rules', 0, 'action'], 'allow'],
      [['rules', 1, 'when', 'maxFees'], 'maxFee'],
    ],
  )
})
