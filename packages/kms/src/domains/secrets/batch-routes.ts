/** Batches and files over HTTP. */
import { Type } from '@sinclair/typebox'
import type { GuardedCall, GuardedRoute, KmsRoute, RouteInput } from '../access/route.ts'
import {
  anyOf,
  environmentSlug,
  exactly,
  folderPath,
  projectId,
  requirePlace,
  secretName,
  yesOrNo,
} from '../folders/schemas.ts'
import {
  type Batches,
  MAX_OPERATIONS,
  ON_CONFLICT,
  type OnConflict,
  type Operation,
} from './batch.ts'
import { FILE_FORMATS, type FileFormat } from './formats.ts'
import { optionsOf, type ReadQuery, type SecretHandlers } from './handlers.ts'
import { changedAnswer, changedJson, contentBody, secretType } from './json.ts'
import { ENVIRONMENT } from './routes.ts'

type InFolder<Query = unknown, Body = unknown> = RouteInput<
  { readonly project: string; readonly environment: string },
  { readonly path?: string } & Query,
  Body
>
type ImportBody = {
  readonly format: FileFormat
  readonly content: string
  readonly literal?: boolean
  readonly onConflict?: OnConflict
  readonly dryRun?: boolean
}

const params = exactly({ project: projectId, environment: environmentSlug })
const oneOf = (values: readonly string[]) => Type.Union(values.map((value) => Type.Literal(value)))
const text = Type.String()

/** A whole file of secrets, as JSON text. */
const MAX_FILE_LENGTH = 900_000

export function batchRoutes(handlers: SecretHandlers, batches: Batches): readonly KmsRoute[] {
  const { context, folders, secrets, requests } = handlers.parts
  const resourceOf: GuardedRoute<InFolder>['resourceOf'] = (input, principal) =>
    handlers.placeResource({ ...input.params, ...input.query }, principal)

  const run = async (
    call: GuardedCall<InFolder>,
    operations: readonly Operation[],
  ): Promise<readonly object[]> => {
    const { principal, idempotencyKey: key } = call
    const { project, place } = requirePlace({ ...call.params, ...call.query }, principal)
    await secrets.box.ready(project)
    return requests.once<readonly object[]>(
      { principal, project, key, request: { route: 'batch', place, operations } },
      async (keep) =>
        (
          await batches.run(project, place, operations, principal, (changed) =>
            keep(changed.map(changedJson)),
          )
        ).map(changedJson),
    )
  }

  const batch: GuardedRoute<InFolder<unknown, { readonly operations: readonly Operation[] }>> = {
    method: 'POST',
    path: `${ENVIRONMENT}/batch`,
    operationId: 'changeSecrets',
    summary: 'Create, update and delete secrets of a folder, all or none',
    // Each operation is checked for its own permission besides.
    permission: 'secret.list',
    params,
    query: anyOf({ path: folderPath }),
    body: exactly({
      operations: Type.Array(
        exactly({
          op: oneOf(['create', 'update', 'delete', 'put']),
          secretName,
          type: Type.Optional(secretType),
          ...anyOf(contentBody).properties,
        }),
        { minItems: 1, maxItems: MAX_OPERATIONS },
      ),
    }),
    answer: Type.Object({ items: Type.Array(changedAnswer) }),
    resourceOf,
    handle: async (call) => ({ body: { items: await run(call, call.body.operations) } }),
  }

  const importFile: GuardedRoute<InFolder<unknown, ImportBody>> = {
    method: 'POST',
    path: `${ENVIRONMENT}/files`,
    operationId: 'importSecrets',
    summary: 'Store the secrets of a .env, JSON or YAML file, all or none',
    permission: 'secret.list',
    params,
    query: anyOf({ path: folderPath }),
    body: Type.Object(
      {
        format: oneOf(FILE_FORMATS),
        content: Type.String({ maxLength: MAX_FILE_LENGTH }),
        literal: Type.Optional(Type.Boolean()),
        onConflict: Type.Optional(oneOf(ON_CONFLICT)),
        dryRun: Type.Optional(Type.Boolean()),
      },
      { additionalProperties: false },
    ),
    answer: Type.Object({
      created: Type.Array(text),
      updated: Type.Array(text),
      unchanged: Type.Array(text),
      dryRun: Type.Boolean(),
    }),
    resourceOf,
    async handle(call) {
      const { body, principal, record } = call
      const { project, place } = requirePlace({ ...call.params, ...call.query }, principal)
      const { format, content, literal = false, onConflict = 'fail', dryRun = false } = body
      await secrets.box.ready(project)
      const { plan, operations } = await batches.planImport(
        project,
        place,
        { format, content, isLiteral: literal },
        onConflict,
        principal,
      )
      if (dryRun || operations.length === 0)
        await context.journal.record({ ...record, outcome: 'done', fields: [] })
      else await run({ ...call, idempotencyKey: undefined }, operations)
      return { body: { ...plan, dryRun } }
    },
  }

  const exportFile: GuardedRoute<InFolder<ReadQuery & { readonly format?: FileFormat }>> = {
    method: 'GET',
    path: `${ENVIRONMENT}/files`,
    operationId: 'exportSecrets',
    summary: 'The secrets of a folder as a .env, JSON or YAML file',
    permission: 'secret.read',
    params,
    query: anyOf({
      path: folderPath,
      format: oneOf(FILE_FORMATS),
      imports: yesOrNo,
      expand: yesOrNo,
      personal: yesOrNo,
    }),
    answer: Type.Object({
      format: text,
      content: text,
      count: Type.Integer(),
      binary: Type.Integer(),
    }),
    resourceOf,
    async handle({ params: where, query, principal, record }) {
      const { project, place } = requirePlace({ ...where, ...query }, principal)
      const { format = 'env' } = query
      const file = await batches.export(project, place, format, principal, optionsOf(query))
      const folder = (await folders.tree(project)).require(place)
      await context.journal.record({
        ...record,
        resource: folder.id,
        outcome: 'done',
        fields: [{ name: 'secrets', kind: 'int', value: file.count }],
      })
      return { body: { format, ...file } }
    },
  }
  return [batch, importFile, exportFile]
}
