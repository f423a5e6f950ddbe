import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuxRow, Change, PrimesRow, WalletRow } from '@quorate/enclave'
import { MIGRATIONS } from '#src/schema.js'
import { forgetBefore, statementsOf } from '#src/statements.js'
import { Store } from '#src/store.js'
import { databaseAt, directory } from './scratch.js'

const bytes = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)

const wallet: WalletRow = {
  wallet: 'wal_1',
  generation: 1,
  sid: bytes(32, 1),
  state: 'pending',
  project: 'prj_1',
  label: 'till',
  public: bytes(40, 2),
  sealed: bytes(50, 3),
  receipts: [bytes(10, 4)],
  proof: null,
}
const aux: AuxRow = {
  digest: bytes(32, 5),
  sid: bytes(32, 6),
  level: 'CGGMP24-secp256k1-SHA256-128-v1',
  request: bytes(32, 7),
  public: bytes(100, 8),
  sealed: bytes(100, 9),
  createdAt: 1_760_000_000_000,
}
const primes: PrimesRow = { id: bytes(16, 10), level: aux.level, sealed: bytes(800, 11) }

test('a store of the first version is brought up to date with what is in it', async (t) => {
  const path = directory(t)
  const first = await databaseAt(path, MIGRATIONS.slice(0, 1))
  await first.write(statementsOf({ kind: 'putPending', value: wallet }))
  await first.close()
  const sql = await databaseAt(path, MIGRATIONS)
  t.after(() => sql.close())
  const store = new Store(sql)
  assert.deepEqual(await store.wallets(), [wallet])
  assert.deepEqual([await store.aux(), await store.primes()], [[], []])
})

test('auxiliary information and primes are kept until they are dropped or taken', async (t) => {
  const sql = await databaseAt(directory(t), MIGRATIONS)
  t.after(() => sql.close())
  const store = new Store(sql)
  const apply = (...changes: readonly Change[]): Promise<unknown> =>
    sql.write(changes.flatMap(statementsOf))
  await apply({ kind: 'putAux', value: aux }, { kind: 'putPrimes', value: primes })
  assert.deepEqual([await store.aux(), await store.primes()], [[aux], [primes]])

  const taking: Change = { kind: 'takePrimes', value: { id: primes.id } }
  const burning = (byte: number): Change => ({
    kind: 'burn',
    value: { sid: bytes(32, byte), until: 2_000_000_000_000 },
  })
  await apply(burning(20), taking)
  assert.deepEqual(await store.primes(), [])
  // A second session that wants the same primes is not even burnt.
  await assert.rejects(apply(burning(21), taking), {
    code: 'platform/write-conflict',
  })
  assert.deepEqual(await store.burnt(0), [bytes(32, 20)])

  await apply({ kind: 'dropAux', value: { digest: aux.digest } })
  assert.deepEqual(await store.aux(), [])
})

test('what requests came to, what they were charged and what waits is kept, and forgotten in its time', async (t) => {
  const sql = await databaseAt(directory(t), MIGRATIONS)
  t.after(() => sql.close())
  const store = new Store(sql)
  const apply = (...changes: readonly Change[]): Promise<unknown> =>
    sql.write(changes.flatMap(statementsOf))
  const until = 1_000
  const request = { client: 'cli_1', requestId: 'req_1', hash: bytes(32, 1), until, answer: null }
  const entry = { session: bytes(32, 2), wallet: 'wal_1', until, entry: bytes(9, 3) }
  const waiting = {
    hash: bytes(32, 4),
    request: bytes(9, 5),
    since: 1,
    until,
    approvals: [bytes(5, 6)],
    isLed: false,
  }
  await apply(
    { kind: 'putRequest', value: request },
    { kind: 'putLedger', value: entry },
    { kind: 'putWaiting', value: waiting },
    { kind: 'raiseHighWater', value: { wallet: 'wal_1', time: 50 } },
  )
  await apply(
    { kind: 'answerRequest', value: { hash: request.hash, answer: bytes(3, 7) } },
    { kind: 'putLedger', value: { ...entry, entry: bytes(9, 8) } },
    { kind: 'putWaiting', value: { ...waiting, approvals: [], isLed: true } },
    { kind: 'raiseHighWater', value: { wallet: 'wal_1', time: 40 } },
  )
  assert.deepEqual(await store.seenRequests(), [{ ...request, answer: bytes(3, 7) }])
  assert.deepEqual(await store.ledger(), [{ ...entry, entry: bytes(9, 8) }])
  assert.deepEqual(await store.waiting(), [{ ...waiting, approvals: [], isLed: true }])
  assert.deepEqual(await store.ledgerTimes(), [{ wallet: 'wal_1', time: 50 }])
  await apply({ kind: 'dropWaiting', value: { hash: waiting.hash } })
  assert.deepEqual(await store.waiting(), [])

  assert.equal(await store.highWater(), 0)
  await sql.write([...forgetBefore(until)])
  assert.equal((await store.seenRequests()).length, 1)
  await sql.write([...forgetBefore(until + 1)])
  assert.deepEqual([await store.seenRequests(), await store.ledger()], [[], []])
  assert.equal(await store.highWater(), until + 1)
})

test('a change of a policy is kept as it is voted for, and then as it is in force', async (t) => {
  const sql = await databaseAt(directory(t), MIGRATIONS)
  t.after(() => sql.close())
  const store = new Store(sql)
  const row = { wallet: 'wal_1', version: 2, link: bytes(9, 1) } as const
  const put = (state: 'voted' | 'inForce'): Promise<unknown> =>
    sql.write([...statementsOf({ kind: 'putPolicy', value: { ...row, state } })])
  await put('voted')
  assert.equal(await store.changedPolicy('wal_1'), undefined)
  await put('inForce')
  assert.deepEqual(await store.policies(), [{ ...row, state: 'inForce' }])
})

test('operations of an earlier version are there after the upgrade', async (t) => {
  const path = directory(t)
  const old = await databaseAt(path, MIGRATIONS.slice(0, 2))
  await old.write([
    {
      sql: `INSERT INTO requests (project, client, idempotency_key, operation, request_id, request_hash, kind, state, result, created_at, updated_at, until)
            VALUES ('prj_1', 'cli_1', 'a key of mine', 'op_1', 'req_1', ?, 'sign', 'done', '{}', 1, 2, 3)`,
      params: [bytes(32, 1)],
    },
  ])
  await old.close()
  const sql = await databaseAt(path, MIGRATIONS)
  t.after(() => sql.close())
  const row = await new Store(sql).operation('op_1', 'prj_1')
  assert.equal(row?.idempotencyKey, 'a key of mine')
  assert.equal(row?.request, null)
})
