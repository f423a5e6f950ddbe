/** Projects and environments over HTTP. */
import { toRfc3339 } from '@quorate/api'
import { type Id, parseId } from '@quorate/base'
import { type TSchema, Type } from '@sinclair/typebox'
import type { KmsContext } from '../../context.ts'
import type { Access, Resource } from '../access/port.ts'
import type { GuardedRoute, KmsRoute, RouteInput, SelfRoute } from '../access/route.ts'
import { actOf, type MoveCheck } from '../folders/handlers.ts'
import {
  anyOf,
  checkMatch,
  environmentSlug,
  etagOf,
  exactly,
  ifMatchOf,
  label,
  projectId,
} from '../folders/schemas.ts'
import type { Environment } from '../folders/tree.ts'
import type { SecretStore } from '../secrets/store.ts'
import { FIRST_ENVIRONMENTS, type Project } from './model.ts'
import type { ProjectService } from './service.ts'

type NoParams = { readonly [name: string]: string }
type OfProject<Body = unknown> = RouteInput<{ readonly project: string }, unknown, Body>
type OfEnvironment<Body = unknown> = RouteInput<
  { readonly project: string; readonly environment: string },
  unknown,
  Body
>
type EnvironmentBody = { readonly slug?: string; readonly name?: string }

const text: TSchema = Type.String()
const projectAnswer: TSchema = {
  ...Type.Object({
    id: text,
    name: text,
    version: Type.Integer(),
    createdAt: text,
    createdBy: text,
  }),
  title: 'Project',
}
const environmentAnswer: TSchema = {
  ...Type.Object({ id: text, slug: text, name: text, rootFolder: text, version: Type.Integer() }),
  title: 'Environment',
}
const projectJson = ({ id, name, version, createdAt, createdBy }: Project): object => ({
  id,
  name,
  version,
  createdAt: toRfc3339(createdAt),
  createdBy,
})
const environmentJson = ({ id, slug, name, root, version }: Environment): object => ({
  id,
  slug,
  name,
  rootFolder: root,
  version,
})

const params = exactly({ project: projectId })
const inEnvironment = exactly({ project: projectId, environment: environmentSlug })
const environmentName = Type.String({ minLength: 1, maxLength: 64 })

