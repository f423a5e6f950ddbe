/**
 * Backups of the nodes of a signing cluster, sealed to its recovery recipients: of one share, or files of a node, in which
 * all its shares are. Each is kept as a secret that holds bytes. They have a folder of their own, so a role can allow a node
 * this and nothing else; the KMS cannot open them.
 */
import { toRfc3339 } from '@quorate/api'
import { Fault, isFault, parseId } from '@quorate/base'
import { type TSchema, Type } from '@sinclair/typebox'
import type { Resource } from '../access/port.ts'
import type { GuardedCall, GuardedRoute, KmsRoute, RouteInput } from '../access/route.ts'
import type { Place } from '../folders/place.ts'
import { environmentSlug, etagOf, exactly, projectId } from '../folders/schemas.ts'
import type { SecretHandlers } from '../secrets/handlers.ts'
import type { SecretHistory } from '../secrets/history.ts'
import { changedAnswer, changedJson, newContent, patchOf } from '../secrets/json.ts'
import { MAX_BINARY_BYTES } from '../secrets/model.ts'

/** Where all backups of an environment lie. */
export const BACKUP_PATH = '/mpc-backup'

type Where = { readonly project: string; readonly environment: string }
type OfBackup<Body = unknown> = RouteInput<Where & { readonly node: string }, unknown, Body>

const ENVIRONMENT = '/api/v1/projects/{project}/environments/{environment}'
const ULID = '[0-7][0-9a-hjkmnp-tv-z]{25}'
const text: TSchema = Type.String()
const ofNode = {
  project: projectId,
  environment: environmentSlug,
  node: Type.String({ pattern: `^nod_${ULID}$` }),
}

/** One of the two kinds of backups. */
type Kind = {
  /** What operation ids end with. */
  readonly noun: string
  /** What follows the environment. */
  readonly path: string
  readonly params: TSchema
  readonly nameOf: (params: OfBackup['params']) => string
  /** What an answer says of it besides. */
  readonly about: { readonly [name: string]: TSchema }
  readonly aboutOf: (params: OfBackup['params']) => object
  readonly summaries: { readonly put: string; readonly get: string; readonly destroy: string }
}

type OfShare = OfBackup['params'] & { readonly wallet: string; readonly generation: string }
type OfFile = OfBackup['params'] & { readonly file: string }

const SHARE: Kind = {
  noun: 'ShareBackup',
  path: '/share-backups/{wallet}/{node}/{generation}',
  params: exactly({
    ...ofNode,
    wallet: Type.String({ pattern: `^wal_${ULID}$` }),
    generation: Type.String({ pattern: '^(0|[1-9]\\d{0,9})$' }),
  }),
  nameOf: (params) => {
    const { wallet, node, generation } = params as OfShare
    return `${wallet}.${node}.${generation}`
  },
  about: { wallet: text, node: text, generation: Type.Integer() },
  aboutOf: (params) => {
    const { wallet, node, generation } = params as OfShare
    return { wallet, node, generation: Number(generation) }
  },
  summaries: {
    put: "Keep a node's sealed backup of its share of one generation of a wallet",
    get: 'The newest sealed backup of that share',
    destroy: 'Remove the backup of an old generation for ever, every version of it',
  },
}

const FILE: Kind = {
  noun: 'NodeBackup',
  path: '/node-backups/{node}/{file}',
  params: exactly({
    ...ofNode,
    file: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,96}$' }),
  }),
  nameOf: (params) => `${params.node}.${(params as OfFile).file}`,
  about: { node: text, file: text },
  aboutOf: (params) => ({ node: params.node, file: (params as OfFile).file }),
  summaries: {
    put: 'Keep a file of a node, such as a part of its sealed backup',
    get: 'What that file holds now',
    destroy: 'Remove the file for ever, every version of it',
  },
}

const placeOf = ({ environment }: Where): Place => ({ environment, path: BACKUP_PATH })

export const backupRoutes = (
  handlers: SecretHandlers,
  history: SecretHistory,
): readonly KmsRoute[] => [SHARE, FILE].flatMap((kind) => routesOf(kind, handlers, history))

