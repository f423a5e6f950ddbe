/** Every route × kind of identity × permission × foreign project. A route without a row fails. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { Logger } from '@quorate/base'
import { ACTIONS, type Action } from '#src/domains/access/actions.js'
import type { GuardedRoute, KmsRoute } from '#src/domains/access/route.js'
import { secretsModule } from '#src/domains/secrets/module.js'
import { startKms } from '#src/server.js'
import { testConfig } from '#src/testing/index.js'
import { ENGINES, type Engine } from '../../engine-list.js'
import { type Answer, startAccess } from './harness.js'
import { PUBLIC, ROWS, type Sample, type World } from './route-rows.js'

const [SQLITE] = ENGINES as readonly [Engine, ...Engine[]]

async function openWorld(
  t: TestContext,
  engine: Engine = SQLITE,
): Promise<World & { readonly other: string }> {
  const server = await startAccess(t, {
    system: true,
    databaseUri: await engine.uri(),
    more: [(context, access) => secretsModule(context, access)],
  })
  const { token: admin } = await server.administrator()
  let count = 0
  const fresh = (prefix = 'n'): string => `${prefix}${++count}`
  const done: World['done'] = async (method, path, body) => {
    const answer = await server.call(method, path, { token: admin, body })
    assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const project = (await done('POST', '/api/v1/projects', { name: 'first' })).id
  const other = (await done('POST', '/api/v1/projects', { name: 'second' })).id
  return { server, admin, project, other, fresh, done }
}

const isGuarded = (route: KmsRoute): route is GuardedRoute =>
  route.permission !== 'self' && route.permission !== 'public'

function send(
  world: World,
  route: KmsRoute,
  sample: Sample,
  token: string | undefined,
): Promise<Answer> {
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(sample.params?.[name] ?? name),
  )
  const url = sample.query === undefined ? path : `${path}?${sample.query}`
  return world.server.call(route.method, url, {
    token,
    body: sample.body,
    headers: { 'idempotency-key': world.fresh('idempotency-') },
  })
}

/** An identity that is a member of the project by something else than this. */
const otherThan = (action: Action): Action =>
  action === 'operation.read' ? 'tag.read' : 'operation.read'

test('every route of the server has a row, and every row a route', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'kms-routes-'))
  const silent: Logger = { log: () => undefined, with: () => silent }
  const running = await startKms(testConfig(directory), silent)
  t.after(async () => {
    await running.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  const idsOf = (routes: readonly KmsRoute[]): readonly string[] =>
    routes.map(({ operationId }) => operationId).sort()
  const ids = idsOf(running.routes)
  assert.equal(new Set(ids).size, ids.length, 'an operation id is used twice')
  assert.deepEqual(ids, [...Object.keys(ROWS), ...PUBLIC].sort())
  assert.deepEqual(
    idsOf(running.routes.filter(({ permission }) => permission === 'public')),
    [...PUBLIC].sort(),
  )
  // The walks below meet the same routes.
  assert.deepEqual(idsOf((await openWorld(t)).server.routes), ids)
})

test('without a good token nobody passes a route that is not public', async (t) => {
  const world = await openWorld(t)
  for (const route of world.server.routes.filter(({ permission }) => permission !== 'public')) {
    const sample = await ROWS[route.operationId]!.request(world)
    for (const token of [undefined, 'qkt_x', `qkt_${'0'.repeat(59)}`]) {
      const { status, body } = await send(world, route, sample, token)
      assert.deepEqual([status, body?.code], [401, 'kms/unauthenticated'], route.operationId)
    }
  }
})

