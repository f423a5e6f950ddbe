import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OperationJson } from '@quorate/api'
import { Fault, isFault } from '@quorate/base'
import { followOperation, followProject } from '#src/http/follow.js'

type State = OperationJson['state']

/** Operations whose states the test sets; `set` tells whoever watches. */
function stage() {
  const states = new Map<string, State>()
  const listeners = new Map<string, Set<(operation: string) => void>>()
  return {
    watching: () => listeners.size,
    set(id: string, state: State) {
      states.set(id, state)
      for (const name of [id, 'project']) for (const tell of listeners.get(name) ?? []) tell(id)
    },
    source: {
      get: (id: string, project: string) => {
        const state = states.get(id)
        if (state === undefined || project !== 'project')
          return Promise.reject(new Fault('node/unknown-operation'))
        return Promise.resolve({ id, state, updatedAt: 'now' } as OperationJson)
      },
      watch(name: string, listener: (operation: string) => void) {
        const set = listeners.get(name) ?? new Set()
        listeners.set(name, set.add(listener))
        return () => {
          set.delete(listener)
          if (set.size === 0) listeners.delete(name)
        }
      },
    },
  }
}

const never = new AbortController().signal

test('an operation is followed from its state now to its end, and then let go', async () => {
  const { source, set, watching } = stage()
  set('op_1', 'running')
  const events = followOperation(source, 'op_1', 'project', never)
  const seen: unknown[] = []
  seen.push((await events.next()).value)
  const second = events.next()
  set('op_1', 'waiting')
  seen.push((await second).value)
  // Two steps while nobody looks are one event, which is the later one.
  set('op_1', 'running')
  set('op_1', 'done')
  seen.push((await events.next()).value)
  assert.deepEqual(
    seen.map((event) => (event as { data: OperationJson }).data.state),
    ['running', 'waiting', 'done'],
  )
  assert.equal((await events.next()).done, true)
  assert.equal(watching(), 0)
})

test('an operation of another project is not there', async () => {
  const { source, set, watching } = stage()
  set('op_1', 'running')
  await assert.rejects(followOperation(source, 'op_1', 'other', never).next(), (error) =>
    isFault(error, 'node/unknown-operation'),
  )
  assert.equal(watching(), 0)
})

test('a project tells of all its operations, until its reader goes', async () => {
  const { source, set, watching } = stage()
  set('op_0', 'done')
  const controller = new AbortController()
  const events = followProject(source, 'project', controller.signal)
  const first = events.next()
  set('op_1', 'running')
  set('op_2', 'running')
  const ids = [(await first).value?.data, (await events.next()).value?.data]
  assert.deepEqual(
    ids.map((data) => (data as OperationJson).id),
    ['op_1', 'op_2'],
  )
  const last = events.next()
  controller.abort()
  assert.equal((await last).done, true)
  assert.equal(watching(), 0)
})
