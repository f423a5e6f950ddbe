/** Policies as people write and read them; `policy` gives them their meaning. */

import { Type } from '@sinclair/typebox'
import type { TxKind } from '../view.ts'
import { TX_KINDS } from '../view.ts'
import {
  amountSchema,
  countSchema,
  enumSchema,
  hexSchema,
  idSchema,
  named,
  type Schema,
  timeSchema,
} from './schema.ts'

/** A decimal amount in the smallest unit, for each asset. */
export type AmountsJson = { readonly [asset: string]: string }

/** Hex selectors of functions, or `*`, by contract. */
export type FunctionsJson = { readonly [contract: string]: readonly string[] }

export type HoursJson = {
  readonly days: readonly WeekdayJson[]
  /** `09:30`, UTC. */
  readonly from: string
  /** `24:00` at the latest. */
  readonly until: string
}
const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
type WeekdayJson = (typeof WEEKDAYS)[number]

export type QuorumJson = { readonly group: string; readonly need: number }

export type PolicyRuleJson = {
  readonly id: string
  readonly action: 'allow' | 'deny' | 'approve' | 'delay' | 'limit'
  readonly when: {
    readonly networks?: readonly string[]
    readonly chains?: readonly string[]
    readonly isTestnet?: boolean
    readonly kinds?: readonly TxKind[]
    readonly isComplete?: boolean
    readonly wallets?: readonly string[]
    readonly initiators?: readonly string[]
    readonly onlyRecipients?: readonly string[]
    readonly anyRecipient?: readonly string[]
    readonly otherRecipient?: readonly string[]
    readonly onlyAssets?: readonly string[]
    readonly anyAsset?: readonly string[]
    readonly maxPayments?: number
    readonly paymentsAbove?: number
    readonly maxAmount?: AmountsJson
    readonly amountAbove?: AmountsJson
    readonly maxFee?: AmountsJson
    readonly feeAbove?: AmountsJson
    readonly onlyCalls?: FunctionsJson
    readonly anyCall?: FunctionsJson
    readonly onlySpenders?: readonly string[]
    readonly anySpender?: readonly string[]
    readonly maxAllowance?: AmountsJson
    readonly allowanceAbove?: AmountsJson
    readonly during?: readonly HoursJson[]
    readonly notBefore?: string
    readonly notAfter?: string
  }
  /** Of rules to allow. */
  readonly allowsIncomplete?: boolean
  /** Of rules to approve. */
  readonly approvals?: readonly QuorumJson[]
  readonly allowsSelfApproval?: boolean
  /** Of rules to delay, e.g. `24h`. */
  readonly delay?: string
  readonly veto?: string
  /** Of rules to limit. */
  readonly limit?: {
    /** The length of the window, e.g. `24h`. */
    readonly within: string
    readonly amounts?: AmountsJson
    readonly count?: number
    readonly perRecipient?: boolean
    readonly includesFee?: boolean
  }
}

export type PolicyJson = {
  readonly v: 1
  readonly rules: readonly PolicyRuleJson[]
  /** Who must sign the next policy; the administrators unless told. */
  readonly change?: QuorumJson
}

const texts = Type.Array(Type.String(), { minItems: 1 })
const amounts = Type.Record(Type.String(), amountSchema)
const functions = Type.Record(Type.String(), texts)
const quorum = Type.Object({ group: Type.String(), need: Type.Integer({ minimum: 1 }) })
const duration = Type.String({ pattern: '^[1-9]\\d{0,9}(ms|[dhms])$' })
const clock = Type.String({ pattern: '^\\d\\d:\\d\\d$' })

const conditions = Type.Partial(
  Type.Object({
    networks: texts,
    chains: texts,
    isTestnet: Type.Boolean(),
    kinds: Type.Array(enumSchema(...TX_KINDS)),
    isComplete: Type.Boolean(),
    wallets: texts,
    initiators: texts,
    onlyRecipients: texts,
    anyRecipient: texts,
    otherRecipient: texts,
    onlyAssets: texts,
    anyAsset: texts,
    maxPayments: countSchema,
    paymentsAbove: countSchema,
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
    during: Type.Array(
      Type.Object({
        days: Type.Array(enumSchema(...WEEKDAYS), { minItems: 1 }),
        from: clock,
        until: clock,
      }),
    ),
    notBefore: timeSchema,
    notAfter: timeSchema,
  }),
)

export const policySchema: Schema<PolicyJson> = named<PolicyJson>(
  'Policy',
  Type.Object({
    v: Type.Literal(1),
    rules: Type.Array(
      Type.Object({
        id: Type.String(),
        action: enumSchema('allow', 'deny', 'approve', 'delay', 'limit'),
        when: conditions,
        allowsIncomplete: Type.Optional(Type.Boolean()),
        approvals: Type.Optional(Type.Array(quorum, { minItems: 1 })),
        allowsSelfApproval: Type.Optional(Type.Boolean()),
        delay: Type.Optional(duration),
        veto: Type.Optional(Type.String()),
        limit: Type.Optional(
          Type.Object({
            within: duration,
            amounts: Type.Optional(amounts),
            count: Type.Optional(countSchema),
            perRecipient: Type.Optional(Type.Boolean()),
            includesFee: Type.Optional(Type.Boolean()),
          }),
        ),
      }),
    ),
    change: Type.Optional(quorum),
  }),
)

export type WalletPolicyJson = {
  readonly wallet: string
  /** Name of the template it was made from. */
  readonly template: string
  readonly policyHash: string
  /** 1 for the policy that the wallet was made with, one more for each change. */
  readonly version?: number
  readonly policy: PolicyJson
}

export const walletPolicySchema: Schema<WalletPolicyJson> = named<WalletPolicyJson>(
  'WalletPolicy',
  Type.Object({
    wallet: idSchema('wal'),
    template: Type.String(),
    policyHash: hexSchema(32),
    version: Type.Optional(Type.Integer({ minimum: 1 })),
    policy: policySchema,
  }),
)
