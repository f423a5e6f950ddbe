import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { settled, World } from './world.ts'

const started = async (...changes: Parameters<World['start']>): Promise<World> => {
  const world = new World()
  await world.start(...changes)
  return world
}

describe('an operation', () => {
  test('is made by the first device while that works, and by no other', async () => {
    const world = await started()
    assert.equal((await world.value(world.sign())).by, 'main')
    assert.deepEqual(world.device('backup').touchedBy, [])
    assert.equal(world.device('backup').opened, 0)
  })

  test('waits for the retries of a device, then goes to the next', async () => {
    const world = await started()
    world.device('main').mode = 'same'
    const since = world.time.monotonic()
    assert.equal((await world.value(world.sign())).by, 'backup')
    assert.equal(world.device('main').touchedBy.length, 4)
    assert.equal(world.time.monotonic() - since, 15_000)
    assert.deepEqual(
      world.records.map(({ operation, source, code }) => [operation, source, code]),
      [['failover.switched', 'main to backup', 'hsm/unavailable']],
    )
    assert.deepEqual(world.events, ['breaker.opened', 'failover.switched'])
  })

  test('goes on at once where the device says that it cannot', async () => {
    const world = await started()
    world.device('main').mode = 'next'
    assert.equal((await world.value(world.sign())).by, 'backup')
    assert.equal(world.device('main').touchedBy.length, 1)
  })

  test('of many that meet a fault one at a time tries again', async () => {
    const world = await started()
    world.device('main').mode = 'same'
    const all = Array.from({ length: 20 }, () => world.sign())
    const made = await world.value(Promise.all(all))
    assert.equal(new Set(made.map(({ number }) => number)).size, 20)
    assert.ok(made.every(({ by }) => by === 'backup'))
    // Twenty met the first fault, and three tried again.
    assert.equal(world.device('main').touchedBy.length, 23)
    assert.equal(world.failover.status().switches, 1)
  })

  test('that is wrong, or meets a locked PIN or a busy device, goes nowhere else', async () => {
    for (const [mode, code] of [
      ['never', 'hsm/pin-locked'],
      ['busy', 'hsm/busy'],
    ] as const) {
      const world = await started()
      world.device('main').mode = mode
      await assert.rejects(world.value(world.sign()), { code })
      assert.deepEqual(world.device('backup').touchedBy, [])
      assert.equal(world.failover.status().active, 'main')
    }
  })

  test('finds none where all are down, without waiting', async () => {
    const world = await started()
    for (const name of ['main', 'backup', 'last']) world.device(name).mode = 'next'
    await assert.rejects(world.value(world.sign()), { code: 'hsm/token-absent' })
    const before = world.time.monotonic()
    await assert.rejects(world.value(world.sign()), { code: 'hsm/unavailable' })
    assert.equal(world.time.monotonic(), before)
  })

  test('that waits ends when the failover is closed', async () => {
    const world = await started()
    world.device('main').mode = 'same'
    const signing = world.sign()
    await settled()
    await world.failover.close()
    await assert.rejects(signing, { code: 'hsm/closed' })
  })
})

describe('fail-back', () => {
  test('follows a probe that succeeds, and is told', async () => {
    const world = await started()
    world.device('main').mode = 'next'
    await world.value(world.sign())
    world.device('main').mode = 'works'
    assert.equal((await world.value(world.sign())).by, 'backup')
    world.time.advance(5000)
    await settled()
    assert.equal((await world.value(world.sign())).by, 'main')
    assert.deepEqual(world.records.at(-1), {
      time: world.time.now(),
      operation: 'failover.returned',
      device: 'backup',
      source: 'backup to main',
      result: 'done',
      code: undefined,
    })
    assert.ok(world.events.includes('failover.returned'))
  })

  test('comes after a restart, too, from a device that was down before it', async () => {
    const world = await started()
    world.device('main').mode = 'next'
    await world.value(world.sign())
    await world.start()
    assert.equal(world.failover.status().active, 'backup')
    assert.equal((await world.value(world.sign())).by, 'backup')
    assert.equal(world.device('main').touchedBy.length, 1)
    world.device('main').mode = 'works'
    world.time.advance(60_000)
    await settled()
    assert.equal((await world.value(world.sign())).by, 'main')
  })
})

