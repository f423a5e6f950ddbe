/**
 * Secrets over HTTP: by id, and by name at a place. What names no project or environment means the
 * token's project and `development`.
 */

import { Fault } from '@quorate/base'
import { Type } from '@sinclair/typebox'
import { after } from '../../soon.ts'
import type { GuardedRoute, KmsRoute, RouteInput } from '../access/route.ts'
import {
  anyOf,
  environmentSlug,
  exactly,
  folderPath,
  isOn,
  type PageQuery,
  type PlaceInput,
  pageQuery,
  projectId,
  requirePlace,
  secretId,
  secretName,
  yesOrNo,
} from '../folders/schemas.ts'
import { optionsOf, type ReadQuery, type SecretHandlers } from './handlers.ts'
import {
  type CreateBody,
  changedAnswer,
  createBody,
  type PatchBody,
  patchBody,
  putBody,
  secretAnswer,
  secretType,
} from './json.ts'

const readOptions = { imports: yesOrNo, expand: yesOrNo, personal: yesOrNo }
const placeQuery = { project: projectId, environment: environmentSlug, path: folderPath }
const inEnvironment = { project: projectId, environment: environmentSlug }
/** Beside the secrets of it: their names are all that follows `/secrets/`. */
export const ENVIRONMENT = '/api/v1/projects/{project}/environments/{environment}'
const COLLECTION: string = `${ENVIRONMENT}/secrets`

type NoParams = { readonly [name: string]: string }
export type ById = RouteInput<{ readonly id: string }>
type InEnvironment = { readonly project: string; readonly environment: string }
type ListQuery = PageQuery & ReadQuery & PlaceInput & { readonly values?: string }
type ByName<Body = unknown> = RouteInput<
  InEnvironment & { readonly name: string },
  ReadQuery & { readonly path?: string; readonly type?: 'shared' | 'personal' },
  Body
>

const listAnswer = Type.Object({
  items: Type.Array(secretAnswer),
  nextCursor: Type.Union([Type.String(), Type.Null()]),
  withheld: Type.Integer(),
})

/** Secrets by id. */
export function secretRoutes(handlers: SecretHandlers): readonly KmsRoute[] {
  const createSecret: GuardedRoute<RouteInput<NoParams, unknown, CreateBody & PlaceInput>> = {
    method: 'POST',
    path: '/api/v1/secrets',
    operationId: 'createSecret',
    summary: 'Store a new secret',
    permission: 'secret.create',
    status: 201,
    body: exactly({ ...createBody, ...anyOf(placeQuery).properties }),
    answer: changedAnswer,
    resourceOf: ({ body }, principal) =>
      handlers.placeResource(body, principal, { name: body.secretName, tags: body.tags ?? [] }),
    handle: (call) => handlers.create(call.body, call.body, call),
  }
  const listSecrets: GuardedRoute<RouteInput<NoParams, ListQuery>> = {
    method: 'GET',
    path: '/api/v1/secrets',
    operationId: 'listSecrets',
    summary: 'List secrets by name; their values too where that is asked for',
    permission: 'secret.list',
    query: anyOf({ ...placeQuery, ...pageQuery, ...readOptions, values: yesOrNo }),
    answer: listAnswer,
    resourceOf: ({ query }, principal) => handlers.placeResource(query, principal),
    handle: (call) => handlers.list(call.query, call.query, call),
  }
  const readSecret: GuardedRoute<
    RouteInput<{ readonly id: string }, { readonly expand?: string }>
  > = {
    method: 'GET',
    path: '/api/v1/secrets/{id}',
    operationId: 'readSecret',
    summary: 'Read one secret',
    permission: 'secret.read',
    params: exactly({ id: secretId }),
    query: anyOf({ expand: yesOrNo }),
    answer: secretAnswer,
    resourceOf: ({ params }, principal) => handlers.resource(params.id, principal, true),
    handle(call) {
      const { query, principal, record } = call
      const isExpanded = isOn(query.expand, true)
      const read = handlers.parts.reading.value(handlers.required(call), principal, isExpanded)
      return after(read, (each) => handlers.answerRead(record, each))
    },
  }
  const updateSecret: GuardedRoute<RouteInput<{ readonly id: string }, unknown, PatchBody>> = {
    method: 'PATCH',
    path: '/api/v1/secrets/{id}',
    operationId: 'updateSecret',
    summary: 'Change value, name, comment or tags of a secret; a new version',
    permission: 'secret.update',
    params: exactly({ id: secretId }),
    body: patchBody,
    answer: changedAnswer,
    resourceOf: ({ params }, principal) => handlers.resource(params.id, principal, true),
    handle: (call) => handlers.update(handlers.required(call), call.body, call),
  }
  const deleteSecret: GuardedRoute<ById> = {
    method: 'DELETE',
    path: '/api/v1/secrets/{id}',
    operationId: 'deleteSecret',
    summary: 'Delete a secret; its versions stay and can be restored',
    permission: 'secret.delete',
    params: exactly({ id: secretId }),
    answer: changedAnswer,
    resourceOf: ({ params }, principal) => handlers.resource(params.id, principal),
    handle: (call) => handlers.remove(handlers.required(call), call),
  }

  return [createSecret, listSecrets, readSecret, updateSecret, deleteSecret]
}

