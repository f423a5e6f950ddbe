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
    [policyOf({ ...deny({}), allowsIncomplete: true }), 'policy/malformed'],
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
    [null, /policy: expected an object/],
    [[], /policy: expected an object/],
    [{ v: 2, rules: [] }, /policy\.v: expected 1/],
    [{ v: 1 }, /policy\.rules: expected a list/],
    [{ v: 1, rules: [], more: 1 }, /policy: expected no keys other than v, rules/],
    [{ v: 1, rules: [{ ...rule, action: 'maybe' }] }, /policy\.rules\[0\]\.action/],
    [
      { v: 1, rules: [{ ...rule, when: undefined }] },
      /policy\.rules\[0\]\.when: expected an object/,
    ],
    [
      { v: 1, rules: [{ ...rule, when: { maxAmmount: {} } }] },
      /policy\.rules\[0\]\.when: expected no keys/,
    ],
    [
      { v: 1, rules: [{ ...rule, when: { maxFee: { BTC: '1.5' } } }] },
      /when\.maxFee: expected decimal/,
    ],
    [
      { v: 1, rules: [{ ...rule, when: { maxFee: { BTC: -1 } } }] },
      /when\.maxFee: expected decimal/,
    ],
    [
      { v: 1, rules: [{ ...rule, when: { maxFee: { BTC: 1e21 } } }] },
      /when\.maxFee: expected decimal/,
    ],
    [{ v: 1, rules: [{ ...rule, when: { maxFee: ['1'] } }] }, /when\.maxFee: expected amounts/],
    [{ v: 1, rules: [{ ...rule, when: { kinds: ['theft'] } }] }, /when\.kinds: expected kinds/],
    [{ v: 1, rules: [{ ...rule, when: { isTestnet: 'yes' } }] }, /when\.isTestnet: expected true/],
    [
      { v: 1, rules: [{ ...rule, when: { networks: 'bitcoin' } }] },
      /when\.networks: expected a list/,
    ],
    [{ v: 1, rules: [{ ...rule, when: { notAfter: 5 } }] }, /when\.notAfter: expected a time/],
    [{ v: 1, rules: [rule, rule] }, /the same id/],
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
