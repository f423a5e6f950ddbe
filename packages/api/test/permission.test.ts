import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkPermitted, isPermitted, isRole, type Permission, type Role } from '@quorate/api'
import { isFault } from '@quorate/base'

/** Who may do what, written out. */
const MATRIX: { readonly [P in Permission]: readonly Role[] } = {
  'wallet.create': ['operator'],
  'wallet.read': ['operator', 'signer', 'auditor'],
  'wallet.refresh': ['operator'],
  'tx.sign': ['signer'],
  'tx.explain': ['operator', 'signer'],
  'audit.read': ['auditor'],
  'status.read': ['operator', 'signer', 'auditor'],
}

test('each role permits exactly what the matrix says', () => {
  for (const [permission, allowed] of Object.entries(MATRIX) as [Permission, readonly Role[]][])
    for (const role of ['operator', 'signer', 'auditor'] as const)
      assert.equal(isPermitted([role], permission), allowed.includes(role), `${role} ${permission}`)
})

test('roles add up, and no role permits nothing', () => {
  assert.ok(isPermitted(['auditor', 'signer'], 'tx.sign'))
  assert.throws(
    () => checkPermitted([], 'status.read'),
    (error) => isFault(error, 'api/not-permitted'),
  )
  assert.doesNotThrow(() => checkPermitted(['operator', 'auditor'], 'audit.read'))
})

test('only the three roles are roles', () => {
  assert.deepEqual(['operator', 'admin', 'toString', '__proto__'].map(isRole), [
    true,
    false,
    false,
    false,
  ])
})
