/** What a folder was, and bringing it back, over HTTP. */
import { fromRfc3339, toRfc3339 } from '@quorate/api'
import { Fault } from '@quorate/base'
import { Type } from '@sinclair/typebox'
import type { GuardedRoute, KmsRoute, RouteInput } from '../access/route.ts'
import { type FolderHandlers, folderAnswerPlace } from '../folders/handlers.ts'
import { anyOf, exactly, folderId, time, yesOrNo } from '../folders/schemas.ts'
import type { SecretParts } from './handlers.ts'
import type { Plan, Recovery } from './recovery.ts'

type OfFolder<Query = unknown, Body = unknown> = RouteInput<{ readonly id: string }, Query, Body>

const params = exactly({ id: folderId })
const text = Type.String()
const planAnswer = Type.Object({
  at: text,
  dryRun: Type.Boolean(),
  changes: Type.Array(
    Type.Object({
      type: text,
      change: text,
      id: text,
      name: text,
      ...folderAnswerPlace,
      fromVersion: Type.Integer(),
      toVersion: Type.Union([Type.Integer(), Type.Null()]),
    }),
  ),
})

const planJson = ({ at, changes }: Plan, dryRun: boolean): object => ({
  at: toRfc3339(at),
  dryRun,
  changes: changes.map(({ type, kind, id, name, place, from, to }) => ({
    type,
    change: kind,
    id,
    name,
    environment: place.environment,
    path: place.path,
    fromVersion: from,
    toVersion: to ?? null,
  })),
})

export function recoveryRoutes(
  folders: FolderHandlers,
  recovery: Recovery,
  { context }: SecretParts,
): readonly KmsRoute[] {
  /** A time that has come already. @throws kms/cannot-restore */
  const pastTime = (given: string): number => {
    const at = fromRfc3339(given)
    if (at > context.clock.now())
      throw new Fault('kms/cannot-restore', { detail: 'that time has not come yet' })
    return at
  }

  const snapshot: GuardedRoute<OfFolder<{ readonly at: string }>> = {
    method: 'GET',
    path: '/api/v1/folders/{id}/snapshot',
    operationId: 'readFolderSnapshot',
    summary:
      'Which secrets a folder and those below it held at a time; names and versions, no values',
    permission: 'folder.read',
    params,
    query: exactly({ at: time }),
    answer: Type.Object({
      at: text,
      items: Type.Array(
        Type.Object({
          id: text,
          secretName: text,
          version: Type.Integer(),
          ...folderAnswerPlace,
          changedAt: text,
          changedBy: text,
          destroyed: Type.Boolean(),
        }),
      ),
    }),
    resourceOf: folders.resourceOf,
    async handle(call) {
      const at = pastTime(call.query.at)
      const items = await recovery.snapshot(folders.required(call), at, call.principal)
      await context.journal.record({
        ...call.record,
        outcome: 'done',
        fields: [{ name: 'secrets', kind: 'int', value: items.length }],
      })
      return {
        body: {
          at: toRfc3339(at),
          items: items.map((item) => ({
            id: item.id,
            secretName: item.name,
            version: item.version,
            environment: item.place.environment,
            path: item.place.path,
            changedAt: toRfc3339(item.at),
            changedBy: item.actor,
            destroyed: item.isDestroyed,
          })),
        },
      }
    },
  }
  const restore: GuardedRoute<
    OfFolder<unknown, { readonly at: string; readonly dryRun?: boolean }>
  > = {
    method: 'POST',
    path: '/api/v1/folders/{id}/restore',
    operationId: 'restoreFolder',
    summary:
      'Make a folder, with all below it, what it was at a time; dryRun shows what would change',
    permission: 'folder.restore',
    params,
    body: exactly({ at: time, dryRun: Type.Optional(Type.Boolean()) }),
    answer: planAnswer,
    resourceOf: folders.resourceOf,
    async handle(call) {
      const { body, principal, record } = call
      const at = pastTime(body.at)
      const folder = folders.required(call)
      if (body.dryRun !== true)
        return { body: planJson(await recovery.restore(folder, at, call), false) }
      const plan = await recovery.plan(folder, at, principal)
      await context.journal.record({
        ...record,
        outcome: 'done',
        fields: [{ name: 'planned', kind: 'int', value: plan.changes.length }],
      })
      return { body: planJson(plan, true) }
    },
  }
  const remove: GuardedRoute<OfFolder<{ readonly recursive?: string }>> = {
    method: 'DELETE',
    path: '/api/v1/folders/{id}',
    operationId: 'deleteFolder',
    summary: 'Delete a folder; a restore of the folder above brings it back',
    permission: 'folder.delete',
    status: 204,
    params,
    query: anyOf({ recursive: yesOrNo }),
    resourceOf: folders.resourceOf,
    async handle(call) {
      await recovery.deleteFolder(folders.required(call), call.query.recursive === 'true', call)
      return {}
    },
  }
  return [snapshot, restore, remove]
}
