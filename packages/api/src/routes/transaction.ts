/** Transactions as the API shows them, and what policy says to them. */

import { Type } from '@sinclair/typebox'
import type { TxCall, TxKind, TxView } from '../view.ts'
import { TX_KINDS } from '../view.ts'
import {
  amountSchema,
  enumSchema,
  hexSchema,
  idSchema,
  named,
  type Schema,
  slugSchema,
} from './schema.ts'

export type TxViewJson = {
  readonly network: string
  readonly caip2: string
  readonly kind: TxKind
  readonly from: readonly string[]
  readonly outputs: readonly {
    readonly to: string
    readonly asset: string
    /** In the smallest unit, decimal. */
    readonly amount: string
    readonly isChange: boolean
    readonly isClaimed: boolean
  }[]
  /** `null` where the transaction does not tell it. */
  readonly fee: {
    readonly asset: string
    readonly amount: string
    readonly isClaimed: boolean
  } | null
  readonly calls?: readonly TxCall[]
  readonly allowances?: readonly {
    readonly spender: string
    readonly asset: string
    readonly amount: string
    readonly isClaimed: boolean
  }[]
  readonly isComplete: boolean
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}

/** A view with its amounts as decimal strings. */
export const viewToJson = ({ calls, allowances, fee, ...view }: TxView): TxViewJson => ({
  ...view,
  outputs: view.outputs.map(withText),
  fee: fee === undefined ? null : withText(fee),
  ...(calls !== undefined && { calls }),
  ...(allowances !== undefined && { allowances: allowances.map(withText) }),
})

const withText = <T extends { readonly amount: bigint }>(
  value: T,
): Omit<T, 'amount'> & { readonly amount: string } => ({ ...value, amount: String(value.amount) })

const texts = Type.Array(Type.String())

export const txViewSchema: Schema<TxViewJson> = named<TxViewJson>(
  'TxView',
  Type.Object({
    network: slugSchema,
    caip2: Type.String(),
    kind: enumSchema(...TX_KINDS),
    from: texts,
    outputs: Type.Array(
      Type.Object({
        to: Type.String(),
        asset: Type.String(),
        amount: amountSchema,
        isChange: Type.Boolean(),
        isClaimed: Type.Boolean(),
      }),
    ),
    fee: Type.Union([
      Type.Object({ asset: Type.String(), amount: amountSchema, isClaimed: Type.Boolean() }),
      Type.Null(),
    ]),
    calls: Type.Optional(
      Type.Array(Type.Object({ contract: Type.String(), selector: Type.String() })),
    ),
    allowances: Type.Optional(
      Type.Array(
        Type.Object({
          spender: Type.String(),
          asset: Type.String(),
          amount: amountSchema,
          isClaimed: Type.Boolean(),
        }),
      ),
    ),
    isComplete: Type.Boolean(),
    notes: texts,
    warnings: texts,
  }),
)

export type ExplainBody = {
  readonly wallet: string
  /** Slug or CAIP-2. */
  readonly network: string
  /** Unsigned transaction, hex. */
  readonly unsigned: string
  /** Canonical CBOR of the network's adapter, hex; may be empty. */
  readonly context: string
  /** Non-hardened derivation steps below the wallet's key, none unless told. */
  readonly path?: readonly number[]
}

export const explainBodySchema: Schema<ExplainBody> = named<ExplainBody>(
  'ExplainBody',
  Type.Object(
    {
      wallet: idSchema('wal'),
      network: Type.String({ minLength: 1, maxLength: 64 }),
      unsigned: hexSchema({ max: 1 << 20 }),
      context: hexSchema({ min: 0, max: 1 << 20 }),
      path: Type.Optional(
        Type.Array(Type.Integer({ minimum: 0, maximum: 0x7fffffff }), { maxItems: 10 }),
      ),
    },
    { additionalProperties: false },
  ),
)

export type ReasonJson = {
  readonly rule: string
  readonly matched: boolean
  /** A plain sentence. */
  readonly because: string
}

export type ExplanationJson = {
  readonly view: TxViewJson
  /** The view in plain words, line by line. */
  readonly lines: readonly string[]
  readonly decision: 'allow' | 'deny' | 'approve' | 'delay'
  /** The rule that decided; absent where no rule allows it. */
  readonly rule?: string
  readonly reasons: readonly ReasonJson[]
}

export const explanationSchema: Schema<ExplanationJson> = named<ExplanationJson>(
  'Explanation',
  Type.Object({
    view: txViewSchema,
    lines: texts,
    decision: enumSchema('allow', 'deny', 'approve', 'delay'),
    rule: Type.Optional(Type.String()),
    reasons: Type.Array(
      Type.Object({ rule: Type.String(), matched: Type.Boolean(), because: Type.String() }),
    ),
  }),
)
