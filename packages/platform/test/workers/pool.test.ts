import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type FaultCode, isFault, Secret } from '@quorate/base'
import { WorkerPool } from '#src/workers/pool.js'
import type { Jobs, Note } from './jobs.js'

// Threads of a pool do not keep this process alive: something must.
const alive = setInterval(() => undefined, 1_000)
after(() => clearInterval(alive))

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)
const entry = new URL('./jobs.js', import.meta.url)

function poolOf(size: number, data?: unknown): WorkerPool<Jobs> & AsyncDisposable {
  const pool = new WorkerPool<Jobs>({ entry, size, data })
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.close() })
}

/** Gives away the turn of this thread `n` times. */
async function turns(n: number): Promise<void> {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve))
}

test('plain data crosses unchanged, and a view takes nothing else of its buffer along', async () => {
  await using pool = poolOf(1)
  const whole = new Uint8Array([1, 2, 3, 4, 5, 6])
  const input = {
    bytes: whole.subarray(2, 4),
    list: [1, 2n, 'three', null, true, [new Uint8Array()]],
    nested: { big: 1n << 200n, missing: undefined },
  }
  const output = (await pool.run('echo', input)) as typeof input
  assert.deepEqual(output, input)
  assert.equal(output.bytes.buffer.byteLength, 2)
  assert.deepEqual([...whole], [1, 2, 3, 4, 5, 6])
})

test('what is not plain data is refused before anything is sent', async () => {
  await using pool = poolOf(1)
  for (const input of [() => 1, Symbol('a'), new Date(), { deep: [new Map()] }, new Secret('text')])
    await assert.rejects(pool.run('echo', input), isCode('base/bug'))
  assert.equal(await pool.run('echo', 1), 1)
  await assert.rejects(pool.run('oddity', undefined), isCode('base/bug'))
})

test('a secret moves: wiped here, wiped there when the job is over, and so on the way back', async () => {
  await using pool = poolOf(1)
  const bytes = new Uint8Array([1, 2, 3])
  const secret = new Secret(bytes)
  const running = pool.run('double', { secret })
  assert.ok(secret.isWiped)
  assert.deepEqual([...bytes], [0, 0, 0])
  const output = await running
  assert.deepEqual([...output.expose()], [2, 4, 6])
  assert.deepEqual(await pool.run('wiped', undefined), [true])
})

test('a worker has no environment, and the data of its pool', async () => {
  await using pool = poolOf(1, { colour: 'blue' })
  const { env, data } = await pool.run('thread', undefined)
  assert.deepEqual(env, [])
  assert.deepEqual(data, { colour: 'blue' })
})

test('jobs go to the least busy thread, and threads start when there is work for them', async () => {
  await using pool = poolOf(3)
  const first = await pool.run('thread', undefined)
  assert.equal((await pool.run('thread', undefined)).threadId, first.threadId)
  const all = await Promise.all([1, 2, 3].map(() => pool.run('thread', undefined)))
  assert.equal(new Set(all.map(({ threadId }) => threadId)).size, 3)
})

test('progress comes in order, before the result', async () => {
  await using pool = poolOf(1)
  const heard: number[] = []
  const output = await pool.run('count', { to: 5 }, { onProgress: ({ done }) => heard.push(done) })
  assert.equal(output, 5)
  assert.deepEqual(heard, [1, 2, 3, 4, 5])
})

test('this thread has its turns while a worker has not, and can cancel what the worker does', async () => {
  await using pool = poolOf(1)
  const abort = new AbortController()
  const spinning = new Promise<void>((resolve) => {
    // The worker spins until it is cancelled: only a thread that is free can do so.
    const job = pool.run('spin', null, { onProgress: () => resolve(), signal: abort.signal })
    job.catch(() => undefined)
  })
  await spinning
  await turns(100)
  const queued = pool.run('echo', 'next')
  abort.abort()
  assert.equal(await queued, 'next')
})

test('a cancelled job is rejected at once, also one that had not begun', async () => {
  await using pool = poolOf(1)
  const abort = new AbortController()
  const running = pool.run('spin', null, { signal: abort.signal })
  const waiting = pool.run(
    'count',
    { to: 2 },
    { signal: abort.signal, onProgress: () => assert.fail() },
  )
  abort.abort()
  await assert.rejects(running, isCode('platform/job-cancelled'))
  await assert.rejects(waiting, isCode('platform/job-cancelled'))
  await assert.rejects(
    pool.run('echo', 1, { signal: abort.signal }),
    isCode('platform/job-cancelled'),
  )
  assert.equal(await pool.run('echo', 1), 1)
})

