/** Transactions as the API shows them, and what policy says to them. */

import { Type } from '@sinclair/typebox'
import type { TxKind, TxView } from '../view.ts'
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
  readonly isComplete: boolean
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}

/** A view with its amounts as decimal strings. */
export const viewToJson = (view: TxView): TxViewJson => ({
  ...view,
  outputs: view.outputs.map((output) => ({ ...output, amount: String(output.amount) })),
  fee: view.fee === undefined ? null : { ...view.fee, amount: String(view.fee.amount) },
})

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
  readonly decision: 'allow' | 'deny'
  /** The rule that decided; absent where no rule allows it. */
  readonly rule?: string
  readonly reasons: readonly ReasonJson[]
}

export const explanationSchema: Schema<ExplanationJson> = named<ExplanationJson>(
  'Explanation',
  Type.Object({
    view: txViewSchema,
    decision: enumSchema('allow', 'deny'),
    rule: Type.Optional(Type.String()),
    reasons: Type.Array(
      Type.Object({ rule: Type.String(), matched: Type.Boolean(), because: Type.String() }),
    ),
  }),
)
