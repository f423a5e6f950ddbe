/**
 * What daemon and signer process ask of each other. The signer holds every secret and takes every
 * decision; the daemon owns the disk, the network and the clock of restarts. The signer never
 * believes what crosses here more than what it can check itself: requests and envelopes are signed
 * by their makers, rows are sealed, and a change counts only once `persist` has returned.
 */
import { CUSTODY_LEVELS } from '@quorate/auth'
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
  uint64,
  union,
} from '@quorate/base'
import { hsmConfigCodec, hsmReportCodec, MAX_PIN_BYTES } from '@quorate/hsm'

const MAX_RECORD_BYTES = 1 << 20
/** Of an evidence file: signed broadcasts of all parties, each of which may be as long as an envelope. */
export const MAX_EVIDENCE_FILE_BYTES: number = 20 << 20
/** Sets of primes that may be in store. */
export const MAX_PRIMES_AHEAD = 64
const blob = bytes({ max: MAX_RECORD_BYTES })
const hash32 = bytes(32)
const empty = record({})
const id = text(64)

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

const walletRef = record({
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

/** What happened, as the signer saw it; the daemon adds sequence number, time and boot id. */
const auditDraft = record({
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

/** What a finished request yields: a wallet, or a signed transaction. */
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

const environment = oneOf('development', 'staging', 'production')
const custody = oneOf(...CUSTODY_LEVELS)

const call = <Q, A>(
  request: Codec<Q>,
  response: Codec<A>,
): { readonly request: Codec<Q>; readonly response: Codec<A> } => ({
  request,
  response,
})

/** Daemon → signer. */
export const signerCalls = {
  /**
   * First call: opens the HSM and the store key. `sealedSecrets` is null on a fresh store only, and
   * `keys` until this has once returned: afterwards only the keys that it names will do.
   */
  open: call(
    record({
      environment: field(0, environment),
      hsm: field(1, hsmConfigCodec),
      /** In UTF-8; it crosses here alone, and the signer wipes it at its end. */
      pin: field(2, nullable(bytes({ max: MAX_PIN_BYTES }))),
      /** Labels of the key that seals and of the identity key; of this store's own where null. */
      keyLabel: field(3, nullable(text(200))),
      identityLabel: field(4, nullable(text(200))),
      keys: field(5, nullable(blob)),
      storeId: field(6, id),
      sealedSecrets: field(7, nullable(blob)),
      bootId: field(8, bytes(16)),
    }),
    record({
      nodeId: field(0, id),
      identityKey: field(1, hash32),
      custody: field(2, custody),
      sealedSecrets: field(3, blob),
      /** Which keys of the HSM are this node's. */
      keys: field(4, blob),
    }),
  ),
  /** The node's self-signed card, for enrolment. */
  card: call(record({ name: field(0, text(64)) }), record({ card: field(0, blob) })),
  /** This node's signature under a proposed first cluster record that lists it. */
  signRecord: call(
    record({ record: field(0, blob) }),
    record({ signature: field(0, bytes(64)), index: field(1, int(1, 50)) }),
  ),
  /** Puts the last record of a chain of signed cluster records in force. */
  join: call(
    record({ chain: field(0, array(blob, { min: 1, max: 1000 })) }),
    record({ cluster: field(0, hash32), index: field(1, int(1, 50)) }),
  ),
  /** Rows and burnt sessions of the store, after `join` and before anything is delivered. */
  load: call(
    record({
      rows: field(0, array(walletRow, { max: 100_000 })),
      burnt: field(1, array(hash32, { max: 1_000_000 })),
      aux: field(2, array(auxRow, { max: 100_000 })),
      primes: field(3, array(primesRow, { max: MAX_PRIMES_AHEAD })),
    }),
    empty,
  ),
  /**
   * Chooses the arithmetic, and how many sets of primes are made ahead once a wallet needs them; before
   * the first epoch. Names the arithmetic by group: `secp256k1=noble`.
   */
  prepare: call(
    record({
      backend: field(0, oneOf('fastest', 'noble')),
      primesAhead: field(1, int(0, MAX_PRIMES_AHEAD)),
    }),
    record({ backends: field(0, array(text(64), { max: 8 })) }),
  ),
  /** New epoch keys, delegated by the identity key. */
  epoch: call(
    record({ tlsFingerprint: field(0, nullable(hash32)) }),
    record({ record: field(0, blob), notAfter: field(1, int()) }),
  ),
  /** A greeting on a new connection, signed by the envelope key. Empty hashes on a unix socket. */
  hello: call(
    record({
      role: field(0, oneOf('dialler', 'listener')),
      ownCertificate: field(1, bytes({ max: 32 })),
      peerCertificate: field(2, bytes({ max: 32 })),
      channel: field(3, bytes({ max: 32 })),
    }),
    record({ hello: field(0, blob) }),
  ),
  /** A peer's epoch record. */
  peer: call(record({ record: field(0, blob) }), record({ index: field(0, int(1, 50)) })),
  peerGone: call(record({ index: field(0, int(1, 50)) }), empty),
  /** An envelope from the bus, unverified. */
  deliver: call(record({ envelope: field(0, blob) }), empty),
  /** Coordinates a client's signed request to its end. */
  submit: call(record({ request: field(0, blob) }), outcome),
  /** What a transaction does and what policy says of it, as JSON for people; signs nothing. */
  explain: call(
    record({
      wallet: field(0, id),
      client: field(1, id),
      network: field(2, text(64)),
      unsigned: field(3, blob),
      context: field(4, blob),
      path: field(5, array(int(0, 0x7fffffff), { max: 10 })),
    }),
    record({ json: field(0, text(1 << 20)) }),
  ),
  /** The identity key's signature under an audit checkpoint. */
  signCheckpoint: call(
    record({
      seq: field(0, int()),
      h: field(1, hash32),
      stateRoot: field(2, hash32),
      counter: field(3, uint64),
      time: field(4, int()),
    }),
    record({ checkpoint: field(0, blob) }),
  ),
  /** Sends an audit checkpoint to a peer, or to all present (0), which keep it outside this node's directory. */
  anchor: call(record({ to: field(0, int(0, 50)), checkpoint: field(1, blob) }), empty),
  status: call(
    empty,
    record({
      sessions: field(0, int()),
      peers: field(1, array(int(1, 50), { max: 50 })),
    }),
  ),
  /** How the HSM is and what it did; asks it nothing. */
  hsmStatus: call(empty, hsmReportCodec),
  /** Wipes every secret; the process then ends. */
  seal: call(empty, record({ isSealed: field(0, bool) })),
}
export type SignerCalls = typeof signerCalls

/** Signer → daemon. */
export const hostCalls = {
  send: call(record({ to: field(0, int(1, 50)), envelope: field(1, blob) }), empty),
  /** Returns once the changes and their audit records would survive a crash. */
  persist: call(
    record({
      changes: field(0, array(change, { max: 64 })),
      audit: field(1, array(auditDraft, { max: 64 })),
    }),
    empty,
  ),
  progress: call(
    record({
      requestId: field(0, id),
      phase: field(1, text(64)),
      done: field(2, int()),
      of: field(3, int()),
    }),
    empty,
  ),
  /** A checkpoint that a peer sent: its own to keep, or the newest of this node that it kept. */
  anchored: call(record({ from: field(0, int(1, 50)), checkpoint: field(1, blob) }), empty),
  /** What convicts a party, as `evidence-file.ts` describes it, for the daemon to keep. */
  evidence: call(
    record({ sid: field(0, hash32), file: field(1, bytes({ max: MAX_EVIDENCE_FILE_BYTES })) }),
    empty,
  ),
  log: call(
    record({
      level: field(0, oneOf('debug', 'info', 'warn', 'error')),
      event: field(1, text(96)),
      fields: field(
        2,
        array(record({ name: field(0, text(64)), value: field(1, text(256)) }), { max: 32 }),
      ),
    }),
    empty,
  ),
}
export type HostCalls = typeof hostCalls
