import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  activeSlot,
  type FailoverChange,
  type FailoverEvent,
  type FailoverState,
  initialState,
  probePauseMs,
  type SlotPlan,
  step,
} from '#src/failover/machine.js'

const PLANS: readonly SlotPlan[] = [
  { name: 'main', place: 'primary', maxRetries: 3, retryIntervalMs: 5000 },
  { name: 'backup', place: 'secondary', maxRetries: 3, retryIntervalMs: 10_000 },
  { name: 'last', place: 'emergency', maxRetries: 0, retryIntervalMs: 10_000 },
]
const fresh = (): FailoverState => initialState(PLANS, () => undefined, 0)

type Said =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly isFinal: boolean }
  | { readonly kind: 'probed'; readonly works: boolean }

const eventOf = (state: FailoverState, slot: number, at: number, said: Said): FailoverEvent => {
  const common = { slot, at, epoch: state[slot]?.epoch ?? 0 }
  return said.kind === 'failed' ? { ...common, ...said, reason: 'hsm/x' } : { ...common, ...said }
}
const after = (state: FailoverState, slot: number, at: number, said: Said): FailoverState =>
  step(PLANS, state, eventOf(state, slot, at, said)).state

const FAILED: Said = { kind: 'failed', isFinal: false }

describe('a device that fails', () => {
  test('is tried three times more, five seconds apart, before the next takes over', () => {
    let state = fresh()
    for (const at of [0, 5000, 10_000]) {
      state = after(state, 0, at, FAILED)
      assert.deepEqual(
        { is: state[0]?.is, at: state[0]?.is === 'retrying' && state[0].retryAt },
        { is: 'retrying', at: at + 5000 },
      )
      assert.equal(activeSlot(state), 0)
    }
    const { state: last, changes } = step(PLANS, state, eventOf(state, 0, 15_000, FAILED))
    assert.equal(activeSlot(last), 1)
    assert.deepEqual(changes, [
      { kind: 'opened', slot: 0, reason: 'hsm/x' },
      { kind: 'switched', from: 0, to: 1, reason: 'hsm/x' },
    ])
  })

  test('for good is not tried again', () => {
    assert.equal(activeSlot(after(fresh(), 0, 0, { kind: 'failed', isFinal: true })), 1)
  })

  test('and works in between has all its attempts anew', () => {
    let state = fresh()
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 3; i++) state = after(state, 0, 0, FAILED)
      state = after(state, 0, 0, { kind: 'succeeded' })
      assert.equal(state[0]?.is, 'up')
    }
  })

  test('counts one failure for all operations that met it', () => {
    const state = fresh()
    const event = eventOf(state, 0, 0, FAILED)
    let now = state
    for (let i = 0; i < 10; i++) now = step(PLANS, now, event).state
    assert.deepEqual(now, step(PLANS, state, event).state)
  })

  test('and is back for nothing is given up at once, with longer pauses between probes', () => {
    let state = after(fresh(), 0, 0, { kind: 'failed', isFinal: true })
    const pauses: number[] = []
    for (let round = 0; round < 6; round++) {
      const slot = state[0]!
      assert.ok(slot.is === 'down')
      pauses.push(slot.probeAt)
      state = after(state, 0, 0, { kind: 'probed', works: true })
      assert.equal(activeSlot(state), 0)
      state = after(state, 0, 0, FAILED)
    }
    assert.deepEqual(pauses, [5000, 10_000, 20_000, 40_000, 60_000, 60_000])
  })
})

test('a probe that succeeds brings the device back, whatever took its place', () => {
  let state = after(fresh(), 0, 0, { kind: 'failed', isFinal: true })
  state = after(state, 1, 0, { kind: 'failed', isFinal: true })
  const { changes } = step(PLANS, state, eventOf(state, 0, 0, { kind: 'probed', works: true }))
  assert.deepEqual(changes, [
    { kind: 'closed', slot: 0 },
    { kind: 'returned', from: 2, to: 0 },
  ])
})

test('when all are down nothing is active, and what comes back first is', () => {
  let state = fresh()
  for (const slot of [0, 1, 2]) state = after(state, slot, 0, { kind: 'failed', isFinal: true })
  assert.equal(activeSlot(state), undefined)
  const { changes } = step(PLANS, state, eventOf(state, 1, 0, { kind: 'probed', works: true }))
  assert.deepEqual(changes[1], { kind: 'returned', from: undefined, to: 1 })
})

const said: fc.Arbitrary<Said> = fc.oneof(
  fc.constant({ kind: 'succeeded' } as const),
  fc.record({ kind: fc.constant('failed' as const), isFinal: fc.boolean() }),
  fc.record({ kind: fc.constant('probed' as const), works: fc.boolean() }),
)

test('whatever happens: the changes tell the whole way of the active device, and epochs only grow', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), said, fc.nat(60_000), fc.boolean())), (happenings) => {
      let state = fresh()
      let active = activeSlot(state)
      const down = new Set<number>()
      for (const [slot, each, at, isStale] of happenings) {
        const event = eventOf(state, slot, at, each)
        const given = isStale ? { ...event, epoch: event.epoch - 1 } : event
        const { state: next, changes } = step(PLANS, state, given)
        if (isStale || slot === 3) assert.equal(next, state)
        for (const [i, { epoch }] of next.entries()) assert.ok(epoch >= state[i]!.epoch)
        for (const change of changes) active = follow(change, active, down)
        assert.equal(active, activeSlot(next))
        assert.deepEqual(
          [...down].sort((a, b) => a - b),
          [...next.entries()].filter(([, { is }]) => is === 'down').map(([i]) => i),
        )
        state = next
      }
    }),
  )
})

function follow(
  change: FailoverChange,
  active: number | undefined,
  down: Set<number>,
): number | undefined {
  if (change.kind === 'opened') down.add(change.slot)
  else if (change.kind === 'closed') down.delete(change.slot)
  else {
    assert.equal(change.from, active)
    return change.to
  }
  return active
}

test('pauses between probes stay between the interval and a minute', () => {
  for (let probes = 0; probes < 40; probes++) {
    const pause = probePauseMs(PLANS[0]!, probes)
    assert.ok(pause >= 5000 && pause <= 60_000)
  }
})
