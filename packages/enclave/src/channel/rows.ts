/** What the store holds, as the signer process seals it, and every change of it that the daemon puts on disk. */
import {
  array,
  bool,
  bytes,
  type Codec,
  type CodecType,
  field,
  int,
  nullable,
  oneOf,
  optional,
  record,
  text,
  union,
} from '@quorate/base'
import { approvals, blob, hash32, id, signedRequest } from './fields.ts'

/** One generation of one wallet as the store keeps it. `sealed` is this node's share. */
export const walletRow: Codec<WalletRow> = record({
  wallet: field(0, id),
  generation: field(1, int()),
  sid: field(2, hash32),
  state: field(3, oneOf('pending', 'active')),
  project: field(4, id),
  label: field(5, text(64)),
  /** Public wallet record. */
  public: field(6, blob),
  sealed: field(7, blob),
  /** The nodes' signed receipts, as far as they are in. */
  receipts: field(8, array(blob, { max: 50 })),
  /** The wallet's signature with the key of its own address; null until it was made. */
  proof: field(9, nullable(bytes(64))),
})
export type WalletRow = {
  readonly wallet: string
  readonly generation: number
  readonly sid: Uint8Array
  readonly state: 'pending' | 'active'
  readonly project: string
  readonly label: string
  readonly public: Uint8Array
  readonly sealed: Uint8Array
  readonly receipts: readonly Uint8Array[]
  readonly proof: Uint8Array | null
}

/** Auxiliary information of all nodes as the store keeps it. `sealed` is this node's secrets. */
export const auxRow: Codec<AuxRow> = record({
  digest: field(0, hash32),
  sid: field(1, hash32),
  level: field(2, text(64)),
  request: field(3, hash32),
  public: field(4, blob),
  sealed: field(5, blob),
  createdAt: field(6, int()),
})
export type AuxRow = {
  /** Names it, 32 bytes. */
  readonly digest: Uint8Array
  /** Of the session that made it. */
  readonly sid: Uint8Array
  /** The suite whose keys sign with it. */
  readonly level: string
  /** Hash of the request that it was made for. */
  readonly request: Uint8Array
  /** The public keys of all nodes. */
  readonly public: Uint8Array
  readonly sealed: Uint8Array
  readonly createdAt: number
}

/** Safe primes that no session has used yet, sealed. */
export const primesRow: Codec<PrimesRow> = record({
  id: field(0, bytes(16)),
  level: field(1, text(64)),
  sealed: field(2, blob),
})
export type PrimesRow = {
  readonly id: Uint8Array
  readonly level: string
  readonly sealed: Uint8Array
}

/** A client's request that this node took part in, for as long as it could be replayed. */
export const requestRow: Codec<RequestRow> = record({
  client: field(0, id),
  requestId: field(1, id),
  hash: field(2, hash32),
  until: field(3, int()),
  answer: field(4, nullable(bytes({ max: 1 << 17 }))),
})
export type RequestRow = {
  readonly client: string
  readonly requestId: string
  readonly hash: Uint8Array
  /** When it may be forgotten, in milliseconds since the Unix epoch. */
  readonly until: number
  /** What came of it, as `request-book.ts` writes it; null while nothing has. */
  readonly answer: Uint8Array | null
}

/** What one session is charged to the limits of its wallet. */
export const ledgerRow: Codec<LedgerRow> = record({
  session: field(0, hash32),
  wallet: field(1, id),
  until: field(2, int()),
  entry: field(3, blob),
})
export type LedgerRow = {
  readonly session: Uint8Array
  readonly wallet: string
  /** When no window holds it any more. */
  readonly until: number
  /** Canonical, of `policy`. */
  readonly entry: Uint8Array
}

/** A request that waits for approvals, or for its delay to pass. */
export const waitingRow: Codec<WaitingRow> = record({
  hash: field(0, hash32),
  request: field(1, signedRequest),
  since: field(2, int()),
  until: field(3, int()),
  approvals: field(4, approvals),
  isLed: field(5, bool),
})
export type WaitingRow = {
  readonly hash: Uint8Array
  /** As its client signed it. */
  readonly request: Uint8Array
  /** When this node first kept it. */
  readonly since: number
  /** When it expires. */
  readonly until: number
  /** Approvals and rejections that came for it. */
  readonly approvals: readonly Uint8Array[]
  /** Whether a client brought it to this very node. */
  readonly isLed: boolean
}

