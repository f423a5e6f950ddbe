import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { equalBytes, toHex, utf8 } from '@quorate/base'
import type { RoleCustody } from '@quorate/hsm'
import { DeviceFault, unlockPhrase } from '@quorate/hsm'
import { Bench, recording, SECRET } from './kit.ts'

const ROLE = 'transaction_signer'
const message = utf8('pay 7')
const digest = new Uint8Array(32).fill(3)

async function one(
  t: TestContext,
  plain: object = {},
): Promise<{ bench: Bench; custody: RoleCustody }> {
  const bench = new Bench(t)
  const custody = await bench.open([bench.slot('main', await bench.software())], plain)
  await custody.makeKey(ROLE, { label: 'payments' })
  return { bench, custody }
}

describe('a role', () => {
  test('signs with its key, and each operation is in the log with role, user and source', async (t) => {
    const { bench, custody } = await one(t)
    const signer = custody.signer(ROLE)
    const signature = await signer.sign({ digest }, { user: 'alice', source: '10.0.0.7' })
    assert.equal(signature.length, 64)
    assert.ok(await signer.verify({ digest }, signature))
    const { keyId: key } = custody.bindings.current(ROLE)
    const time = bench.time.now()
    assert.deepEqual(bench.records, [
      {
        time,
        operation: 'generateKey',
        device: 'main',
        role: ROLE,
        user: undefined,
        source: undefined,
        result: 'done',
        key,
      },
      {
        time,
        operation: 'sign',
        device: 'main',
        role: ROLE,
        user: 'alice',
        source: '10.0.0.7',
        result: 'done',
        key,
      },
    ])
  })

  test('that policy does not have, or that has no key, signs nothing', async (t) => {
    const { custody } = await one(t)
    assert.throws(() => custody.signer('nobody'), { code: 'policy/role-denied' })
    await assert.rejects(custody.signer('validator').sign({ digest }), { code: 'hsm/role-unbound' })
  })

  test('has one key, and binding it twice changes nothing', async (t) => {
    const { custody } = await one(t)
    const bound = custody.bindings.current(ROLE)
    await assert.rejects(custody.makeKey(ROLE, { label: 'other' }), { code: 'hsm/role-bound' })
    assert.deepEqual(await custody.bindKey(ROLE, 'main', { label: 'payments' }), bound)
    await assert.rejects(
      custody.bindKey(ROLE, 'main', { label: 'payments' }, { expected: new Uint8Array(33) }),
      { code: 'hsm/key-changed' },
    )
  })

  test('keeps its key over a restart, and a rotated key signs alone while both verify', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.software()
    const first = await bench.open([bench.slot('main', hsm)])
    const before = await first.makeKey(ROLE, { label: 'payments' })
    const old = await first.signer(ROLE).sign({ digest })
    bench.restart()
    bench.time.advance(61_000)
    const second = await bench.open([bench.slot('main', hsm)])
    assert.deepEqual(second.bindings.current(ROLE), before)
    const made = await hsm.generateKey({ label: 'payments', algorithm: 'secp256k1' })
    await second.bindings.rebind(
      ROLE,
      { ...before, keyId: made.id, publicKey: made.publicKey! },
      before.keyId,
    )
    const signer = second.signer(ROLE)
    const signature = await signer.sign({ digest })
    assert.ok(equalBytes(signer.publicKey, made.publicKey!))
    assert.ok(await hsm.verify(made.id, { digest }, signature))
    assert.ok(
      (await signer.verify({ digest }, old)) && (await signer.verify({ digest }, signature)),
    )
    await second.bindings.retire(ROLE, before.keyId)
    assert.ok(!(await signer.verify({ digest }, old)))
    await assert.rejects(second.bindings.rebind(ROLE, before, before.keyId), {
      code: 'hsm/role-bound',
    })
  })
})

