/** Every answer that a test gets is held against what the OpenAPI document says of it. */
import assert from 'node:assert/strict'
import { PROBLEM_CONTENT_TYPE, problemSchema } from '@quorate/api'
import { type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { KmsRoute } from '#src/domains/access/route.js'

export type Answered = {
  readonly status: number
  readonly type: string
  readonly text: string
  readonly body: unknown
}

const patterns = new WeakMap<KmsRoute, RegExp>()
function patternOf(route: KmsRoute): RegExp {
  const known = patterns.get(route)
  if (known !== undefined) return known
  const made = new RegExp(`^${route.path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]*')}$`)
  patterns.set(route, made)
  return made
}

function schemaOf(route: KmsRoute, status: number): TSchema | null | undefined {
  const other = route.others?.[status]
  if (other !== undefined) return other as TSchema | null
  const { answer, text, status: usual = 200 } = route
  if (status !== (answer === undefined && text === undefined ? 204 : usual)) return undefined
  return text === undefined ? ((answer as TSchema | undefined) ?? null) : Type.String()
}

/** @throws AssertionError for a status, a type or a property that the document does not have */
export function checkAnswer(
  routes: readonly KmsRoute[],
  method: string,
  path: string,
  { status, type, text, body }: Answered,
): void {
  const [only = ''] = path.split('?')
  const route =
    routes.find((each) => each.method === method && each.path === only) ??
    routes.find((each) => each.method === method && patternOf(each).test(only))
  // Paths that lead nowhere are answered by the server itself.
  if (route === undefined) return
  const where = `${route.operationId}: ${status}`
  const schema = schemaOf(route, status)
  if (schema === undefined) {
    assert.ok(status >= 400, `${where} is not in the document`)
    assert.equal(type.split(';')[0], PROBLEM_CONTENT_TYPE, where)
    checkJson(problemSchema, body, where)
    return
  }
  if (schema === null) assert.equal(text, '', where)
  else if (route.text !== undefined) assert.equal(type, route.text, where)
  else checkJson(schema, body, where)
}

/** It is as the schema says, and has nothing that the schema does not name. */
function checkJson(schema: TSchema, body: unknown, where: string): void {
  const [first] = Value.Errors(schema, body)
  assert.equal(first, undefined, `${where}: ${first?.path} ${first?.message}`)
  assert.deepEqual(Value.Clean(schema, structuredClone(body)), body, where)
}
