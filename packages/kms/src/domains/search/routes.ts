/** Search over HTTP. */
import { DEFAULT_LIMIT, toRfc3339 } from '@quorate/api'
import { parseId } from '@quorate/base'
import { Type } from '@sinclair/typebox'
import type { KmsContext } from '../../context.ts'
import type { GuardedRoute, KmsRoute, RouteInput } from '../access/route.ts'
import { parsePath } from '../folders/place.ts'
import {
  anyOf,
  environmentSlug,
  exactly,
  folderPath,
  type PageQuery,
  pageQuery,
  projectId,
} from '../folders/schemas.ts'
import { SEARCH_FIELDS, type SearchField } from './matcher.ts'
import type { Search, SearchHit } from './service.ts'

type Query = PageQuery & {
  readonly text: string
  readonly in?: SearchField
  readonly match?: 'prefix' | 'substring'
  readonly environment?: string
  readonly path?: string
}

const text = Type.String()

export function searchRoutes(search: Search, { journal }: KmsContext): readonly KmsRoute[] {
  const find: GuardedRoute<RouteInput<{ readonly project: string }, Query>> = {
    method: 'GET',
    path: '/api/v1/projects/{project}/search',
    operationId: 'searchSecrets',
    summary: 'Secrets whose name, tag or comment holds a text; never their values',
    permission: 'secret.list',
    params: exactly({ project: projectId }),
    query: Type.Object(
      {
        text: Type.String({ minLength: 1, maxLength: 128 }),
        ...anyOf({
          in: Type.Union(SEARCH_FIELDS.map((field) => Type.Literal(field))),
          match: Type.Union([Type.Literal('prefix'), Type.Literal('substring')]),
          environment: environmentSlug,
          path: folderPath,
          ...pageQuery,
        }).properties,
      },
      { additionalProperties: false },
    ),
    answer: Type.Object({
      items: Type.Array(
        Type.Object({
          id: text,
          secretName: text,
          type: text,
          version: Type.Integer(),
          comment: text,
          tags: Type.Array(text),
          environment: text,
          path: text,
          matched: Type.Array(text),
          updatedAt: text,
        }),
      ),
      nextCursor: Type.Union([text, Type.Null()]),
    }),
    resourceOf: ({ params, query }) => ({
      kind: 'secret',
      project: parseId('prj', params.project),
      ...(query.environment !== undefined && {
        environment: query.environment,
        path: parsePath(query.path ?? '/'),
      }),
    }),
    async handle({ params, query, principal, record }) {
      const { environment, path = '/', limit = DEFAULT_LIMIT } = query
      const { hits, next } = await search.find(
        parseId('prj', params.project),
        environment === undefined ? undefined : { environment, path: parsePath(path) },
        {
          text: query.text,
          fields: query.in === undefined ? SEARCH_FIELDS : [query.in],
          isPrefix: query.match === 'prefix',
        },
        principal,
        { limit, ...(query.cursor !== undefined && { after: query.cursor }) },
      )
      await journal.record({
        ...record,
        outcome: 'done',
        fields: [{ name: 'hits', kind: 'int', value: hits.length }],
      })
      return { body: { items: hits.map(hitJson), nextCursor: next ?? null } }
    },
  }
  return [find]
}

const hitJson = ({ stored: { head, current }, label, place, matched }: SearchHit): object => ({
  id: head.id,
  secretName: label.name,
  type: head.owner === undefined ? 'shared' : 'personal',
  version: current.version,
  comment: label.comment,
  tags: label.tags,
  environment: place.environment,
  path: place.path,
  matched,
  updatedAt: toRfc3339(current.at),
})
