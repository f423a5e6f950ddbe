/** What the library does wrong never reaches this process, and never stays. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFault, utf8 } from '@quorate/base'
import { isCode } from '../kit.ts'
import { benchFor, skip } from './kit.ts'

const MESSAGE = { message: utf8('m') }
const [EIO, ENODEV, EBUSY, EINVAL] = [5, 19, 16, 22]

describe('a library that', { skip }, () => {
  test('crashes is loaded anew, and the signature is made', async (t) => {
    const { hsm, simulator } = await benchFor(t)
    const { id } = await hsm.generateKey({ label: 'k', algorithm: 'p256' })
    const { pid } = hsm.status()
    simulator.fail('zkGenECDSASigFromDigest', { kind: 'crash' })
    assert.equal((await hsm.sign(id, MESSAGE)).length, 64)
    const { ends, pid: next } = hsm.status()
    assert.equal(ends.crash, 1)
    assert.notEqual(next, pid)
  })

  test('hangs is killed after its deadline, and the signature is made', async (t) => {
    const { hsm, simulator } = await benchFor(t, {
      times: { sign: { callMs: 300, deadlineMs: 20_000 } },
    })
    const { id } = await hsm.generateKey({ label: 'k', algorithm: 'p256' })
    simulator.fail('zkGenECDSASigFromDigest', { kind: 'hang' })
    assert.equal((await hsm.sign(id, MESSAGE)).length, 64)
    assert.equal(hsm.status().ends.hang, 1)
  })

  test('reports errors gives faults that say which call and which error', async (t) => {
    const { hsm, simulator } = await benchFor(t)
    const { id } = await hsm.generateKey({ label: 'k', algorithm: 'p256' })
    simulator.fail('zkGetRandBytes', { kind: 'answer', value: -EIO, times: 100 })
    await assert.rejects(hsm.random(8), (error) => {
      assert.ok(isFault(error, 'hsm/unavailable'))
      assert.match(error.message, /EIO from zkGetRandBytes/)
      return true
    })
    simulator.fail('zkGenECDSASigFromDigest', { kind: 'answer', value: -EBUSY, times: 2 })
    assert.equal((await hsm.sign(id, MESSAGE)).length, 64)
    simulator.fail('zkGenECDSASigFromDigest', { kind: 'answer', value: -ENODEV, times: 100 })
    await assert.rejects(hsm.sign(id, MESSAGE), isCode('hsm/token-absent'))
  })

  test('is not there, or has no device behind it, is told from one that is', async (t) => {
    const { simulator, open } = await benchFor(t)
    const { settings } = simulator
    await assert.rejects(
      open({ settings: { ...settings, library: '/nowhere/libzk_app_utils.so' } }),
      isCode('hsm/library-missing'),
    )
    await assert.rejects(
      open({ settings: { ...settings, library: '/lib/x86_64-linux-gnu/libm.so.6' } }),
      isCode('hsm/library-missing'),
    )
    await assert.rejects(open({ settings: { ...settings, env: {} } }), isCode('hsm/token-absent'))
    await assert.rejects(
      open({ settings: { ...settings, token: { serial: 'ANOTHER' } } }),
      isCode('hsm/token-absent'),
    )
  })

  test('refuses a slot leaves the device in use', async (t) => {
    const { hsm, simulator } = await benchFor(t)
    const { id } = await hsm.generateKey({ label: 'k', algorithm: 'p256' })
    simulator.fail('zkGenECDSASigFromDigest', { kind: 'answer', value: -EINVAL })
    assert.equal((await hsm.sign(id, MESSAGE)).length, 64)
    assert.deepEqual(await hsm.health(), { state: 'ok' })
  })
})
