/** The input of requests against the schemas of their route. */
import type { FastifyRequest } from 'fastify'
import { toFault } from './problems.ts'
import type { HttpRoute, JsonSchema } from './route.ts'

type Part = 'params' | 'body' | 'query'
type Validate = ReturnType<FastifyRequest['compileValidationSchema']>

/** Where nothing is said, a query is refused. */
const NO_QUERY: JsonSchema = { type: 'object', additionalProperties: false }

/**
 * Checks what a route is sent. Each schema is compiled when the first request meets it: to compile those of
 * every route would be most of the work of a start.
 */
export class InputCheck {
  readonly #parts: { readonly part: Part; readonly schema: JsonSchema; validate?: Validate }[] = []

  constructor({ params, body, query = NO_QUERY }: NonNullable<HttpRoute<unknown>['schema']> = {}) {
    for (const [part, schema] of Object.entries({ params, body, query }))
      if (schema !== undefined) this.#parts.push({ part: part as Part, schema })
  }

  /** @throws platform/invalid-request naming the first thing that is wrong */
  check(request: FastifyRequest): void {
    for (const each of this.#parts) {
      each.validate ??= request.compileValidationSchema({ ...each.schema })
      // What was not sent is checked as null, which no schema takes for an object.
      if (each.validate(request[each.part] ?? null) !== true)
        throw toFault({ validation: each.validate.errors ?? [], validationContext: each.part })
    }
  }
}