describe('what is not confirmed', () => {
  test('by the audit log does not leave', async (t) => {
    const { bench, custody } = await one(t)
    bench.isAuditing = false
    await assert.rejects(custody.signer(ROLE).sign({ digest }), { code: 'hsm/audit-unavailable' })
    await assert.rejects(custody.makeKey('validator', { label: 'v' }), {
      code: 'hsm/audit-unavailable',
    })
    assert.equal(custody.bindings.find('validator'), undefined)
  })

  test('leaves where policy does not ask for it', async (t) => {
    const { bench, custody } = await one(t, { auditAllOperations: false })
    bench.isAuditing = false
    assert.equal((await custody.signer(ROLE).sign({ digest })).length, 64)
  })

  test('because it was locked meanwhile does not leave either', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.software()
    const custody = await bench.open([bench.slot('main', hsm)])
    await custody.makeKey(ROLE, { label: 'payments' })
    const sign = hsm.sign.bind(hsm)
    hsm.sign = async (...args) => {
      const signature = await sign(...args)
      await custody.locks.lock('perimeter 1 was opened')
      return signature
    }
    await assert.rejects(custody.signer(ROLE).sign({ digest }), { code: 'hsm/signing-locked' })
    assert.deepEqual(bench.audited.at(-1), ['sign', 'failed', 'hsm/signing-locked'])
  })

  test('is nothing that the device made up: a signature must hold under the pinned key', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.software()
    const custody = await bench.open([bench.slot('main', hsm)])
    for (const [role, algorithm, input] of [
      [ROLE, 'secp256k1', { digest }],
      ['node_identity', 'ed25519', { message }],
    ] as const) {
      await custody.makeKey(role, { label: role, algorithm })
      const sign = hsm.sign.bind(hsm)
      hsm.sign = async (id) => sign(id, { message: utf8('pay 8') })
      await assert.rejects(custody.signer(role).sign(input), { code: 'hsm/wrong-result' })
      hsm.sign = sign
      bench.time.advance(1000)
      await custody.failover.probe()
    }
  })
})

describe('a lock', () => {
  test('stops all roles at once, outlives a restart and is lifted by what must be typed', async (t) => {
    const { bench, custody } = await one(t)
    const locking = custody.locks.lock('perimeter 1 was opened')
    await assert.rejects(custody.signer(ROLE).sign({ digest }), {
      code: 'hsm/signing-locked',
      message: /perimeter 1 was opened/,
    })
    await locking
    await assert.rejects(custody.makeKey('admin', { label: 'a' }), { code: 'hsm/signing-locked' })
    bench.restart()
    const next = await bench.open([bench.slot('main', await bench.software())])
    await assert.rejects(next.signer(ROLE).sign({ digest }), { code: 'hsm/signing-locked' })
    for (const typed of ['', 'unlock', 'yes', unlockPhrase(ROLE)])
      await assert.rejects(next.locks.unlock(typed, 'alice'), { code: 'hsm/confirmation-mismatch' })
    await next.locks.unlock(unlockPhrase(), 'alice')
    assert.equal(next.locks.reasonFor(ROLE), undefined)
    assert.deepEqual(
      bench.events.map(({ kind }) => kind),
      ['signing.locked', 'signing.unlocked'],
    )
  })

  test('of one role is its own, and two do not lift each other', async (t) => {
    const { bench, custody } = await one(t)
    await Promise.all([custody.locks.lock('a', 'validator'), custody.locks.lock('b')])
    await Promise.all([
      custody.locks.unlock(unlockPhrase(), 'alice'),
      custody.locks.lock('c', 'admin'),
    ])
    assert.equal((await custody.signer(ROLE).sign({ digest })).length, 64)
    bench.restart()
    const next = await bench.open([bench.slot('main', await bench.software())])
    assert.deepEqual(
      next.locks.list().map(({ role, reason }) => [role, reason]),
      [
        ['validator', 'a'],
        ['admin', 'c'],
      ],
    )
  })
})

describe('the rate of a role', () => {
  test('is exact within any second, for all at once', async (t) => {
    const { bench, custody } = await one(t, { maxSigningRate: 3 })
    const signer = custody.signer(ROLE)
    const burst = async (): Promise<number> => {
      const all = await Promise.allSettled(Array.from({ length: 9 }, () => signer.sign({ digest })))
      for (const each of all)
        if (each.status === 'rejected')
          assert.equal((each.reason as { code: string }).code, 'policy/rate-limited')
      return all.filter(({ status }) => status === 'fulfilled').length
    }
    assert.equal(await burst(), 3)
    bench.time.advance(999)
    assert.equal(await burst(), 0)
    bench.time.advance(1)
    assert.equal(await burst(), 3)
    assert.equal(bench.audited.filter(([, result]) => result === 'refused').length, 21)
  })

  test('is not given anew by a restart within the second, nor by a clock set back', async (t) => {
    for (const jump of [0, -86_400_000]) {
      const bench = new Bench(t)
      const hsm = await bench.software()
      const first = await bench.open([bench.slot('main', hsm)], { maxSigningRate: 1 })
      await first.makeKey(ROLE, { label: 'payments' })
      await first.signer(ROLE).sign({ digest })
      bench.restart()
      bench.time.jump(jump)
      const next = await bench.open([bench.slot('main', hsm)], { maxSigningRate: 1 })
      await assert.rejects(next.signer(ROLE).sign({ digest }), { code: 'policy/rate-limited' })
      bench.time.advance(1000)
      assert.equal((await next.signer(ROLE).sign({ digest })).length, 64)
    }
  })
})

