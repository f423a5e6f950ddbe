/** The OpenAPI 3.1 document of a node's HTTP API, generated from the route table. */
import type { TSchema } from '@sinclair/typebox'
import { PROBLEM_CONTENT_TYPE } from './problem.ts'
import { problemSchema } from './routes/operation.ts'
import { IDEMPOTENCY_HEADER, IDEMPOTENCY_KEY, ROUTES, type Route } from './routes/table.ts'

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }
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
  components.set(title, Object.fromEntries(entries))
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

const jsonOf = (schema: TSchema, components: Components): Json => ({
  'application/json': { schema: plain(schema, components) },
})

function operation(id: string, route: Route, components: Components): Json {
  const parameters = [
    ...parametersOf(route.params, 'path', components),
    ...parametersOf(route.query, 'query', components),
    ...(route.needsIdempotencyKey ? [IDEMPOTENCY_PARAMETER] : []),
  ]
  return {
    operationId: id,
    summary: route.summary,
    ...(route.permission === undefined
      ? { security: [] }
      : { description: `Needs the permission \`${route.permission}\`.` }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: jsonOf(route.body, components) } }),
    responses: {
      [route.status]: {
        description: route.status === 202 ? 'Begun; ask for the operation.' : 'Done.',
        content: jsonOf(route.answer, components),
      },
      default: {
        description: 'What went wrong (RFC 9457).',
        content: { [PROBLEM_CONTENT_TYPE]: { schema: plain(problemSchema, components) } },
      },
    },
  }
}

/** The document for `version` of the product. Deterministic. */
export function openApi(version: string): OpenApiDocument {
  const components: Components = new Map()
  const paths: { [path: string]: { [method: string]: Json } } = {}
  for (const [id, route] of Object.entries(ROUTES) as readonly [string, Route][])
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: operation(id, route, components),
    }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Quorate node',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:7600' }],
    security: [{ signedRequest: [] }],
    paths,
    components: {
      schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        signedRequest: {
          type: 'apiKey',
          in: 'header',
          name: 'authorization',
          description: 'Each HTTP request is signed with the enrolled Ed25519 key of the client.',
        },
      },
    },
  }
}
