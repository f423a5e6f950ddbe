/** Policies as people write and read them; `policy` gives them their meaning. */

import { Type } from '@sinclair/typebox'
import type { TxKind } from '../view.ts'
import { TX_KINDS } from '../view.ts'
import {
  amountSchema,
  enumSchema,
  hexSchema,
  idSchema,
  named,
  type Schema,
  timeSchema,
} from './schema.ts'

/** A decimal amount in the smallest unit, for each asset. */
export type AmountsJson = { readonly [asset: string]: string }

export type PolicyRuleJson = {
  readonly id: string
  readonly action: 'allow' | 'deny'
  readonly allowsIncomplete?: boolean
  readonly when: {
    readonly networks?: readonly string[]
    readonly isTestnet?: boolean
    readonly kinds?: readonly TxKind[]
    readonly wallets?: readonly string[]
    readonly initiators?: readonly string[]
    readonly onlyRecipients?: readonly string[]
    readonly anyRecipient?: readonly string[]
    readonly maxAmount?: AmountsJson
    readonly amountAbove?: AmountsJson
    readonly maxFee?: AmountsJson
    readonly feeAbove?: AmountsJson
    readonly notBefore?: string
    readonly notAfter?: string
  }
}

export type PolicyJson = { readonly v: 1; readonly rules: readonly PolicyRuleJson[] }

const texts = Type.Array(Type.String(), { minItems: 1 })
const amounts = Type.Record(Type.String(), amountSchema)

export const policySchema: Schema<PolicyJson> = named<PolicyJson>(
  'Policy',
  Type.Object({
    v: Type.Literal(1),
    rules: Type.Array(
      Type.Object({
        id: Type.String(),
        action: enumSchema('allow', 'deny'),
        allowsIncomplete: Type.Optional(Type.Boolean()),
        when: Type.Object({
          networks: Type.Optional(texts),
          isTestnet: Type.Optional(Type.Boolean()),
          kinds: Type.Optional(Type.Array(enumSchema(...TX_KINDS))),
          wallets: Type.Optional(texts),
          initiators: Type.Optional(texts),
          onlyRecipients: Type.Optional(texts),
          anyRecipient: Type.Optional(texts),
          maxAmount: Type.Optional(amounts),
          amountAbove: Type.Optional(amounts),
          maxFee: Type.Optional(amounts),
          feeAbove: Type.Optional(amounts),
          notBefore: Type.Optional(timeSchema),
          notAfter: Type.Optional(timeSchema),
        }),
      }),
    ),
  }),
)

export type WalletPolicyJson = {
  readonly wallet: string
  /** Name of the template it was made from. */
  readonly template: string
  readonly policyHash: string
  readonly policy: PolicyJson
}

export const walletPolicySchema: Schema<WalletPolicyJson> = named<WalletPolicyJson>(
  'WalletPolicy',
  Type.Object({
    wallet: idSchema('wal'),
    template: Type.String(),
    policyHash: hexSchema(32),
    policy: policySchema,
  }),
)
