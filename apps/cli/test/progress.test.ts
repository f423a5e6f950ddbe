import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OperationJson } from '@quorate/api'
import { PhaseTimes, progressText } from '#src/progress.js'

const at = (phase: string, round: number, of: number): OperationJson => ({
  id: 'op_00000000000000000000000001',
  kind: 'createWallet',
  state: 'running',
  project: 'prj_00000000000000000000000001',
  requestId: 'req_00000000000000000000000001',
  progress: { phase, round, of },
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
})

test('a phase is shown with how far it is, where that is known', () => {
  assert.equal(progressText(at('making primes', 2, 4), 'working'), 'making primes (2 of 4)')
  assert.equal(progressText(at('making the key', 3, 0), 'working'), 'making the key')
  const { progress: _, ...unknown } = at('', 0, 0)
  assert.equal(progressText(unknown, 'working'), 'working')
})

test('each phase is timed from when it was first seen to the next one', () => {
  let now = 0
  const times = new PhaseTimes(() => now)
  const seen: readonly (readonly [number, OperationJson])[] = [
    [0, at('making primes', 0, 4)],
    [500, at('making primes', 3, 4)],
    [900, at('making the key', 1, 0)],
    [1000, at('proving the address', 1, 0)],
    [1010, at('making the key', 2, 0)],
  ]
  for (const [time, operation] of seen) {
    now = time
    times.saw(operation)
  }
  now = 1030
  assert.deepEqual(times.phases(), [
    { name: 'making primes', ms: 900 },
    { name: 'making the key', ms: 120 },
    { name: 'proving the address', ms: 10 },
  ])
  assert.deepEqual(new PhaseTimes(() => now).phases(), [])
})
