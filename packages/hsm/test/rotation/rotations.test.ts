import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { Secret, toHex, utf8 } from '@quorate/base'
import {
  type HsmProvider,
  hasCapability,
  memoryHsmState,
  type Notice,
  webhookNotifier,
} from '@quorate/hsm'
import { ManualTime, systemRandom } from '@quorate/platform'
import { initBackupKeys, joinBackupKeys } from '#src/backup/keys.js'
import { Outbox } from '#src/rotation/outbox.js'
import { replicaConsumer } from '#src/rotation/replicas.js'
import { Rotations } from '#src/rotation/rotations.js'
import { machine, placeIn, softToken } from '../backup/kit.ts'
import { isCode, openIn, scratch } from '../kit.ts'
import { Bench, DAY, ROLE } from './kit.ts'

const silent = { log: () => undefined, with: () => silent }
const stepOf = (bench: Bench) => bench.life.rotations.status()[0]?.job?.step

test('a key that is due is announced, accepted, signs, overlaps and goes, in that order', async () => {
  const notices: Notice[] = []
  const notifier = {
    notify: async (each: Notice) => void notices.push(each),
    close: () => undefined,
  }
  const bench = await Bench.open({ enabled: true, oldKeys: 'destroy' }, { notifier })
  const first = bench.life.roles.current(ROLE)
  await bench.pass(29 * DAY)
  assert.equal(bench.life.roles.current(ROLE).keyId, first.keyId)
  bench.isAccepting = false
  await bench.pass(0.5 * DAY)
  assert.equal(stepOf(bench), 'announce')
  assert.deepEqual(bench.life.roles.verifying(ROLE), [first], 'it signs before it was accepted')
  bench.isAccepting = true
  await bench.run()
  const second = bench.life.roles.current(ROLE)
  assert.equal(second.label, 'validator-r2')
  assert.deepEqual(bench.life.roles.verifying(ROLE), [second, first])
  await bench.pass(1.9 * DAY)
  assert.deepEqual(bench.life.roles.verifying(ROLE), [second, first])
  await bench.pass(0.2 * DAY)
  assert.deepEqual(bench.life.roles.verifying(ROLE), [second])
  assert.deepEqual([...bench.device.keys.keys()], [second.keyId])
  const order = ['rotation.due', 'rotation.started', 'rotation.completed', 'rotation.retired']
  assert.deepEqual(bench.kinds(), order)
  await bench.life.rotations.stop()
  assert.deepEqual(
    notices.map(({ kind, details }) => [kind, details['key'], details['publicKey']]),
    [
      ['rotation.announced', second.keyId, toHex(second.publicKey)],
      ['rotation.completed', second.keyId, toHex(second.publicKey)],
      ['rotation.retired', first.keyId, ''],
    ],
  )
})

test('a key that is replaced stays in the device unless it is to be destroyed', async () => {
  const bench = await Bench.open({ enabled: true })
  await bench.pass(40 * DAY)
  assert.equal(bench.device.keys.size, 2)
  assert.equal(bench.life.roles.verifying(ROLE).length, 1)
})

test('periods that were missed make one rotation', async () => {
  const bench = await Bench.open({ enabled: true })
  bench.restart()
  await bench.run()
  bench.life.doom.isDead = true
  bench.time.advance(200 * DAY)
  bench.restart()
  await bench.pass(3 * DAY)
  assert.equal(bench.life.rotations.status()[0]?.count, 1)
  await bench.pass(20 * DAY)
  assert.equal(bench.life.rotations.status()[0]?.count, 1)
})

test('a long interval sets short timers', async () => {
  const bench = await Bench.open({ enabled: true, intervalDays: 400, overlapDays: 100 })
  assert.ok((await bench.life.rotations.run()) <= 3_600_000)
  assert.equal(bench.time.pending, 1)
  await bench.pass(399 * DAY, DAY)
  assert.equal(bench.life.rotations.status()[0]?.count, 0)
  await bench.pass(2 * DAY, DAY)
  assert.equal(stepOf(bench), 'overlap')
  assert.ok((await bench.life.rotations.run()) <= 3_600_000)
  await bench.life.rotations.stop()
  assert.equal(bench.time.pending, 0)
})

