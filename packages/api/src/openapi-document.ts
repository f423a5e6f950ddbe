/** An OpenAPI 3.1 document out of the schemas that validate what comes in and say what goes out. */
import { bug } from '@quorate/base'
import type { TSchema } from '@sinclair/typebox'
import { PROBLEM_CONTENT_TYPE } from './problem.ts'
import { problemSchema } from './routes/operation.ts'
import { IDEMPOTENCY_HEADER, IDEMPOTENCY_KEY } from './routes/table.ts'

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [name: string]: Json }
export type OpenApiDocument = { readonly [name: string]: Json }

/** Named schemas met on the way, by name. */
type Components = Map<string, Json>

/** `node` as plain JSON, with a reference in place of every named schema, which goes to `components`. */
function plain(node: unknown, components: Components): Json {
  if (Array.isArray(node)) return node.map((each) => plain(each, components))
  if (typeof node !== 'object' || node === null) return node as Json
  const { title } = node as { readonly title?: unknown }
  const entries = Object.entries(node).map(
    ([key, value]) => [key, plain(value, components)] as const,
  )
  // Among the properties of an object `title` may be one of them, and then it is a schema.
  if (typeof title !== 'string') return Object.fromEntries(entries)
  const schema = Object.fromEntries(entries)
  const known = components.get(title)
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema))
    bug(`two schemas are called ${title}`)
  components.set(title, schema)
  return { $ref: `#/components/schemas/${title}` }
}

function parametersOf(
  schema: TSchema | undefined,
  place: 'path' | 'query',
  components: Components,
): readonly Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    readonly properties?: { readonly [name: string]: TSchema }
    readonly required?: readonly string[]
  }
  return Object.entries(properties).map(([name, each]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: plain(each, components),
  }))
}

const IDEMPOTENCY_PARAMETER: Json = {
  name: IDEMPOTENCY_HEADER,
  in: 'header',
  required: true,
  description: 'The same key and body within 24 hours give the same operation.',
  schema: { type: 'string', pattern: IDEMPOTENCY_KEY.source },
}

/** What a server says with one status. */
export type ApiAnswer = {
  readonly description: string
  /** Absent: nothing. */
  readonly content?: {
    /** `application/json` unless told. */
    readonly type?: string
    readonly schema: TSchema
  }
}

/** One method of one path. */
export type ApiOperation = {
  readonly id: string
  readonly method: string
  /** With parameters in braces. */
  readonly path: string
  readonly summary: string
  readonly description?: string | undefined
  /** Whether it serves without a client's proof of who it is. */
  readonly isPublic: boolean
  readonly params?: TSchema | undefined
  readonly query?: TSchema | undefined
  readonly body?: TSchema | undefined
  readonly needsIdempotencyKey: boolean
  readonly answers: { readonly [status: string]: ApiAnswer }
}

export type ApiDescription = {
  readonly title: string
  readonly version: string
  /** URL of a server as it is by default. */
  readonly server: string
  /** Ways by which a client proves who it is, by name; one of them is enough. */
  readonly securitySchemes: { readonly [name: string]: Json }
  /** What 503 means. */
  readonly unavailable: string
  readonly operations: readonly ApiOperation[]
}

const contentOf = (
  { type = 'application/json', schema }: NonNullable<ApiAnswer['content']>,
  components: Components,
): Json => ({ [type]: { schema: plain(schema, components) } })

const answered = ({ description, content }: ApiAnswer, components: Components): Json => ({
  description,
  ...(content !== undefined && { content: contentOf(content, components) }),
})

const problem = (
  description: string,
  components: Components,
): { readonly [name: string]: Json } => ({
  description,
  content: { [PROBLEM_CONTENT_TYPE]: { schema: plain(problemSchema, components) } },
})

/** One that says when to come again. */
const refused = (description: string, components: Components): Json => ({
  ...problem(description, components),
  headers: {
    'retry-after': {
      description: 'Seconds until it is worth another try.',
      schema: { type: 'integer', minimum: 1 },
    },
  },
})

function operation(each: ApiOperation, unavailable: string, components: Components): Json {
  const { id, summary, description, isPublic, body } = each
  const parameters = [
    ...parametersOf(each.params, 'path', components),
    ...parametersOf(each.query, 'query', components),
    ...(each.needsIdempotencyKey ? [IDEMPOTENCY_PARAMETER] : []),
  ]
  return {
    operationId: id,
    summary,
    ...(isPublic && { security: [] }),
    ...(description !== undefined && { description }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { required: true, content: contentOf({ schema: body }, components) },
    }),
    responses: {
      429: refused('Too many requests of this client.', components),
      503: refused(unavailable, components),
      ...Object.fromEntries(
        Object.entries(each.answers).map(([status, answer]) => [
          status,
          answered(answer, components),
        ]),
      ),
      default: problem('What went wrong (RFC 9457).', components),
    },
  }
}

/** The document. Deterministic: the same description gives the same one. */
export function openApiDocument(api: ApiDescription): OpenApiDocument {
  const components: Components = new Map()
  const paths: { [path: string]: { [method: string]: Json } } = {}
  for (const each of api.operations)
    paths[each.path] = {
      ...paths[each.path],
      [each.method.toLowerCase()]: operation(each, api.unavailable, components),
    }
  return {
    openapi: '3.1.0',
    info: {
      title: api.title,
      version: api.version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: api.server }],
    security: Object.keys(api.securitySchemes).map((name) => ({ [name]: [] })),
    paths,
    components: {
      schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: api.securitySchemes,
    },
  }
}
