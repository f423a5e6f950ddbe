/** The document of the API is what the server does: every route, with all that goes in and comes out. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { secretsModule } from '#src/domains/secrets/module.js'
import { startAccess, type TestServer } from './domains/access/harness.js'

const start = (t: TestContext): Promise<TestServer> =>
  startAccess(t, {
    system: true,
    more: [(context, access) => secretsModule(context, access)],
  })

type Json = { readonly [key: string]: Json } | readonly Json[] | string | number | boolean | null

/** Every object in the document, with where it stands. */
function* walk(
  node: Json,
  at = '',
): Generator<readonly [string, { readonly [key: string]: Json }]> {
  if (typeof node !== 'object' || node === null) return
  if (!Array.isArray(node)) yield [at, node as { readonly [key: string]: Json }]
  for (const [key, child] of Object.entries(node)) yield* walk(child as Json, `${at}/${key}`)
}

test('it has every route with what goes in and what comes out', async (t) => {
  const server = await start(t)
  const { token } = await server.administrator()
  const path = '/api/v1/openapi.json'
  assert.equal((await server.call('GET', path)).status, 401)
  const { body: document } = await server.call('GET', path, { token })
  assert.equal(document.openapi, '3.1.0')
  let operations = 0
  for (const each of Object.values(document.paths) as object[])
    operations += Object.keys(each).length
  assert.equal(operations, server.routes.length)
  for (const route of server.routes) {
    const where = route.operationId
    const operation = document.paths[route.path][route.method.toLowerCase()]
    assert.equal(operation.operationId, where)
    assert.equal(operation.requestBody !== undefined, route.body !== undefined, where)
    assert.deepEqual(operation.security, route.permission === 'public' ? [] : undefined, where)
    for (const [, name] of route.path.matchAll(/\{(\w+)\}/g))
      assert.ok(
        operation.parameters.some(
          (each: { name: string; in: string; schema: object }) =>
            each.name === name && each.in === 'path' && Object.keys(each.schema).length > 0,
        ),
        `${where}: ${name}`,
      )
    assert.ok(operation.responses.default.content['application/problem+json'], where)
    assert.ok(operation.responses['429'].headers['retry-after'], where)
    const good = Object.keys(operation.responses).filter((status) => status.startsWith('2'))
    assert.ok(good.length > 0, where)
    for (const status of good)
      assert.equal(operation.responses[status].content === undefined, status === '204', where)
  }
})

test('no schema lets everything pass, and every reference leads somewhere', async (t) => {
  const server = await start(t)
  const { token } = await server.administrator()
  const { body: document } = await server.call('GET', '/api/v1/openapi.json', { token })
  let references = 0
  for (const [at, node] of walk(document as Json)) {
    const { $ref: reference } = node
    if (typeof reference === 'string') {
      references++
      assert.ok(document.components.schemas[reference.replace('#/components/schemas/', '')], at)
    }
    if (/\/(schema|items)$|\/properties\/[^/]+$/.test(at))
      assert.ok(Object.keys(node).length > 0, `${at} is empty`)
  }
  assert.ok(references > 100)
})