describe('a key for a role', () => {
  test('that is weaker than policy asks is destroyed, and the role stays without', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.software()
    const generate = hsm.generateKey.bind(hsm)
    hsm.generateKey = async (request) => ({ ...(await generate(request)), isExtractable: true })
    const custody = await bench.open([bench.slot('main', hsm)])
    await assert.rejects(custody.makeKey(ROLE, { label: 'payments' }), {
      code: 'policy/role-denied',
      message: /key-attributes/,
    })
    assert.deepEqual(await hsm.list(), [])
    assert.equal(custody.bindings.find(ROLE), undefined)
    assert.deepEqual(bench.audited, [['generateKey', 'refused', 'policy/role-denied']])
  })

  test('that needs hardware is not made elsewhere', async (t) => {
    const bench = new Bench(t)
    const { provider, calls } = recording(await bench.software())
    const devices = [bench.slot('main', provider, { custody: 'software' })]
    const custody = await bench.open(devices, { requireHsmForRoles: ['validator'] })
    for (const role of ['validator', 'admin'])
      await assert.rejects(custody.makeKey(role, { label: 'k' }), {
        code: 'policy/role-denied',
        message: /hardware/,
      })
    assert.deepEqual(calls, [])
  })

  test('is made on the device that policy names, by its curve', async (t) => {
    const bench = new Bench(t)
    const [main, backup] = [await bench.software(), await bench.software()]
    const devices = [bench.slot('main', main), bench.slot('backup', backup, { place: 'secondary' })]
    const custody = await bench.open(devices, {
      keyGeneration: { defaultBackend: 'backup', curve: 'ed25519' },
    })
    const { provider, algorithm } = await custody.makeKey(ROLE, { label: 'payments' })
    assert.deepEqual([provider, algorithm], ['backup', 'ed25519'])
    assert.deepEqual(await main.list(), [])
  })

  test('of a bridge is made in production only, and signs what others have signed', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.software()
    const bridge = { minimumSignatures: 2, maximumTransactionValue: '1000' }
    const staging = await bench.open(
      [bench.slot('main', hsm)],
      { bridge },
      { environment: 'staging' },
    )
    await assert.rejects(staging.makeKey(ROLE, { label: 'bridge' }), {
      code: 'policy/role-denied',
      message: /production-mode/,
    })
    const custody = await bench.open([bench.slot('main', hsm)], { bridge })
    await custody.makeKey(ROLE, { label: 'bridge' })
    const signer = custody.signer(ROLE)
    for (const [transaction, rule] of [
      [undefined, /quorum/],
      [{ signatures: 1, value: 5n }, /quorum/],
      [{ signatures: 2 }, /transaction-value/],
      [{ signatures: 2, value: 1001n }, /transaction-value/],
    ] as const)
      await assert.rejects(signer.sign({ digest }, { transaction }), {
        code: 'policy/role-denied',
        message: rule,
      })
    await signer.sign({ digest }, { transaction: { signatures: 2, value: 1000n } })
  })
})

