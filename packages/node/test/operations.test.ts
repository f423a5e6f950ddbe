import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { requestHash, type SignedRequest } from '@quorate/api'
import { Fault, newId } from '@quorate/base'
import { type Sql, systemClock, systemRandom } from '@quorate/platform'
import { Journal } from '#src/journal.js'
import { Operations, type Reached } from '#src/operations.js'
import { MIGRATIONS } from '#src/schema.js'
import { Store } from '#src/store.js'
import { databaseAt, directory } from './scratch.js'

const now = systemClock.now()
const project = newId('prj', now, systemRandom)
const REACHED: Reached = {
  result: { kind: 'refresh', wallet: 'wal_1', generation: 2, record: '00', receipts: ['01'] },
}

function refresh(): SignedRequest {
  return {
    v: 1,
    cluster: new Uint8Array(32),
    client: newId('cli', now, systemRandom),
    body: {
      kind: 'refresh',
      value: {
        v: 1,
        requestId: newId('req', now, systemRandom),
        project,
        wallet: newId('wal', now, systemRandom),
        generation: 1,
        createdAt: now,
        expiresAt: now + 60_000,
      },
    },
    signature: new Uint8Array(64),
  }
}

type Harness = {
  readonly sql: Sql
  readonly operations: Operations
  readonly journal: Journal
  /** Counts transactions of the store. */
  writes(): number
}

async function harness(t: TestContext, run: () => Promise<Reached>): Promise<Harness> {
  const real = await databaseAt(directory(t), MIGRATIONS)
  t.after(() => real.close())
  let writes = 0
  const sql: Sql = {
    ...real,
    write: (statements) => {
      writes++
      return real.write(statements)
    },
  }
  const journal = await Journal.open(sql, () => ({ time: now, bootId: new Uint8Array(16) }))
  const store = new Store(sql)
  const clock = systemClock
  const operations = new Operations({ store, journal, clock, random: systemRandom, run })
  return { sql, operations, journal, writes: () => writes }
}

/** A run that ends when it is told to. */
function held(): { run(): Promise<Reached>; readonly end: (value: Reached | Fault) => void } {
  let end: (value: Reached | Fault) => void = () => {}
  const ended = new Promise<Reached>((resolve, reject) => {
    end = (value) => (value instanceof Fault ? reject(value) : resolve(value))
  })
  return { run: () => ended, end }
}

test('an operation that ends by itself is written when it begins and when it ends', async (t) => {
  const { operations, writes } = await harness(t, () => Promise.resolve(REACHED))
  const { id } = await operations.begin(refresh(), 'key-1')
  await operations.ended(id)
  assert.equal((await operations.get(id, project)).state, 'done')
  assert.equal(writes(), 2)
})

test('one whose end went along with another write is not written once more', async (t) => {
  const { run, end } = held()
  const { operations, journal, sql, writes } = await harness(t, run)
  const request = refresh()
  const { id } = await operations.begin(request, 'key-2')
  const along = operations.concluding(requestHash(request), (asked) => {
    assert.equal(asked, request)
    return REACHED
  })
  await journal.commit(along!.statements, [])
  along!.written()
  const [row] = await sql.read('SELECT state FROM operations WHERE operation = ?', [id])
  assert.equal(row?.['state'], 'done')
  // What is on disk stands, whatever becomes of the call that brought it.
  end(new Fault('enclave/channel-closed'))
  await operations.ended(id)
  const { state, result } = await operations.get(id, project)
  assert.deepEqual({ state, result }, { state: 'done', ...REACHED })
  assert.equal(writes(), 2)
})

test('where that write fails the operation ends as it does without it', async (t) => {
  const { run, end } = held()
  const { operations, journal } = await harness(t, run)
  const request = refresh()
  const { id } = await operations.begin(request, 'key-3')
  const along = operations.concluding(requestHash(request), () => REACHED)!
  const impossible = { sql: 'DELETE FROM settings WHERE name = ?', params: ['none'], expect: 1 }
  await assert.rejects(journal.commit([...along.statements, impossible], []), {
    code: 'platform/write-conflict',
  })
  end(new Fault('threshold/timeout'))
  await operations.ended(id)
  const { state, problem } = await operations.get(id, project)
  assert.deepEqual([state, problem?.code], ['failed', 'threshold/timeout'])
})

test('a request that no operation runs for concludes nothing here', async (t) => {
  const { run, end } = held()
  const { operations } = await harness(t, run)
  assert.equal(
    operations.concluding(requestHash(refresh()), () => REACHED),
    undefined,
  )
  const request = refresh()
  const { id } = await operations.begin(request, 'key-4')
  end(REACHED)
  await operations.ended(id)
  assert.equal(
    operations.concluding(requestHash(request), () => REACHED),
    undefined,
  )
})