test('what was down before a restart is asked at once where nothing else is left', async () => {
  const world = new World()
  const main = world.slot('main')
  await world.start({ slots: [main] })
  world.device('main').mode = 'next'
  await assert.rejects(world.value(world.sign()), { code: 'hsm/token-absent' })
  world.device('main').mode = 'works'
  await world.start({ slots: [main] })
  assert.equal(world.failover.status().active, null)
  assert.equal((await world.value(world.sign())).by, 'main')
  assert.equal(world.time.monotonic(), 0)
})

test('a device that turns out to be less than it was said to be gets no role that needs more', async () => {
  const world = new World()
  const main = world.slot('main')
  const weak = {
    ...main,
    open: async () => ({ ...(await main.open()), custody: 'sealed' as const }),
  }
  await world.start({ slots: [weak, world.slot('backup')] })
  assert.equal((await world.value(world.sign('validator'))).by, 'backup')
  assert.deepEqual(world.device('main').touchedBy, [])
  assert.equal((await world.value(world.sign())).by, 'main')
})

test('no operation follows a switch that the audit log does not have', async () => {
  const world = await started()
  world.device('main').mode = 'next'
  world.isAuditing = false
  await assert.rejects(world.value(world.sign()), { code: 'hsm/audit-unavailable' })
  await assert.rejects(world.value(world.sign()), { code: 'hsm/audit-unavailable' })
  assert.deepEqual(world.device('backup').touchedBy, [])
  world.isAuditing = true
  assert.equal((await world.value(world.sign())).by, 'backup')
  assert.equal(world.records.length, 1)
})

test('a device that refused the PIN is not opened again until an operator says so', async () => {
  const world = new World()
  let isRight = false
  let opened = 0
  const main = world.slot('main', {
    open: async () => {
      opened++
      if (isRight) return world.slot('main').open()
      return Promise.reject(new (await import('@quorate/hsm')).DeviceFault('hsm/pin-incorrect'))
    },
  })
  await world.start({ slots: [main] })
  for (let i = 0; i < 3; i++)
    await assert.rejects(world.value(world.sign()), { code: 'hsm/pin-incorrect' })
  assert.equal(opened, 1)
  isRight = true
  world.failover.reopen('main')
  assert.equal((await world.value(world.sign())).by, 'main')
})

test('devices out of order, without a primary or of one name are refused', async () => {
  const world = new World()
  const of = (...names: readonly string[]) => names.map((name) => world.slot(name))
  for (const slots of [of('backup', 'main'), of('backup'), of('main', 'main'), []])
    await assert.rejects(world.start({ slots }), { code: 'hsm/bad-config' })
})

describe('an emergency', () => {
  const inEmergency = async (): Promise<World> => {
    const world = await started()
    world.device('main').mode = 'next'
    world.device('backup').mode = 'next'
    return world
  }

  test('allows its operations and not one more, also at once and after a restart', async () => {
    const world = await inEmergency()
    assert.equal((await world.value(world.sign())).by, 'last')
    assert.ok(world.events.includes('emergency.entered'))
    await world.start()
    const rest = await world.value(
      Promise.allSettled(Array.from({ length: 9 }, () => world.sign())),
    )
    assert.equal(rest.filter(({ status }) => status === 'fulfilled').length, 4)
    assert.equal(world.device('last').made.length, 5)
    await world.start()
    await assert.rejects(world.value(world.sign()), { code: 'policy/role-denied' })
    assert.equal(world.device('last').touchedBy.length, 5)
    assert.ok(world.events.includes('emergency.exhausted'))
    assert.equal(world.events.filter((kind) => kind === 'limit.near').length, 1)
    const { emergency } = world.failover.status()
    assert.deepEqual([emergency?.used, emergency?.isEntered], [5, true])
  })

  test('ends after its time, over restarts and whatever becomes of the clock', async () => {
    const world = await inEmergency()
    await world.value(world.sign())
    world.time.advance(60_000)
    await world.value(world.sign())
    world.time.jump(-10 * 86_400_000)
    await world.start()
    await world.value(world.sign())
    world.time.jump(10 * 86_400_000)
    await world.value(world.sign())
    world.time.advance(40_000)
    await assert.rejects(world.value(world.sign()), {
      code: 'policy/role-denied',
      message: /100 seconds of this emergency are over/,
    })
  })

  test('that is left and entered again goes on with what is left of it', async () => {
    const world = await inEmergency()
    for (let i = 0; i < 3; i++) await world.value(world.sign())
    world.device('main').mode = 'works'
    world.time.advance(60_000)
    await settled()
    assert.equal((await world.value(world.sign())).by, 'main')
    assert.ok(world.events.includes('emergency.left'))
    world.device('main').mode = 'next'
    await world.value(world.sign())
    await world.value(world.sign())
    await assert.rejects(world.value(world.sign()), { code: 'policy/role-denied' })
    // Over and left: the next is another one.
    world.device('main').mode = 'works'
    world.time.advance(120_000)
    await settled()
    assert.equal((await world.value(world.sign())).by, 'main')
    world.device('main').mode = 'next'
    assert.equal((await world.value(world.sign())).by, 'last')
    assert.equal(world.failover.status().emergency?.used, 1)
  })

  test('is for what is allowed in it, and never for a role that needs hardware', async () => {
    const world = await inEmergency()
    await assert.rejects(world.value(world.sign('validator')), { code: 'hsm/token-absent' })
    await assert.rejects(world.value(world.sign('validator')), {
      code: 'hsm/unavailable',
      message: /never goes to the emergency device/,
    })
    await assert.rejects(world.value(world.failover.run(world.work('relayer', 'decrypt'))), {
      code: 'policy/role-denied',
      message: /In an emergency keys may sign, not decrypt/,
    })
    assert.deepEqual(world.device('last').touchedBy, [])
  })
})

