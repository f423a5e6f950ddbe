/** What nodes say to each other around a protocol session. Always inside a signed envelope whose session id it concerns. */

import { MAX_REQUEST_BYTES } from '@quorate/api'
import {
  array,
  bytes,
  type Codec,
  decode,
  encode,
  field,
  int,
  oneOf,
  optional,
  record,
  text,
  union,
} from '@quorate/base'
import type { WalletRef } from '../channel/rows.ts'

export const MAX_CONTROL_BYTES: number = MAX_REQUEST_BYTES + (1 << 20)

const receipts = array(bytes({ max: 1 << 16 }), { max: 50 })
const blob = bytes({ max: 2 << 20 })
const approvals = array(bytes({ max: 1 << 14 }), { max: 200 })
const ref: Codec<WalletRef> = record({
  wallet: field(0, text(64)),
  generation: field(1, int(1)),
  sid: field(2, bytes(32)),
})

export type Control =
  /** The coordinator proposes a session: who does what for which request. */
  | {
      readonly kind: 'prepare'
      readonly value: {
        readonly manifest: Uint8Array
        readonly request: Uint8Array
        /** Left out where the coordinator's first message of the protocol comes along. */
        readonly countersignature?: Uint8Array | undefined
        /** What people said to the request, as far as the coordinator knows. */
        readonly approvals?: readonly Uint8Array[] | undefined
      }
    }
  /** The sender checked the manifest and takes part. */
  | { readonly kind: 'ready'; readonly value: { readonly countersignature: Uint8Array } }
  /** The sender does not take part; `code` is from the error table. */
  | { readonly kind: 'refuse'; readonly value: { readonly code: string } }
  /** The sender has the result on disk. */
  | { readonly kind: 'receipt'; readonly value: { readonly receipt: Uint8Array } }
  /** After a restart: does the receiver hold its share of this? */
  | { readonly kind: 'ask'; readonly value: WalletRef }
  | {
      readonly kind: 'tell'
      readonly value: {
        readonly ref: WalletRef
        readonly state: 'unknown' | 'pending' | 'active'
        readonly receipts: readonly Uint8Array[]
      }
    }
  /** The wallet's signature with the key of its own address. */
  | {
      readonly kind: 'proof'
      readonly value: { readonly ref: WalletRef; readonly proof: Uint8Array }
    }
  /** The sender's next epoch record. */
  | { readonly kind: 'epoch'; readonly value: { readonly record: Uint8Array } }
  /** An audit checkpoint: the sender's own to keep, or the receiver's that the sender kept. */
  | { readonly kind: 'checkpoint'; readonly value: { readonly checkpoint: Uint8Array } }
  /** The sender's ledger of the session's wallet, once all signers have countersigned. */
  | { readonly kind: 'ledger'; readonly value: { readonly ledger: Uint8Array } }
  /** The sender burnt the session before its share left. */
  | {
      readonly kind: 'tombstone'
      readonly value: { readonly wallet: string; readonly signature: Uint8Array }
    }
  /** The sender's clock. */
  | { readonly kind: 'heartbeat'; readonly value: { readonly time: number } }
  /** A request that waits, and what people said to it so far. */
  | {
      readonly kind: 'waiting'
      readonly value: { readonly request: Uint8Array; readonly approvals: readonly Uint8Array[] }
    }
  | { readonly kind: 'approval'; readonly value: { readonly approval: Uint8Array } }
  /** What came of this request? Answered once the receiver knows. */
  | { readonly kind: 'askAnswer'; readonly value: { readonly request: Uint8Array } }
  | {
      readonly kind: 'answer'
      readonly value: {
        readonly request: Uint8Array
        readonly answer: Uint8Array
        /** The sender's own. */
        readonly receipt: Uint8Array
      }
    }
  /** Signatures that the sender has, for the receiver to verify, keep and confirm: a signer is away. */
  | {
      readonly kind: 'confirm'
      readonly value: { readonly request: Uint8Array; readonly answer: Uint8Array }
    }
  /** Asks for a vote for a change of a policy. */
  | { readonly kind: 'proposeChange'; readonly value: { readonly signed: Uint8Array } }
  | {
      readonly kind: 'vote'
      readonly value: { readonly change: Uint8Array; readonly vote: Uint8Array }
    }
  /** The sender does not vote for the change; `code` is from the error table. */
  | {
      readonly kind: 'noVote'
      readonly value: { readonly change: Uint8Array; readonly code: string }
    }
  /** A change that took force. */
  | { readonly kind: 'policyLink'; readonly value: { readonly link: Uint8Array } }
  /** Which version of a wallet's policy is in force at the sender. */
  | {
      readonly kind: 'policyAt'
      readonly value: { readonly wallet: string; readonly version: number }
    }
  /** The sender was restored from a backup: what does the receiver's ledger of a wallet hold? */
  | { readonly kind: 'askLedger'; readonly value: { readonly wallet: string } }
  | {
      readonly kind: 'ledgerOf'
      readonly value: {
        readonly wallet: string
        readonly ledger: Uint8Array
        readonly highWater: number
      }
    }
  /** The newest head of a chain of backups: the sender's, or the receiver's that the sender kept. */
  | { readonly kind: 'backupHead'; readonly value: { readonly head: Uint8Array } }

