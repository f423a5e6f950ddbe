/** A process that is killed with SIGKILL after each of its effects in turn, until its rotation is through. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openHsmState } from '@quorate/hsm'
import { openKeyRoles } from '#src/roles/bindings.js'
import { readRotation } from '#src/rotation/record.js'
import { openIn, scratch } from '../kit.ts'

const PROGRAM = fileURLToPath(new URL('./rotator.js', import.meta.url))

for (const what of ['deactivate', 'destroy'])
  test(`a rotation survives kill -9 after every single effect: ${what}`, async (t) => {
    const root = dirname(scratch(t))
    mkdirSync(root, { recursive: true })
    let kills = 0
    // Some lives end before they get anywhere.
    for (; kills < 60; kills++) {
      const { signal, status, stderr } = spawnSync(
        process.execPath,
        [PROGRAM, root, what, String(1 + (kills % 7))],
        { encoding: 'utf8' },
      )
      if (status === 0) break
      assert.equal(signal, 'SIGKILL', stderr)
    }
    assert.ok(kills >= 5 && kills < 60, `${kills} kills`)
    await assertRotated(root, what)
  })

/** One rotation, whole: one key in use, the one before gone or out of use. */
async function assertRotated(root: string, what: string): Promise<void> {
  const state = await openHsmState(join(root, 'state'))
  const device = await openIn(join(root, 'hsm'))
  const roles = openKeyRoles(state)
  const { count, job } = readRotation(state, 'validator') ?? {}
  const [{ keyId, publicKey }, ...others] = roles.verifying('validator') as [
    ReturnType<typeof roles.current>,
  ]
  const keys = await device.list()
  await state.close()
  assert.deepEqual([count, job, others], [1, undefined, []])
  assert.equal(keys.length, what === 'destroy' ? 1 : 2)
  assert.deepEqual(keys.find(({ id }) => id === keyId)?.publicKey, publicKey)
  assert.equal(keys.find(({ id }) => id === keyId)?.label, 'validator-r2')
}

const PLACES = [
  'hsm/rotation/before-begin',
  'hsm/rotation/after-begin',
  'hsm/rotation/before-step',
  'hsm/rotation/after-step',
  'hsm/rotation/before-finish',
  'hsm/rotation/after-finish',
]
for (const place of PLACES)
  test(`a rotation survives kill -9 at ${place}`, (t) => {
    const root = dirname(scratch(t))
    const rotate = (env: { readonly [name: string]: string }) =>
      spawnSync(process.execPath, [PROGRAM, root, 'destroy', '0'], {
        encoding: 'utf8',
        env: { ...process.env, ...env },
      })
    const { signal, stderr } = rotate({ QUORATE_FAILPOINTS: `${place}=crash` })
    assert.equal(signal, 'SIGKILL', stderr)
    const again = rotate({})
    assert.equal(again.status, 0, again.stderr)
    return assertRotated(root, 'destroy')
  })
