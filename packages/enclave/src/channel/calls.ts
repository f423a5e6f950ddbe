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
  field,
  int,
  nullable,
  oneOf,
  optional,
  record,
  text,
  uint64,
} from '@quorate/base'
import { hsmConfigCodec, hsmReportCodec, MAX_PIN_BYTES } from '@quorate/hsm'
import { limitsCodec } from '../signer-process/limits.ts'
import { blob, hash32, id } from './fields.ts'
import { outcome, poolReport, publicState, waitingItem } from './outcomes.ts'
import {
  auditDraft,
  auxRow,
  change,
  ledgerRow,
  policyRow,
  primesRow,
  requestRow,
  waitingRow,
  walletRow,
} from './rows.ts'

/** Of an evidence file: signed broadcasts of all parties, each of which may be as long as an envelope. */
export const MAX_EVIDENCE_FILE_BYTES: number = 20 << 20
/** Sets of primes that may be in store. */
export const MAX_PRIMES_AHEAD = 64
const empty = record({})

/** A whole backup file. */
const backupFile = bytes({ max: 24 << 20 })

/** What a backup file says of itself to whoever can open it. */
const openedBackup = {
  cluster: field(0, hash32),
  index: field(1, int(1, 50)),
  nodeId: field(2, id),
  number: field(3, int(1)),
  digest: field(4, hash32),
  createdAt: field(5, int()),
  wallets: field(6, int()),
  /** Shows that the file was opened. */
  token: field(7, hash32),
} as const

const environment = oneOf('development', 'staging', 'production')
const custody = oneOf(...CUSTODY_LEVELS)

const call = <Q, A>(
  request: Codec<Q>,
  response: Codec<A>,
): { readonly request: Codec<Q>; readonly response: Codec<A> } => ({
  request,
  response,
})

