/** Identities of people and machines, and groups of them. */
import type { Document } from '../access/documents.ts'
import type { Grant } from '../access/grant.ts'
import type { IdentityKind } from '../access/port.ts'
import type { MethodSettings } from '../auth-methods/model.ts'

export type ApproverKey = {
  /** `apk_…` */
  readonly id: string
  readonly scheme: 'ed25519'
  /** Hex. */
  readonly publicKey: string
  readonly name: string
  readonly createdAt: number
}

export type IdentityBody = {
  readonly kind: IdentityKind
  readonly isActive: boolean
  /** `grp_…` */
  readonly groups: readonly string[]
  readonly grants: readonly Grant[]
  readonly approverKeys: readonly ApproverKey[]
  readonly methods: MethodSettings
  readonly createdAt: number
  readonly createdBy: string
}
/** Its project is that of a machine, or `*` for people and machines of the instance. */
export type Identity = Document<IdentityBody>

export type GroupBody = { readonly grants: readonly Grant[]; readonly createdAt: number }
export type Group = Document<GroupBody>

export const MAX_GRANTS = 64
export const MAX_GROUPS = 32
export const MAX_APPROVER_KEYS = 8