const TABLES = ENGINES.flatMap((engine) =>
  (['user', 'machine'] as const).map((kind) => ({ engine, kind })),
)
for (const { engine, kind } of TABLES)
  test(`${engine.name}: a ${kind} passes with the permission, in its project, and not otherwise`, async (t) => {
    const world = await openWorld(t, engine)
    const { server, admin, project, other } = world
    const enrol = (home: string | undefined, actions: readonly Action[]) =>
      server.identity(admin, {
        kind,
        name: world.fresh(),
        ...(kind === 'machine' && home !== undefined ? { project: home } : {}),
        grants: [{ project: home, rules: [{ effect: 'allow', actions }] }],
      })
    for (const route of server.routes.filter(isGuarded)) {
      const { permission, operationId } = route
      const row = ROWS[operationId]!
      const sample = await row.request(world)
      const actions = [permission, ...(row.also ?? [])]
      const isOfInstance = ACTIONS[permission].scope === 'instance'
      // What is of the whole instance is hidden from those who are only in a project, where it has an id.
      const refused = ({ status, body }: Answer, wanted: readonly string[], who: string): void =>
        assert.ok(
          wanted.includes(`${status} ${body?.code}`),
          `${operationId}: ${who} ${status} ${body?.code}`,
        )
      const denied = ['403 kms/not-permitted', ...(isOfInstance ? ['404 kms/not-found'] : [])]
      const member = await enrol(project, [otherThan(permission)])
      refused(await send(world, route, sample, member.token), denied, 'member')
      const foreign = await enrol(other, actions)
      const hidden = isOfInstance ? denied : ['404 kms/not-found']
      refused(await send(world, route, sample, foreign.token), hidden, 'foreign')
      if (row.isLast) continue
      const { token } = await enrol(isOfInstance ? undefined : project, actions)
      const permitted = await send(world, route, sample, token)
      const refusals = ['kms/unauthenticated', 'kms/not-permitted', 'kms/not-found']
      assert.ok(
        permitted.status < 500 && !refusals.includes(permitted.body?.code),
        `${operationId}: permitted ${JSON.stringify(permitted.body)}`,
      )
      assert.notEqual(
        permitted.body?.code,
        'platform/invalid-request',
        `${operationId}: ${JSON.stringify(permitted.body)}`,
      )
    }
  })

test('who is in no project may what is about himself, and nothing else', async (t) => {
  const world = await openWorld(t)
  for (const route of world.server.routes.filter(({ permission }) => permission === 'self')) {
    const { token } = await world.server.identity(world.admin, {
      kind: 'user',
      name: world.fresh(),
    })
    const { status } = await send(
      world,
      route,
      await ROWS[route.operationId]!.request(world),
      token,
    )
    // A code or secret that is wrong is told as such.
    const isTry = ['rotateOwnSecret', 'lookAtDevice', 'approveDevice'].includes(route.operationId)
    assert.ok(
      isTry ? status === 401 || status === 404 : status < 300,
      `${route.operationId}: ${status}`,
    )
  }
})

for (const role of ['viewer', 'admin'])
  test(`every decision at the gate about ${role} is in the audit log`, async (t) => {
    const world = await openWorld(t)
    const isAdmin = role === 'admin'
    const { token, id } = await world.server.identity(world.admin, {
      kind: isAdmin ? 'user' : 'machine',
      name: 'm',
      ...(isAdmin ? {} : { project: world.project }),
      grants: [{ role, ...(isAdmin ? {} : { project: world.project }) }],
    })
    for (const route of world.server.routes.filter(isGuarded)) {
      const row = ROWS[route.operationId]!
      if (isAdmin && row.isLast) continue
      const sample = await row.request(world)
      const before = (await world.server.audit()).length
      const { status } = await send(world, route, sample, token)
      const mine = (await world.server.audit()).slice(before).filter(({ actor }) => actor === id)
      // What is malformed, or not there, is refused as such.
      if (status === 404 || status === 400) continue
      const wanted = status === 403 ? 'deny' : 'allow'
      assert.ok(
        mine.some(({ decision }) => decision === wanted),
        `${route.operationId}: ${status}, ${mine.map((each) => `${each.action} ${each.decision}`).join()}`,
      )
    }
  })
