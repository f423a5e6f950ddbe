/** Operations: what a request that takes a while is doing, and what came of it. */
import { Type } from '@sinclair/typebox'
import type { Problem } from '../problem.ts'
import {
  countSchema,
  enumSchema,
  hexSchema,
  idSchema,
  named,
  type Schema,
  schemaOf,
  slugSchema,
  timeSchema,
} from './schema.ts'
import { type WalletJson, walletSchema } from './wallet.ts'

/** Hex of canonical receipts, for the client to verify. */
type Receipts = { readonly receipts: readonly string[] }
/** The public record of a wallet's generation, canonical, hex: the receipts are for what it holds. */
type Recorded = Receipts & { readonly record: string }

export type CreateWalletResult = Recorded & {
  readonly kind: 'createWallet'
  readonly wallet: WalletJson
}
export type SignatureJson = {
  /** Exactly the bytes that the signature covers, hex. */
  readonly message: string
  readonly signature: string
  /** What it verifies under, hex. */
  readonly publicKey: string
}
export type SignResult = Receipts & {
  readonly kind: 'sign'
  readonly wallet: string
  readonly network: string
  readonly txid: string
  readonly unsigned: string
  readonly signed: string
  /** One per input or signer slot of the transaction. */
  readonly signatures: readonly SignatureJson[]
  /** Indices of the nodes whose shares made them. */
  readonly signers: readonly number[]
  /** Protocol sessions that it took. */
  readonly attempts: number
}
export type RefreshResult = Recorded & {
  readonly kind: 'refresh'
  readonly wallet: string
  /** The new one. */
  readonly generation: number
}
export type ChangePolicyResult = {
  readonly kind: 'changePolicy'
  readonly wallet: string
  /** Of the policy now in force. */
  readonly version: number
  readonly policyHash: string
}
export type OperationResult = CreateWalletResult | SignResult | RefreshResult | ChangePolicyResult

/** What an operation waits for before it goes on. */
export type WaitingJson = {
  /** What approvals sign, beside the policy hash: 32 bytes, hex. */
  readonly intent: string
  readonly policyHash: string
  /** Approvals of each group that policy asks for. */
  readonly approvals: readonly {
    readonly group: string
    readonly need: number
    readonly given: number
  }[]
  /** Where policy delays it: it goes on no earlier. */
  readonly notBefore?: string
  /** Nothing is signed from then on. */
  readonly expiresAt: string
}

export type OperationJson = {
  readonly id: string
  readonly kind: OperationResult['kind']
  readonly state: 'running' | 'waiting' | 'done' | 'failed'
  readonly project: string
  readonly requestId: string
  readonly wallet?: string
  /** While it runs. */
  readonly progress?: {
    readonly phase: string
    readonly round: number
    readonly of: number
  }
  /** While it waits. */
  readonly waiting?: WaitingJson
  /** Once it is done. */
  readonly result?: OperationResult
  /** Once it has failed. */
  readonly problem?: Problem
  readonly createdAt: string
  readonly updatedAt: string
}

/** What a wallet was asked to sign at this node. */
export type PastRequestJson = {
  readonly operation: string
  /** The client that asked. */
  readonly client: string
  /** The signed request, hex. */
  readonly request: string
  readonly createdAt: string
  /** What became of it, while that is known: for a day. */
  readonly state?: OperationJson['state']
}

export const pastRequestSchema: Schema<PastRequestJson> = named<PastRequestJson>(
  'PastRequest',
  Type.Object({
    operation: idSchema('op'),
    client: idSchema('cli'),
    request: hexSchema({ max: 1 << 16 }),
    createdAt: timeSchema,
    state: Type.Optional(enumSchema('running', 'waiting', 'done', 'failed')),
  }),
)

export const problemSchema: Schema<Problem> = named<Problem>(
  'Problem',
  Type.Object({
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    code: Type.String(),
    detail: Type.Optional(Type.String()),
    requestId: Type.String(),
    retryable: Type.Boolean(),
    remedy: Type.String(),
  }),
)

const receipts = Type.Array(hexSchema({ max: 1 << 13 }))
const record = hexSchema({ max: 1 << 20 })
const transactionHex = hexSchema({ max: 1 << 21 })

const resultSchema: Schema<OperationResult> = schemaOf<OperationResult>(
  Type.Union([
    Type.Object({ kind: Type.Literal('createWallet'), wallet: walletSchema, record, receipts }),
    Type.Object({
      kind: Type.Literal('sign'),
      wallet: idSchema('wal'),
      network: slugSchema,
      txid: Type.String(),
      unsigned: transactionHex,
      signed: transactionHex,
      signatures: Type.Array(
        Type.Object({
          message: hexSchema({ max: 1 << 20 }),
          signature: hexSchema(64),
          publicKey: hexSchema({ max: 64 }),
        }),
      ),
      signers: Type.Array(countSchema),
      attempts: countSchema,
      receipts,
    }),
    Type.Object({
      kind: Type.Literal('refresh'),
      wallet: idSchema('wal'),
      generation: countSchema,
      record,
      receipts,
    }),
    Type.Object({
      kind: Type.Literal('changePolicy'),
      wallet: idSchema('wal'),
      version: countSchema,
      policyHash: hexSchema(32),
    }),
  ]),
)

export const waitingSchema: Schema<WaitingJson> = named<WaitingJson>(
  'Waiting',
  Type.Object({
    intent: hexSchema(32),
    policyHash: hexSchema(32),
    approvals: Type.Array(
      Type.Object({ group: Type.String(), need: countSchema, given: countSchema }),
    ),
    notBefore: Type.Optional(timeSchema),
    expiresAt: timeSchema,
  }),
)

export const operationSchema: Schema<OperationJson> = named<OperationJson>(
  'Operation',
  Type.Object({
    id: idSchema('op'),
    kind: enumSchema('createWallet', 'sign', 'refresh', 'changePolicy'),
    state: enumSchema('running', 'waiting', 'done', 'failed'),
    project: idSchema('prj'),
    requestId: idSchema('req'),
    wallet: Type.Optional(idSchema('wal')),
    progress: Type.Optional(
      Type.Object({ phase: Type.String(), round: countSchema, of: countSchema }),
    ),
    waiting: Type.Optional(waitingSchema),
    result: Type.Optional(resultSchema),
    problem: Type.Optional(problemSchema),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  }),
)
