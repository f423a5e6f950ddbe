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
  record,
  text,
  union,
} from '@quorate/base'
import type { WalletRef } from '../channel/calls.ts'

export const MAX_CONTROL_BYTES: number = MAX_REQUEST_BYTES + (1 << 18)

const receipts = array(bytes({ max: 1 << 16 }), { max: 50 })
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
        readonly countersignature: Uint8Array
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

const control: Codec<Control> = union({
  prepare: [
    0,
    record({
      manifest: field(0, bytes({ max: 1 << 16 })),
      request: field(1, bytes({ max: MAX_REQUEST_BYTES })),
      countersignature: field(2, bytes(64)),
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
})

export const encodeControl = (message: Control): Uint8Array => encode(control, message)

/** @throws base/too-large, base/malformed, base/not-canonical */
export const decodeControl = (body: Uint8Array): Control =>
  decode(control, body, { maxBytes: MAX_CONTROL_BYTES })
