/** Folders over HTTP: by place, and by id. Deleting and restoring one is a matter of its secrets, too. */
import { Fault } from '@quorate/base'
import { Type } from '@sinclair/typebox'
import type { KmsContext } from '../../context.ts'
import type { GuardedRoute, KmsRoute, RouteInput } from '../access/route.ts'
import { actOf, type FolderHandlers, folderAnswer, folderJson } from './handlers.ts'
import { pathOf, placeText, segmentsOf } from './place.ts'
import {
  anyOf,
  checkMatch,
  environmentSlug,
  etagOf,
  exactly,
  folderId,
  folderName,
  folderPath,
  ifMatchOf,
  placeOfInput,
  projectId,
  requirePlace,
} from './schemas.ts'
import type { FolderTree } from './tree.ts'

type InEnvironment<Query = unknown, Body = unknown> = RouteInput<
  { readonly project: string; readonly environment: string },
  Query,
  Body
>
type OfFolder<Body = unknown> = RouteInput<{ readonly id: string }, unknown, Body>

const COLLECTION = '/api/v1/projects/{project}/environments/{environment}/folders'
const params = exactly({ project: projectId, environment: environmentSlug })
const byId = exactly({ id: folderId })

export function folderRoutes(
  handlers: FolderHandlers,
  { journal }: KmsContext,
): readonly KmsRoute[] {
  const { service } = handlers

  const list: GuardedRoute<InEnvironment<{ readonly path?: string }>> = {
    method: 'GET',
    path: COLLECTION,
    operationId: 'listFolders',
    summary: 'The folder at a path, and every folder below it',
    permission: 'folder.read',
    params,
    query: anyOf({ path: folderPath }),
    answer: Type.Object({ items: Type.Array(folderAnswer) }),
    resourceOf({ params, query }, principal) {
      const at = placeOfInput({ ...params, ...query }, principal)
      return at && { kind: 'folder', project: at.project, ...at.place }
    },
    async handle({ params, query, principal, record }) {
      const { project, place } = requirePlace({ ...params, ...query }, principal)
      const tree = await service.tree(project)
      const folder = tree.require(place)
      const mayRead = (id: string): boolean =>
        handlers.access.authorize(principal, 'folder.read', {
          kind: 'folder',
          project,
          ...tree.placeOf(id),
        }).allowed
      const items = tree.subtree(folder.id).filter(({ id }) => mayRead(id))
      await journal.record({ ...record, resource: folder.id, outcome: 'done', fields: [] })
      return { body: { items: items.map((each) => folderJson(each, tree)) } }
    },
  }
  const create: GuardedRoute<InEnvironment<unknown, { readonly path: string }>> = {
    method: 'POST',
    path: COLLECTION,
    operationId: 'createFolder',
    summary: 'Make a folder, and those above it that are missing',
    permission: 'folder.create',
    status: 201,
    params,
    body: exactly({ path: folderPath }),
    answer: folderAnswer,
    resourceOf({ params, body }, principal) {
      const at = placeOfInput({ ...params, ...body }, principal)
      return at && { kind: 'folder', project: at.project, ...at.place }
    },
    async handle(call) {
      const { project, place } = requirePlace({ ...call.params, ...call.body }, call.principal)
      const made = await service.create(project, place, actOf(call))
      return {
        headers: { etag: etagOf(made.version) },
        body: folderJson(made, await service.tree(project)),
      }
    },
  }
  const rename: GuardedRoute<OfFolder<{ readonly name: string }>> = {
    method: 'PATCH',
    path: '/api/v1/folders/{id}',
    operationId: 'renameFolder',
    summary: 'Give a folder another name; what is in it stays as it is',
    permission: 'folder.update',
    params: byId,
    body: exactly({ name: folderName }),
    answer: folderAnswer,
    resourceOf: handlers.resourceOf,
    async handle(call) {
      const folder = handlers.required(call)
      checkMatch(ifMatchOf(call.header('if-match')), folder.version)
      const { name } = call.body
      const from = (await service.tree(folder.project)).placeOf(folder.id)
      if (from !== undefined && folder.parent !== undefined) {
        const to = { ...from, path: pathOf([...segmentsOf(from.path).slice(0, -1), name]) }
        await handlers.moves.ofFolder(folder, to, 'folder.update', call.principal)
      }
      const next = await service.rename(folder, name, actOf(call))
      return {
        headers: { etag: etagOf(next.version) },
        body: folderJson(next, await service.tree(folder.project)),
      }
    },
  }
  const imports: GuardedRoute<OfFolder<{ readonly imports: readonly ImportBody[] }>> = {
    method: 'PUT',
    path: '/api/v1/folders/{id}/imports',
    operationId: 'setFolderImports',
    summary: 'Say which folders a folder imports, in order: the first that has a name gives it',
    permission: 'import.create',
    params: byId,
    body: exactly({
      imports: Type.Array(exactly({ environment: environmentSlug, path: folderPath }), {
        maxItems: 32,
      }),
    }),
    answer: folderAnswer,
    resourceOf: handlers.resourceOf,
    async handle(call) {
      const folder = handlers.required(call)
      checkMatch(ifMatchOf(call.header('if-match')), folder.version)
      const tree: FolderTree = await service.tree(folder.project)
      const ids = call.body.imports.map((given) => {
        const { place } = requirePlace({ project: folder.project, ...given }, call.principal)
        const resource = { kind: 'folder', project: folder.project, ...place }
        // Whether a folder is there is nothing that importing it should tell.
        if (!handlers.access.authorize(call.principal, 'import.read', resource).allowed)
          throw new Fault('kms/import-denied', { detail: placeText(place) })
        return tree.require(place).id
      })
      const next = await service.setImports(folder, ids, actOf(call))
      return {
        headers: { etag: etagOf(next.version) },
        body: folderJson(next, await service.tree(folder.project)),
      }
    },
  }
  return [list, create, rename, imports]
}

type ImportBody = { readonly environment: string; readonly path: string }
