/**
 * Policies tried before they are in force: a file of roles and cases, each with what it should decide.
 * Pure but for giving way between cases, so that a long file keeps nobody waiting.
 */
import { fromRfc3339 } from '@quorate/api'
import { Fault } from '@quorate/base'
import { type Static, Type } from '@sinclair/typebox'
import { ACTION_NAMES } from './actions.ts'
import { checkRules, EVERYWHERE, type HeldRule, type Rule, rulesSchema } from './model.ts'
import { CompiledPolicy } from './policy.ts'
import type { Reason } from './port.ts'
import { resourceOfQuestion, resourceSchema } from './question.ts'
import { BUILT_IN_ROLES, isBuiltInRole } from './roles.ts'
import { nameText, shortText, strict, time } from './schema.ts'

const MAX_CASES = 64
const MAX_ROLES = 16
const MAX_RULES_IN_FILE = 128

export const policyFileSchema = Type.Object(
  {
    roles: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }), rulesSchema, {
        maxProperties: MAX_ROLES,
        additionalProperties: false,
      }),
    ),
    cases: Type.Array(
      Type.Object(
        {
          name: shortText(256),
          roles: Type.Array(nameText, { maxItems: MAX_ROLES }),
          action: Type.Union(ACTION_NAMES.map((action) => Type.Literal(action))),
          resource: Type.Optional(resourceSchema),
          at: Type.Optional(time),
          address: Type.Optional(shortText(64)),
          expect: Type.Union([Type.Literal('allow'), Type.Literal('deny')]),
        },
        strict,
      ),
      { minItems: 1, maxItems: MAX_CASES },
    ),
  },
  { ...strict, title: 'PolicyFile' },
)
export type PolicyFile = Static<typeof policyFileSchema>
type Case = PolicyFile['cases'][number]

export type CaseResult = {
  readonly name: string
  readonly passed: boolean
  readonly expected: 'allow' | 'deny'
  readonly decided: 'allow' | 'deny'
  readonly why: readonly Reason[]
}
export type PolicyReport = {
  readonly passed: number
  readonly failed: number
  readonly cases: readonly CaseResult[]
}

/** What each case decides. @throws kms/bad-rule for rules or role names without meaning */
export async function testPolicyFile({ roles = {}, cases }: PolicyFile): Promise<PolicyReport> {
  const all = Object.values(roles).flat()
  if (all.length > MAX_RULES_IN_FILE)
    throw new Fault('kms/bad-rule', { detail: `at most ${MAX_RULES_IN_FILE} rules in a file` })
  checkRules(all)
  const results: CaseResult[] = []
  for (const each of cases) {
    results.push(resultOf(each, roles))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const passed = results.filter((result) => result.passed).length
  return { passed, failed: results.length - passed, cases: results }
}

function resultOf(
  { name, roles, action, resource, at, address = 'local', expect }: Case,
  own: NonNullable<PolicyFile['roles']>,
): CaseResult {
  const decision = new CompiledPolicy(roles.flatMap((role) => heldBy(role, own))).decide({
    action,
    resource: resourceOfQuestion({ resource }),
    now: at === undefined ? 0 : fromRfc3339(at),
    address,
  })
  const decided = decision.allowed ? 'allow' : 'deny'
  return { name, passed: decided === expect, expected: expect, decided, why: decision.why }
}

function heldBy(role: string, own: NonNullable<PolicyFile['roles']>): readonly HeldRule[] {
  const rules: readonly Rule[] = Object.hasOwn(own, role)
    ? own[role]!
    : isBuiltInRole(role)
      ? BUILT_IN_ROLES[role]
      : unknownRole()
  return rules.map((rule, i) => ({
    rule,
    label: `role:${role}/${i + 1}`,
    scope: EVERYWHERE,
    startsAt: Number.NEGATIVE_INFINITY,
    endsAt: Number.POSITIVE_INFINITY,
  }))
}

function unknownRole(): never {
  throw new Fault('kms/bad-rule', { detail: 'a case names a role that the file does not have' })
}
