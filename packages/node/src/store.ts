/** What a node keeps, as typed rows. The only place with SQL besides the journal and the statements of changes. */
import { decode, Fault, fromUtf8 } from '@quorate/base'
import {
  type AuxRow,
  changeIn,
  type LedgerRow,
  type PolicyRow,
  type PrimesRow,
  type SeenRequest,
  type WaitingRow,
  type WalletRow,
} from '@quorate/enclave'
import type { Sql, SqlRow } from '@quorate/platform'
import { approvalList, HIGH_WATER, receiptList } from './statements.ts'

const MAX_RECEIPTS_BYTES = 1 << 22
const MAX_APPROVALS_BYTES = 1 << 22

const walletRowOf = (row: SqlRow): WalletRow => ({
  wallet: row['wallet'] as string,
  generation: row['generation'] as number,
  sid: row['sid'] as Uint8Array,
  state: row['state'] as WalletRow['state'],
  project: row['project'] as string,
  label: row['label'] as string,
  public: row['public'] as Uint8Array,
  sealed: row['sealed'] as Uint8Array,
  receipts: decode(receiptList, row['receipts'] as Uint8Array, { maxBytes: MAX_RECEIPTS_BYTES }),
  proof: row['proof'] as Uint8Array | null,
})

export type RequestState = 'running' | 'waiting' | 'done' | 'failed'
export type RequestRow = {
  readonly project: string
  readonly client: string
  readonly idempotencyKey: string
  readonly operation: string
  readonly requestId: string
  readonly requestHash: Uint8Array
  readonly kind: string
  readonly state: RequestState
  /** JSON of the result or of the problem. */
  readonly result: string | null
  readonly createdAt: number
  readonly updatedAt: number
  readonly until: number
  /** What the client signed, while it waits. */
  readonly request: Uint8Array | null
}

const requestRowOf = (row: SqlRow): RequestRow => ({
  project: row['project'] as string,
  client: row['client'] as string,
  idempotencyKey: row['idempotency_key'] as string,
  operation: row['operation'] as string,
  requestId: row['request_id'] as string,
  requestHash: row['request_hash'] as Uint8Array,
  kind: row['kind'] as string,
  state: row['state'] as RequestState,
  result: row['result'] as string | null,
  createdAt: row['created_at'] as number,
  updatedAt: row['updated_at'] as number,
  until: row['until'] as number,
  request: row['request'] as Uint8Array | null,
})

export type PastRequestRow = {
  readonly operation: string
  readonly request: Uint8Array
  /** Null where the operation is forgotten already. */
  readonly state: RequestState | null
}

export class Store {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  async setting(name: string): Promise<Uint8Array | null> {
    const [row] = await this.#sql.read('SELECT value FROM settings WHERE name = ?', [name])
    return (row?.['value'] as Uint8Array | undefined) ?? null
  }

  async clusterChain(): Promise<readonly Uint8Array[]> {
    const rows = await this.#sql.read('SELECT record FROM cluster_records ORDER BY number')
    return rows.map((row) => row['record'] as Uint8Array)
  }

