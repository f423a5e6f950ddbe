/** Requests that no client would send, to every route: no answer of 500, no hang, nothing hidden in the log. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import fc from 'fast-check'
import { secretsModule } from '#src/domains/secrets/module.js'
import { ENGINES, type Engine } from '../../engine-list.js'
import { startAccess } from './harness.js'
import { ROWS, type Sample, type World } from './route-rows.js'

const RUNS_PER_ROUTE = { sqlite: 25, postgresql: 5 } as const

const nasty = fc.constantFrom<unknown>(
  '',
  '\0',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '%',
  '*',
  '**',
  '\ud800',
  'e\u0301',
  'a'.repeat(5000),
  -1,
  0,
  1e308,
  Number.MAX_SAFE_INTEGER,
  null,
  true,
  [],
  {},
  [[[[]]]],
  { toString: 1 },
  '2026-02-30T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
)
const anything = fc.oneof(nasty, fc.jsonValue({ maxDepth: 3 }))
const words = fc.oneof(
  fc.constantFrom(
    '',
    '.',
    '%00',
    '*',
    'idn_01hgw2bbg00000000000000000',
    'a'.repeat(100),
    '__proto__',
  ),
  fc.string({ maxLength: 40 }),
)

/** The body of the sample with something of it replaced, removed or added; or something else altogether. */
function mutated(body: unknown): fc.Arbitrary<unknown> {
  if (typeof body !== 'object' || body === null) return anything
  const keys = [...Object.keys(body), 'surplus', '__proto__']
  const inside = fc
    .tuple(fc.constantFrom(...keys), anything, fc.boolean())
    .chain(([key, value, isDeep]) => {
      const old = (body as { readonly [name: string]: unknown })[key]
      const next =
        isDeep && typeof old === 'object' && old !== null ? mutated(old) : fc.constant(value)
      return next.map((chosen) =>
        Array.isArray(body)
          ? [...body, chosen]
          : Object.defineProperty({ ...body }, key, {
              value: chosen,
              enumerable: true,
              configurable: true,
              writable: true,
            }),
      )
    })
  return fc.oneof({ weight: 4, arbitrary: inside }, { weight: 1, arbitrary: anything })
}

/** Lone surrogates cannot stand in a URL. */
const wellFormed = (text: string): string => text.replace(/[\ud800-\udfff]/g, '?')

for (const engine of ENGINES)
  test(`${engine.name}: no request makes the server fail or hang`, { timeout: 240_000 }, (t) =>
    fuzz(t, engine),
  )

test('a number that the store cannot hold is refused, not looked for', async (t) => {
  const server = await startAccess(t, {
    system: true,
    more: [(context, access) => secretsModule(context, access)],
  })
  const { token } = await server.administrator()
  const { body: project } = await server.call('POST', '/api/v1/projects', {
    token,
    body: { name: 'first' },
  })
  const { body: secret } = await server.call('POST', '/api/v1/secrets', {
    token,
    body: {
      project: project.id,
      environment: 'development',
      path: '/',
      secretName: 'A',
      secretValue: 'x',
    },
  })
  const path = `/api/v1/secrets/${secret.id}/destroy`
  const answer = await server.call('POST', path, { token, body: { versions: [1, 1e308] } })
  assert.deepEqual([answer.status, answer.body.code], [422, 'platform/invalid-request'])
})

async function fuzz(t: TestContext, engine: Engine): Promise<void> {
  const server = await startAccess(t, {
    system: true,
    databaseUri: await engine.uri(),
    more: [(context, access) => secretsModule(context, access)],
  })
  const { token: admin } = await server.administrator()
  let count = 0
  const fresh = (prefix = 'n'): string => `${prefix}${++count}`
  const done: World['done'] = async (method, path, body) =>
    (await server.call(method, path, { token: admin, body })).body
  const project = (await done('POST', '/api/v1/projects', { name: 'first' })).id
  const world: World = { server, admin, project, fresh, done }
  const statuses = new Map<number, number>()
  for (const route of server.routes.filter(({ operationId }) => !ROWS[operationId]?.isLast)) {
    const { token } = await server.identity(admin, {
      kind: 'user',
      name: fresh(),
      grants: [{ role: 'admin' }],
    })
    const sample: Sample = (await ROWS[route.operationId]?.request(world)) ?? {
      body: {
        secret: 'x',
        name: 'x',
        clientId: 'x',
        clientSecret: 'x',
        identity: 'x',
        jwt: 'x',
        deviceCode: 'x',
      },
    }
    const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
    await fc.assert(
      fc.asyncProperty(
        mutated(sample.body),
        fc.dictionary(fc.constantFrom(...names, 'none'), words),
        fc.option(
          fc.dictionary(
            fc.oneof(
              fc.constantFrom('cursor', 'limit', 'project', 'at', 'path', 'text'),
              fc.string({ maxLength: 8 }),
            ),
            words,
          ),
          { nil: undefined },
        ),
        fc.boolean(),
        async (body, params, query, keepsParams) => {
          const values = { ...params, ...(keepsParams ? sample.params : {}) }
          const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) =>
            encodeURIComponent(wellFormed(values[name] ?? 'x')),
          )
          const search =
            query === undefined ? (sample.query ?? '') : new URLSearchParams(query).toString()
          const answer = await server.call(
            route.method,
            search === '' ? path : `${path}?${search}`,
            { token, body },
          )
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
          const isProvider = answer.body?.code === 'kms/identity-provider'
          assert.ok(
            answer.status < 500 || isProvider,
            `${route.operationId}: ${answer.status} ${JSON.stringify(answer.body)}`,
          )
        },
      ),
      { numRuns: RUNS_PER_ROUTE[engine.name], includeErrorInReport: true },
    )
  }
  assert.equal(server.internalErrors(), 0)
  // Some got through the schemas, and most did not.
  assert.ok(
    (statuses.get(200) ?? 0) > 20 && (statuses.get(422) ?? 0) > 200,
    JSON.stringify([...statuses]),
  )
}
