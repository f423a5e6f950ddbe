/** Rotations against a model, with crashes between any two effects, clocks that jump and devices that fail. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bench, DAY, ROLE } from './kit.ts'

const HOUR = 3_600_000

/** What was seen of the role's keys from outside, by time that has really passed. */
class Model {
  /** Every key that was ever current, with the time when it ceased to be. */
  readonly replacedAt = new Map<string, number | undefined>()
  current: string
  /** Old keys about whose overlap the clock of a restarted machine may have lied. */
  readonly excused = new Set<string>()
  switchedAt: number | undefined
  /** Of the wall clock, now and at most so far. */
  offset = 0
  maxOffset = 0

  constructor(current: string) {
    this.current = current
    this.replacedAt.set(current, undefined)
  }
}

/** What clocks may differ by without a reason to doubt them, restart after restart. */
const SLACK = HOUR / 4

function check(model: Model, bench: Bench, overlapDays: number): void {
  const { roles, rotations } = bench.life
  const now = bench.time.monotonic()
  const { keyId, publicKey } = roles.current(ROLE)
  if (keyId !== model.current) {
    assert.ok(!model.replacedAt.has(keyId), 'a key that was replaced came back')
    model.replacedAt.set(model.current, now)
    model.replacedAt.set(keyId, undefined)
    model.current = keyId
    if (model.switchedAt !== undefined && model.excused.size === 0)
      assert.ok(now - model.switchedAt >= overlapDays * DAY - SLACK, 'two rotations at once')
    model.switchedAt = now
    assert.ok(bench.offered.has(keyId), 'a key signs that nobody was told of')
  }
  assert.deepEqual(bench.device.keys.get(keyId)?.info.publicKey, publicKey, 'the key is not there')
  const verifying = new Set(roles.verifying(ROLE).map((each) => each.keyId as string))
  for (const [key, since] of model.replacedAt) {
    if (since === undefined || verifying.has(key)) continue
    const lasted = now - since
    assert.ok(
      lasted >= overlapDays * DAY - SLACK || model.excused.has(key),
      `an overlap of ${lasted / DAY} days`,
    )
  }
  for (const key of verifying) assert.ok(bench.device.keys.has(key as never), 'verifying, but gone')
  // One key for each rotation, however often it was interrupted.
  const [status] = rotations.status()
  const pending = status?.job?.newKey
  const known = new Set([...model.replacedAt.keys(), ...(pending === undefined ? [] : [pending])])
  for (const id of bench.device.keys.keys()) assert.ok(known.has(id), 'a key that nobody knows of')
  assert.ok(bench.device.made <= known.size)
  // Never farther than a period from what any clock has said.
  const latest = bench.time.now() - model.offset + model.maxOffset + 33 * DAY
  assert.ok(status === undefined || status.dueAt <= latest, 'due too late')
}

type Step = fc.AsyncCommand<Model, Bench>
const overlapOf = (bench: Bench): number => bench.config.overlapDays

const command = (name: string, act: (model: Model, bench: Bench) => Promise<void>): Step => ({
  check: () => true,
  async run(model, bench) {
    await act(model, bench)
    check(model, bench, overlapOf(bench))
  },
  toString: () => name,
})

const pass = fc
  .integer({ min: 1, max: 20 })
  .map((hours) => command(`pass ${6 * hours}h`, (_m, bench) => bench.pass(hours * 6 * HOUR)))
const passDays = fc
  .integer({ min: 1, max: 90 })
  .map((days) => command(`pass ${days}d`, (_m, bench) => bench.pass(days * DAY, DAY)))
const crash = fc.tuple(fc.nat(12), fc.boolean()).map(([effects, isBefore]) =>
  command(`crash ${isBefore ? 'before' : 'after'} effect ${effects}`, async (_m, bench) => {
    bench.life.doom.arm(effects, isBefore)
    await bench.pass(3 * DAY, DAY)
  }),
)
const restart = fc.constant(
  command('restart', async (_m, bench) => {
    bench.restart()
    await bench.run()
  }),
)
const accepting = fc.boolean().map((is) =>
  command(is ? 'accepts' : 'accepts not', async (_m, bench) => {
    bench.isAccepting = is
    await bench.run()
  }),
)
const down = fc.boolean().map((is) =>
  command(is ? 'device down' : 'device up', async (_m, bench) => {
    bench.device.isDown = is
    await bench.run()
  }),
)
const now = fc.constant(
  command('rotate now', (_m, bench) =>
    bench.act(async () => {
      if (bench.life.rotations.status()[0]?.job === undefined)
        await bench.life.rotations.rotateNow(ROLE)
    }),
  ),
)
const jump = fc.integer({ min: -800, max: 800 }).map((days) =>
  command(`clock jumps ${days}d`, async (model, bench) => {
    bench.time.jump(days * DAY)
    model.offset += days * DAY
    model.maxOffset = Math.max(model.maxOffset, model.offset)
    const { life } = bench
    await bench.act(() => life.rotations.run())
    // A restart that finds a clock ahead believes it, where nobody had seen that before.
    if (bench.life !== life)
      for (const { keyId } of bench.life.roles.verifying(ROLE)) model.excused.add(keyId)
    bench.onLook()
  }),
)

/** A model that is compared at every look. */
function modelOf(bench: Bench): Model {
  const model = new Model(bench.life.roles.current(ROLE).keyId)
  bench.onLook = () => check(model, bench, overlapOf(bench))
  return model
}

const play = (commands: Iterable<Step>, oldKeys: 'deactivate' | 'destroy') =>
  fc.asyncModelRun(async () => {
    const real = await Bench.open({ enabled: true, oldKeys })
    return { model: modelOf(real), real }
  }, commands)

const oldKeys = fc.constantFrom('deactivate' as const, 'destroy' as const)

test('property: no crash between any two effects makes two keys, loses one, or cuts an overlap short', async () => {
  const steps = fc.commands([pass, passDays, crash, restart, accepting, down, now], {
    maxCommands: 25,
  })
  await fc.assert(
    fc.asyncProperty(steps, oldKeys, (commands, what) => play(commands, what)),
    { numRuns: 120 },
  )
})

test('property: nor does a clock that jumps', async () => {
  const steps = fc.commands([pass, passDays, crash, restart, accepting, now, jump], {
    maxCommands: 25,
  })
  await fc.assert(
    fc.asyncProperty(steps, oldKeys, (commands, what) => play(commands, what)),
    { numRuns: 120 },
  )
})

test('property: once all is well again, a rotation ends and the next one comes', async () => {
  const steps = fc.commands([pass, crash, restart, accepting, down, now, jump], { maxCommands: 15 })
  await fc.assert(
    fc.asyncProperty(steps, async (commands) => {
      let last: Bench | undefined
      await fc.asyncModelRun(async () => {
        last = await Bench.open({ enabled: true })
        return { model: modelOf(last), real: last }
      }, commands)
      const bench = last!
      bench.isAccepting = true
      bench.device.isDown = false
      await bench.pass(5 * DAY)
      const before = bench.life.rotations.status()[0]!
      await bench.pass(36 * DAY)
      const after = bench.life.rotations.status()[0]!
      assert.ok(after.count > before.count, `${before.count} then ${after.count}`)
      assert.equal(after.trouble, undefined)
    }),
    { numRuns: 40 },
  )
})
