/** Routes of identities and groups, and of what they hold. */
import type { Clock, Id } from '@quorate/base'
import { type Static, Type } from '@sinclair/typebox'
import { etagOf } from '../access/documents.ts'
import type { Scope } from '../access/model.ts'
import type { Resource } from '../access/port.ts'
import type { GuardedRoute, KmsRoute, RouteInput, SelfRoute } from '../access/route.ts'
import {
  idOf,
  type ListQuery,
  listOf,
  listQuery,
  pageOf,
  projectOf,
  scopeOf,
} from '../access/schema.ts'
import type { AccessService } from '../access/service.ts'
import type { GrantService } from './grant-service.ts'
import {
  approverKeySchema,
  grantAnswer,
  grantJson,
  grantOf,
  groupAnswer,
  groupJson,
  identityAnswer,
  identityChangeSchema,
  identityJson,
  keyAnswer,
  keyJson,
  type NewGrantJson,
  newGrantSchema,
  newGroupSchema,
  newIdentitySchema,
} from './json.ts'
import type { IdentityService } from './service.ts'

type ById = { readonly id: string }
type Nothing = Record<never, never>
const identityId = Type.Object({ id: idOf('idn') })
const groupId = Type.Object({ id: idOf('grp') })

/** The resource that a document is, `undefined` where there is none. */
export const resourceOfDocument = (
  kind: string,
  document: { readonly id: string; readonly project: Scope } | undefined,
): Resource | undefined =>
  document && { kind, id: document.id, project: projectOf(document.project) }

export function identityRoutes(
  access: AccessService,
  identities: IdentityService,
  grants: GrantService,
  clock: Clock,
): readonly KmsRoute[] {
  const ofIdentity = async ({ params }: RouteInput<ById>): Promise<Resource | undefined> =>
    resourceOfDocument('identity', await access.identities.get(params.id))
  const ofGroup = async ({ params }: RouteInput<ById>): Promise<Resource | undefined> =>
    resourceOfDocument('group', await access.groups.get(params.id))

  const self: SelfRoute = {
    method: 'GET',
    path: '/api/v1/self',
    operationId: 'getSelf',
    summary: 'Who you are',
    permission: 'self',
    answer: identityAnswer,
    handle: async ({ principal }) => ({
      body: identityJson(await identities.get(principal.id)),
    }),
  }

  const list: GuardedRoute<RouteInput<Nothing, ListQuery>> = {
    method: 'GET',
    path: '/api/v1/identities',
    operationId: 'listIdentities',
    summary: 'Identities of a project, or of the instance',
    permission: 'identity.read',
    query: listQuery,
    answer: listOf(identityAnswer),
    resourceOf: ({ query }) => ({ kind: 'identity', project: projectOf(scopeOf(query.project)) }),
    handle: async ({ query, record }) => {
      await access.note(record)
      const load = (page: { after: string; limit: number }) =>
        access.identities.list(scopeOf(query.project), page)
      return { body: await pageOf(query, load, identityJson) }
    },
  }

  const create: GuardedRoute<RouteInput<Nothing, unknown, Static<typeof newIdentitySchema>>> = {
    method: 'POST',
    path: '/api/v1/identities',
    operationId: 'createIdentity',
    summary: 'Enrol a person or a machine; it may nothing yet',
    permission: 'identity.create',
    body: newIdentitySchema,
    answer: identityAnswer,
    status: 201,
    resourceOf: ({ body }) => ({ kind: 'identity', project: projectOf(scopeOf(body.project)) }),
    handle: async ({ body, principal, record }) => {
      const { kind, name, project } = body
      const made = await identities.create(
        { principal, record },
        { kind, name, project: scopeOf(project) },
      )
      return { body: identityJson(made), headers: { etag: etagOf(made.version) } }
    },
  }

  const get: GuardedRoute<RouteInput<ById>> = {
    method: 'GET',
    path: '/api/v1/identities/{id}',
    operationId: 'getIdentity',
    summary: 'One identity, its groups and grants',
    permission: 'identity.read',
    params: identityId,
    answer: identityAnswer,
    resourceOf: ofIdentity,
    handle: async ({ params, record }) => {
      await access.note(record)
      const found = await identities.get(params.id)
      return { body: identityJson(found), headers: { etag: etagOf(found.version) } }
    },
  }

  const update: GuardedRoute<RouteInput<ById, unknown, Static<typeof identityChangeSchema>>> = {
    method: 'PATCH',
    path: '/api/v1/identities/{id}',
    operationId: 'updateIdentity',
    summary: 'Rename, put out of action or into groups',
    permission: 'identity.update',
    params: identityId,
    body: identityChangeSchema,
    answer: identityAnswer,
    resourceOf: ofIdentity,
    handle: async ({ params, body, principal, record, header }) => {
      const next = await identities.update(
        { principal, record },
        params.id,
        body,
        header('if-match'),
      )
      return { body: identityJson(next), headers: { etag: etagOf(next.version) } }
    },
  }

  const remove: GuardedRoute<RouteInput<ById>> = {
    method: 'DELETE',
    path: '/api/v1/identities/{id}',
    operationId: 'deleteIdentity',
    summary: 'Remove an identity with its tokens and secrets, at once',
    permission: 'identity.delete',
    params: identityId,
    status: 204,
    resourceOf: ofIdentity,
    handle: async ({ params, principal, record }) => {
      await identities.remove({ principal, record }, params.id)
      return {}
    },
  }

  const addKey: GuardedRoute<RouteInput<ById, unknown, Static<typeof approverKeySchema>>> = {
    method: 'POST',
    path: '/api/v1/identities/{id}/approver-keys',
    operationId: 'addApproverKey',
    summary: 'Enrol an Ed25519 key that signs approvals',
    permission: 'identity.update',
    params: identityId,
    body: approverKeySchema,
    answer: keyAnswer,
    status: 201,
    resourceOf: ofIdentity,
    handle: async ({ params, body, principal, record }) => ({
      body: keyJson(await identities.addApproverKey({ principal, record }, params.id, body)),
    }),
  }

  const removeKey: GuardedRoute<RouteInput<ById & { readonly keyId: string }>> = {
    method: 'DELETE',
    path: '/api/v1/identities/{id}/approver-keys/{keyId}',
    operationId: 'removeApproverKey',
    summary: 'Remove a key; its approvals of open requests stop counting',
    permission: 'identity.update',
    params: Type.Object({ id: idOf('idn'), keyId: idOf('apk') }),
    status: 204,
    resourceOf: ofIdentity,
    handle: async ({ params, principal, record }) => {
      await identities.removeApproverKey({ principal, record }, params.id, params.keyId)
      return {}
    },
  }

  const listGroups: GuardedRoute<RouteInput<Nothing, ListQuery>> = {
    method: 'GET',
    path: '/api/v1/groups',
    operationId: 'listGroups',
    summary: 'Groups of a project, or of the instance',
    permission: 'group.read',
    query: listQuery,
    answer: listOf(groupAnswer),
    resourceOf: ({ query }) => ({ kind: 'group', project: projectOf(scopeOf(query.project)) }),
    handle: async ({ query, record }) => {
      await access.note(record)
      const load = (page: { after: string; limit: number }) =>
        access.groups.list(scopeOf(query.project), page)
      return { body: await pageOf(query, load, groupJson) }
    },
  }

  const createGroup: GuardedRoute<RouteInput<Nothing, unknown, Static<typeof newGroupSchema>>> = {
    method: 'POST',
    path: '/api/v1/groups',
    operationId: 'createGroup',
    summary: 'Make a group',
    permission: 'group.write',
    body: newGroupSchema,
    answer: groupAnswer,
    status: 201,
    resourceOf: ({ body }) => ({ kind: 'group', project: projectOf(scopeOf(body.project)) }),
    handle: async ({ body, principal, record }) => ({
      body: groupJson(
        await grants.createGroup({ principal, record }, scopeOf(body.project), body.name),
      ),
    }),
  }

  const getGroup: GuardedRoute<RouteInput<ById>> = {
    method: 'GET',
    path: '/api/v1/groups/{id}',
    operationId: 'getGroup',
    summary: 'One group and its grants',
    permission: 'group.read',
    params: groupId,
    answer: groupAnswer,
    resourceOf: ofGroup,
    handle: async ({ params, record }) => {
      await access.note(record)
      return { body: groupJson(await grants.group(params.id)) }
    },
  }

  const removeGroup: GuardedRoute<RouteInput<ById>> = {
    method: 'DELETE',
    path: '/api/v1/groups/{id}',
    operationId: 'deleteGroup',
    summary: 'Remove a group without members',
    permission: 'group.write',
    params: groupId,
    status: 204,
    resourceOf: ofGroup,
    handle: async ({ params, principal, record }) => {
      await grants.removeGroup({ principal, record }, params.id)
      return {}
    },
  }

  return [
    self,
    list,
    create,
    get,
    update,
    remove,
    addKey,
    removeKey,
    listGroups,
    createGroup,
    getGroup,
    removeGroup,
    ...grantRoutes('identity', access, grants, clock),
    ...grantRoutes('group', access, grants, clock),
  ]
}

