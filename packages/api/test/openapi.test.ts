import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openApi, ROUTES } from '@quorate/api'

type Node = { readonly [key: string]: Node } | readonly Node[] | string | number | boolean | null

/** Every object in the document. */
function* walk(node: Node): Generator<{ readonly [key: string]: Node }> {
  if (typeof node !== 'object' || node === null) return
  if (!Array.isArray(node)) yield node as { readonly [key: string]: Node }
  for (const child of Object.values(node)) yield* walk(child as Node)
}

const document = JSON.parse(JSON.stringify(openApi('1.2.3')))

test('it has every route with its method, body, parameters and answer', () => {
  assert.equal(document.openapi, '3.1.0')
  for (const [id, route] of Object.entries(ROUTES)) {
    const operation = document.paths[route.path][route.method.toLowerCase()]
    assert.equal(operation.operationId, id)
    assert.equal(operation.requestBody !== undefined, route.body !== undefined)
    const type = route.isStream ? 'text/event-stream' : 'application/json'
    for (const status of new Set([200, route.status]))
      assert.ok(operation.responses[String(status)].content[type].schema, id)
    for (const status of ['429', '503'])
      assert.ok(operation.responses[status].headers['retry-after'])
    assert.ok(operation.responses.default.content['application/problem+json'])
    const names: readonly string[] = (operation.parameters ?? []).map(
      (p: { name: string }) => p.name,
    )
    assert.equal(names.includes('idempotency-key'), route.needsIdempotencyKey)
    for (const [, name] of route.path.matchAll(/\{(\w+)\}/g)) assert.ok(names.includes(name!))
  }
})

test('every reference leads somewhere, and named schemas are not repeated', () => {
  const schemas = document.components.schemas
  const refs = [...walk(document)].flatMap((node) =>
    typeof node['$ref'] === 'string' ? [node['$ref']] : [],
  )
  assert.ok(refs.length > 10)
  for (const ref of refs) assert.ok(schemas[ref.replace('#/components/schemas/', '')], ref)
  assert.deepEqual(document.components.schemas.Operation.properties.problem, {
    $ref: '#/components/schemas/Problem',
  })
})

test('only the health route needs no client', () => {
  const open = Object.entries(document.paths as { [path: string]: { get?: { security?: [] } } })
    .filter(([, { get }]) => get?.security?.length === 0)
    .map(([path]) => path)
  assert.deepEqual(open, ['/health'])
  assert.deepEqual(document.security, [
    { signedRequest: [] },
    { accessToken: [] },
    { clientCertificate: [] },
  ])
})
