/** Processes that are killed with SIGKILL while they make a backup or restore one; what they began can be done again. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SimulatedHsm } from '@quorate/hsm'
import { systemClock, systemRandom } from '@quorate/platform'
import { initBackupKeys, joinBackupKeys } from '#src/backup/keys.js'
import { scratch } from '../kit.ts'
import { makeKeys } from './kit.ts'

const PROGRAM = fileURLToPath(new URL('./backer.js', import.meta.url))
const PLACES = [
  'hsm/backup/before-put',
  'hsm/backup/after-put',
  'hsm/backup/before-prune',
  'hsm/restore/before-key',
]

for (const place of PLACES)
  test(`a backup and its restore survive kill -9 at ${place}`, async (t) => {
    const root = scratch(t)
    for (const name of ['', 'place']) mkdirSync(join(root, name), { recursive: true, mode: 0o700 })
    const open = (name: string) => SimulatedHsm.open(join(root, name), systemClock)
    const first = await open('first')
    const { shares } = await initBackupKeys(first, { threshold: 2, members: 3 }, systemRandom)
    const made = await makeKeys(first)
    await joinBackupKeys(await open('second'), shares.slice(1))
    const run = (device: string, what: string, env: { readonly [name: string]: string } = {}) =>
      spawnSync(process.execPath, [PROGRAM, root, device, what], {
        encoding: 'utf8',
        env: { ...process.env, ...env },
      })
    const dying = { QUORATE_FAILPOINTS: `${place}=crash` }
    for (const [device, what] of [
      ['first', 'backup'],
      ['second', 'restore'],
    ] as const) {
      if (place.startsWith(`hsm/${what}/`)) {
        const killed = run(device, what, dying)
        assert.equal(killed.signal, 'SIGKILL', killed.stderr)
      }
      const whole = run(device, what)
      assert.equal(whole.status, 0, whole.stderr)
    }
    const there = new Map((await (await open('second')).list()).map((key) => [key.id, key]))
    for (const { id, label, publicKey } of Object.values(made))
      if (label === 'inside') assert.ok(!there.has(id), 'it stays inside')
      else assert.deepEqual(there.get(id)?.publicKey, publicKey, label)
  })