/** Giving and taking away is the same for an identity and for a group. */
function grantRoutes(
  kind: 'identity' | 'group',
  access: AccessService,
  grants: GrantService,
  clock: Clock,
): readonly KmsRoute[] {
  const [plural, prefix, noun] =
    kind === 'identity'
      ? (['identities', 'idn', 'Identity'] as const)
      : (['groups', 'grp', 'Group'] as const)
  const load = (id: string) =>
    kind === 'identity' ? access.identities.get(id) : access.groups.get(id)

  const add: GuardedRoute<RouteInput<ById, unknown, NewGrantJson>> = {
    method: 'POST',
    path: `/api/v1/${plural}/{id}/grants`,
    operationId: `grantTo${noun}`,
    summary: 'Give a role or rules, for good or for a time',
    permission: 'grant.write',
    params: Type.Object({ id: idOf(prefix) }),
    body: newGrantSchema,
    answer: grantAnswer,
    status: 201,
    resourceOf: async ({ params, body }) =>
      (await load(params.id)) && {
        kind,
        id: params.id,
        project: body.project as Id<'prj'> | undefined,
      },
    handle: async ({ params, body, principal, record }) => {
      const grant = grantOf(body, clock.now())
      return { body: grantJson(await grants.addGrant({ principal, record }, params.id, grant)) }
    },
  }

  const remove: GuardedRoute<RouteInput<ById & { readonly grantId: string }>> = {
    method: 'DELETE',
    path: `/api/v1/${plural}/{id}/grants/{grantId}`,
    operationId: `takeFrom${noun}`,
    summary: 'Take a grant away, at once',
    permission: 'grant.write',
    params: Type.Object({ id: idOf(prefix), grantId: idOf('grt') }),
    status: 204,
    resourceOf: async ({ params }) => {
      const found = (await load(params.id))?.body.grants.find(({ id }) => id === params.grantId)
      return found && { kind: 'grant', id: found.id, project: projectOf(found.scope) }
    },
    handle: async ({ params, principal, record }) => {
      await grants.removeGrant({ principal, record }, params.id, params.grantId)
      return {}
    },
  }
  return [add, remove]
}