/** Secrets by name in a folder. */
export function placedSecretRoutes(handlers: SecretHandlers): readonly KmsRoute[] {
  const { access, reading } = handlers.parts
  const nameParams = exactly({ ...inEnvironment, name: secretName })
  const resourceOf: GuardedRoute<ByName>['resourceOf'] = ({ params, query }, principal) =>
    handlers.namedResource({ ...params, ...query }, params.name, query.type ?? 'shared', principal)
  const createSecretAt: GuardedRoute<
    RouteInput<
      { readonly project: string; readonly environment: string },
      { readonly path?: string },
      CreateBody
    >
  > = {
    method: 'POST',
    path: COLLECTION,
    operationId: 'createSecretAt',
    summary: 'Store a new secret in a folder',
    permission: 'secret.create',
    status: 201,
    params: exactly(inEnvironment),
    query: anyOf({ path: folderPath }),
    body: exactly(createBody),
    answer: changedAnswer,
    resourceOf: ({ params, query, body }, principal) =>
      handlers.placeResource({ ...params, ...query }, principal, {
        name: body.secretName,
        tags: body.tags ?? [],
      }),
    handle: (call) => handlers.create({ ...call.params, ...call.query }, call.body, call),
  }

  const listSecretsAt: GuardedRoute<
    RouteInput<{ readonly project: string; readonly environment: string }, ListQuery>
  > = {
    method: 'GET',
    path: COLLECTION,
    operationId: 'listSecretsAt',
    summary: 'List the secrets of a folder',
    permission: 'secret.list',
    params: exactly(inEnvironment),
    query: anyOf({ path: folderPath, ...pageQuery, ...readOptions, values: yesOrNo }),
    answer: listAnswer,
    resourceOf: ({ params, query }, principal) =>
      handlers.placeResource({ ...query, ...params }, principal),
    handle: (call) => handlers.list({ ...call.query, ...call.params }, call.query, call),
  }

  const readSecretAt: GuardedRoute<ByName> = {
    method: 'GET',
    path: `${COLLECTION}/{name}`,
    operationId: 'readSecretAt',
    summary: 'Read the secret that a name means in a folder, imports included',
    permission: 'secret.read',
    params: nameParams,
    query: anyOf({ path: folderPath, ...readOptions }),
    answer: secretAnswer,
    // Of an imported secret the resolver asks for itself, where it is found.
    resourceOf,
    async handle({ params, query, principal, record }) {
      const { project, place } = requirePlace({ ...params, ...query }, principal)
      const read = await reading.one(project, place, params.name, principal, optionsOf(query))
      return handlers.answerRead(record, read)
    },
  }
  const putSecretAt: GuardedRoute<ByName<CreateBody>> = {
    method: 'PUT',
    path: `${COLLECTION}/{name}`,
    operationId: 'putSecretAt',
    summary: 'Store a secret under a name, new or as the next version',
    permission: 'secret.update',
    params: nameParams,
    query: anyOf({ path: folderPath, type: secretType }),
    body: putBody,
    answer: changedAnswer,
    others: { 201: changedAnswer },
    resourceOf,
    async handle(call) {
      const { params, query, body, principal } = call
      const opened = handlers.behind(call)
      if (opened !== undefined) return handlers.update(opened, body, call)
      const at = { ...params, ...query }
      const resource = handlers.placeResource(at, principal, {
        name: params.name,
        tags: body.tags ?? [],
      })
      if (resource === undefined) throw new Fault('kms/no-project')
      const decision = await access.check(principal, 'secret.create', resource)
      const record = access.recordOf(principal, 'secret.create', resource, decision)
      const given = { ...body, secretName: params.name, type: query.type ?? 'shared' }
      return handlers.create(at, given, { ...call, record })
    },
  }
  const deleteSecretAt: GuardedRoute<ByName> = {
    method: 'DELETE',
    path: `${COLLECTION}/{name}`,
    operationId: 'deleteSecretAt',
    summary: 'Delete the secret of that name',
    permission: 'secret.delete',
    params: nameParams,
    query: anyOf({ path: folderPath, type: secretType }),
    answer: changedAnswer,
    resourceOf,
    handle: (call) => handlers.remove(handlers.required(call), call),
  }
  return [createSecretAt, listSecretsAt, readSecretAt, putSecretAt, deleteSecretAt]
}
