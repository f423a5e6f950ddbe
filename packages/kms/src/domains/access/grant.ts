/** Grants: how somebody, or a group, comes to hold rules; for good or for a time. */
import { bug } from '@quorate/base'
import type { Document } from './documents.ts'
import type { HeldRule, Rule, Scope } from './model.ts'
import { BUILT_IN_ROLES, isBuiltInRole } from './roles.ts'

export type Grant = {
  /** `grt_…` */
  readonly id: string
  readonly scope: Scope
  /** A built-in role's name or a `rol_…`; else `rules` of its own, an additional privilege. */
  readonly role?: string | undefined
  readonly rules?: readonly Rule[] | undefined
  /** Milliseconds since the epoch; from at once, and for good, where absent. */
  readonly startsAt?: number | undefined
  readonly endsAt?: number | undefined
  readonly reason?: string | undefined
  /** Who gave it, an id or `system`, and when. */
  readonly by: string
  readonly at: number
  /** The access request that it comes from. */
  readonly request?: string | undefined
}

export type RoleBody = { readonly rules: readonly Rule[]; readonly description: string }
export type Role = Document<RoleBody>

/** What a grant gives. `roles` has every custom role that it may name; one that is gone gives nothing. */
export function heldRules(grant: Grant, roles: ReadonlyMap<string, Role>): readonly HeldRule[] {
  const { id, scope, role, startsAt, endsAt } = grant
  const { name, rules } = contentOf(grant, roles)
  return rules.map((rule, i) => ({
    rule,
    label: role === undefined ? `grant/${i + 1}:${id}` : `role:${name}/${i + 1}:${id}`,
    scope,
    startsAt: startsAt ?? Number.NEGATIVE_INFINITY,
    endsAt: endsAt ?? Number.POSITIVE_INFINITY,
  }))
}

function contentOf(
  { role, rules }: Grant,
  roles: ReadonlyMap<string, Role>,
): { readonly name: string; readonly rules: readonly Rule[] } {
  if (role === undefined) return { name: '', rules: rules ?? bug('a grant without role and rules') }
  if (isBuiltInRole(role)) return { name: role, rules: BUILT_IN_ROLES[role] }
  const custom = roles.get(role)
  return custom === undefined
    ? { name: role, rules: [] }
    : { name: custom.name, rules: custom.body.rules }
}

/** The ids of the custom roles that these grants name. */
export const rolesNamed = (grants: readonly Grant[]): readonly string[] => [
  ...new Set(grants.flatMap(({ role }) => (role?.startsWith('rol_') ? [role] : []))),
]
