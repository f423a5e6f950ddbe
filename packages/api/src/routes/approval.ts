/** Requests that wait for people, as an approver is shown them. */
import { Type } from '@sinclair/typebox'
import { MAX_APPROVAL_BYTES } from '../approval.ts'
import { type WaitingJson, waitingSchema } from './operation.ts'
import { enumSchema, hexSchema, idSchema, named, type Schema, timeSchema } from './schema.ts'

export type WaitingRequestJson = {
  /** Names the request, hex. */
  readonly hash: string
  readonly kind: 'sign' | 'changePolicy'
  readonly wallet: string
  /** The client that asks. */
  readonly client: string
  /** The signed request itself, hex: an approver reads it for himself, and works out what he signs. */
  readonly request: string
  /** What it does, in plain words, by the node that was asked. */
  readonly lines: readonly string[]
  readonly waiting: WaitingJson
  readonly since: string
}

export const waitingRequestSchema: Schema<WaitingRequestJson> = named<WaitingRequestJson>(
  'WaitingRequest',
  Type.Object({
    hash: hexSchema(32),
    kind: enumSchema('sign', 'changePolicy'),
    wallet: idSchema('wal'),
    client: idSchema('cli'),
    request: hexSchema({ max: 1 << 22 }),
    lines: Type.Array(Type.String()),
    waiting: waitingSchema,
    since: timeSchema,
  }),
)

/** A canonical approval, hex. */
export type ApprovalBody = { readonly approval: string }

export const approvalBodySchema: Schema<ApprovalBody> = named<ApprovalBody>(
  'ApprovalBody',
  Type.Object(
    { approval: hexSchema({ max: MAX_APPROVAL_BYTES }) },
    { additionalProperties: false },
  ),
)

/** The request that an approval was counted for, by its hash in hex. */
export type ApprovedJson = { readonly request: string }

export const approvedSchema: Schema<ApprovedJson> = named<ApprovedJson>(
  'Approved',
  Type.Object({ request: hexSchema(32) }),
)
