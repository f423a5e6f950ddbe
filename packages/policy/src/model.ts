/**
 * A policy as data: rules, each with conditions that must all hold and an action. Its hash, over
 * the canonical bytes (`codec.ts`), is what intents and wallets refer to.
 *
 * Addresses and assets are compared as exact text: write them in the canonical spelling that the
 * network's adapter prints.
 */
import { type TxKind, toRfc3339 } from '@quorate/api'

export const MAX_POLICY_BYTES: number = 1 << 18
export const MAX_RULES = 256
export const MAX_LIST = 1000
/** Longest window of a limit, and longest delay: 31 days. */
export const MAX_WINDOW_MS: number = 31 * 86_400_000

/** An amount in the smallest unit, for each asset. */
export type Amounts = ReadonlyMap<string, bigint>

/**
 * Functions by contract: 4-byte selectors as `0x` and 8 hex digits, `0x` for a call without data,
 * or `*` for every function. Another network's program has what its adapter calls a selector.
 */
export type Functions = ReadonlyMap<string, readonly string[]>

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof WEEKDAYS)[number]

/** A part of the week in UTC. */
export type Hours = {
  readonly days: readonly Weekday[]
  /** Minutes since midnight: from 0 on, and until at most 1440, itself not included. */
  readonly from: number
  readonly until: number
}

/** What must hold for a rule to match; each means the same whatever the rule's action. */
export type Conditions = {
  /** The network is one of these slugs. */
  readonly networks?: readonly string[] | undefined
  /** The CAIP-2 id of the network is one of these. */
  readonly chains?: readonly string[] | undefined
  readonly isTestnet?: boolean | undefined
  readonly kinds?: readonly TxKind[] | undefined
  /** Whether everything in it is understood. */
  readonly isComplete?: boolean | undefined
  readonly wallets?: readonly string[] | undefined
  /** The client that asks is one of these. */
  readonly initiators?: readonly string[] | undefined
  /** Every recipient is one of these; change does not count. */
  readonly onlyRecipients?: readonly string[] | undefined
  /** At least one recipient is one of these. */
  readonly anyRecipient?: readonly string[] | undefined
  /** At least one recipient is none of these: the opposite of `onlyRecipients`. */
  readonly otherRecipient?: readonly string[] | undefined
  /** Every asset that leaves the wallet is one of these. */
  readonly onlyAssets?: readonly string[] | undefined
  readonly anyAsset?: readonly string[] | undefined
  /** It makes at most this many payments; change does not count. */
  readonly maxPayments?: number | undefined
  readonly paymentsAbove?: number | undefined
  /** What leaves the wallet is at most this, for every asset that does; an asset not named is over. */
  readonly maxAmount?: Amounts | undefined
  /** What leaves the wallet is more than this, for at least one of these assets. */
  readonly amountAbove?: Amounts | undefined
  /** The fee is known, and at most this; an asset not named is over. */
  readonly maxFee?: Amounts | undefined
  readonly feeAbove?: Amounts | undefined
  /** Every call is of one of these functions. */
  readonly onlyCalls?: Functions | undefined
  /** At least one call is of one of these functions. */
  readonly anyCall?: Functions | undefined
  /** Everybody who is given an allowance is one of these. */
  readonly onlySpenders?: readonly string[] | undefined
  readonly anySpender?: readonly string[] | undefined
  /** Allowances are at most this in all, for every asset; an asset not named is over. */
  readonly maxAllowance?: Amounts | undefined
  readonly allowanceAbove?: Amounts | undefined
  /** It is asked for in one of these parts of the week. */
  readonly during?: readonly Hours[] | undefined
  /** Milliseconds since the Unix epoch, inclusive. */
  readonly notBefore?: number | undefined
  readonly notAfter?: number | undefined
}

/** So many members of a group of the cluster record; `admins` are the cluster's administrators. */
export type Quorum = { readonly group: string; readonly need: number }

/** The group that every cluster has: the administrators of the cluster record. */
export const ADMINS = 'admins'

/** What may leave, and how often, in any window of that length. */
export type Limit = {
  readonly windowMs: number
  /** An asset not named is over. */
  readonly amounts?: Amounts | undefined
  /** Of requests. */
  readonly count?: number | undefined
  /** Keeps one account for each recipient, in place of one for all. */
  readonly perRecipient?: boolean | undefined
  /** Lets fees count as leaving. */
  readonly includesFee?: boolean | undefined
}

type RuleOf<Action extends string, What> = {
  /** Unique within the policy. */
  readonly id: string
  readonly action: Action
  readonly when: Conditions
} & What

/** The only kind of rule that opens anything. */
export type AllowRule = RuleOf<
  'allow',
  {
    /** Lets it match a transaction which is not wholly understood. */
    readonly allowsIncomplete?: boolean | undefined
  }
>
export type DenyRule = RuleOf<'deny', unknown>
/** Asks for approvals; those that all matching rules ask for add up. */
export type ApproveRule = RuleOf<
  'approve',
  {
    readonly approvals: readonly Quorum[]
    /** Lets the approval of the one who asks count. */
    readonly allowsSelfApproval?: boolean | undefined
  }
>
/** Asks to wait; the delays of all matching rules add up. */
export type DelayRule = RuleOf<
  'delay',
  {
    readonly delayMs: number
    /** Whose rejection ends the request meanwhile; `admins` unless told. */
    readonly veto?: string | undefined
  }
>
/** Charges a budget. A limit keeps its past as long as it keeps its id. */
export type LimitRule = RuleOf<'limit', { readonly limit: Limit }>

export type Rule = AllowRule | DenyRule | ApproveRule | DelayRule | LimitRule

export type Policy = {
  readonly v: 1
  /** In the order in which reasons are given; the decision does not depend on it. */
  readonly rules: readonly Rule[]
  /** Who must sign the next policy; the cluster's administrators by their threshold unless told. */
  readonly change?: Quorum | undefined
}

/** The longest window of the policy's limits in milliseconds, 0 without any: how long a ledger must last. */
export const longestWindow = ({ rules }: Policy): number =>
  Math.max(0, ...rules.map((rule) => (rule.action === 'limit' ? rule.limit.windowMs : 0)))

/** Every address that the rules name, each of which must stand in the spelling that views use. */
export const addressesOf = ({ rules }: Policy): readonly string[] => [
  ...new Set(
    rules.flatMap(({ when }) => [
      ...(when.onlyRecipients ?? []),
      ...(when.anyRecipient ?? []),
      ...(when.otherRecipient ?? []),
      ...(when.onlySpenders ?? []),
      ...(when.anySpender ?? []),
      ...(when.onlyCalls?.keys() ?? []),
      ...(when.anyCall?.keys() ?? []),
    ]),
  ),
]

/** `09:30`, of minutes since midnight. */
export const clockTime = (minutes: number): string =>
  minutes === 1440 ? '24:00' : toRfc3339(minutes * 60_000).slice(11, 16)