  /** All rows, or those of one project that are active. */
  async wallets(project?: string): Promise<readonly WalletRow[]> {
    const rows =
      project === undefined
        ? await this.#sql.read('SELECT * FROM wallets ORDER BY wallet')
        : await this.#sql.read(
            "SELECT * FROM wallets WHERE project = ? AND state = 'active' ORDER BY wallet",
            [project],
          )
    return rows.map(walletRowOf)
  }

  /** How many wallets of the project are not whole. */
  async pending(project: string): Promise<number> {
    const [row] = await this.#sql.read(
      "SELECT count(*) AS n FROM wallets WHERE project = ? AND state = 'pending'",
      [project],
    )
    return row?.['n'] as number
  }

  /** An active wallet of the project, by id or by name. @throws enclave/unknown-wallet */
  async wallet(idOrLabel: string, project: string): Promise<WalletRow> {
    const rows = await this.#sql.read(
      "SELECT * FROM wallets WHERE project = ? AND state = 'active' AND (wallet = ? OR label = ?) ORDER BY generation DESC LIMIT 1",
      [project, idOrLabel, idOrLabel],
    )
    const [row] = rows
    if (row === undefined) throw new Fault('enclave/unknown-wallet')
    return walletRowOf(row)
  }

  async burnt(now: number): Promise<readonly Uint8Array[]> {
    const rows = await this.#sql.read('SELECT sid FROM burnt_sessions WHERE until >= ?', [now])
    return rows.map((row) => row['sid'] as Uint8Array)
  }

  async aux(): Promise<readonly AuxRow[]> {
    const rows = await this.#sql.read('SELECT * FROM aux ORDER BY created_at')
    return rows.map((row) => ({
      digest: row['digest'] as Uint8Array,
      sid: row['sid'] as Uint8Array,
      level: row['level'] as string,
      request: row['request'] as Uint8Array,
      public: row['public'] as Uint8Array,
      sealed: row['sealed'] as Uint8Array,
      createdAt: row['created_at'] as number,
    }))
  }

  async primes(): Promise<readonly PrimesRow[]> {
    const rows = await this.#sql.read('SELECT * FROM aux_primes')
    return rows.map((row) => ({
      id: row['id'] as Uint8Array,
      level: row['level'] as string,
      sealed: row['sealed'] as Uint8Array,
    }))
  }

  async request(
    project: string,
    client: string,
    idempotencyKey: string,
  ): Promise<RequestRow | undefined> {
    const [row] = await this.#sql.read(
      'SELECT * FROM operations WHERE project = ? AND client = ? AND idempotency_key = ?',
      [project, client, idempotencyKey],
    )
    return row && requestRowOf(row)
  }

  async operation(operation: string, project: string): Promise<RequestRow | undefined> {
    const [row] = await this.#sql.read(
      'SELECT * FROM operations WHERE operation = ? AND project = ?',
      [operation, project],
    )
    return row && requestRowOf(row)
  }

  /** What a wallet was asked to sign, oldest first, from after that operation on. */
  async pastRequests(
    wallet: string,
    after: string,
    limit: number,
  ): Promise<readonly PastRequestRow[]> {
    const rows = await this.#sql.read(
      `SELECT past_requests.operation, past_requests.request, operations.state FROM past_requests
       LEFT JOIN operations ON operations.operation = past_requests.operation
       WHERE past_requests.wallet = ? AND past_requests.operation > ?
       ORDER BY past_requests.operation LIMIT ?`,
      [wallet, after, limit],
    )
    return rows.map((row) => ({
      operation: row['operation'] as string,
      request: row['request'] as Uint8Array,
      state: row['state'] as RequestState | null,
    }))
  }

  /** Operations that a crash cut off, and those that wait. */
  async unfinished(): Promise<readonly RequestRow[]> {
    const rows = await this.#sql.read(
      "SELECT * FROM operations WHERE state IN ('running', 'waiting')",
    )
    return rows.map(requestRowOf)
  }

  /** The latest time at which anything was forgotten; 0 for a new store. */
  async highWater(): Promise<number> {
    const value = await this.setting(HIGH_WATER)
    return value === null ? 0 : Number(fromUtf8(value))
  }

  async seenRequests(): Promise<readonly SeenRequest[]> {
    const rows = await this.#sql.read('SELECT * FROM seen_requests')
    return rows.map((row) => ({
      client: row['client'] as string,
      requestId: row['request_id'] as string,
      hash: row['hash'] as Uint8Array,
      until: row['until'] as number,
      answer: row['answer'] as Uint8Array | null,
    }))
  }

  async ledger(): Promise<readonly LedgerRow[]> {
    const rows = await this.#sql.read('SELECT * FROM ledger')
    return rows.map((row) => ({
      session: row['session'] as Uint8Array,
      wallet: row['wallet'] as string,
      until: row['until'] as number,
      entry: row['entry'] as Uint8Array,
    }))
  }

  /** The highest manifest time that each wallet was charged for. */
  async ledgerTimes(): Promise<readonly { readonly wallet: string; readonly time: number }[]> {
    const rows = await this.#sql.read('SELECT * FROM ledger_times')
    return rows.map((row) => ({
      wallet: row['wallet'] as string,
      time: row['time'] as number,
    }))
  }

  async waiting(): Promise<readonly WaitingRow[]> {
    const rows = await this.#sql.read('SELECT * FROM waiting_requests ORDER BY since')
    return rows.map((row) => ({
      hash: row['hash'] as Uint8Array,
      request: row['request'] as Uint8Array,
      since: row['since'] as number,
      until: row['until'] as number,
      approvals: decode(approvalList, row['approvals'] as Uint8Array, {
        maxBytes: MAX_APPROVALS_BYTES,
      }),
      isLed: row['is_led'] === 1,
    }))
  }

  async policies(): Promise<readonly PolicyRow[]> {
    const rows = await this.#sql.read('SELECT * FROM policies ORDER BY wallet, version')
    return rows.map((row) => ({
      wallet: row['wallet'] as string,
      version: row['version'] as number,
      state: row['state'] as PolicyRow['state'],
      link: row['link'] as Uint8Array,
    }))
  }

  /** Version and canonical bytes of the policy in force, where it is not the one the wallet was made with. */
  async changedPolicy(
    wallet: string,
  ): Promise<{ readonly version: number; readonly policy: Uint8Array } | undefined> {
    const [row] = await this.#sql.read(
      "SELECT link FROM policies WHERE wallet = ? AND state = 'inForce' ORDER BY version DESC LIMIT 1",
      [wallet],
    )
    return row && changeIn(row['link'] as Uint8Array)
  }

  async audit(
    after: number,
    limit: number,
  ): Promise<readonly { seq: number; record: Uint8Array; h: Uint8Array }[]> {
    const rows = await this.#sql.read(
      'SELECT seq, record, h FROM audit WHERE seq > ? ORDER BY seq LIMIT ?',
      [after, limit],
    )
    return rows.map((row) => ({
      seq: row['seq'] as number,
      record: row['record'] as Uint8Array,
      h: row['h'] as Uint8Array,
    }))
  }

  async checkpoints(after: number, limit: number): Promise<readonly Uint8Array[]> {
    const rows = await this.#sql.read(
      'SELECT checkpoint FROM checkpoints WHERE seq > ? ORDER BY seq LIMIT ?',
      [after, limit],
    )
    return rows.map((row) => row['checkpoint'] as Uint8Array)
  }

  async peerCheckpoint(node: number): Promise<Uint8Array | undefined> {
    const [row] = await this.#sql.read('SELECT checkpoint FROM peer_checkpoints WHERE node = ?', [
      node,
    ])
    return row?.['checkpoint'] as Uint8Array | undefined
  }
}
