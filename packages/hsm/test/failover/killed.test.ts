import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openHsmState, readFailoverStatus } from '@quorate/hsm'

const PROCESS = fileURLToPath(new URL('./emergency-process.js', import.meta.url))
const LIMIT = 40

type Run = { readonly lines: readonly string[] }

/** One life of the process, which is killed when it has said so many lines. */
async function live(t: TestContext, directory: string, made: string, lines: number): Promise<Run> {
  const child = spawn(process.execPath, [PROCESS, directory, made, String(LIMIT)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  const said: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line)
    if (said.length === lines) child.kill('SIGKILL')
  }
  await ended
  return { lines: said }
}

test('an emergency of 40 operations has 40, however often the process is killed', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'quorate-killed-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const directory = join(root, 'state')
  mkdirSync(directory, { mode: 0o700 })
  const made = join(root, 'made')
  writeFileSync(made, '')
  let killed = 0
  let isRefused = false
  for (const lines of [1, 3, 5, 8, 2, 1000]) {
    const { lines: said } = await live(t, directory, made, lines)
    const refused = said.filter((line) => line !== 'given')
    assert.ok(statSync(made).size <= LIMIT)
    if (refused.length === 0) killed++
    else {
      assert.deepEqual(refused, ['refused'])
      isRefused = true
    }
  }
  assert.ok(killed >= 3 && isRefused)
  const state = await openHsmState(directory)
  t.after(() => state.close())
  const { emergency } = readFailoverStatus(state, 'killed', Date.now())
  assert.equal(emergency?.used, LIMIT)
  // What a crash cut off between the count and the operation is lost, and at most one for each worker.
  const lost = LIMIT - statSync(made).size
  assert.ok(lost >= 0 && lost <= 3 * killed, `${lost} were lost`)
})