test('a role whose key nobody accepts is never rotated by time, and that is said once a day', async () => {
  const bench = await Bench.open({ enabled: true }, { consumers: [] })
  await bench.pass(33.5 * DAY)
  assert.deepEqual(new Set(bench.kinds()), new Set(['rotation.overdue']))
  assert.equal(bench.told.length, 5)
  assert.equal(bench.device.keys.size, 1)
  await bench.life.rotations.rotateNow(ROLE)
  assert.equal(stepOf(bench), 'overlap')
})

test('a consumer outside accepts by name, and only the key that comes', async () => {
  const values = { enabled: true, consumers: ['explorer'] }
  const bench = await Bench.open(values)
  await bench.life.rotations.rotateNow(ROLE)
  const { rotations } = bench.life
  const { newKey = '' } = rotations.status()[0]?.job ?? {}
  await assert.rejects(rotations.rotateNow(ROLE), isCode('hsm/rotation-under-way'))
  await assert.rejects(rotations.accept(ROLE, 'stranger', newKey), isCode('hsm/bad-argument'))
  await assert.rejects(rotations.accept(ROLE, 'explorer', '00ff'), isCode('hsm/no-rotation'))
  await bench.pass(1.5 * DAY)
  assert.equal(stepOf(bench), 'announce')
  assert.deepEqual(bench.kinds(), ['rotation.started', 'rotation.overdue'])
  bench.restart()
  await bench.life.rotations.accept(ROLE, 'explorer', newKey)
  await bench.life.rotations.accept(ROLE, 'explorer', newKey)
  assert.equal(bench.life.roles.current(ROLE).keyId, newKey)
})

test('a device that fails holds a rotation up, says so once, and does not end it', async () => {
  const bench = await Bench.open({ enabled: true })
  bench.device.isDown = true
  await bench.pass(31 * DAY)
  assert.equal(bench.life.rotations.status()[0]?.trouble, 'hsm/unavailable')
  assert.equal(bench.kinds().filter((kind) => kind === 'rotation.failed').length, 1)
  bench.device.isDown = false
  await bench.pass(3 * DAY)
  const [status] = bench.life.rotations.status()
  assert.deepEqual([status?.count, status?.trouble], [1, undefined])
})

test('a new key that policy refuses is not used', async () => {
  const refusing = await Bench.open({ enabled: true })
  const provider = refusing.device.provider(refusing.life.doom)
  const bench = await Bench.open(
    { enabled: true },
    {
      devices: {
        provider: async () => provider,
        checkNewKey: (_role, _device, key) => {
          if (key !== undefined) throw new Error('no')
        },
      },
    },
  )
  await bench.life.rotations.rotateNow(ROLE)
  assert.equal(stepOf(bench), 'generate')
})