describe('the software fallback', () => {
  const withFallback = async (
    changes: Parameters<World['fallback']>[0] = {},
    slots: readonly string[] = ['main'],
  ): Promise<World> => {
    const world = new World()
    const of = slots.map((name) => world.slot(name))
    await world.start({ slots: of, fallback: world.fallback(changes) })
    return world
  }

  test('takes over after five seconds, and nobody gets the late result', async () => {
    const world = await withFallback()
    world.device('main').mode = 'same'
    const since = world.time.monotonic()
    const work = world.work('relayer')
    assert.equal((await world.value(world.failover.run(work))).by, 'software')
    assert.equal(world.time.monotonic() - since, 5000)
    assert.deepEqual(world.records.at(-1)?.operation, 'fallback.used')
    assert.ok(world.events.includes('fallback.used'))
    world.device('main').mode = 'works'
    world.time.advance(60_000)
    await settled()
    assert.equal(world.device('main').made.length, 0)
  })

  test('takes over at once where the device is gone', async () => {
    const world = await withFallback()
    world.device('main').mode = 'next'
    assert.equal((await world.value(world.sign('relayer'))).by, 'software')
    assert.equal(world.time.monotonic(), 0)
  })

  test('is not for roles that may not, nor for refusals', async () => {
    const world = await withFallback()
    world.device('main').mode = 'never'
    await assert.rejects(world.value(world.sign('relayer')), { code: 'hsm/pin-locked' })
    world.device('main').mode = 'next'
    for (const role of ['validator', 'transaction_signer', 'admin'])
      await assert.rejects(world.value(world.sign(role)))
    assert.deepEqual(world.software.touchedBy, [])
  })

  test('is used up after so many operations, over restarts, until a device is back', async () => {
    const world = await withFallback()
    world.device('main').mode = 'next'
    for (let i = 0; i < 2; i++) await world.value(world.sign('relayer'))
    await world.start({ slots: [world.slot('main')], fallback: world.fallback() })
    assert.equal((await world.value(world.sign('relayer'))).by, 'software')
    await assert.rejects(world.value(world.sign('relayer')), { code: 'hsm/unavailable' })
    assert.ok(world.events.includes('fallback.exhausted'))
    assert.equal(world.software.made.length, 3)
    world.device('main').mode = 'works'
    world.time.advance(60_000)
    await settled()
    assert.equal((await world.value(world.sign('relayer'))).by, 'main')
    assert.equal(world.failover.status().fallback?.used, 0)
  })

  test('that is not automatic is for operations that ask for it', async () => {
    const world = await withFallback({ isAutomatic: false })
    world.device('main').mode = 'next'
    await assert.rejects(world.value(world.sign('relayer')), { code: 'hsm/token-absent' })
    const asking = { ...world.work('relayer'), wantsFallback: true }
    assert.equal((await world.value(world.failover.run(asking))).by, 'software')
  })
})
