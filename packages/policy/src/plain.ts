/**
 * Policies as plain objects, the form that people write in YAML or JSON: amounts are decimal
 * strings in the smallest unit, times are RFC 3339. What is unknown or of another type is refused
 * with the path to it.
 */
import {
  fromRfc3339,
  type PolicyJson,
  type PolicyRuleJson,
  TX_KINDS,
  toRfc3339,
} from '@quorate/api'
import { Fault } from '@quorate/base'
import {
  type Amounts,
  type Conditions,
  checkPolicy,
  encodePolicy,
  type Policy,
  type Rule,
} from './model.ts'

type Reader<T> = (value: unknown, path: string) => T

function refuse(path: string, expected: string): never {
  throw new Fault('policy/malformed', { detail: `${path}: expected ${expected}` })
}

/** The entries of an object that has none but the `known` keys; `undefined` counts as absent. */
export function readObject<K extends string>(
  value: unknown,
  path: string,
  known: readonly K[],
): { readonly [key in K]?: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(path, 'an object')
  const isKnown = Object.keys(value).every((key) => (known as readonly string[]).includes(key))
  return isKnown
    ? (value as { readonly [key in K]?: unknown })
    : refuse(path, `no keys other than ${known.join(', ')}`)
}

/** Amounts by asset: `{ BTC: '150000' }`. Whole numbers that are exact are taken too. */
export const readAmounts: Reader<Amounts> = (value, path) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(path, 'amounts by asset')
  return new Map(
    Object.entries(value).map(([asset, amount]: [string, unknown]) => {
      const isExact = typeof amount === 'number' && Number.isSafeInteger(amount) && amount >= 0
      const text = isExact ? String(amount) : amount
      return typeof text === 'string' && /^(0|[1-9]\d{0,77})$/.test(text)
        ? [asset, BigInt(text)]
        : refuse(path, "decimal amounts in the smallest unit, e.g. '150000'")
    }),
  )
}

export const readTexts: Reader<readonly string[]> = (value, path) =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')
    ? (value as readonly string[])
    : refuse(path, 'a list of texts')

const readText: Reader<string> = (value, path) =>
  typeof value === 'string' ? value : refuse(path, 'text')

const readBool: Reader<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : refuse(path, 'true or false')

const readTime: Reader<number> = (value, path) =>
  typeof value === 'string' ? fromRfc3339(value) : refuse(path, 'a time')

const readAction: Reader<Rule['action']> = (value, path) =>
  value === 'allow' || value === 'deny' ? value : refuse(path, 'allow or deny')

const readKinds: Reader<NonNullable<Conditions['kinds']>> = (value, path) =>
  readTexts(value, path).map(
    (text) =>
      TX_KINDS.find((kind) => kind === text) ?? refuse(path, `kinds out of ${TX_KINDS.join(', ')}`),
  )

const CONDITIONS: { readonly [K in keyof Conditions]-?: Reader<NonNullable<Conditions[K]>> } = {
  networks: readTexts,
  isTestnet: readBool,
  kinds: readKinds,
  wallets: readTexts,
  initiators: readTexts,
  onlyRecipients: readTexts,
  anyRecipient: readTexts,
  maxAmount: readAmounts,
  amountAbove: readAmounts,
  maxFee: readAmounts,
  feeAbove: readAmounts,
  notBefore: readTime,
  notAfter: readTime,
}

function readConditions(value: unknown, path: string): Conditions {
  const names = Object.keys(CONDITIONS) as readonly (keyof Conditions)[]
  const given = readObject(value, path, names)
  return Object.fromEntries(
    names
      .filter((name) => given[name] !== undefined)
      .map((name) => [name, CONDITIONS[name](given[name], `${path}.${name}`)]),
  )
}

function readRule(value: unknown, path: string): Rule {
  const given = readObject(value, path, ['id', 'action', 'when', 'allowsIncomplete'])
  const rule = {
    id: readText(given.id, `${path}.id`),
    action: readAction(given.action, `${path}.action`),
    when: readConditions(given.when, `${path}.when`),
  }
  return given.allowsIncomplete === undefined
    ? rule
    : { ...rule, allowsIncomplete: readBool(given.allowsIncomplete, `${path}.allowsIncomplete`) }
}

/** The policy that a plain object says. @throws policy/malformed, base/malformed naming the place */
export function policyFromPlain(value: unknown): Policy {
  const given = readObject(value, 'policy', ['v', 'rules'])
  if (given.v !== 1) refuse('policy.v', '1')
  if (!Array.isArray(given.rules)) return refuse('policy.rules', 'a list')
  const rules = given.rules.map((each: unknown, i) => readRule(each, `policy.rules[${i}]`))
  const policy = checkPolicy({ v: 1, rules })
  // Sizes and spellings are the codec's to judge: what cannot be encoded has no hash and no use.
  encodePolicy(policy)
  return policy
}

/** The plain object that says the policy; `policyFromPlain` gives the same policy back. */
export const policyToPlain = (policy: Policy): PolicyJson => ({
  v: 1,
  rules: policy.rules.map(ruleToPlain),
})

function ruleToPlain({ id, action, when, allowsIncomplete }: Rule): PolicyRuleJson {
  const written = Object.entries(when).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, conditionToPlain(name, value)] as const],
  )
  return {
    id,
    action,
    when: Object.fromEntries(written),
    ...(allowsIncomplete === undefined ? {} : { allowsIncomplete }),
  }
}

function conditionToPlain(name: string, value: NonNullable<Conditions[keyof Conditions]>): unknown {
  if (value instanceof Map)
    return Object.fromEntries(
      [...(value as Amounts)].map(([asset, amount]) => [asset, String(amount)]),
    )
  return typeof value === 'number' && name.startsWith('not') ? toRfc3339(value) : value
}
