/** Routes of roles, and of asking what somebody may. */
import { type Static, Type } from '@sinclair/typebox'
import { ACTION_NAMES, ACTIONS, type Action } from './actions.ts'
import { etagOf } from './documents.ts'
import type { Role } from './grant.ts'
import { ruleSchema, rulesSchema } from './model.ts'
import type { Decision, Resource } from './port.ts'
import { type Question, questionSchema, resourceOfQuestion, timeOfQuestion } from './question.ts'
import type { RoleService } from './role-service.ts'
import { BUILT_IN_ROLES } from './roles.ts'
import type { GuardedRoute, KmsRoute, RouteInput, SelfRoute } from './route.ts'
import {
  idOf,
  type ListQuery,
  listOf,
  listQuery,
  nameText,
  pageOf,
  projectOf,
  scopeOf,
  strict,
} from './schema.ts'
import type { AccessService } from './service.ts'
import { type PolicyFile, policyFileSchema, testPolicyFile } from './simulate.ts'

const byId = Type.Object({ id: idOf('rol') })
type ById = { readonly id: string }
const rolesOfProject = { kind: 'role' }

const newRole = Type.Object(
  {
    project: Type.Optional(idOf('prj')),
    name: nameText,
    description: Type.Optional(Type.String({ maxLength: 512 })),
    rules: rulesSchema,
  },
  strict,
)
const roleChange = Type.Object(
  {
    name: Type.Optional(nameText),
    description: Type.Optional(Type.String({ maxLength: 512 })),
    rules: Type.Optional(rulesSchema),
  },
  strict,
)

const roleAnswer = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    project: Type.Union([Type.String(), Type.Null()]),
    description: Type.String(),
    isBuiltIn: Type.Boolean(),
    rules: Type.Array(ruleSchema),
    version: Type.Integer(),
  },
  { title: 'Role' },
)
const whyAnswer = Type.Array(
  Type.Object({
    rule: Type.String(),
    effect: Type.String(),
    matched: Type.Boolean(),
    because: Type.String(),
  }),
)
const decisionAnswer = Type.Object(
  { allowed: Type.Boolean(), rule: Type.Union([Type.String(), Type.Null()]), why: whyAnswer },
  { title: 'AccessDecision' },
)
const reportAnswer = Type.Object({
  passed: Type.Integer(),
  failed: Type.Integer(),
  cases: Type.Array(
    Type.Object({
      name: Type.String(),
      passed: Type.Boolean(),
      expected: Type.String(),
      decided: Type.String(),
      why: whyAnswer,
    }),
  ),
})

const roleJson = ({ id, name, project, version, body }: Role) => ({
  id,
  name,
  project: projectOf(project) ?? null,
  description: body.description,
  isBuiltIn: false,
  rules: body.rules,
  version,
})
const builtIns = () =>
  Object.entries(BUILT_IN_ROLES).map(([name, rules]) => ({
    id: name,
    name,
    project: null,
    description: 'built in',
    isBuiltIn: true,
    rules,
    version: 1,
  }))

const decisionJson = ({ allowed, rule, why }: Decision) => ({ allowed, rule: rule ?? null, why })

