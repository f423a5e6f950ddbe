import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { field, int, isFault, record, text } from '@quorate/base'
import { type HsmState, memoryHsmState, openHsmState } from '@quorate/hsm'
import fc from 'fast-check'
import { isCode, scratch } from '../kit.ts'

const count = int()
const named = record({ name: field(0, text(100)) })

const ENGINES: { readonly [name: string]: (directory: string) => Promise<HsmState> } = {
  memory: () => Promise.resolve(memoryHsmState()),
  'a directory': openHsmState,
}

for (const [name, open] of Object.entries(ENGINES))
  describe(`the state in ${name}:`, () => {
    test('what was written is read, by its name', async (t) => {
      const state = await open(scratch(t))
      t.after(() => state.close())
      assert.equal(state.read('rate/admin', count), undefined)
      await state.write('rate/admin', count, 7)
      await state.write('rate/validator', count, 8)
      await state.write('alerts', named, { name: 'none' })
      assert.equal(state.read('rate/admin', count), 7)
      assert.deepEqual(state.names('rate/'), ['rate/admin', 'rate/validator'])
    })

    test('updates of one name see each other, whoever waits', async (t) => {
      const state = await open(scratch(t))
      t.after(() => state.close())
      const add = (): Promise<number> => state.update('n', count, (old = 0) => old + 1)
      const results = await Promise.all(Array.from({ length: 200 }, add))
      assert.deepEqual(
        results,
        results.map((_, i) => i + 1),
      )
      assert.equal(state.read('n', count), 200)
    })

    test('an update that throws changes nothing, and those beside it take place', async (t) => {
      const state = await open(scratch(t))
      t.after(() => state.close())
      const outcomes = await Promise.allSettled([
        state.update('n', count, () => 1),
        state.update('n', count, () => {
          throw new Error('no')
        }),
        state.update('n', count, (old = 0) => old + 10),
        state.update('n', count, () => -1),
      ])
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled', 'rejected'],
      )
      assert.equal(state.read('n', count), 11)
    })

    test('what is of another form, badly named, or after the end is refused', async (t) => {
      const state = await open(scratch(t))
      await state.write('n', count, 1)
      assert.throws(() => state.read('n', named), isCode('hsm/state-damaged'))
      await assert.rejects(state.write('../n', count, 1), isCode('hsm/bad-argument'))
      await state.close()
      assert.throws(() => state.read('n', count), isCode('hsm/closed'))
      await assert.rejects(state.write('n', count, 2), isCode('hsm/closed'))
    })
  })

test('property: the last of any order of writes stands after a restart', async (t) => {
  const write = fc.record({ name: fc.constantFrom('a', 'b/c', 'b/d'), value: fc.nat() })
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 20 }), async (writes) => {
      const directory = scratch(t)
      const state = await openHsmState(directory)
      const expected = new Map<string, number>()
      await Promise.all(
        writes.map(({ name, value }) => {
          expected.set(name, value)
          return state.write(name, count, value)
        }),
      )
      await state.close()
      const again = await openHsmState(directory)
      assert.deepEqual(again.names(''), [...expected.keys()].sort())
      for (const [name, value] of expected) assert.equal(again.read(name, count), value)
      await again.close()
    }),
    { numRuns: 8 },
  )
})

test('one process holds it', async (t) => {
  const directory = scratch(t)
  const state = await openHsmState(directory)
  await assert.rejects(openHsmState(directory), isCode('platform/directory-in-use'))
  await state.close()
  await (await openHsmState(directory)).close()
})

test('what is damaged is said, with the file, and never read as empty', async (t) => {
  const directory = scratch(t)
  const state = await openHsmState(directory)
  await state.write('emergency/main', text(100), 'a value that can be found')
  await state.close()
  const file = join(directory, 'state.db')
  const whole = readFileSync(file)
  const place = whole.indexOf('a value that can be found')
  assert.ok(place > 0)
  const isSaid = (error: unknown): boolean =>
    isFault(error, 'hsm/state-damaged') && error.message.includes(file)
  const changed = Buffer.from(whole)
  changed[place] = 0x42
  for (const damaged of [changed, Buffer.alloc(5000, 7), whole.subarray(0, 1000)]) {
    writeFileSync(file, damaged)
    await assert.rejects(openHsmState(directory), isSaid)
  }
})

test('a kill at any moment loses nothing that was resolved', async (t) => {
  const directory = scratch(t)
  const program = fileURLToPath(new URL('./writer.js', import.meta.url))
  let last = 0
  for (const wanted of [1, 20, 150]) {
    const child = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 2] })
    for await (const line of createInterface({ input: child.stdout! })) {
      last = Math.max(last, Number(line))
      if (last >= wanted) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    assert.equal(child.signalCode, 'SIGKILL')
    const state = await openHsmState(directory)
    const kept = state.read('n', count) ?? 0
    await state.close()
    assert.ok(kept >= last, `${kept} kept, ${last} resolved`)
  }
})
