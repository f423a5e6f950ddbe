/** What clients may do, and the roles that administrators give them when they are enrolled. */
import { Fault } from '@quorate/base'

export type Permission =
  | 'wallet.create'
  | 'wallet.read'
  | 'wallet.refresh'
  | 'tx.sign'
  | 'tx.explain'
  | 'approval.read'
  | 'approval.give'
  | 'policy.change'
  | 'audit.read'
  | 'backup.make'
  | 'status.read'

export type Role = 'operator' | 'signer' | 'approver' | 'auditor'

export const ROLES: { readonly [R in Role]: readonly Permission[] } = {
  operator: [
    'wallet.create',
    'wallet.read',
    'wallet.refresh',
    'policy.change',
    'tx.explain',
    'approval.read',
    'backup.make',
    'status.read',
  ],
  signer: ['wallet.read', 'tx.sign', 'tx.explain', 'approval.read', 'approval.give', 'status.read'],
  // Approving and carrying an approved change are all it may do: it can neither make keys nor ask for signatures.
  approver: [
    'wallet.read',
    'tx.explain',
    'approval.read',
    'approval.give',
    'policy.change',
    'status.read',
  ],
  auditor: ['wallet.read', 'audit.read', 'status.read'],
}

export const isRole = (text: string): text is Role => Object.hasOwn(ROLES, text)

/** Whether any of the roles permits it. */
export const isPermitted = (roles: readonly Role[], permission: Permission): boolean =>
  roles.some((role) => ROLES[role].includes(permission))

/** @throws api/not-permitted unless one of the roles permits it */
export function checkPermitted(roles: readonly Role[], permission: Permission): void {
  if (!isPermitted(roles, permission))
    throw new Fault('api/not-permitted', { detail: `it takes ${permission}` })
}
