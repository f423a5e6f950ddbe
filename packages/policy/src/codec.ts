/** The canonical bytes of a policy, and its hash. What has no meaning, or two, has no bytes. */
import { TX_KINDS } from '@quorate/api'
import {
  array,
  bool,
  bytes,
  type Codec,
  compareBytes,
  decode,
  encode,
  Fault,
  field,
  fromHex,
  int,
  mapped,
  oneOf,
  optional,
  record,
  TAGS,
  taggedHash,
  text,
  toHex,
  utf8,
} from '@quorate/base'
import {
  type Amounts,
  type Conditions,
  type Functions,
  type Hours,
  type Limit,
  MAX_LIST,
  MAX_POLICY_BYTES,
  MAX_RULES,
  MAX_WINDOW_MS,
  type Policy,
  type Quorum,
  type Rule,
  WEEKDAYS,
} from './model.ts'

function refuse(detail: string): never {
  throw new Fault('policy/malformed', { detail })
}

/** 32 bytes, big-endian: an amount fits the widest integer of any chain. */
export const amountCodec: Codec<bigint> = mapped(
  bytes(32),
  (value) => BigInt(`0x${toHex(value)}`),
  (value) => {
    if (value < 0n || value >= 2n ** 256n) refuse('an amount is from 0 to 2^256 − 1')
    return fromHex(value.toString(16).padStart(64, '0'))
  },
)

const inOrder = (a: string, b: string): number => compareBytes(utf8(a), utf8(b))

/** Text of printable ASCII without spaces, as addresses, ids and slugs are. */
export const wordCodec = (max: number): Codec<string> => text(max, /^[\x21-\x7e]+$/)

/** A map as pairs in ascending order of their keys, so that equal maps have equal bytes. */
const sortedMap = <T>(
  what: string,
  key: Codec<string>,
  value: Codec<T>,
  max: number,
): Codec<ReadonlyMap<string, T>> =>
  mapped(
    array(record({ key: field(1, key), value: field(2, value) }), { min: 1, max }),
    (pairs) => {
      pairs.forEach((pair, i) => {
        if (i > 0 && inOrder(pairs[i - 1]!.key, pair.key) >= 0)
          refuse(`${what} are in strictly ascending order`)
      })
      return new Map(pairs.map((pair) => [pair.key, pair.value]))
    },
    (map) => [...map].map(([key, value]) => ({ key, value })).sort((a, b) => inOrder(a.key, b.key)),
  )

export const amountsCodec: Codec<Amounts> = sortedMap(
  'assets',
  wordCodec(128),
  amountCodec,
  100,
) as Codec<Amounts>

export const wordsCodec: Codec<readonly string[]> = array(wordCodec(256), {
  min: 1,
  max: MAX_LIST,
})

const functionsCodec: Codec<Functions> = sortedMap(
  'contracts',
  wordCodec(256),
  array(text(66, /^(\*|0x([0-9a-f]{2}){0,32})$/), { min: 1, max: 256 }),
  MAX_LIST,
) as Codec<Functions>

/** A group's name, as in the cluster record. */
export const groupCodec: Codec<string> = text(64, /^[A-Za-z0-9][A-Za-z0-9._-]*$/)
export const ruleIdCodec: Codec<string> = text(64, /^[a-z0-9]+(-[a-z0-9]+)*$/)

function checkHours(hours: Hours): Hours {
  if (hours.from >= hours.until) refuse('hours end after they begin; a night is two entries')
  if (new Set(hours.days).size !== hours.days.length) refuse('a weekday appears twice')
  return hours
}
const hoursCodec: Codec<Hours> = mapped(
  record({
    days: field(1, array(oneOf(...WEEKDAYS), { min: 1, max: 7 })),
    from: field(2, int(0, 1439)),
    until: field(3, int(1, 1440)),
  }),
  checkHours,
  checkHours,
)

export const quorumCodec: Codec<Quorum> = record({
  group: field(1, groupCodec),
  need: field(2, int(1, 100)),
})

const count: Codec<number> = int(0, 0xffffffff)
const time: Codec<number> = int()

const conditionsCodec: Codec<Conditions> = record({
  networks: optional(1, wordsCodec),
  isTestnet: optional(2, bool),
  kinds: optional(3, array(oneOf(...TX_KINDS), { min: 1, max: TX_KINDS.length })),
  wallets: optional(4, wordsCodec),
  initiators: optional(5, wordsCodec),
  onlyRecipients: optional(6, wordsCodec),
  anyRecipient: optional(7, wordsCodec),
  maxAmount: optional(8, amountsCodec),
  amountAbove: optional(9, amountsCodec),
  maxFee: optional(10, amountsCodec),
  feeAbove: optional(11, amountsCodec),
  notBefore: optional(12, time),
  notAfter: optional(13, time),
  chains: optional(14, wordsCodec),
  isComplete: optional(15, bool),
  otherRecipient: optional(16, wordsCodec),
  onlyAssets: optional(17, wordsCodec),
  anyAsset: optional(18, wordsCodec),
  maxPayments: optional(19, count),
  paymentsAbove: optional(20, count),
  onlyCalls: optional(21, functionsCodec),
  anyCall: optional(22, functionsCodec),
  onlySpenders: optional(23, wordsCodec),
  anySpender: optional(24, wordsCodec),
  maxAllowance: optional(25, amountsCodec),
  allowanceAbove: optional(26, amountsCodec),
  during: optional(27, array(hoursCodec, { min: 1, max: 50 })),
})

