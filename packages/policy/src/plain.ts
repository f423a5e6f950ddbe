/**
 * Policies as plain objects, the form that people write in YAML or JSON: amounts are decimal strings
 * in the smallest unit, times are RFC 3339, durations like `24h`. What is unknown or of another type
 * is refused with the path to it; where the text stands is for the caller to say, who parsed it.
 */
import { type PolicyJson, type PolicyRuleJson, TX_KINDS } from '@quorate/api'
import { encode, Fault } from '@quorate/base'
import {
  ACTIONS,
  checkConditions,
  checkLimit,
  checkRule,
  durationCodec,
  encodePolicy,
  type FlatRule,
} from './codec.ts'
import { CONDITION_NAMES } from './condition.ts'
import type { Conditions, Limit, Policy, Quorum, Rule } from './model.ts'
import { Plain, type PlainProblem, type PlainReader, problemText } from './plain-reader.ts'
import {
  amountsToPlain,
  durationText,
  functionsToPlain,
  hoursToPlain,
  listOf,
  readAmounts,
  readBool,
  readCount,
  readDuration,
  readFunctions,
  readHours,
  readQuorum,
  readText,
  readTexts,
  readTime,
  required,
  timeToPlain,
  wordOf,
} from './plain-values.ts'

/** How a condition's value is read, and how it is written where that differs. */
type Form<T> = { readonly read: PlainReader<T>; readonly write?: (value: T) => unknown }

const texts: Form<readonly string[]> = { read: readTexts }
const amounts = { read: readAmounts, write: amountsToPlain }
const functions = { read: readFunctions, write: functionsToPlain }
const time = { read: readTime, write: timeToPlain }
const count: Form<number> = { read: readCount }
const bool: Form<boolean> = { read: readBool }

const CONDITIONS: { readonly [K in keyof Conditions]-?: Form<NonNullable<Conditions[K]>> } = {
  networks: texts,
  chains: texts,
  isTestnet: bool,
  kinds: { read: listOf(wordOf(TX_KINDS)) },
  isComplete: bool,
  wallets: texts,
  initiators: texts,
  onlyRecipients: texts,
  anyRecipient: texts,
  otherRecipient: texts,
  onlyAssets: texts,
  anyAsset: texts,
  maxPayments: count,
  paymentsAbove: count,
  maxAmount: amounts,
  amountAbove: amounts,
  maxFee: amounts,
  feeAbove: amounts,
  onlyCalls: functions,
  anyCall: functions,
  onlySpenders: texts,
  anySpender: texts,
  maxAllowance: amounts,
  allowanceAbove: amounts,
  during: { read: listOf(readHours), write: (hours) => hours.map(hoursToPlain) },
  notBefore: time,
  notAfter: time,
}

const readConditions: PlainReader<Conditions> = (plain) => {
  const given = plain.known(CONDITION_NAMES)
  if (given === undefined) return undefined
  return Object.fromEntries(
    CONDITION_NAMES.flatMap((name) => {
      const member = given.get(name)
      if (member === undefined) return []
      const before = member.problems.length
      const value = CONDITIONS[name].read(member)
      if (value === undefined) return []
      // Sizes and spellings are the codec's to judge.
      if (member.problems.length === before) member.holds(() => checkConditions({ [name]: value }))
      return [[name, value]]
    }),
  )
}

/** A duration that a delay or a window may have. */
const readDelay: PlainReader<number> = (plain) => {
  const ms = readDuration(plain)
  if (ms !== undefined) plain.holds(() => encode(durationCodec, ms))
  return ms
}

const LIMIT_KEYS = ['within', 'amounts', 'count', 'perRecipient', 'includesFee'] as const

const readLimit: PlainReader<Limit> = (plain) => {
  const given = plain.known(LIMIT_KEYS)
  const windowMs = given && required(plain, given, 'within', readDelay)
  if (given === undefined || windowMs === undefined) return undefined
  const limit = {
    windowMs,
    ...member(given, 'amounts', readAmounts),
    ...member(given, 'count', readCount),
    ...member(given, 'perRecipient', readBool),
    ...member(given, 'includesFee', readBool),
  }
  plain.holds(() => checkLimit(limit))
  return limit
}

