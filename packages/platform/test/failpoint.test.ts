import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { isFault } from '@quorate/base'
import { armFailpoints, failpoint } from '@quorate/platform'

const known = ['x/y/z', 'x/y/other']
const arm = (text: string, isDevelopment = true): readonly string[] =>
  armFailpoints({ QUORATE_FAILPOINTS: text }, { isDevelopment, known })

test('an armed place fails, others and disarmed ones do not', () => {
  assert.deepEqual(arm('x/y/z=error'), ['x/y/z'])
  assert.throws(
    () => failpoint('x/y/z'),
    (error) => isFault(error, 'platform/failpoint'),
  )
  failpoint('x/y/other')
  assert.deepEqual(armFailpoints({}, { isDevelopment: false }), [])
  failpoint('x/y/z')
})

test('unknown names and actions are refused, and arm nothing', () => {
  for (const text of [
    'x/y=crash',
    'x/y/z',
    'x/y/z=explode',
    'x/y/z=toString',
    'x/y/z=error=1',
    'x/y/other=error,nope=error',
  ])
    assert.throws(
      () => arm(text),
      (error) => isFault(error, 'platform/unknown-failpoint'),
      text,
    )
  failpoint('x/y/other')
})

test('outside development nothing can be armed', () => {
  assert.throws(
    () => arm('x/y/z=error', false),
    (error) => isFault(error, 'platform/failpoints-forbidden'),
  )
  failpoint('x/y/z')
})

const program = `
  import { armFailpoints, failpoint } from '@quorate/platform'
  armFailpoints(process.env, { isDevelopment: true, known: ['x/y/z'] })
  failpoint('x/y/z')
  console.log('went on')`
const cwd = fileURLToPath(new URL('.', import.meta.url))
const armedWith = (action: string) => ({ ...process.env, QUORATE_FAILPOINTS: `x/y/z=${action}` })

test('crash kills the process on the spot and says which place it was', () => {
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd,
    env: armedWith('crash'),
    encoding: 'utf8',
  })
  assert.equal(run.signal, 'SIGKILL')
  assert.equal(run.stdout, '')
  assert.equal(run.stderr, 'failpoint x/y/z: crash\n')
})

test('pause halts the process until it is continued', {
  skip: process.platform !== 'linux',
}, async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd,
    env: armedWith('pause'),
  })
  await once(child.stderr, 'data')
  const state = (): string =>
    readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? ''
  while (state() !== 'T') await new Promise((resolve) => setImmediate(resolve))
  child.kill('SIGCONT')
  const [text] = (await once(child.stdout, 'data')) as [Buffer]
  assert.equal(String(text), 'went on\n')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})
