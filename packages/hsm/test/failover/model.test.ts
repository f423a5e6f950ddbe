/**
 * Failover against a model that knows nothing of retries, probes or storage: which devices work, what each
 * of them made, and what an emergency has used. Every command may be cut short by a crash at any step that
 * touches the disk, the log or a device; what follows starts from what was on the disk then.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failoverOf } from '@quorate/hsm'
import fc from 'fast-check'
import { type Made, MODES, type Mode, NAMES, type Outcome, settled, World } from './world.ts'

type Model = {
  readonly modes: Record<string, Mode>
  /** What a caller has, so that nobody gets it twice. */
  readonly given: Set<string>
  /** Operations that reached the emergency device: none beyond its limit, whatever crashes. */
  emergencyUsed: number
}
type Command = fc.AsyncCommand<Model, World>

const MAX_EMERGENCY = 5

/** What must hold between any two commands. */
function checkWorld(model: Model, world: World): void {
  const { emergency, slots, active } = world.failover.status()
  const up = slots.find(({ downBecause }) => downBecause === null)
  assert.equal(active, up?.name ?? null)
  // A roll of the dice that was charged and then cut short counts as used, never the other way round.
  assert.ok((emergency?.used ?? 0) >= model.emergencyUsed)
  assert.ok((emergency?.used ?? 0) <= MAX_EMERGENCY)
  assert.ok(!world.device('last').touchedBy.includes('validator'))
  assert.deepEqual(world.software.touchedBy, [])
  for (const name of NAMES) assert.ok(world.device(name).made.length >= countOf(model, name))
}

const countOf = ({ given }: Model, name: string): number =>
  [...given].filter((each) => each.startsWith(`${name} `)).length

function take(model: Model, { by, number }: Made): void {
  const name = `${by} ${number}`
  assert.ok(!model.given.has(name), 'one result was given twice')
  model.given.add(name)
}

class SetMode implements Command {
  readonly #name: string
  readonly #mode: Mode
  constructor(name: string, mode: Mode) {
    this.#name = name
    this.#mode = mode
  }
  check(): boolean {
    return true
  }
  async run(model: Model, world: World): Promise<void> {
    model.modes[this.#name] = this.#mode
    world.device(this.#name).mode = this.#mode
  }
  toString(): string {
    return `${this.#name}:${this.#mode}`
  }
}

class Advance implements Command {
  readonly #ms: number
  readonly #jumpMs: number
  constructor(ms: number, jumpMs: number) {
    this.#ms = ms
    this.#jumpMs = jumpMs
  }
  check(): boolean {
    return true
  }
  async run(model: Model, world: World): Promise<void> {
    world.time.jump(this.#jumpMs)
    for (let passed = 0; passed < this.#ms; passed += 1000) {
      world.time.advance(1000)
      await settled()
    }
    checkWorld(model, world)
  }
  toString(): string {
    return `advance(${this.#ms}, jump ${this.#jumpMs})`
  }
}

class Sign implements Command {
  readonly #roles: readonly string[]
  readonly #crashAfter: number | undefined
  constructor(roles: readonly string[], crashAfter?: number) {
    this.#roles = roles
    this.#crashAfter = crashAfter
  }
  check(): boolean {
    return true
  }

  async run(model: Model, world: World): Promise<void> {
    const reached = world.device('last').touchedBy.length
    const counts = NAMES.map((name) => world.device(name).made.length)
    const isCrashing = this.#crashAfter !== undefined
    if (this.#crashAfter !== undefined) world.crashAfter(this.#crashAfter)
    const all = await Promise.all(
      this.#roles.map((role) => world.outcome(world.sign(role), isCrashing ? 60_000 : 200_000)),
    )
    for (const [i, outcome] of all.entries()) {
      if (outcome !== undefined) judge(model, world, this.#roles[i]!, outcome)
      else assert.ok(isCrashing, 'it came to nothing without a crash')
    }
    if (isCrashing) await world.start()
    // Faults of the last device may take several attempts each; what was charged is one for each operation.
    const attempts = world.device('last').touchedBy.length - reached
    const made = world.device('last').made.length - counts[2]!
    model.emergencyUsed += Math.min(made, attempts)
    checkWorld(model, world)
  }
  toString(): string {
    const crash = this.#crashAfter === undefined ? '' : `, crash after ${this.#crashAfter}`
    return `sign(${this.#roles.join(' ')}${crash})`
  }
}

/** A result comes from a device that works; a failure has a reason in the devices that the role may use. */
function judge(model: Model, world: World, role: string, outcome: Outcome<Made>): void {
  const { modes } = model
  if ('value' in outcome) {
    take(model, outcome.value)
    assert.equal(modes[outcome.value.by], 'works')
    if (role === 'validator') assert.notEqual(outcome.value.by, 'last')
    return
  }
  const { error } = outcome
  const { code } = error as { readonly code?: string }
  if (code === 'policy/role-denied') {
    // Only the limits of an emergency refuse, and only when they are used up.
    assert.equal(world.failover.status().emergency?.used, MAX_EMERGENCY)
    return
  }
  const refusing = code === 'hsm/busy' ? 'busy' : 'never'
  if (refusing === 'busy' || failoverOf(error) === 'never') {
    assert.ok(code === 'hsm/busy' || code === 'hsm/pin-locked')
    assert.ok(NAMES.some((name) => modes[name] === refusing))
    return
  }
  // Both places are out of order, or one that is back was not asked yet: probes take their time.
  const mine = role === 'validator' ? ['main', 'backup'] : [...NAMES]
  const { slots } = world.failover.status()
  const working = mine.filter((name) => modes[name] === 'works')
  for (const name of working)
    assert.notEqual(slots.find((each) => each.name === name)?.downBecause, null)
}

const role = fc.constantFrom('transaction_signer', 'validator', 'relayer')
const commands = [
  fc
    .tuple(fc.constantFrom(...NAMES), fc.constantFrom(...MODES))
    .map(([name, mode]) => new SetMode(name, mode)),
  fc
    .tuple(fc.constantFrom(1000, 6000, 61_000), fc.constantFrom(0, 0, 86_400_000, -86_400_000))
    .map(([ms, jump]) => new Advance(ms, jump)),
  fc.array(role, { minLength: 1, maxLength: 4 }).map((roles) => new Sign(roles)),
  fc
    .tuple(fc.array(role, { minLength: 1, maxLength: 3 }), fc.nat(25))
    .map(([roles, after]) => new Sign(roles, after)),
]

test('whatever fails and wherever it crashes: one result each, from a device that may and works', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 12 }), async (all) => {
      const world = new World()
      // Long enough never to be over: what it allows is then allowed once.
      world.policy = {
        ...world.policy,
        emergency: { ...world.policy.emergency, maxTimeSeconds: 31_536_000 },
      }
      await world.start()
      const model: Model = {
        modes: Object.fromEntries(NAMES.map((name) => [name, 'works' as const])),
        given: new Set(),
        emergencyUsed: 0,
      }
      await fc.asyncModelRun(() => ({ model, real: world }), all)
      await world.failover.close()
    }),
    { numRuns: 150 },
  )
})
