import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERRORS, Fault, isFault } from '@quorate/base'
import { type DeviceCode, DeviceFault, failoverOf } from '@quorate/hsm'

test('every device code of the table is a DeviceFault with a way on', () => {
  const codes = Object.entries(ERRORS).filter(
    ([code, entry]) => code.startsWith('hsm/') && entry.class === 'DeviceFault',
  )
  assert.ok(codes.length >= 4)
  for (const [code] of codes) {
    const fault = new DeviceFault(code as DeviceCode)
    assert.ok(isFault(fault, code as DeviceCode))
    assert.match(fault.failover, /^(same|next|never)$/)
  }
})

test('only faults of a device move an operation elsewhere', () => {
  assert.equal(failoverOf(new DeviceFault('hsm/unavailable')), 'same')
  assert.equal(
    failoverOf(new DeviceFault('hsm/unavailable', { failover: 'next', ckr: 0x32 })),
    'next',
  )
  assert.equal(new DeviceFault('hsm/unavailable', { ckr: 0x32 }).ckr, 0x32)
  assert.equal(failoverOf(new DeviceFault('hsm/compromised')), 'never')
  assert.equal(failoverOf(new Fault('hsm/cannot-open')), 'never')
  assert.equal(failoverOf(new Error('anything')), 'never')
})