/** @throws base/malformed, policy/malformed for conditions that have no encoding */
export const checkConditions = (when: Conditions): void => void encode(conditionsCodec, when)

export const durationCodec: Codec<number> = int(1, MAX_WINDOW_MS)

/** The limit, if it limits something. @throws policy/malformed */
export function checkLimit(limit: Limit): Limit {
  if (limit.amounts === undefined && limit.count === undefined)
    refuse('a limit is of amounts, of a count or of both')
  if (limit.amounts === undefined && limit.includesFee !== undefined)
    refuse('includesFee is for limits of amounts')
  return limit
}
const limitCodec: Codec<Limit> = mapped(
  record({
    windowMs: field(1, durationCodec),
    amounts: optional(2, amountsCodec),
    count: optional(3, count),
    perRecipient: optional(4, bool),
    includesFee: optional(5, bool),
  }),
  checkLimit,
  checkLimit,
)

/** A rule as it is written: what belongs to some actions only is optional. */
export type FlatRule = {
  readonly id: string
  readonly action: Rule['action']
  readonly when: Conditions
  readonly allowsIncomplete?: boolean | undefined
  readonly approvals?: readonly Quorum[] | undefined
  readonly allowsSelfApproval?: boolean | undefined
  readonly delayMs?: number | undefined
  readonly veto?: string | undefined
  readonly limit?: Limit | undefined
}

/** Which of those fields an action must have, and which it may. */
const FIELDS: {
  readonly [A in Rule['action']]: readonly [must: readonly string[], may: readonly string[]]
} = {
  allow: [[], ['allowsIncomplete']],
  deny: [[], []],
  approve: [['approvals'], ['allowsSelfApproval']],
  delay: [['delayMs'], ['veto']],
  limit: [['limit'], []],
}
/** Fields that people write under another name. */
const WRITTEN: { readonly [field: string]: string } = { delayMs: 'delay' }
export const ACTIONS = Object.keys(FIELDS) as readonly Rule['action'][]

/** The rule, if it has what its action takes and nothing else. @throws policy/malformed */
export function checkRule(rule: FlatRule): Rule {
  const [must, may] = FIELDS[rule.action]
  const given = Object.entries(rule).filter(([, value]) => value !== undefined)
  const names = given.map(([name]) => name).filter((n) => !['id', 'action', 'when'].includes(n))
  for (const name of must)
    if (!names.includes(name)) refuse(`a rule to ${rule.action} has ${WRITTEN[name] ?? name}`)
  for (const name of names)
    if (!must.includes(name) && !may.includes(name))
      refuse(`${WRITTEN[name] ?? name} is not for rules to ${rule.action}`)
  const groups = rule.approvals?.map(({ group }) => group) ?? []
  if (new Set(groups).size !== groups.length) refuse('a group appears twice in one rule')
  return rule as Rule
}

const ruleCodec: Codec<Rule> = mapped(
  record({
    id: field(1, ruleIdCodec),
    action: field(2, oneOf(...ACTIONS)),
    when: field(3, conditionsCodec),
    allowsIncomplete: optional(4, bool),
    approvals: optional(5, array(quorumCodec, { min: 1, max: 16 })),
    allowsSelfApproval: optional(6, bool),
    delayMs: optional(7, durationCodec),
    veto: optional(8, groupCodec),
    limit: optional(9, limitCodec),
  }),
  checkRule,
  checkRule,
)

/** The policy, if its rules have ids of their own. @throws policy/malformed */
function checkPolicy(policy: Policy): Policy {
  const ids = new Set(policy.rules.map(({ id }) => id))
  if (ids.size !== policy.rules.length) refuse('two rules have the same id')
  return policy
}

const policyCodec: Codec<Policy> = mapped(
  record({
    v: field(0, oneOf(1)),
    rules: field(1, array(ruleCodec, { max: MAX_RULES })),
    change: optional(2, quorumCodec),
  }),
  checkPolicy,
  checkPolicy,
)

/** The canonical bytes. @throws base/malformed, policy/malformed */
export const encodePolicy = (policy: Policy): Uint8Array => encode(policyCodec, policy)

/** @throws base/too-large, base/malformed, base/not-canonical, policy/malformed */
export const decodePolicy = (encoded: Uint8Array): Policy =>
  decode(policyCodec, encoded, { maxBytes: MAX_POLICY_BYTES })

/** The policy's version: 32 bytes over its canonical encoding. @throws base/malformed, policy/malformed */
export const policyHash = (policy: Policy): Uint8Array =>
  taggedHash(TAGS.policyHash, encodePolicy(policy))