export function projectRoutes(
  projects: ProjectService,
  access: Access,
  secrets: SecretStore,
  moves: MoveCheck,
  { journal }: KmsContext,
): readonly KmsRoute[] {
  const idOf = ({ project }: { readonly project: string }): Id<'prj'> => parseId('prj', project)
  const projectResource = async (id: Id<'prj'>): Promise<Resource | undefined> =>
    (await projects.find(id)) && { kind: 'project', id, project: id }
  const environmentResource = async ({ params }: OfEnvironment): Promise<Resource> => ({
    kind: 'environment',
    project: idOf(params),
    environment: params.environment,
  })

  const list: SelfRoute<RouteInput<NoParams>> = {
    method: 'GET',
    path: '/api/v1/projects',
    operationId: 'listProjects',
    summary: 'The projects that the caller is in',
    permission: 'self',
    answer: Type.Object({ items: Type.Array(projectAnswer) }),
    async handle({ principal }) {
      const items = (await projects.list()).filter(({ id }) => access.isMember(principal, id))
      const membership = { allowed: true, rule: 'member', why: [] }
      await journal.record({
        ...access.recordOf(principal, 'project.list', { kind: 'project' }, membership),
        outcome: 'done',
        fields: [{ name: 'projects', kind: 'int', value: items.length }],
      })
      return { body: { items: items.map(projectJson) } }
    },
  }
  const create: GuardedRoute<
    RouteInput<
      NoParams,
      unknown,
      { readonly name: string; readonly environments?: readonly string[] }
    >
  > = {
    method: 'POST',
    path: '/api/v1/projects',
    operationId: 'createProject',
    summary: 'Make a project with its environments',
    permission: 'project.create',
    status: 201,
    body: exactly({
      name: label,
      environments: Type.Optional(
        Type.Array(environmentSlug, { minItems: 1, maxItems: 32, uniqueItems: true }),
      ),
    }),
    answer: projectAnswer,
    resourceOf: () => ({ kind: 'project' }),
    async handle(call) {
      const { name, environments = FIRST_ENVIRONMENTS } = call.body
      const made = await projects.create(name, environments, actOf(call))
      return { headers: { etag: etagOf(made.version) }, body: projectJson(made) }
    },
  }
  const read: GuardedRoute<OfProject> = {
    method: 'GET',
    path: '/api/v1/projects/{project}',
    operationId: 'readProject',
    summary: 'One project',
    permission: 'project.read',
    params,
    answer: projectAnswer,
    resourceOf: ({ params }) => projectResource(idOf(params)),
    async handle({ params, record }) {
      const project = await projects.require(idOf(params))
      await journal.record({ ...record, outcome: 'done', fields: [] })
      return { headers: { etag: etagOf(project.version) }, body: projectJson(project) }
    },
  }
  const rename: GuardedRoute<OfProject<{ readonly name: string }>> = {
    method: 'PATCH',
    path: '/api/v1/projects/{project}',
    operationId: 'renameProject',
    summary: 'Give a project another name',
    permission: 'project.update',
    params,
    body: exactly({ name: label }),
    answer: projectAnswer,
    resourceOf: ({ params }) => projectResource(idOf(params)),
    async handle(call) {
      const project = await projects.require(idOf(call.params))
      checkMatch(ifMatchOf(call.header('if-match')), project.version)
      const next = await projects.rename(project, call.body.name, actOf(call))
      return { headers: { etag: etagOf(next.version) }, body: projectJson(next) }
    },
  }
  const listEnvironments: GuardedRoute<OfProject> = {
    method: 'GET',
    path: '/api/v1/projects/{project}/environments',
    operationId: 'listEnvironments',
    summary: 'The environments of a project',
    permission: 'environment.read',
    params,
    answer: Type.Object({ items: Type.Array(environmentAnswer) }),
    resourceOf: ({ params }) => projectResource(idOf(params)),
    async handle({ params, record }) {
      const items = await projects.environments(idOf(params))
      await journal.record({ ...record, outcome: 'done', fields: [] })
      return { body: { items: items.map(environmentJson) } }
    },
  }
  const createEnvironment: GuardedRoute<OfProject<EnvironmentBody & { readonly slug: string }>> = {
    method: 'POST',
    path: '/api/v1/projects/{project}/environments',
    operationId: 'createEnvironment',
    summary: 'Add an environment to a project',
    permission: 'environment.create',
    status: 201,
    params,
    body: exactly({ slug: environmentSlug, name: Type.Optional(environmentName) }),
    answer: environmentAnswer,
    resourceOf: async ({ params, body }) => {
      const found = await projectResource(idOf(params))
      return found && { ...found, kind: 'environment', environment: body.slug }
    },
    async handle(call) {
      const { slug, name = slug } = call.body
      const project = await projects.require(idOf(call.params))
      const made = await projects.createEnvironment(project, slug, name, actOf(call))
      return { headers: { etag: etagOf(made.version) }, body: environmentJson(made) }
    },
  }
  const changeEnvironment: GuardedRoute<OfEnvironment<EnvironmentBody>> = {
    method: 'PATCH',
    path: '/api/v1/projects/{project}/environments/{environment}',
    operationId: 'changeEnvironment',
    summary: 'Give an environment another slug or name',
    permission: 'environment.update',
    params: inEnvironment,
    body: anyOf({ slug: environmentSlug, name: environmentName }),
    answer: environmentAnswer,
    resourceOf: environmentResource,
    async handle(call) {
      const { params, body } = call
      const before = await projects.environment(idOf(params), params.environment)
      checkMatch(ifMatchOf(call.header('if-match')), before.version)
      const { slug = before.slug, name = before.name } = body
      const root = await projects.rootOf(before)
      await moves.ofEnvironment(root, before.slug, slug, call.principal)
      const next = await projects.changeEnvironment(before, { slug, name }, actOf(call))
      return { headers: { etag: etagOf(next.version) }, body: environmentJson(next) }
    },
  }
  const deleteEnvironment: GuardedRoute<OfEnvironment> = {
    method: 'DELETE',
    path: '/api/v1/projects/{project}/environments/{environment}',
    operationId: 'deleteEnvironment',
    summary: 'Remove an environment that holds nothing',
    permission: 'environment.delete',
    status: 204,
    params: inEnvironment,
    resourceOf: environmentResource,
    async handle(call) {
      const { params } = call
      const found = await projects.environment(idOf(params), params.environment)
      await projects.deleteEnvironment(found, secrets, actOf(call))
      return {}
    },
  }
  return [
    list,
    create,
    read,
    rename,
    listEnvironments,
    createEnvironment,
    changeEnvironment,
    deleteEnvironment,
  ]
}