/** `{ [as]: value }` where the member is there and can be read. */
function member<T>(
  given: ReadonlyMap<string, Plain>,
  name: string,
  read: PlainReader<T>,
  as: string = name,
): { readonly [name: string]: T } {
  const found = given.get(name)
  const value = found === undefined ? undefined : read(found)
  return value === undefined ? {} : { [as]: value }
}

const RULE_KEYS = [
  'id',
  'action',
  'when',
  'allowsIncomplete',
  'approvals',
  'allowsSelfApproval',
  'delay',
  'veto',
  'limit',
] as const

const readRule: PlainReader<Rule> = (plain) => {
  const given = plain.known(RULE_KEYS)
  if (given === undefined) return undefined
  const before = plain.problems.length
  const rule = {
    id: required(plain, given, 'id', readText),
    action: required(plain, given, 'action', wordOf(ACTIONS)),
    when: required(plain, given, 'when', readConditions),
    ...member(given, 'allowsIncomplete', readBool),
    ...member(given, 'approvals', listOf(readQuorum)),
    ...member(given, 'allowsSelfApproval', readBool),
    ...member(given, 'delay', readDelay, 'delayMs'),
    ...member(given, 'veto', readText),
    ...member(given, 'limit', readLimit),
  }
  // What is missing is noted already; what belongs to another action is not yet.
  if (plain.problems.length === before) plain.holds(() => checkRule(rule as FlatRule))
  return rule as Rule
}

/** What is wrong with a plain object that should say a policy, or the policy. */
export function readPolicy(
  value: unknown,
): { readonly policy: Policy } | { readonly problems: readonly PlainProblem[] } {
  const plain = new Plain(value)
  const given = plain.known(['v', 'rules', 'change'])
  if (given === undefined) return { problems: plain.problems }
  if (given.get('v')?.value !== 1) (given.get('v') ?? plain).wrong('v is 1')
  const rules = required(plain, given, 'rules', listOf(readRule)) ?? []
  const policy: Policy = { v: 1, rules, ...member<Quorum>(given, 'change', readQuorum) }
  rules.forEach(({ id }, i) => {
    if (id !== undefined && rules.slice(0, i).some((other) => other.id === id))
      given.get('rules')!.at(i, undefined).wrong('another rule has the same id')
  })
  // What cannot be encoded has no hash and no use.
  if (plain.problems.length === 0) plain.holds(() => encodePolicy(policy))
  return plain.problems.length === 0 ? { policy } : { problems: plain.problems }
}

/** The policy that a plain object says. @throws policy/malformed naming the first thing that is wrong */
export function policyFromPlain(value: unknown): Policy {
  const read = readPolicy(value)
  if ('policy' in read) return read.policy
  throw new Fault('policy/malformed', { detail: problemText(read.problems[0]!) })
}

/** The plain object that says the policy; `policyFromPlain` gives the same policy back. */
export const policyToPlain = ({ rules, change }: Policy): PolicyJson => ({
  v: 1,
  rules: rules.map(ruleToPlain),
  ...(change === undefined ? {} : { change }),
})

function ruleToPlain(rule: Rule): PolicyRuleJson {
  const { delayMs, limit, when, ...rest }: FlatRule = rule
  const written = CONDITION_NAMES.flatMap((name) => {
    const value = when[name]
    if (value === undefined) return []
    // Each name's form takes that name's value, which the compiler cannot follow through a loop.
    const { write } = CONDITIONS[name] as Form<typeof value>
    return [[name, write === undefined ? value : write(value)] as const]
  })
  return {
    ...present(rest),
    when: Object.fromEntries(written),
    ...(delayMs === undefined ? {} : { delay: durationText(delayMs) }),
    ...(limit === undefined ? {} : { limit: limitToPlain(limit) }),
  } as PolicyRuleJson
}

const limitToPlain = ({ windowMs, amounts: caps, ...rest }: Limit): PolicyRuleJson['limit'] => ({
  within: durationText(windowMs),
  ...(caps === undefined ? {} : { amounts: amountsToPlain(caps) }),
  ...present(rest),
})

const present = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
