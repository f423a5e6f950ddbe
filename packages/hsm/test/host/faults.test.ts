import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type HsmProvider, hasCapability, type KeyId } from '@quorate/hsm'
import type { HostedHsm } from '#src/host/hosted-hsm.js'
import type { Mishap } from './fake-device.ts'
import { Bench, isAlive, isCode, until } from './kit.ts'

const MESSAGE = Uint8Array.of(1, 2, 3)
const QUICK_TIMES = { sign: { callMs: 1_000 }, generateKey: { callMs: 1_000 } }

/** Each makes the host end, or be ended. */
const DEADLY: { readonly [what: string]: Mishap } = {
  'crashes before the work': { kind: 'crash' },
  'crashes after the work': { kind: 'crash', at: 'after' },
  aborts: { kind: 'abort' },
  'hangs before the work': { kind: 'hang' },
  'hangs after the work': { kind: 'hang', at: 'after' },
  'lost its library': { kind: 'fault', code: 'hsm/unavailable', ckr: 0x190 },
}

async function signs(hsm: HostedHsm, id: KeyId): Promise<void> {
  const signature = await hsm.sign(id, { message: MESSAGE })
  assert.ok(await hsm.verify(id, { message: MESSAGE }, signature))
}

describe('a signature comes even if the device', () => {
  for (const [what, mishap] of Object.entries(DEADLY))
    test(what, async (t) => {
      const bench = new Bench(t)
      const hsm = await bench.open({ times: QUICK_TIMES })
      const { id } = await hsm.generateKey({ label: 'k', algorithm: 'ed25519' })
      const { pid } = hsm.status()
      bench.plan('sign', mishap)
      await signs(hsm, id)
      assert.equal(bench.calls('sign'), 2)
      assert.equal(hsm.status().restarts, 1)
      assert.ok(!isAlive(pid ?? 0))
    })

  test('fails twice in a row, in which case its host is a new one', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.open()
    const { id } = await hsm.generateKey({ label: 'k', algorithm: 'ed25519' })
    const fault: Mishap = { kind: 'fault', code: 'hsm/unavailable', ckr: 0x30 }
    bench.plan('sign', fault)
    await signs(hsm, id)
    assert.equal(hsm.status().restarts, 0)
    bench.plan('sign', fault, fault)
    await signs(hsm, id)
    assert.deepEqual([hsm.status().restarts, hsm.status().ends.device], [1, 1])
  })
})

describe('exactly one key is made even if the device', () => {
  const mishaps: { readonly [what: string]: Mishap } = {
    ...DEADLY,
    'fails after the work': { kind: 'fault', code: 'hsm/unavailable', ckr: 0x30, at: 'after' },
    'fails before the work': { kind: 'fault', code: 'hsm/unavailable', ckr: 0x30 },
  }
  for (const [what, mishap] of Object.entries(mishaps)) {
    test(what, async (t) => {
      const bench = new Bench(t)
      const hsm = await bench.open({ times: QUICK_TIMES })
      bench.plan('generateKey', mishap)
      const key = await hsm.generateKey({ label: 'k', algorithm: 'p256' })
      assert.deepEqual(await hsm.list(), [key])
      await signs(hsm, key.id)
    })
    test(`${what}, under an id of the caller`, async (t) => {
      const bench = new Bench(t)
      const hsm = await bench.open({ times: QUICK_TIMES })
      bench.plan('generateKey', mishap)
      const id = 'c0ffee' as KeyId
      const key = await hsm.generateKey({ label: 'k', algorithm: 'hmac-sha256', id })
      assert.deepEqual([await hsm.list(), key.id], [[key], id])
      await assert.rejects(
        hsm.generateKey({ label: 'k', algorithm: 'hmac-sha256', id }),
        isCode('hsm/key-exists'),
      )
    })
  }

  test('crashes after an import or an unwrapping', async (t) => {
    const bench = new Bench(t)
    const hsm: HsmProvider = await bench.open({ env: { FAKE_CAPABILITIES: 'all' } })
    assert.ok(hasCapability(hsm, 'import') && hasCapability(hsm, 'wrap'))
    bench.plan('importKey', { kind: 'crash', at: 'after' })
    const secret = new Uint8Array(32).fill(7)
    const imported = await hsm.importKey({ label: 'i', algorithm: 'aes-256' }, secret)
    const wrapped = await hsm.wrapKey(imported.id, imported.id)
    bench.plan('unwrapKey', { kind: 'crash', at: 'after' })
    const request = { label: 'u', algorithm: 'hmac-sha256' as const }
    const unwrapped = await hsm.unwrapKey(imported.id, wrapped, request)
    const ids = (await hsm.list()).map(({ id }) => id)
    assert.deepEqual(ids.sort(), [imported.id, unwrapped.id].sort())
  })
})

