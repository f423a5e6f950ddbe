import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuxRow, Change, PrimesRow, WalletRow } from '@quorate/enclave'
import { MIGRATIONS } from '#src/schema.js'
import { Store, statementsOf } from '#src/store.js'
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
