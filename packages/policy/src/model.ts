/**
 * A policy as data: rules, each with conditions that must all hold and an action. Its hash, over
 * the canonical bytes, is what intents and wallets refer to.
 *
 * Addresses and assets are compared as exact text: write them in the canonical spelling that the
 * network's adapter prints.
 */
import { TX_KINDS, type TxKind } from '@quorate/api'
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

export const MAX_POLICY_BYTES: number = 1 << 20
export const MAX_RULES = 256
export const MAX_LIST = 1000

/** An amount in the smallest unit, for each asset. */
export type Amounts = ReadonlyMap<string, bigint>

/** What must hold for a rule to match; each means the same in rules that allow and that deny. */
export type Conditions = {
  /** The network is one of these slugs. */
  readonly networks?: readonly string[] | undefined
  readonly isTestnet?: boolean | undefined
  readonly kinds?: readonly TxKind[] | undefined
  readonly wallets?: readonly string[] | undefined
  /** The client that asks is one of these. */
  readonly initiators?: readonly string[] | undefined
  /** Every recipient is one of these; change does not count. */
  readonly onlyRecipients?: readonly string[] | undefined
  /** At least one recipient is one of these. */
  readonly anyRecipient?: readonly string[] | undefined
  /** What leaves the wallet is at most this, for every asset that does; an asset not named is over. */
  readonly maxAmount?: Amounts | undefined
  /** What leaves the wallet is more than this, for at least one of these assets. */
  readonly amountAbove?: Amounts | undefined
  /** The fee is known, and at most this; an asset not named is over. */
  readonly maxFee?: Amounts | undefined
  readonly feeAbove?: Amounts | undefined
  /** Milliseconds since the Unix epoch, inclusive. */
  readonly notBefore?: number | undefined
  readonly notAfter?: number | undefined
}

export type Rule = {
  /** Unique within the policy. */
  readonly id: string
  readonly action: 'allow' | 'deny'
  readonly when: Conditions
  /** Lets a rule that allows match a transaction which is not wholly understood. */
  readonly allowsIncomplete?: boolean | undefined
}

export type Policy = {
  readonly v: 1
  /** In the order in which reasons are given; the decision does not depend on it. */
  readonly rules: readonly Rule[]
}

/** An unsigned 256-bit integer as 32 big-endian bytes. */
const amount: Codec<bigint> = mapped(
  bytes(32),
  (value) => BigInt(`0x${toHex(value)}`),
  (value) => {
    if (value < 0n || value >= 1n << 256n)
      throw new Fault('policy/malformed', { detail: 'an amount is from 0 to 2^256 − 1' })
    return fromHex(value.toString(16).padStart(64, '0'))
  },
)

const inOrder = (a: string, b: string): number => compareBytes(utf8(a), utf8(b))

/** A map as pairs in ascending order of the assets, so that equal limits have equal bytes. */
export const amountsCodec: Codec<Amounts> = mapped(
  array(record({ asset: field(1, text(128, /^[\x21-\x7e]+$/)), amount: field(2, amount) }), {
    min: 1,
    max: 100,
  }),
  (pairs) => {
    pairs.forEach(({ asset }, i) => {
      if (i > 0 && inOrder(pairs[i - 1]!.asset, asset) >= 0)
        throw new Fault('policy/malformed', { detail: 'assets are in strictly ascending order' })
    })
    return new Map(pairs.map(({ asset, amount }) => [asset, amount]))
  },
  (amounts) =>
    [...amounts]
      .map(([asset, amount]) => ({ asset, amount }))
      .sort((a, b) => inOrder(a.asset, b.asset)),
)

/** Text of printable ASCII without spaces, as addresses, ids and slugs are. */
export const wordsCodec: Codec<readonly string[]> = array(text(256, /^[\x21-\x7e]+$/), {
  min: 1,
  max: MAX_LIST,
})

const kind: Codec<TxKind> = oneOf(...TX_KINDS)
const time: Codec<number> = int()

const conditionsCodec: Codec<Conditions> = record({
  networks: optional(1, wordsCodec),
  isTestnet: optional(2, bool),
  kinds: optional(3, array(kind, { min: 1, max: 5 })),
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
})

const ruleCodec: Codec<Rule> = record({
  id: field(1, text(64, /^[a-z0-9]+(-[a-z0-9]+)*$/)),
  action: field(2, oneOf('allow', 'deny')),
  when: field(3, conditionsCodec),
  allowsIncomplete: optional(4, bool),
})

/** The policy, if its rules have ids of their own and say nothing without meaning. @throws policy/malformed */
export function checkPolicy(policy: Policy): Policy {
  const ids = new Set(policy.rules.map(({ id }) => id))
  if (ids.size !== policy.rules.length)
    throw new Fault('policy/malformed', { detail: 'two rules have the same id' })
  // A rule that denies covers incomplete transactions as it is.
  if (policy.rules.some((rule) => rule.action === 'deny' && rule.allowsIncomplete !== undefined))
    throw new Fault('policy/malformed', { detail: 'allowsIncomplete is for rules that allow' })
  return policy
}

const policyCodec: Codec<Policy> = mapped(
  record({ v: field(0, oneOf(1)), rules: field(1, array(ruleCodec, { max: MAX_RULES })) }),
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
