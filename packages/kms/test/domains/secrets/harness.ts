/** The module of the secrets on a real store, its routes called as the server would. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, Fault, type Id, newId } from '@quorate/base'
import { type HttpRequest, systemRandom } from '@quorate/platform'
import type { Action } from '#src/domains/access/actions.js'
import { pass } from '#src/domains/access/gate.js'
import type { Access, Principal, Resource } from '#src/domains/access/port.js'
import type { KmsRoute } from '#src/domains/access/route.js'
import { type SecretsModule, secretsModule } from '#src/domains/secrets/module.js'
import type { Kms } from '#src/kms.js'
import { openTestKms } from '#src/testing/index.js'
import { checkAnswer } from '../access/answers.js'

export class TestClock implements Clock {
  time = Date.UTC(2026, 0, 1)
  now(): number {
    return this.time
  }
  monotonic(): number {
    return this.time
  }
}

type Rule = (action: Action, resource: Resource, who: Principal) => boolean

export type Answer<T> = {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: T
}
// biome-ignore lint/suspicious/noExplicitAny: each test knows the form of the answer that it asks for
export type AnyBody = any

export type Given = {
  readonly params?: { readonly [name: string]: string }
  readonly query?: { readonly [name: string]: unknown }
  readonly body?: unknown
  readonly headers?: { readonly [name: string]: string }
  readonly by?: Principal
}

export class Harness {
  readonly kms: Kms
  readonly module: SecretsModule
  readonly clock: TestClock
  /** What everybody may do; everything unless a test says otherwise. */
  allows: Rule = () => true
  readonly #byOperation: ReadonlyMap<string, KmsRoute>
  readonly access: Access

  constructor(kms: Kms, module: SecretsModule, clock: TestClock, access: Access) {
    this.kms = kms
    this.module = module
    this.clock = clock
    this.access = access
    this.#byOperation = new Map(module.routes?.map((route) => [route.operationId, route]))
  }

  /** What the route answers. @throws the fault that it is refused with */
  async call(operation: string, given: Given = {}): Promise<Answer<AnyBody>> {
    const route = this.#byOperation.get(operation)
    if (route === undefined) throw new Error(`no route ${operation}`)
    const headers = given.headers ?? {}
    // As over the wire: what is no JSON has no meaning.
    const plain = (value: unknown): unknown =>
      value === undefined ? undefined : JSON.parse(JSON.stringify(value))
    const request: HttpRequest<Principal> = {
      id: newId('req', this.clock.now(), systemRandom),
      method: route.method,
      url: route.path,
      params: given.params ?? {},
      query: given.query ?? {},
      body: plain(given.body),
      rawBody: new Uint8Array(),
      header: (name) => headers[name],
      principal: given.by ?? alice,
      signal: new AbortController().signal,
      connection: { address: '127.0.0.1', certificates: [] },
    }
    const answer = await pass(route, { ...this.access, admitStranger: () => undefined }, request)
    const { headers: sent = {}, text } = answer
    const body = plain(answer.body)
    const isEmpty = body === undefined && text === undefined
    const status = answer.status ?? (isEmpty ? 204 : 200)
    const type = text?.type ?? 'application/json'
    checkAnswer([route], route.method, route.path, {
      status,
      type,
      body,
      text: isEmpty ? '' : (text?.content ?? JSON.stringify(body)),
    })
    return { status, headers: sent, body }
  }

  async body(operation: string, given: Given = {}): Promise<AnyBody> {
    return (await this.call(operation, given)).body
  }

  /** A new project with its three environments. */
  async project(name = 'demo'): Promise<string> {
    return (await this.body('createProject', { body: { name } })).id
  }
}

const identity = (name: string): Principal => {
  const at = Date.UTC(2026, 0, 1)
  return {
    kind: 'user',
    id: newId('idn', at, systemRandom),
    name,
    project: undefined,
    tokenId: newId('tok', at, systemRandom),
    address: '127.0.0.1',
    requestId: newId('req', at, systemRandom),
  }
}
export const alice: Principal = identity('alice')
export const bob: Principal = identity('bob')
export const inProject = (principal: Principal, project: string): Principal => ({
  ...principal,
  project: project as Id<'prj'>,
})

/** A store in a directory of its own, gone when the tests end. */
export async function openHarness(directory = scratch()): Promise<Harness> {
  const clock = new TestClock()
  let harness: Harness | undefined
  const rule: Rule = (...asked) => harness?.allows(...asked) ?? false
  const access: Access = {
    authenticate: () => Promise.reject(new Fault('kms/unauthenticated')),
    authorize: (who, action, resource) => ({
      allowed: rule(action, resource, who),
      rule: 'test',
      why: [],
    }),
    check(who, action, resource) {
      const decision = this.authorize(who, action, resource)
      return decision.allowed
        ? Promise.resolve(decision)
        : Promise.reject(new Fault('kms/not-permitted', { detail: action }))
    },
    recordOf: (who, action, resource, { allowed }) => ({
      actor: who.id,
      action,
      resource: resource.id ?? resource.kind,
      project: resource.project,
      decision: allowed ? 'allow' : 'deny',
      requestId: who.requestId,
    }),
    isMember: () => true,
  }
  let module: SecretsModule | undefined
  const kms = await openTestKms({
    directory,
    clock,
    modules: [
      (context) => {
        module = secretsModule(context, access)
        return module
      },
    ],
  })
  harness = new Harness(kms, module as unknown as SecretsModule, clock, access)
  return harness
}

export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-kms-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'data')
}