test('a key is destroyed once, even if the device crashes after that', async (t) => {
  const bench = new Bench(t)
  const hsm = await bench.open()
  const { id } = await hsm.generateKey({ label: 'k', algorithm: 'aes-256' })
  bench.plan('destroy', { kind: 'crash', at: 'after' })
  await hsm.destroy(id, { label: 'k' })
  assert.deepEqual(await hsm.list(), [])
  await assert.rejects(hsm.destroy(id, { label: 'k' }), isCode('hsm/key-not-found'))
})

test('every request is answered rightly while hosts crash', async (t) => {
  const bench = new Bench(t)
  const hsm = await bench.open({ pool: { size: 2, maxOverflow: 2 } })
  const { id } = await hsm.generateKey({ label: 'k', algorithm: 'ed25519' })
  let done = 0
  const signer = async (n: number): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      const message = Uint8Array.of(n, i)
      const signature = await hsm.sign(id, { message })
      assert.ok(await hsm.verify(id, { message }, signature))
      done++
    }
  }
  const all = Promise.all(Array.from({ length: 16 }, (_, n) => signer(n)))
  for (const part of [60, 120, 180]) {
    await until(() => done >= part, 'signatures')
    bench.plan('sign', { kind: 'crash' })
  }
  await all
  assert.ok(hsm.status().ends.crash >= 1)
  assert.equal(hsm.status().pool.queued, 0)
  const { done: signed, failed } = hsm.status().operations.get('sign') ?? assert.fail()
  assert.deepEqual([signed, failed], [320, 0])
})

describe('a refused PIN', () => {
  test('at the start is tried once, and nothing is left running', async (t) => {
    const bench = new Bench(t)
    const wrong = { readPin: async () => new Uint8Array([49, 50, 51, 52]) }
    await assert.rejects(bench.open(wrong), isCode('hsm/pin-incorrect'))
    assert.equal(bench.calls('open'), 1)
  })

  test('after a restart stops everything until an operator opens it again', async (t) => {
    const bench = new Bench(t)
    let pin = 'correct horse'
    const hsm = await bench.open({ readPin: async () => new Uint8Array(Buffer.from(pin)) })
    const { id } = await hsm.generateKey({ label: 'k', algorithm: 'ed25519' })
    pin = 'wrong'
    const opened = bench.calls('open')
    bench.plan('sign', { kind: 'crash' })
    await assert.rejects(signs(hsm, id), isCode('hsm/pin-incorrect'))
    await assert.rejects(signs(hsm, id), isCode('hsm/pin-incorrect'))
    assert.deepEqual(await hsm.health(), { state: 'failed', reason: 'hsm/pin-incorrect' })
    assert.equal(hsm.status().state, 'latched')
    await assert.rejects(hsm.reopen(), isCode('hsm/pin-incorrect'))
    assert.equal(bench.calls('open'), opened + 2)
    pin = 'correct horse'
    await hsm.reopen()
    await signs(hsm, id)
    assert.deepEqual(await hsm.health(), { state: 'ok' })
  })

  test('that cannot be read is no reason to start a host', async (t) => {
    const bench = new Bench(t)
    const gone = { readPin: () => Promise.reject(new Error('/run/pin: gone')) }
    await assert.rejects(bench.open(gone), isCode('hsm/unavailable'))
    assert.equal(bench.calls('open'), 0)
  })
})