test('a Fault crosses with its detail; of any other error neither text nor values do', async () => {
  await using pool = poolOf(1)
  await assert.rejects(
    pool.run('fault', undefined),
    (error) => isFault(error, 'platform/overloaded') && error.detail === 'as an example',
  )
  await assert.rejects(pool.run('crash', undefined), (error) => {
    assert.ok(isFault(error, 'platform/job-failed'))
    assert.match(error.message, /RangeError at .*jobs\.js/)
    assert.doesNotMatch(error.message, /wombat/)
    return true
  })
  assert.equal(await pool.run('echo', 1), 1)
})

test('a thread that dies fails its jobs and no others, and another takes its place', async () => {
  await using pool = poolOf(2)
  const heard: string[] = []
  const conversation = pool.open(
    'talk',
    { name: 'a' },
    {
      message: () => undefined,
      failed: ({ code }) => heard.push(code),
    },
  )
  const elsewhere = pool.run('count', { to: 50 })
  // Ties go to the first thread, which has the conversation.
  await assert.rejects(pool.run('die', undefined), isCode('platform/worker-died'))
  assert.deepEqual(heard, ['platform/worker-died'])
  conversation.post('nobody listens')
  assert.equal(await elsewhere, 50)
  assert.equal(await pool.run('echo', 1), 1)
})

test('an entry that does not load fails its jobs', async () => {
  const pool = new WorkerPool<Jobs>({ entry: new URL('./no-such.js', import.meta.url), size: 1 })
  await assert.rejects(pool.run('echo', 1), isCode('platform/worker-died'))
  await assert.rejects(pool.warm(), isCode('platform/worker-died'))
  await pool.close()
})

test('messages of a conversation keep their order, whatever each of them takes', async () => {
  await using pool = poolOf(1)
  const heard: Note[] = []
  const texts = Array.from({ length: 20 }, (_, n) => `message ${n}`)
  await new Promise<void>((resolve, reject) => {
    const conversation = pool.open(
      'talk',
      { name: 'a' },
      {
        message(note) {
          if (heard.push(note) === texts.length) resolve()
        },
        failed: reject,
      },
    )
    for (const text of texts) conversation.post(text)
  })
  assert.deepEqual(
    heard,
    texts.map((text, n) => ({ text: `a: ${text}`, n })),
  )
})

test('a conversation that is closed is wiped there and heard of no more', async () => {
  await using pool = poolOf(1)
  let heard = 0
  await new Promise<void>((resolve, reject) => {
    const conversation = pool.open(
      'talk',
      { name: 'a' },
      {
        message() {
          heard++
          conversation.close()
          conversation.post('c')
          resolve()
        },
        failed: reject,
      },
    )
    conversation.post('a')
    conversation.post('b')
  })
  // The worker notices at its next turn, which may come after the next job.
  let wiped = await pool.run('wiped', undefined)
  for (let turn = 0; turn < 100 && wiped.includes(false); turn++)
    wiped = await pool.run('wiped', undefined)
  assert.deepEqual(wiped, [true])
  assert.equal(heard, 1)
})

test('a conversation that throws fails as the last that is heard of it', async () => {
  await using pool = poolOf(1)
  const failure = await new Promise((resolve) => {
    const conversation = pool.open(
      'talk',
      { name: 'a' },
      {
        message: () => assert.fail('a message after the failure'),
        failed: resolve,
      },
    )
    conversation.post('throw')
    conversation.post('b')
  })
  assert.ok(isFault(failure, 'platform/overloaded'))
  assert.deepEqual(await pool.run('wiped', undefined), [true])
})

test('closing ends every job, also one that never gives up its turn, and refuses new ones', async () => {
  const pool = poolOf(2)
  const job = pool.run('spin', null)
  let failure: string | undefined
  pool.open(
    'talk',
    { name: 'a' },
    {
      message: () => undefined,
      failed: ({ code }) => {
        failure = code
      },
    },
  )
  const closed = pool.close()
  await assert.rejects(job, isCode('platform/workers-closed'))
  await closed
  assert.equal(failure, 'platform/workers-closed')
  await assert.rejects(pool.run('echo', 1), isCode('platform/workers-closed'))
})

test('a warm pool has all its threads; an idle one keeps no process alive', async () => {
  const { execFile } = await import('node:child_process')
  const { promisify } = await import('node:util')
  const pool = new URL('../../src/workers/pool.js', import.meta.url)
  const script = `
    const { WorkerPool } = await import(${JSON.stringify(pool.href)})
    const pool = new WorkerPool({ entry: new URL(${JSON.stringify(entry.href)}), size: 2 })
    const alive = setInterval(() => {}, 1000)
    await pool.warm()
    clearInterval(alive)
    process.stdout.write('warm')`
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    script,
  ])
  assert.equal(stdout, 'warm')
})