/** A change of a wallet's policy: voted for here, or in force. */
export const policyRow: Codec<PolicyRow> = record({
  wallet: field(0, id),
  version: field(1, int(2)),
  state: field(2, oneOf('voted', 'inForce')),
  link: field(3, bytes({ max: 2 << 20 })),
})
export type PolicyRow = {
  readonly wallet: string
  readonly version: number
  readonly state: 'voted' | 'inForce'
  /** As `policy-link.ts` writes it. */
  readonly link: Uint8Array
}

export const walletRef = record({
  wallet: field(0, id),
  generation: field(1, int()),
  sid: field(2, hash32),
})

/** A change of the store. All changes of one `persist` are one transaction, together with their audit records. */
export const change: Codec<Change> = union({
  /** The session may never run again. `until` is when the row may be forgotten. */
  burn: [0, record({ sid: field(0, hash32), until: field(1, int()) })],
  putPending: [1, walletRow],
  /** The wallet is whole: every party has said under its signature that its share is on disk. Removes older generations. */
  activate: [2, record({ ref: field(0, walletRef), receipts: field(1, array(blob, { max: 50 })) })],
  /** Forgets a pending row that can never become whole. */
  drop: [3, walletRef],
  /** The wallet has signed with the key of its address, which may now be shown. */
  prove: [4, record({ ref: field(0, walletRef), proof: field(1, bytes(64)) })],
  putAux: [5, auxRow],
  /** No wallet will sign with it any more. */
  dropAux: [6, record({ digest: field(0, hash32) })],
  putPrimes: [7, primesRow],
  /** They go into a session, and are never put back. Fails where they are gone. */
  takePrimes: [8, record({ id: field(0, bytes(16)) })],
  /** This node takes part in the request. Fails where the client used its id for another one. */
  putRequest: [9, requestRow],
  answerRequest: [
    10,
    record({ hash: field(0, hash32), answer: field(1, bytes({ max: 1 << 17 })) }),
  ],
  /** In place of an older state of the same entry. */
  putLedger: [11, ledgerRow],
  /** The highest manifest time that the wallet was charged for. It only rises. */
  raiseHighWater: [12, record({ wallet: field(0, id), time: field(1, int()) })],
  /** In place of an older state of the same request. */
  putWaiting: [13, waitingRow],
  dropWaiting: [14, record({ hash: field(0, hash32) })],
  /** In place of an older state of the same version. */
  putPolicy: [15, policyRow],
})
export type WalletRef = CodecType<typeof walletRef>
export type Change =
  | { readonly kind: 'burn'; readonly value: { readonly sid: Uint8Array; readonly until: number } }
  | { readonly kind: 'putPending'; readonly value: WalletRow }
  | {
      readonly kind: 'activate'
      readonly value: { readonly ref: WalletRef; readonly receipts: readonly Uint8Array[] }
    }
  | { readonly kind: 'drop'; readonly value: WalletRef }
  | {
      readonly kind: 'prove'
      readonly value: { readonly ref: WalletRef; readonly proof: Uint8Array }
    }
  | { readonly kind: 'putAux'; readonly value: AuxRow }
  | { readonly kind: 'dropAux'; readonly value: { readonly digest: Uint8Array } }
  | { readonly kind: 'putPrimes'; readonly value: PrimesRow }
  | { readonly kind: 'takePrimes'; readonly value: { readonly id: Uint8Array } }
  | { readonly kind: 'putRequest'; readonly value: RequestRow }
  | {
      readonly kind: 'answerRequest'
      readonly value: { readonly hash: Uint8Array; readonly answer: Uint8Array }
    }
  | { readonly kind: 'putLedger'; readonly value: LedgerRow }
  | {
      readonly kind: 'raiseHighWater'
      readonly value: { readonly wallet: string; readonly time: number }
    }
  | { readonly kind: 'putWaiting'; readonly value: WaitingRow }
  | { readonly kind: 'dropWaiting'; readonly value: { readonly hash: Uint8Array } }
  | { readonly kind: 'putPolicy'; readonly value: PolicyRow }

/** What happened, as the signer saw it; the daemon adds sequence number, time and boot id. */
export const auditDraft = record({
  actor: field(0, id),
  action: field(1, text(64)),
  resource: field(2, id),
  project: optional(3, id),
  decision: field(4, oneOf('allow', 'deny', 'none')),
  reason: optional(5, text(96)),
  requestId: optional(6, id),
  sid: optional(7, hash32),
  outcome: field(8, oneOf('begun', 'done', 'failed')),
  fields: field(
    9,
    array(record({ name: field(0, text(64)), value: field(1, text(256)) }), { max: 16 }),
  ),
})
export type AuditDraft = CodecType<typeof auditDraft>