describe('the breaker', () => {
  test('stops starting a host that cannot open its device, and tries again later', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.open({
      breaker: { maxFailures: 2, pauseMs: 1, openMs: 250 },
      pool: { size: 1, maxOverflow: 0 },
    })
    const { id } = await hsm.generateKey({ label: 'k', algorithm: 'ed25519' })
    const absent: Mishap = { kind: 'fault', code: 'hsm/token-absent', ckr: 0xe0 }
    bench.plan('open', absent, absent)
    bench.plan('sign', { kind: 'crash' })
    await assert.rejects(signs(hsm, id), isCode('hsm/unavailable'))
    assert.equal(hsm.status().breaker, 'open')
    await assert.rejects(signs(hsm, id), isCode('hsm/unavailable'))
    assert.equal((await hsm.health()).state, 'failed')
    await until(() => hsm.status().state === 'up', 'the probe')
    await signs(hsm, id)
    assert.equal(hsm.status().breaker, 'closed')
    assert.ok(bench.lines.some(({ event }) => event === 'hsm/breaker-open'))
  })

  test('can be told to try now', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.open({
      breaker: { maxFailures: 1, openMs: 3_600_000 },
      pool: { size: 1, maxOverflow: 0 },
    })
    bench.plan('random', { kind: 'crash' })
    await assert.rejects(hsm.random(4), isCode('hsm/unavailable'))
    assert.equal(hsm.status().breaker, 'open')
    await hsm.reopen()
    assert.equal((await hsm.random(4)).length, 4)
  })
})

test('a device that cannot be opened is refused with its own words', async (t) => {
  const bench = new Bench(t)
  bench.plan('open', { kind: 'fault', code: 'hsm/library-missing' })
  await assert.rejects(bench.open(), isCode('hsm/library-missing'))
  bench.plan('open', { kind: 'crash' })
  await assert.rejects(bench.open(), isCode('hsm/unavailable'))
  bench.plan('open', { kind: 'hang' })
  const pool = { size: 1, maxOverflow: 0, openTimeoutMs: 300 }
  await assert.rejects(bench.open({ pool }), isCode('hsm/unavailable'))
})

test('a mistake in the driver is contained, and its text does not cross', async (t) => {
  const bench = new Bench(t)
  const hsm = await bench.open()
  const mistake: Mishap = { kind: 'throw' }
  bench.plan('random', mistake, mistake, mistake, mistake)
  await assert.rejects(hsm.random(4), (error: Error) => {
    assert.match(error.message, /RangeError/)
    assert.doesNotMatch(error.message, /secret/)
    return isCode('hsm/unavailable')(error)
  })
  assert.equal((await hsm.random(4)).length, 4)
})

describe('sessions', () => {
  test('beyond what the token has are not asked for', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.open({
      env: { FAKE_MAX_SESSIONS: '2' },
      pool: { size: 2, maxOverflow: 6 },
    })
    await Promise.all(Array.from({ length: 50 }, () => hsm.random(8)))
    assert.equal(hsm.status().pool.limit, 2)
    assert.ok(bench.calls('open') <= 2)
  })

  test('beyond the usual number come when needed and go when idle', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.open({ pool: { size: 1, maxOverflow: 2, idleTimeoutMs: 100 } })
    const slow: Mishap = { kind: 'hang', ms: 100 }
    bench.plan('random', slow, slow, slow, slow, slow, slow)
    await Promise.all(Array.from({ length: 8 }, () => hsm.random(8)))
    assert.ok(bench.calls('open') > 1)
    await until(() => hsm.status().pool.open === 1, 'the end of the others')
    assert.equal(bench.calls('close'), bench.calls('open') - 1)
    // A place that was given up can be taken again.
    bench.plan('random', slow, slow, slow, slow)
    const before = bench.calls('open')
    await Promise.all(Array.from({ length: 8 }, () => hsm.random(8)))
    assert.ok(bench.calls('open') > before)
  })
})

test('a full queue and a late session are told apart from a broken device', async (t) => {
  const bench = new Bench(t)
  const hsm = await bench.open({
    pool: { size: 1, maxOverflow: 0, maxQueue: 1, acquireTimeoutMs: 100 },
  })
  bench.plan('random', { kind: 'hang', ms: 500 })
  const [one, two, three] = [hsm.random(1), hsm.random(2), hsm.random(3)]
  await assert.rejects(three, isCode('hsm/busy'))
  await assert.rejects(two, isCode('hsm/busy'))
  assert.equal((await one).length, 1)
})