export type ControlOf<Kind extends Control['kind']> = Extract<Control, { kind: Kind }>['value']

const control: Codec<Control> = union({
  prepare: [
    0,
    record({
      manifest: field(0, bytes({ max: 1 << 16 })),
      request: field(1, bytes({ max: MAX_REQUEST_BYTES })),
      countersignature: optional(2, bytes(64)),
      approvals: optional(3, approvals),
    }),
  ],
  ready: [1, record({ countersignature: field(0, bytes(64)) })],
  refuse: [2, record({ code: field(0, text(96)) })],
  receipt: [3, record({ receipt: field(0, bytes({ max: 1 << 16 })) })],
  ask: [4, ref],
  tell: [
    5,
    record({
      ref: field(0, ref),
      state: field(1, oneOf('unknown', 'pending', 'active')),
      receipts: field(2, receipts),
    }),
  ],
  proof: [6, record({ ref: field(0, ref), proof: field(1, bytes(64)) })],
  epoch: [7, record({ record: field(0, bytes({ max: 4096 })) })],
  checkpoint: [8, record({ checkpoint: field(0, bytes({ max: 1024 })) })],
  ledger: [9, record({ ledger: field(0, blob) })],
  tombstone: [10, record({ wallet: field(0, text(64)), signature: field(1, bytes(64)) })],
  heartbeat: [11, record({ time: field(0, int()) })],
  waiting: [
    12,
    record({
      request: field(0, bytes({ max: MAX_REQUEST_BYTES })),
      approvals: field(1, approvals),
    }),
  ],
  approval: [13, record({ approval: field(0, bytes({ max: 1 << 14 })) })],
  askAnswer: [14, record({ request: field(0, bytes({ max: MAX_REQUEST_BYTES })) })],
  answer: [
    15,
    record({
      request: field(0, bytes(32)),
      answer: field(1, bytes({ max: 1 << 17 })),
      receipt: field(2, bytes({ max: 1 << 16 })),
    }),
  ],
  proposeChange: [16, record({ signed: field(0, blob) })],
  vote: [17, record({ change: field(0, bytes(32)), vote: field(1, bytes({ max: 8192 })) })],
  noVote: [18, record({ change: field(0, bytes(32)), code: field(1, text(96)) })],
  policyLink: [19, record({ link: field(0, blob) })],
  policyAt: [20, record({ wallet: field(0, text(64)), version: field(1, int()) })],
  askLedger: [22, record({ wallet: field(0, text(64)) })],
  ledgerOf: [
    23,
    record({ wallet: field(0, text(64)), ledger: field(1, blob), highWater: field(2, int()) }),
  ],
  backupHead: [24, record({ head: field(0, bytes({ max: 4096 })) })],
  confirm: [
    21,
    record({
      request: field(0, bytes({ max: MAX_REQUEST_BYTES })),
      answer: field(1, bytes({ max: 1 << 17 })),
    }),
  ],
})

export const encodeControl = (message: Control): Uint8Array => encode(control, message)

/** @throws base/too-large, base/malformed, base/not-canonical */
export const decodeControl = (body: Uint8Array): Control =>
  decode(control, body, { maxBytes: MAX_CONTROL_BYTES })
