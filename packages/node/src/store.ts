/** What a node keeps, as typed rows. The only place with SQL besides the journal. */
import { array, bytes, decode, encode, Fault } from '@quorate/base'
import type { AuxRow, Change, PrimesRow, WalletRow } from '@quorate/enclave'
import type { Sql, SqlRow, SqlStatement } from '@quorate/platform'

const receiptList = array(bytes({ max: 1 << 16 }), { max: 50 })
const MAX_RECEIPTS_BYTES = 1 << 22

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

export type RequestState = 'running' | 'done' | 'failed'
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
})

/** The statements that carry out a change which the signer asked for. */
export function statementsOf(change: Change): readonly SqlStatement[] {
  switch (change.kind) {
    case 'burn':
      return [
        {
          sql: 'INSERT INTO burnt_sessions (sid, until) VALUES (?, ?) ON CONFLICT DO NOTHING',
          params: [change.value.sid, change.value.until],
        },
      ]
    case 'putPending': {
      const { wallet, generation, sid, state, project, label, sealed, receipts, proof } =
        change.value
      return [
        {
          sql: `INSERT INTO wallets (wallet, generation, sid, state, project, label, public, sealed, receipts, proof)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          params: [
            wallet,
            generation,
            sid,
            state,
            project,
            label,
            change.value.public,
            sealed,
            encode(receiptList, receipts),
            proof,
          ],
        },
      ]
    }
    case 'activate': {
      const { ref, receipts } = change.value
      return [
        {
          sql: "UPDATE wallets SET state = 'active', receipts = ? WHERE wallet = ? AND generation = ? AND sid = ?",
          params: [encode(receiptList, receipts), ref.wallet, ref.generation, ref.sid],
          expect: 1,
        },
        {
          sql: 'DELETE FROM wallets WHERE wallet = ? AND sid <> ?',
          params: [ref.wallet, ref.sid],
        },
      ]
    }
    case 'drop': {
      const { wallet, generation, sid } = change.value
      return [
        {
          sql: "DELETE FROM wallets WHERE wallet = ? AND generation = ? AND sid = ? AND state = 'pending'",
          params: [wallet, generation, sid],
        },
      ]
    }
    case 'prove': {
      const { ref, proof } = change.value
      return [
        {
          sql: 'UPDATE wallets SET proof = ? WHERE wallet = ? AND generation = ? AND sid = ?',
          params: [proof, ref.wallet, ref.generation, ref.sid],
          expect: 1,
        },
      ]
    }
    case 'putAux': {
      const { digest, sid, level, request, sealed, createdAt } = change.value
      return [
        {
          sql: 'INSERT INTO aux (digest, sid, level, request, public, sealed, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
          params: [digest, sid, level, request, change.value.public, sealed, createdAt],
        },
      ]
    }
    case 'dropAux':
      return [{ sql: 'DELETE FROM aux WHERE digest = ?', params: [change.value.digest] }]
    case 'putPrimes': {
      const { id, level, sealed } = change.value
      return [
        {
          sql: 'INSERT INTO aux_primes (id, level, sealed) VALUES (?, ?, ?)',
          params: [id, level, sealed],
        },
      ]
    }
    case 'takePrimes':
      return [{ sql: 'DELETE FROM aux_primes WHERE id = ?', params: [change.value.id], expect: 1 }]
  }
}

export const insertRequest = (row: RequestRow): SqlStatement => ({
  sql: `INSERT INTO requests (project, client, idempotency_key, operation, request_id, request_hash, kind, state, result, created_at, updated_at, until)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  params: [
    row.project,
    row.client,
    row.idempotencyKey,
    row.operation,
    row.requestId,
    row.requestHash,
    row.kind,
    row.state,
    row.result,
    row.createdAt,
    row.updatedAt,
    row.until,
  ],
})

export const finishRequest = (
  operation: string,
  state: RequestState,
  result: string,
  now: number,
): SqlStatement => ({
  sql: 'UPDATE requests SET state = ?, result = ?, updated_at = ? WHERE operation = ?',
  params: [state, result, now, operation],
  expect: 1,
})

export const putClusterRecord = (number: number, record: Uint8Array): SqlStatement => ({
  sql: 'INSERT INTO cluster_records (number, record) VALUES (?, ?)',
  params: [number, record],
})
export const putSetting = (name: string, value: Uint8Array): SqlStatement => ({
  sql: 'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  params: [name, value],
})
export const putCheckpoint = (seq: number, checkpoint: Uint8Array): SqlStatement => ({
  sql: 'INSERT INTO checkpoints (seq, checkpoint) VALUES (?, ?) ON CONFLICT DO NOTHING',
  params: [seq, checkpoint],
})
/** Keeps the newest of each node: an older one never takes its place. */
export const putPeerCheckpoint = (
  node: number,
  seq: number,
  checkpoint: Uint8Array,
): SqlStatement => ({
  sql: `INSERT INTO peer_checkpoints (node, seq, checkpoint) VALUES (?, ?, ?)
        ON CONFLICT (node) DO UPDATE SET seq = excluded.seq, checkpoint = excluded.checkpoint WHERE excluded.seq > seq`,
  params: [node, seq, checkpoint],
})
export const forgetBefore = (now: number): readonly SqlStatement[] => [
  { sql: 'DELETE FROM burnt_sessions WHERE until < ?', params: [now] },
  { sql: "DELETE FROM requests WHERE until < ? AND state <> 'running'", params: [now] },
]

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
      'SELECT * FROM requests WHERE project = ? AND client = ? AND idempotency_key = ?',
      [project, client, idempotencyKey],
    )
    return row && requestRowOf(row)
  }

  async operation(operation: string, project: string): Promise<RequestRow | undefined> {
    const [row] = await this.#sql.read(
      'SELECT * FROM requests WHERE operation = ? AND project = ?',
      [operation, project],
    )
    return row && requestRowOf(row)
  }

  /** Operations that a crash cut off. */
  async unfinished(): Promise<readonly RequestRow[]> {
    const rows = await this.#sql.read("SELECT * FROM requests WHERE state = 'running'")
    return rows.map(requestRowOf)
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
