/** Versions of one secret over HTTP. */
import { DEFAULT_LIMIT, toRfc3339 } from '@quorate/api'
import { Fault, toBase64, wipe } from '@quorate/base'
import { Type } from '@sinclair/typebox'
import type { GuardedCall, GuardedRoute, KmsRoute, RouteInput } from '../access/route.ts'
import { anyOf, etagOf, exactly, type PageQuery, pageQuery, secretId } from '../folders/schemas.ts'
import type { SecretHandlers } from './handlers.ts'
import type { SecretHistory } from './history.ts'
import { changedAnswer } from './json.ts'
import { type Label, textOf, type VersionHead } from './model.ts'
import type { FoundSecret } from './service.ts'

type OfSecret<Query = unknown, Body = unknown> = RouteInput<{ readonly id: string }, Query, Body>
type OfVersion = RouteInput<{ readonly id: string; readonly version: string }>

const params = exactly({ id: secretId })
const versionNumber = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
const versionParams = exactly({
  id: secretId,
  version: Type.String({ pattern: '^[1-9]\\d{0,14}$' }),
})
const BASE = '/api/v1/secrets/{id}'

const text = Type.String()
const versionFields = {
  version: Type.Integer(),
  change: text,
  contentOf: Type.Integer(),
  secretName: text,
  comment: text,
  tags: Type.Array(text),
  destroyed: Type.Boolean(),
  at: text,
  actor: text,
}
const versionJson = (version: VersionHead, { name, comment, tags }: Label): object => ({
  version: version.version,
  change: version.change,
  contentOf: version.contentOf,
  secretName: name,
  comment,
  tags,
  destroyed: version.isDestroyed,
  at: toRfc3339(version.at),
  actor: version.actor,
})

export function historyRoutes(
  handlers: SecretHandlers,
  history: SecretHistory,
): readonly KmsRoute[] {
  const { secrets, context } = handlers.parts
  const resourceOf: GuardedRoute<OfSecret>['resourceOf'] = (input, principal) =>
    handlers.resource(input.params.id, principal)

  /** Records that versions were read. */
  const recordRead = (
    { record }: GuardedCall<OfSecret>,
    { head }: FoundSecret,
    versions: readonly number[],
  ): Promise<void> =>
    context.journal.record({
      ...record,
      resource: head.id,
      outcome: 'done',
      fields: versions.map((value, i) => ({
        name: i === 0 ? 'version' : 'other',
        kind: 'int',
        value,
      })),
    })

  const listVersions: GuardedRoute<OfSecret<PageQuery>> = {
    method: 'GET',
    path: `${BASE}/versions`,
    operationId: 'listSecretVersions',
    summary: 'Who changed a secret, when and how; newest first, without values',
    permission: 'secret.history',
    params,
    query: anyOf(pageQuery),
    answer: Type.Object({
      items: Type.Array(Type.Object(versionFields)),
      nextCursor: Type.Union([text, Type.Null()]),
    }),
    resourceOf,
    async handle(call) {
      const found = handlers.required(call)
      const { cursor, limit = DEFAULT_LIMIT } = call.query
      const before = cursor === undefined ? undefined : Number(cursor)
      if (before !== undefined && !Number.isSafeInteger(before)) throw new Fault('kms/no-version')
      const { items, hasMore } = await history.versions(found, limit, before)
      await recordRead(call, found, [])
      return {
        body: {
          items: items.map(({ label, ...version }) => versionJson(version, label)),
          nextCursor: hasMore ? String(items.at(-1)?.version) : null,
        },
      }
    },
  }
  const readVersion: GuardedRoute<OfVersion> = {
    method: 'GET',
    path: `${BASE}/versions/{version}`,
    operationId: 'readSecretVersion',
    summary: 'What one version held; references stay as they are written',
    permission: 'secret.history',
    params: versionParams,
    answer: Type.Object({
      ...versionFields,
      id: text,
      secretValue: text,
      encoding: text,
    }),
    resourceOf,
    async handle(call) {
      const found = handlers.required(call)
      const content = await history.content(found, Number(call.params.version))
      try {
        const value = textOf(content)
        await recordRead(call, found, [content.version])
        return {
          headers: { etag: etagOf(found.head.version) },
          body: {
            id: found.head.id,
            ...versionJson(content, content),
            secretValue: value ?? toBase64(content.value),
            encoding: value === undefined ? 'base64' : 'utf8',
          },
        }
      } finally {
        wipe(content.value)
      }
    },
  }
  const diff: GuardedRoute<OfSecret<{ readonly from?: number; readonly to?: number }>> = {
    method: 'GET',
    path: `${BASE}/diff`,
    operationId: 'diffSecretVersions',
    summary: 'What differs between two versions: the newest and the one before it, unless told',
    permission: 'secret.history',
    params,
    query: anyOf({ from: versionNumber, to: versionNumber }),
    answer: Type.Object({
      id: text,
      from: Type.Integer(),
      to: Type.Integer(),
      differences: Type.Array(
        Type.Object({
          field: text,
          before: Type.Union([text, Type.Null()]),
          after: Type.Union([text, Type.Null()]),
        }),
      ),
    }),
    resourceOf,
    async handle(call) {
      const found = handlers.required(call)
      const { to = found.head.version } = call.query
      const { from = Math.max(1, to - 1) } = call.query
      const differences = await history.diff(found, from, to)
      await recordRead(call, found, [from, to])
      return { body: { id: found.head.id, from, to, differences } }
    },
  }
  const rollback: GuardedRoute<OfSecret<unknown, { readonly version: number }>> = {
    method: 'POST',
    path: `${BASE}/rollback`,
    operationId: 'rollbackSecret',
    summary: 'Make a new version with the content of an earlier one; brings a deleted secret back',
    permission: 'secret.rollback',
    params,
    body: exactly({ version: versionNumber }),
    answer: changedAnswer,
    resourceOf,
    handle: (call) =>
      handlers.change(
        handlers.required(call),
        call,
        (current) => history.prepareRollback(current, call.body.version, call),
        true,
      ),
  }
  const undo: GuardedRoute<OfSecret> = {
    method: 'POST',
    path: `${BASE}/undo`,
    operationId: 'undoSecretChange',
    summary: 'Undo the newest change: a new version with the content of the one before',
    permission: 'secret.rollback',
    params,
    body: exactly({}),
    answer: changedAnswer,
    resourceOf,
    handle: (call) =>
      handlers.change(
        handlers.required(call),
        call,
        (current) => history.prepareUndo(current, call),
        true,
      ),
  }
  const destroy: GuardedRoute<OfSecret<unknown, { readonly versions: readonly number[] }>> = {
    method: 'POST',
    path: `${BASE}/destroy`,
    operationId: 'destroySecretVersions',
    summary: 'Remove the values of earlier versions for ever',
    permission: 'secret.delete',
    status: 204,
    params,
    body: exactly({
      versions: Type.Array(versionNumber, { minItems: 1, maxItems: 100, uniqueItems: true }),
    }),
    resourceOf,
    async handle(call) {
      const found = handlers.required(call)
      const versions = await Promise.all(
        call.body.versions.map((version) => history.version(found, version)),
      )
      await secrets.destroy(found, versions, call)
      return {}
    },
  }
  return [listVersions, readVersion, diff, rollback, undo, destroy]
}