describe('with two devices', () => {
  const two = async (t: TestContext, secondSecret: Uint8Array = SECRET) => {
    const bench = new Bench(t)
    const [main, backup] = [await bench.software(), await bench.software()]
    const request = { label: 'payments', algorithm: 'ed25519' } as const
    await main.importKey(request, SECRET.slice())
    await backup.importKey(request, secondSecret.slice())
    const second = recording(backup)
    const devices = [
      bench.slot('main', main),
      bench.slot('backup', second.provider, { place: 'secondary' }),
    ]
    const custody = await bench.open(devices)
    await custody.bindKey(ROLE, 'main', { label: 'payments' })
    return { bench, main, custody, calls: second.calls }
  }

  test('that hold the key under different ids, either signs under the same pinned key', async (t) => {
    const { bench, main, custody, calls } = await two(t)
    const signer = custody.signer(ROLE)
    const expected = await signer.sign({ message })
    const sign = main.sign.bind(main)
    main.sign = () => Promise.reject(new DeviceFault('hsm/token-absent'))
    assert.equal(toHex(await signer.sign({ message })), toHex(expected))
    assert.deepEqual(
      calls.filter((each) => each === 'sign'),
      ['sign'],
    )
    main.sign = sign
    bench.time.advance(1000)
    await custody.failover.probe()
    assert.equal(toHex(await signer.sign({ message })), toHex(expected))
    assert.equal(calls.filter((each) => each === 'sign').length, 1)
  })

  test('another key under the same label is refused, and makes no signature', async (t) => {
    const { main, custody, calls } = await two(t, new Uint8Array(32).fill(8))
    main.sign = () => Promise.reject(new DeviceFault('hsm/token-absent'))
    await assert.rejects(custody.signer(ROLE).sign({ message }), { code: 'hsm/key-changed' })
    assert.ok(!calls.includes('sign'))
  })

  test('a wrong argument reaches none', async (t) => {
    const { custody, calls, bench } = await two(t)
    await assert.rejects(custody.signer(ROLE).sign({ digest }), { code: 'hsm/bad-argument' })
    assert.deepEqual(calls, [])
    assert.deepEqual(bench.audited.at(-1), ['sign', 'refused', 'hsm/bad-argument'])
  })
})

describe('the cache', () => {
  const cached = async (t: TestContext, plain: object = {}, algorithm = 'ed25519' as const) => {
    const bench = new Bench(t)
    const { provider, calls } = recording(await bench.software())
    const custody = await bench.open([bench.slot('main', provider)], plain, { cacheSize: 2 })
    await custody.makeKey(ROLE, { label: 'payments', algorithm })
    const signs = (): number => calls.filter((each) => each === 'sign').length
    return { bench, custody, signs }
  }

  test('saves the device a signature, and nothing else: rate, policy and log see each', async (t) => {
    const { bench, custody, signs } = await cached(t, { maxSigningRate: 3 })
    const signer = custody.signer(ROLE)
    const made = [await signer.sign({ message }), await signer.sign({ message })]
    await signer.sign({ message })
    assert.equal(toHex(made[0]!), toHex(made[1]!))
    assert.equal(signs(), 1)
    await assert.rejects(signer.sign({ message }), { code: 'policy/rate-limited' })
    assert.equal(bench.audited.filter(([operation]) => operation === 'sign').length, 4)
    bench.isAuditing = false
    bench.time.advance(1000)
    await assert.rejects(signer.sign({ message }), { code: 'hsm/audit-unavailable' })
    bench.isAuditing = true
    await custody.locks.lock('x')
    await assert.rejects(signer.sign({ message }), { code: 'hsm/signing-locked' })
    const { cache } = custody.status
    assert.deepEqual(cache, { hits: 3, misses: 1, size: 1, capacity: 2 })
  })

  test('gives copies, and what was withheld and wiped is not what it keeps', async (t) => {
    const { bench, custody, signs } = await cached(t)
    const signer = custody.signer(ROLE)
    bench.isAuditing = false
    await assert.rejects(signer.sign({ message }))
    bench.isAuditing = true
    const first = await signer.sign({ message })
    assert.ok(await signer.verify({ message }, first))
    first.fill(0)
    assert.ok(await signer.verify({ message }, await signer.sign({ message })))
    assert.equal(signs(), 1)
  })

  test('forgets what was not used for longest, and keeps nothing of ECDSA', async (t) => {
    const { custody, signs } = await cached(t)
    const signer = custody.signer(ROLE)
    for (const text of ['a', 'b', 'a', 'c', 'a', 'b']) await signer.sign({ message: utf8(text) })
    assert.equal(signs(), 4)
    await custody.makeKey('validator', { label: 'v', algorithm: 'secp256k1' })
    for (let i = 0; i < 3; i++) await custody.signer('validator').sign({ digest })
    assert.equal(signs(), 7)
    assert.equal(custody.status.cache?.size, 2)
  })
})