export function accessRoutes(access: AccessService, roles: RoleService): readonly KmsRoute[] {
  const ofRole = async ({ params }: RouteInput<ById>): Promise<Resource | undefined> => {
    const role = await access.roles.get(params.id)
    return role && { kind: 'role', id: role.id, project: projectOf(role.project) }
  }

  const listActions: SelfRoute = {
    method: 'GET',
    path: '/api/v1/access/actions',
    operationId: 'listActions',
    summary: 'Everything that can be permitted',
    permission: 'self',
    answer: Type.Object({
      items: Type.Array(
        Type.Object({
          action: Type.String(),
          scope: Type.String(),
          access: Type.String(),
          attributes: Type.Array(Type.String()),
        }),
      ),
    }),
    handle: () => ({
      body: { items: ACTION_NAMES.map((action) => ({ action, ...ACTIONS[action] })) },
    }),
  }

  const whySelf: SelfRoute<RouteInput<Record<never, never>, unknown, Question>> = {
    method: 'POST',
    path: '/api/v1/access/why',
    operationId: 'explainOwnAccess',
    summary: 'What you may, and every rule that says so',
    permission: 'self',
    body: questionSchema,
    answer: decisionAnswer,
    handle: async ({ principal, body }) => {
      const holder = await access.holder(principal.id)
      return { body: decisionJson(decide(holder, body, principal.address)) }
    },
  }

  const why: GuardedRoute<RouteInput<ById, unknown, Question>> = {
    method: 'POST',
    path: '/api/v1/identities/{id}/why',
    operationId: 'explainAccess',
    summary: 'What somebody may, and every rule that says so',
    permission: 'access.explain',
    params: Type.Object({ id: idOf('idn') }),
    body: questionSchema,
    answer: decisionAnswer,
    resourceOf: async ({ params, body }) => {
      const found = await access.identities.get(params.id)
      return found && { kind: 'identity', id: found.id, project: resourceOfQuestion(body).project }
    },
    handle: async ({ params, body, principal, record }) => {
      await access.note(record)
      const holder = await access.holder(params.id)
      return { body: decisionJson(decide(holder, body, principal.address)) }
    },
  }

  const decide = (
    holder: Awaited<ReturnType<AccessService['holder']>>,
    body: Question,
    address: string,
  ): Decision =>
    access.decideFor(holder, {
      action: body.action as Action,
      resource: resourceOfQuestion(body),
      now: timeOfQuestion(body),
      address: body.address ?? address,
    })

  const testPolicy: SelfRoute<RouteInput<Record<never, never>, unknown, PolicyFile>> = {
    method: 'POST',
    path: '/api/v1/access/test',
    operationId: 'testPolicy',
    summary: 'Run the cases of a policy file; nothing is stored',
    permission: 'self',
    body: policyFileSchema,
    answer: reportAnswer,
    handle: async ({ body }) => ({ body: await testPolicyFile(body) }),
  }

  const list: GuardedRoute<RouteInput<Record<never, never>, ListQuery>> = {
    method: 'GET',
    path: '/api/v1/roles',
    operationId: 'listRoles',
    summary: 'Roles of a project, built-in ones first',
    permission: 'role.read',
    query: listQuery,
    answer: listOf(roleAnswer),
    resourceOf: ({ query }) => ({ ...rolesOfProject, project: projectOf(scopeOf(query.project)) }),
    handle: async ({ query, record }) => {
      await access.note(record)
      const found = await pageOf(
        query,
        (page) => access.roles.list(scopeOf(query.project), page),
        roleJson,
      )
      const items = query.cursor === undefined ? [...builtIns(), ...found.items] : found.items
      return { body: { ...found, items } }
    },
  }

  const create: GuardedRoute<RouteInput<Record<never, never>, unknown, Static<typeof newRole>>> = {
    method: 'POST',
    path: '/api/v1/roles',
    operationId: 'createRole',
    summary: 'Make a role',
    permission: 'role.write',
    body: newRole,
    answer: roleAnswer,
    status: 201,
    resourceOf: ({ body }) => ({ ...rolesOfProject, project: projectOf(scopeOf(body.project)) }),
    handle: async ({ body, principal, record }) => {
      const { project, name, rules, description = '' } = body
      const role = await roles.create({ principal, record }, scopeOf(project), name, {
        rules,
        description,
      })
      return { body: roleJson(role), headers: { etag: etagOf(role.version) } }
    },
  }

  const get: GuardedRoute<RouteInput<ById>> = {
    method: 'GET',
    path: '/api/v1/roles/{id}',
    operationId: 'getRole',
    summary: 'One role',
    permission: 'role.read',
    params: byId,
    answer: roleAnswer,
    resourceOf: ofRole,
    handle: async ({ params, record }) => {
      await access.note(record)
      const role = await roles.get(params.id)
      return { body: roleJson(role), headers: { etag: etagOf(role.version) } }
    },
  }

  const update: GuardedRoute<RouteInput<ById, unknown, Static<typeof roleChange>>> = {
    method: 'PATCH',
    path: '/api/v1/roles/{id}',
    operationId: 'updateRole',
    summary: 'Change a role, and with it what its holders may',
    permission: 'role.write',
    params: byId,
    body: roleChange,
    answer: roleAnswer,
    resourceOf: ofRole,
    handle: async ({ params, body, principal, record, header }) => {
      const role = await roles.update({ principal, record }, params.id, body, header('if-match'))
      return { body: roleJson(role), headers: { etag: etagOf(role.version) } }
    },
  }

  const remove: GuardedRoute<RouteInput<ById>> = {
    method: 'DELETE',
    path: '/api/v1/roles/{id}',
    operationId: 'deleteRole',
    summary: 'Remove a role that nobody has',
    permission: 'role.write',
    params: byId,
    status: 204,
    resourceOf: ofRole,
    handle: async ({ params, principal, record }) => {
      await roles.remove({ principal, record }, params.id)
      return {}
    },
  }

  return [listActions, whySelf, why, testPolicy, list, create, get, update, remove]
}