describe('with backups:', () => {
  /** A role on a device that wraps keys; its backups. */
  async function wrapping(
    t: TestContext,
    provider: HsmProvider,
    mayLeave: boolean,
    down = { is: false },
  ) {
    if (!hasCapability(provider, 'wrap')) assert.fail('no wrap')
    const { shares } = await initBackupKeys(provider, { threshold: 1, members: 1 }, systemRandom)
    const place = await placeIn(t)
    const { backups } = machine(provider, place)
    const device = async () => {
      if (down.is) throw new Error('the place of backups is gone')
      return backups
    }
    const bench = await Bench.open(
      { enabled: true, backupEnabled: true, backupLocation: '/backups' },
      { devices: { provider: async () => provider, mayLeave: () => mayLeave }, backups: device },
    )
    const { id, publicKey } = await provider.generateKey({ label: 'first', algorithm: 'p256' })
    await bench.life.roles.bind('admin', {
      provider: 'main',
      keyId: id,
      label: 'first',
      algorithm: 'p256',
      publicKey: publicKey!,
      boundAt: bench.time.now(),
    })
    return { bench, backups, shares, place }
  }

  test('the new key is in one before it signs', async (t) => {
    const { bench, backups } = await wrapping(t, await openIn(scratch(t)), true)
    await bench.life.rotations.rotateNow('admin')
    const { keyId } = bench.life.roles.current('admin')
    const { backup } = await backups.open()
    assert.equal(backup.number, 2)
    assert.deepEqual(
      backup.keys.map(({ id }) => id),
      [keyId],
    )
    assert.deepEqual(
      backup.notTaken.map(({ label }) => label),
      ['first'],
    )
  })

  test('where policy keeps it inside, it is listed as not backed up, and signs', async (t) => {
    const { bench, backups } = await wrapping(t, await openIn(scratch(t)), false)
    await bench.life.rotations.rotateNow('admin')
    const { keyId } = bench.life.roles.current('admin')
    const { backup } = await backups.open()
    assert.ok(backup.notTaken.some(({ id }) => id === keyId))
    assert.equal(backup.keys.length, 0)
  })

  test('without one no key is made', async (t) => {
    const down = { is: true }
    const provider = await openIn(scratch(t))
    const { bench } = await wrapping(t, provider, true, down)
    await bench.life.rotations.rotateNow('admin')
    const status = () => bench.life.rotations.status().find(({ role }) => role === 'admin')
    assert.equal(status()?.job?.step, 'backup')
    assert.equal((await provider.list()).length, 3)
    down.is = false
    await bench.run()
    assert.equal(status()?.job?.step, 'overlap')
  })

  test('a second token gets the new key before it signs', async (t) => {
    const [main, other] = [await softToken(t), await softToken(t)]
    if ('absent' in main || 'absent' in other) return t.skip('no SoftHSM')
    const { bench, backups, shares, place } = await wrapping(t, main, true)
    await bench.life.rotations.rotateNow('admin')
    await bench.pass(3 * DAY, DAY)
    // It holds the key that is current, as a second device for failover does.
    await joinBackupKeys(other, shares)
    await machine(other, place).backups.restore()
    const replica = replicaConsumer(
      { name: 'second', provider: async () => other },
      async () => backups,
    )
    const old = bench.life.roles.current('admin')
    const rotations = new Rotations({
      config: { ...bench.config, oldKeys: 'destroy', overlapDays: 0 },
      roles: bench.life.roles,
      devices: bench.more.devices!,
      backups: bench.more.backups!,
      consumers: [],
      replicas: [replica],
      state: bench.life.state,
      clock: bench.time,
      timers: bench.time,
      random: systemRandom,
    })
    await rotations.rotateNow('admin')
    await rotations.stop()
    const { keyId, publicKey } = bench.life.roles.current('admin')
    assert.equal(bench.life.roles.current('admin').label, 'first-r3')
    for (const device of [main, other])
      await assert.rejects(device.find({ id: old.keyId }), isCode('hsm/key-not-found'))
    assert.deepEqual(await other.publicKey(keyId), publicKey)
    const message = utf8('message')
    assert.ok(await main.verify(keyId, { message }, await other.sign(keyId, { message })))
  })
})

test('the webhook gets each notice, signed, however often it failed and whoever was restarted', async (t) => {
  const [secret, bodies] = [new Uint8Array(32).fill(3), new Map<string, string>()]
  let answers = 0
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += String(chunk)
    })
    request.on('end', () => {
      const id = String(request.headers['webhook-id'])
      const signed = `${id}.${String(request.headers['webhook-timestamp'])}.${body}`
      const mac = createHmac('sha256', secret).update(signed).digest('base64')
      assert.equal(request.headers['webhook-signature'], `v1,${mac}`)
      response.writeHead(++answers % 3 === 0 ? 200 : 500).end()
      if (answers % 3 === 0) bodies.set(id, body)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  const hook = (maxTries: number) => {
    const clock = new ManualTime()
    return webhookNotifier({
      url,
      secret: new Secret(secret.slice()),
      clock,
      // Pauses are over at once.
      timers: {
        after(_ms, run) {
          queueMicrotask(run)
          return () => undefined
        },
        every: (ms, run) => clock.every(ms, run),
      },
      logger: silent,
      limits: { maxTries },
    })
  }
  const impatient = await Bench.open({ enabled: true }, { notifier: hook(1) })
  await impatient.life.rotations.rotateNow(ROLE)
  await impatient.life.rotations.stop()
  assert.equal(bodies.size, 0)
  const patient = await Bench.open({ enabled: true }, { notifier: hook(9) })
  // What the first could not deliver is in its state.
  const outbox = new Outbox(memoryHsmState(impatient.life.state.contents()), hook(9), silent)
  outbox.deliver()
  await outbox.settled()
  assert.equal(bodies.size, 2)
  await patient.life.rotations.rotateNow(ROLE)
  await patient.life.rotations.stop()
  assert.equal(bodies.size, 4)
  for (const body of bodies.values()) assert.match(body, /"role":"validator"/)
})
