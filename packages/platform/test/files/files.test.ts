import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isFault, utf8 } from '@quorate/base'
import { openDataDirectory, readFile, writeFileAtomic } from '@quorate/platform'
import { isRunning, thisProcess } from '#src/files/process-identity.js'
import { scratch } from '../scratch.js'

const faultIs = (code: Parameters<typeof isFault>[1]) => (error: unknown) => isFault(error, code)
const locks = (path: string): string[] =>
  readdirSync(path).filter((name) => name.startsWith('lock.'))

async function holder(t: TestContext, path: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./hold.js', import.meta.url)), path],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  t.after(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout!, 'data')
  assert.equal(String(line), 'held\n')
  return child
}

test('a directory is made private, and a looser one is refused', (t) => {
  const root = scratch(t)
  const path = join(root, 'deep', 'data')
  openDataDirectory(path).release()
  assert.equal(statSync(path).mode & 0o777, 0o700)
  for (const mode of [0o750, 0o701, 0o755]) {
    chmodSync(path, mode)
    assert.throws(() => openDataDirectory(path), faultIs('platform/directory-mode'))
  }
  writeFileSync(join(root, 'file'), '')
  assert.throws(() => openDataDirectory(join(root, 'file')), faultIs('platform/no-directory'))
  assert.throws(
    () => openDataDirectory(join(root, 'file', 'below')),
    faultIs('platform/no-directory'),
  )
})

test('a second process is refused while the first lives, and let in when it was killed', async (t) => {
  const path = join(scratch(t), 'data')
  const child = await holder(t, path)
  assert.throws(
    () => openDataDirectory(path),
    (error) =>
      isFault(error, 'platform/directory-in-use') && String(error).includes(`process ${child.pid}`),
  )
  assert.equal(locks(path).length, 1)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const mine = openDataDirectory(path)
  assert.equal(locks(path).length, 1)
  mine.release()
  assert.equal(locks(path).length, 0)
})

test('of many processes that want a stale directory, at most one gets it', async (t) => {
  const path = join(scratch(t), 'data')
  const dead = await holder(t, path)
  dead.kill('SIGKILL')
  await once(dead, 'exit')
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, [fileURLToPath(new URL('./hold.js', import.meta.url)), path], {
      stdio: ['pipe', 'pipe', 'ignore'],
    }),
  )
  t.after(() => {
    for (const child of children) child.kill('SIGKILL')
  })
  const words = await Promise.all(
    children.map(async (child) => {
      const first = await Promise.race([once(child.stdout!, 'data'), once(child.stdout!, 'end')])
      return String(first[0] ?? 'nothing')
    }),
  )
  const held = words.filter((word) => word === 'held\n')
  assert.ok(held.length <= 1, words.join())
  assert.equal(locks(path).length, held.length)
})

test('a lock is judged by the process it names, not by the pid alone', (t) => {
  const path = join(scratch(t), 'data')
  mkdirSync(path, { mode: 0o700 })
  const me = thisProcess()
  assert.ok(isRunning(me))
  const stale = {
    otherBoot: { ...me, bootId: 'another' },
    reusedPid: { ...me, startTime: '1' },
    noSuchPid: { ...me, pid: 2 ** 22 + 1 },
  }
  const expected =
    process.platform === 'linux' ? Object.values(stale) : [stale.otherBoot, stale.noSuchPid]
  for (const identity of expected) {
    writeFileSync(join(path, 'lock.0123456789abcdef'), JSON.stringify(identity))
    openDataDirectory(path).release()
    assert.equal(locks(path).length, 0)
  }
  writeFileSync(join(path, 'lock.0123456789abcdef'), 'not a lock')
  assert.throws(() => openDataDirectory(path), faultIs('platform/directory-in-use'))
  assert.deepEqual(locks(path), ['lock.0123456789abcdef'])
})

test('an atomic write leaves one private file and no other', (t) => {
  const root = scratch(t)
  const path = join(root, 'record')
  writeFileSync(path, 'old', { mode: 0o644 })
  writeFileAtomic(path, utf8('new'))
  assert.equal(readFileSync(path, 'utf8'), 'new')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(root), ['record'])
  mkdirSync(join(root, 'folder'))
  assert.throws(
    () => writeFileAtomic(join(root, 'folder'), utf8('x')),
    faultIs('platform/file-unreadable'),
  )
  assert.deepEqual(readdirSync(root).sort(), ['folder', 'record'])
  if (existsSync('/dev/full')) {
    symlinkSync('/dev/full', join(root, 'full'))
    assert.throws(
      () => readFile(join(root, 'full'), { maxBytes: 100 }),
      faultIs('platform/file-too-large'),
    )
  }
})

test('reading respects the limit, and refuses secrets that others can read', (t) => {
  const path = join(scratch(t), 'secret')
  writeFileSync(path, 'x'.repeat(100), { mode: 0o600 })
  assert.equal(readFile(path, { maxBytes: 100, isSecret: true }).length, 100)
  assert.throws(() => readFile(path, { maxBytes: 99 }), faultIs('platform/file-too-large'))
  chmodSync(path, 0o640)
  assert.equal(readFile(path, { maxBytes: 100 }).length, 100)
  assert.throws(
    () => readFile(path, { maxBytes: 100, isSecret: true }),
    faultIs('platform/file-unreadable'),
  )
  assert.throws(
    () => readFile(`${path}-absent`, { maxBytes: 1 }),
    faultIs('platform/file-unreadable'),
  )
})