/** A call that answers nothing and that nobody waits for. */
const cast = <Q>(
  request: Codec<Q>,
): {
  readonly request: Codec<Q>
  readonly response: typeof empty
  readonly isCast: true
} => ({ request, response: empty, isCast: true })

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
  /** The node's self-signed card, for enrolment; `restores` where it is to take the place of another machine. */
  card: call(
    record({
      name: field(0, text(64)),
      restores: field(
        1,
        nullable(
          record({
            cluster: field(0, hash32),
            index: field(1, int(1, 50)),
            number: field(2, int(1)),
            backup: field(3, hash32),
            at: field(4, int()),
          }),
        ),
      ),
    }),
    record({ card: field(0, blob) }),
  ),
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
  /**
   * What the store holds, after `join` and before anything is delivered; in as many parts as it takes.
   * `highWater` is the latest time at which anything was forgotten.
   */
  load: call(
    record({
      rows: field(0, array(walletRow, { max: 100_000 })),
      burnt: field(1, array(hash32, { max: 1_000_000 })),
      aux: field(2, array(auxRow, { max: 100_000 })),
      primes: field(3, array(primesRow, { max: MAX_PRIMES_AHEAD })),
      requests: field(4, array(requestRow, { max: 1_000_000 })),
      ledger: field(5, array(ledgerRow, { max: 1_000_000 })),
      highWaters: field(
        6,
        array(record({ wallet: field(0, id), time: field(1, int()) }), { max: 100_000 }),
      ),
      waiting: field(7, array(waitingRow, { max: 100_000 })),
      policies: field(8, array(policyRow, { max: 1_000_000 })),
      highWater: field(9, int()),
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
      limits: field(2, limitsCodec),
      /** Nonces and presignatures wanted for each wallet and signer set. */
      pools: field(
        3,
        record({ nonces: field(0, int(0, 4096)), presignatures: field(1, int(0, 1024)) }),
      ),
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
  deliver: cast(record({ envelope: field(0, blob) })),
  /** Coordinates a client's signed request to its end. */
  submit: call(record({ request: field(0, blob) }), outcome),
  /** Takes in an approval or a rejection of a request that waits here, and tells the other nodes. */
  approve: call(
    record({ approval: field(0, bytes({ max: 1 << 14 })) }),
    record({ hash: field(0, hash32) }),
  ),
  /** The requests of a project that wait here, each with what it does in lines for people. */
  listWaiting: call(
    record({ project: field(0, id) }),
    record({
      items: field(0, array(waitingItem, { max: 100 })),
    }),
  ),
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
  /**
   * Seals all that this node holds to the recovery recipients of the cluster record, as backup `number`
   * after the one with digest `previous`. `generation` names the wallets' generations in it, and `drill` is
   * the hash of what only those learn who open it.
   */
  backup: call(
    record({
      number: field(0, int(1)),
      previous: field(1, nullable(hash32)),
      state: field(2, publicState),
    }),
    record({
      file: field(0, backupFile),
      head: field(1, blob),
      digest: field(2, hash32),
      generation: field(3, hash32),
      drill: field(4, hash32),
    }),
  ),
  /** Opens a backup with the secret of one of its recipients, and checks all that it holds; nothing is kept. */
  checkBackup: call(
    record({
      file: field(0, backupFile),
      secret: field(1, hash32),
      chain: field(2, array(blob, { min: 1, max: 1000 })),
    }),
    record(openedBackup),
  ),
  /** The same, and seals it again for the store of this machine, after `open` and before it belongs to a cluster. */
  restore: call(
    record({
      file: field(0, backupFile),
      secret: field(1, hash32),
      chain: field(2, array(blob, { min: 1, max: 1000 })),
    }),
    record({
      ...openedBackup,
      state: field(8, publicState),
      rows: field(9, array(walletRow, { max: 100_000 })),
      aux: field(10, array(auxRow, { max: 1000 })),
      generation: field(11, hash32),
    }),
  ),
  /** Sends the head of a chain of backups, this node's or one that it keeps, to a peer or to all present (0). */
  tellBackup: call(record({ to: field(0, int(0, 50)), head: field(1, blob) }), empty),
  /** Wallets that a restored node still asks the others about, and those that it must refresh. */
  restoreStatus: call(
    empty,
    record({
      asking: field(0, array(id, { max: 100_000 })),
      unrefreshed: field(1, array(id, { max: 100_000 })),
    }),
  ),
  /** Sends an audit checkpoint to a peer, or to all present (0), which keep it outside this node's directory. */
  anchor: call(record({ to: field(0, int(0, 50)), checkpoint: field(1, blob) }), empty),
  status: call(
    empty,
    record({
      sessions: field(0, int()),
      peers: field(1, array(int(1, 50), { max: 50 })),
      pools: field(2, poolReport),
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
  send: cast(record({ to: field(0, int(1, 50)), envelope: field(1, blob) })),
  /**
   * Returns once the changes and their audit records would survive a crash. `concluded` is what a client's
   * request, by its hash, has come to with them: whoever waits for it need not write it once more.
   */
  persist: call(
    record({
      changes: field(0, array(change, { max: 64 })),
      audit: field(1, array(auditDraft, { max: 64 })),
      concluded: optional(2, record({ request: field(0, hash32), outcome: field(1, outcome) })),
    }),
    empty,
  ),
  progress: cast(
    record({
      requestId: field(0, id),
      phase: field(1, text(64)),
      done: field(2, int()),
      of: field(3, int()),
    }),
  ),
  /** A checkpoint that a peer sent: its own to keep, or the newest of this node that it kept. */
  anchored: call(record({ from: field(0, int(1, 50)), checkpoint: field(1, blob) }), empty),
  /** The head of a chain of backups, the sender's or this node's. */
  backupTold: call(record({ from: field(0, int(1, 50)), head: field(1, blob) }), empty),
  /** What convicts a party, as `evidence-file.ts` describes it, for the daemon to keep. */
  evidence: call(
    record({ sid: field(0, hash32), file: field(1, bytes({ max: MAX_EVIDENCE_FILE_BYTES })) }),
    empty,
  ),
  /** A request that waited need not wait any more: submitting it again brings its end. */
  wake: call(record({ hash: field(0, hash32) }), empty),
  log: cast(
    record({
      level: field(0, oneOf('debug', 'info', 'warn', 'error')),
      event: field(1, text(96)),
      fields: field(
        2,
        array(record({ name: field(0, text(64)), value: field(1, text(256)) }), { max: 32 }),
      ),
    }),
  ),
}
export type HostCalls = typeof hostCalls
