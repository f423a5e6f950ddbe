/** What becomes of requests, and what a node tells of itself. */
import {
  array,
  bytes,
  type Codec,
  type CodecType,
  field,
  int,
  nullable,
  oneOf,
  record,
  text,
  union,
} from '@quorate/base'
import { blob, hash32, id, signedRequest } from './fields.ts'
import {
  type LedgerRow,
  ledgerRow,
  type PolicyRow,
  policyRow,
  type RequestRow,
  requestRow,
  type WalletRow,
  walletRow,
} from './rows.ts'

/** What a request waits for. */
export const waitingFor = record({
  subject: field(0, hash32),
  policyHash: field(1, hash32),
  approvals: field(
    2,
    array(record({ group: field(0, text(64)), need: field(1, int()), given: field(2, int()) }), {
      max: 64,
    }),
  ),
  notBefore: field(3, nullable(int())),
  expiresAt: field(4, int()),
})
/** `subject` is what approvals sign, beside the policy hash; `notBefore` is null where no delay is left. */
export type WaitingFor = CodecType<typeof waitingFor>

export const waitingItem = record({
  hash: field(0, hash32),
  request: field(1, signedRequest),
  lines: field(2, array(text(1024), { max: 1000 })),
  waiting: field(3, waitingFor),
  since: field(4, int()),
})
/** A request that waits, as its client signed it, and what it does in lines for people. */
export type WaitingItem = CodecType<typeof waitingItem>

/** What a request yields: a wallet, a signed transaction, a policy in force; or what it waits for. */
export const outcome: Codec<Outcome> = union({
  wallet: [0, walletRow],
  transaction: [
    1,
    record({
      wallet: field(0, id),
      signed: field(1, blob),
      txid: field(2, text(128)),
      items: field(
        3,
        array(
          record({
            publicKey: field(0, bytes({ max: 65 })),
            message: field(1, blob),
            signature: field(2, bytes(64)),
          }),
          { max: 1000 },
        ),
      ),
      receipts: field(4, array(blob, { max: 50 })),
      signers: field(5, array(int(1, 50), { max: 50 })),
      attempts: field(6, int()),
    }),
  ],
  waiting: [2, waitingFor],
  policy: [
    3,
    record({ wallet: field(0, id), version: field(1, int(1)), policyHash: field(2, hash32) }),
  ],
})
export type SignedItem = {
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}
export type SignedTransaction = {
  readonly wallet: string
  readonly signed: Uint8Array
  readonly txid: string
  readonly items: readonly SignedItem[]
  readonly receipts: readonly Uint8Array[]
  /** Party numbers of the signers whose shares made it. */
  readonly signers: readonly number[]
  readonly attempts: number
}
export type Outcome =
  | { readonly kind: 'wallet'; readonly value: WalletRow }
  | { readonly kind: 'transaction'; readonly value: SignedTransaction }
  | { readonly kind: 'waiting'; readonly value: WaitingFor }
  | {
      readonly kind: 'policy'
      readonly value: {
        readonly wallet: string
        readonly version: number
        readonly policyHash: Uint8Array
      }
    }

/** What a client's request, by its hash, has come to. */
export type Concluded = { readonly request: Uint8Array; readonly outcome: Outcome }

/** What the store of the daemon knows that no secret is in: every node could have written it. */
export const publicState: Codec<PublicState> = record({
  /** All signed cluster records from number 1. */
  chain: field(0, array(blob, { min: 1, max: 1000 })),
  burnt: field(1, array(hash32, { max: 1_000_000 })),
  requests: field(2, array(requestRow, { max: 1_000_000 })),
  ledger: field(3, array(ledgerRow, { max: 1_000_000 })),
  highWaters: field(
    4,
    array(record({ wallet: field(0, id), time: field(1, int()) }), { max: 100_000 }),
  ),
  policies: field(5, array(policyRow, { max: 1_000_000 })),
  highWater: field(6, int()),
})
export type PublicState = {
  readonly chain: readonly Uint8Array[]
  readonly burnt: readonly Uint8Array[]
  readonly requests: readonly RequestRow[]
  readonly ledger: readonly LedgerRow[]
  readonly highWaters: readonly { readonly wallet: string; readonly time: number }[]
  readonly policies: readonly PolicyRow[]
  /** The latest time at which anything was forgotten. */
  readonly highWater: number
}

/** What is held ahead for signatures, and what became of all that ever was. */
export const poolReport: Codec<PoolReport> = record({
  shelves: field(
    0,
    array(
      record({
        kind: field(0, oneOf('nonces', 'presignatures')),
        wallet: field(1, id),
        generation: field(2, int()),
        signers: field(3, array(int(1, 50), { max: 50 })),
        coordinator: field(4, int(1, 50)),
        free: field(5, int()),
        reserved: field(6, int()),
        oldestMs: field(7, int()),
      }),
      { max: 100_000 },
    ),
  ),
  totals: field(
    1,
    array(
      record({
        kind: field(0, oneOf('nonces', 'presignatures')),
        made: field(1, int()),
        used: field(2, int()),
        dropped: field(3, int()),
      }),
      { max: 2 },
    ),
  ),
})
export type PoolReport = {
  readonly shelves: readonly {
    readonly kind: 'nonces' | 'presignatures'
    readonly wallet: string
    readonly generation: number
    readonly signers: readonly number[]
    /** Whose requests they are for. */
    readonly coordinator: number
    readonly free: number
    readonly reserved: number
    /** Age of the oldest free one, in milliseconds. */
    readonly oldestMs: number
  }[]
  /** Since the process started. */
  readonly totals: readonly {
    readonly kind: 'nonces' | 'presignatures'
    readonly made: number
    readonly used: number
    readonly dropped: number
  }[]
}
