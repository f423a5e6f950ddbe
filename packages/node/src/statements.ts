/** Every change of what a node keeps, as statements for one transaction of its journal. */
import { array, bytes, encode, utf8 } from '@quorate/base'
import type { Change } from '@quorate/enclave'
import type { SqlStatement } from '@quorate/platform'
import type { RequestRow, RequestState } from './store.ts'

export const receiptList = array(bytes({ max: 1 << 16 }), { max: 50 })
export const approvalList = array(bytes({ max: 1 << 14 }), { max: 200 })

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
    case 'putRequest': {
      const { client, requestId, hash, until, answer } = change.value
      return [
        {
          // The signer refuses a second request under an id that it knows; what it has forgotten gives way.
          sql: 'INSERT OR REPLACE INTO seen_requests (client, request_id, hash, until, answer) VALUES (?, ?, ?, ?, ?)',
          params: [client, requestId, hash, until, answer],
        },
      ]
    }
    case 'answerRequest': {
      const { hash, answer } = change.value
      return [{ sql: 'UPDATE seen_requests SET answer = ? WHERE hash = ?', params: [answer, hash] }]
    }
    case 'putLedger': {
      const { session, wallet, until, entry } = change.value
      return [
        {
          sql: `INSERT INTO ledger (session, wallet, until, entry) VALUES (?, ?, ?, ?)
                ON CONFLICT (session) DO UPDATE SET entry = excluded.entry`,
          params: [session, wallet, until, entry],
        },
      ]
    }
    case 'raiseHighWater':
      return [
        {
          sql: `INSERT INTO ledger_times (wallet, time) VALUES (?, ?)
                ON CONFLICT (wallet) DO UPDATE SET time = max(time, excluded.time)`,
          params: [change.value.wallet, change.value.time],
        },
      ]
    case 'putWaiting': {
      const { hash, request, since, until, approvals, isLed } = change.value
      return [
        {
          sql: `INSERT INTO waiting_requests (hash, request, since, until, approvals, is_led) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (hash) DO UPDATE SET approvals = excluded.approvals, is_led = excluded.is_led`,
          params: [hash, request, since, until, encode(approvalList, approvals), isLed ? 1 : 0],
        },
      ]
    }
    case 'dropWaiting':
      return [{ sql: 'DELETE FROM waiting_requests WHERE hash = ?', params: [change.value.hash] }]
    case 'putPolicy': {
      const { wallet, version, state, link } = change.value
      return [
        {
          sql: `INSERT INTO policies (wallet, version, state, link) VALUES (?, ?, ?, ?)
                ON CONFLICT (wallet, version) DO UPDATE SET state = excluded.state, link = excluded.link`,
          params: [wallet, version, state, link],
        },
      ]
    }
  }
}

export const insertRequest = (row: RequestRow): SqlStatement => ({
  sql: `INSERT INTO operations (project, client, idempotency_key, operation, request_id, request_hash, kind, state, result, created_at, updated_at, until, request)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
    row.request,
  ],
})

/** Moves an operation on; `request` is what the client signed, for one that waits. */
export const moveRequest = (
  operation: string,
  state: RequestState,
  result: string | null,
  now: number,
  request: Uint8Array | null = null,
): SqlStatement => ({
  sql: 'UPDATE operations SET state = ?, result = ?, updated_at = ?, request = ? WHERE operation = ?',
  params: [state, result, now, request, operation],
  expect: 1,
})

/** Keeps what a wallet was asked to sign until `until`. */
export const putPastRequest = (
  wallet: string,
  operation: string,
  request: Uint8Array,
  until: number,
): SqlStatement => ({
  sql: 'INSERT INTO past_requests (wallet, operation, request, until) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  params: [wallet, operation, request, until],
})

export const putClusterRecord = (number: number, record: Uint8Array): SqlStatement => ({
  sql: 'INSERT INTO cluster_records (number, record) VALUES (?, ?)',
  params: [number, record],
})
export const putSetting = (name: string, value: Uint8Array): SqlStatement => ({
  sql: 'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  params: [name, value],
})
export const HIGH_WATER = 'forgotten-before'
const putHighWater = (time: number): SqlStatement => putSetting(HIGH_WATER, utf8(String(time)))

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
  { sql: "DELETE FROM operations WHERE until < ? AND state IN ('done', 'failed')", params: [now] },
  { sql: 'DELETE FROM seen_requests WHERE until < ?', params: [now] },
  { sql: 'DELETE FROM ledger WHERE until < ?', params: [now] },
  { sql: 'DELETE FROM past_requests WHERE until < ?', params: [now] },
  // Up to then things are forgotten: a clock that is set back must not take them for new.
  putHighWater(now),
]
