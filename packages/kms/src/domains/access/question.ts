/** A question about access as JSON: an action on a resource, by default now and from here. */
import { fromRfc3339 } from '@quorate/api'
import type { Id } from '@quorate/base'
import { type Static, Type } from '@sinclair/typebox'
import { ACTION_NAMES } from './actions.ts'
import type { Resource } from './port.ts'
import { idOf, shortText, strict, time } from './schema.ts'

/** What can be told apart in a resource. */
export const resourceSchema = Type.Object(
  {
    environment: Type.Optional(shortText(64)),
    path: Type.Optional(Type.String({ pattern: '^/', maxLength: 1040 })),
    name: Type.Optional(shortText(128)),
    tags: Type.Optional(Type.Array(shortText(64), { maxItems: 64 })),
  },
  strict,
)

export const questionSchema = Type.Object(
  {
    action: Type.Union(ACTION_NAMES.map((action) => Type.Literal(action))),
    project: Type.Optional(idOf('prj')),
    resource: Type.Optional(resourceSchema),
    at: Type.Optional(time),
    address: Type.Optional(shortText(64)),
  },
  { ...strict, title: 'AccessQuestion' },
)
export type Question = Static<typeof questionSchema>

export const resourceOfQuestion = ({
  project,
  resource,
}: {
  readonly project?: string | undefined
  readonly resource?: Question['resource'] | undefined
}): Resource => ({ kind: 'question', ...resource, project: project as Id<'prj'> | undefined })

/** Milliseconds since the epoch, `undefined` for now. @throws base/malformed */
export const timeOfQuestion = ({ at }: Pick<Question, 'at'>): number | undefined =>
  at === undefined ? undefined : fromRfc3339(at)
