import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import { Admission } from '#src/signer-process/admission.js'
import { DEFAULT_LIMITS } from '#src/signer-process/limits.js'

/** Work that ends when it is told to. */
function job() {
  let end: () => void = () => undefined
  const done = new Promise<void>((resolve) => {
    end = resolve
  })
  const state = { hasBegun: false }
  return {
    end,
    state,
    run: async (): Promise<string> => {
      state.hasBegun = true
      await done
      return 'done'
    },
  }
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const isBusy = (error: unknown): boolean => isFault(error, 'enclave/busy')

test('so many run at once, the next wait for their turn in order, and more are refused', async () => {
  const admission = new Admission({
    ...DEFAULT_LIMITS,
    maxConcurrentKeygen: 1,
    maxConcurrentSigning: 2,
    maxQueued: 2,
  })
  const jobs = Array.from({ length: 5 }, job)
  const results = jobs.slice(0, 4).map(({ run }, i) => admission.run('sign', `client-${i}`, run))
  await turn()
  assert.deepEqual(
    jobs.map(({ state }) => state.hasBegun),
    [true, true, false, false, false],
  )
  assert.equal(admission.queued, 2)
  await assert.rejects(admission.run('sign', 'late', jobs[4]!.run), isBusy)
  // Key generation has a lane of its own.
  assert.equal(await admission.run('keygen', 'other', async () => 'made'), 'made')
  jobs[1]!.end()
  await turn()
  assert.deepEqual(
    jobs.map(({ state }) => state.hasBegun),
    [true, true, true, false, false],
  )
  for (const { end } of jobs) end()
  assert.deepEqual(await Promise.all(results), ['done', 'done', 'done', 'done'])
  assert.equal(admission.queued, 0)
})

test('one client cannot take the places of all', async () => {
  const admission = new Admission({ ...DEFAULT_LIMITS, maxPerClient: 2 })
  const jobs = Array.from({ length: 2 }, job)
  const results = jobs.map(({ run }) => admission.run('sign', 'greedy', run))
  await assert.rejects(admission.run('sign', 'greedy', job().run), isBusy)
  assert.equal(await admission.run('sign', 'modest', async () => 'done'), 'done')
  for (const { end } of jobs) end()
  await Promise.all(results)
  assert.equal(await admission.run('sign', 'greedy', async () => 'done'), 'done')
})

test('work that fails leaves its place', async () => {
  const admission = new Admission({ ...DEFAULT_LIMITS, maxConcurrentSigning: 1, maxPerClient: 1 })
  await assert.rejects(
    admission.run('sign', 'a', () => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(await admission.run('sign', 'a', async () => 'done'), 'done')
})
