import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkPermitted, isPermitted, isRole, type Permission, type Role } from '@quorate/api'
import { isFault } from '@quorate/base'

/** Who may do what, written out. */
const MATRIX: { readonly [P in Permission]: readonly Role[] } = {
  'wallet.create': ['operator'],
  'wallet.read': ['operator', 'signer', 'approver', 'auditor'],
  'wallet.refresh': ['operator'],
  'policy.change': ['operator', 'approver'],
  'tx.sign': ['signer'],
  'tx.explain': ['operator', 'signer', 'approver'],
  'approval.read': ['operator', 'signer', 'approver'],
  'approval.give': ['signer', 'approver'],
  'audit.read': ['auditor'],
  'backup.make': ['operator'],
  'status.read': ['operator', 'signer', 'approver', 'auditor'],
}

test('each role permits exactly what the matrix says', () => {
  for (const [permission, allowed] of Object.entries(MATRIX) as [Permission, readonly Role[]][])
    for (const role of ['operator', 'signer', 'approver', 'auditor'] as const)
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

test('only the four roles are roles', () => {
  assert.deepEqual(['operator', 'admin', 'toString', '__proto__'].map(isRole), [
    true,
    false,
    false,
    false,
  ])
})