function routesOf(
  { noun, path, params, nameOf, about, aboutOf, summaries }: Kind,
  handlers: SecretHandlers,
  history: SecretHistory,
): readonly KmsRoute[] {
  const { secrets, folders, access } = handlers.parts
  const resourceOf: GuardedRoute<OfBackup>['resourceOf'] = ({ params: given }, principal) =>
    handlers.namedResource({ ...given, path: BACKUP_PATH }, nameOf(given), 'shared', principal)

  const create = async (call: GuardedCall<OfBackup>, backup: string): Promise<object> => {
    const { params: given, principal, record } = call
    const project = parseId('prj', given.project)
    const place = placeOf(given)
    const tree = await folders.tree(project)
    if (tree.find(place) === undefined) {
      const resource: Resource = { kind: 'folder', project, ...place }
      const decision = await access.check(principal, 'folder.create', resource)
      const audit = access.recordOf(principal, 'folder.create', resource, decision)
      await folders
        .create(project, place, {
          actor: principal.id,
          audit: { ...audit, outcome: 'done', fields: [] },
        })
        .catch((error: unknown) => {
          // Another node has just made it.
          if (!isFault(error, 'kms/name-taken')) throw error
        })
    }
    const folder = (await folders.tree(project)).require(place)
    await secrets.box.ready(project)
    const content = newContent(nameOf(given), { secretValue: backup, encoding: 'base64' })
    const prepared = secrets.prepareNew(folder, place, 'shared', content, { principal, record })
    await secrets.commit([prepared])
    return changedJson(prepared.changed)
  }

  const put: GuardedRoute<OfBackup<{ readonly backup: string }>> = {
    method: 'PUT',
    path: ENVIRONMENT + path,
    operationId: `put${noun}`,
    summary: summaries.put,
    permission: 'secret.create',
    params,
    body: exactly({
      backup: Type.String({ minLength: 4, maxLength: Math.ceil(MAX_BINARY_BYTES / 3) * 4 }),
    }),
    answer: changedAnswer,
    others: { 201: changedAnswer },
    resourceOf,
    async handle(call) {
      const { backup } = call.body
      const found = handlers.behind(call)
      if (found === undefined) return { status: 201, body: await create(call, backup) }
      const { principal, resource } = call
      const decision = await access.check(principal, 'secret.update', resource)
      const record = access.recordOf(principal, 'secret.update', resource, decision)
      return handlers.change(found, { ...call, record }, (current) =>
        secrets.prepareUpdate(
          current,
          current.place,
          patchOf({ secretValue: backup, encoding: 'base64' }),
          { principal, record },
        ),
      )
    },
  }
  const get: GuardedRoute<OfBackup> = {
    method: 'GET',
    path: ENVIRONMENT + path,
    operationId: `get${noun}`,
    summary: summaries.get,
    permission: 'secret.read',
    params,
    answer: Type.Object({
      id: text,
      ...about,
      version: Type.Integer(),
      backup: text,
      updatedAt: text,
    }),
    resourceOf,
    async handle(call) {
      const { principal, params: given, record } = call
      const found = await secrets.find(handlers.required(call).head.id, principal, true)
      if (found === undefined) throw new Fault('kms/no-secret')
      const read = await handlers.parts.reading.value(found, principal)
      const { current } = read.stored
      await handlers.answerRead(record, read)
      return {
        headers: { etag: etagOf(current.version) },
        body: {
          id: current.secret,
          ...aboutOf(given),
          version: current.version,
          backup: read.value?.value,
          updatedAt: toRfc3339(current.at),
        },
      }
    },
  }
  const destroy: GuardedRoute<OfBackup> = {
    method: 'DELETE',
    path: ENVIRONMENT + path,
    operationId: `destroy${noun}`,
    summary: summaries.destroy,
    permission: 'secret.delete',
    status: 204,
    params,
    resourceOf,
    async handle(call) {
      const found = handlers.required(call)
      const prepared = secrets.prepareDelete(found, found.place, call)
      await secrets.commit([prepared])
      const gone = await secrets.find(found.head.id, call.principal)
      if (gone === undefined) throw new Fault('kms/no-secret')
      await secrets.destroy(gone, await history.withValues(gone), call)
      return {}
    },
  }
  return [put, get, destroy]
}
