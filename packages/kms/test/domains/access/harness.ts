/** A KMS with the routes of access, served over HTTP in this process, on a clock that tests turn. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type AuditRecord, decodeAuditRecord } from '@quorate/api'
import type { Id } from '@quorate/base'
import { addressText, createHttp, ManualTime, systemRandom } from '@quorate/platform'
import { unpackRecords } from '#src/audit/records.js'
import type { KmsContext, KmsModule } from '#src/context.js'
import { gated } from '#src/domains/access/gate.js'
import { type AccessDomain, type AccessOptions, createAccess } from '#src/domains/access/module.js'
import type { Access } from '#src/domains/access/port.js'
import type { KmsRoute } from '#src/domains/access/route.js'
import { BOOTSTRAP_FILE } from '#src/domains/bootstrap/service.js'
import { Rekey } from '#src/jobs/rekey.js'
import type { Kms } from '#src/kms.js'
import { serverRoutes } from '#src/routes.js'
import { openTestKms } from '#src/testing/index.js'
import { checkAnswer } from './answers.js'

/** Projects are another domain's; here they are but ids. */
export const prj = (last: string): Id<'prj'> => `prj_01hgw2bbg0000000000000000${last}` as Id<'prj'>

export type Answer = {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: any JSON, which the test goes on to check
  readonly body: any
  readonly headers: Headers
}

export type TestServer = {
  readonly kms: Kms
  readonly domain: AccessDomain
  readonly time: ManualTime
  readonly directory: string
  readonly url: string
  readonly routes: readonly KmsRoute[]
  readonly internalErrors: () => number
  call(
    method: string,
    path: string,
    options?: { token?: string | undefined; body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer>
  /** Makes the first administrator. */
  administrator(): Promise<{ token: string; id: string; clientSecret: string }>
  /** An identity with these grants and a token. */
  identity(admin: string, options: IdentityOptions): Promise<{ id: string; token: string }>
  audit(): Promise<readonly AuditRecord[]>
}

export type IdentityOptions = {
  readonly kind?: 'user' | 'machine'
  readonly name: string
  readonly project?: string
  readonly grants?: readonly object[]
  readonly limits?: object
}

export const START: number = Date.parse('2026-03-04T12:00:00.000Z')

export async function startAccess(
  t: Pick<TestContext, 'after'>,
  options: AccessOptions & {
    /** Modules of other domains. */
    readonly more?: readonly ((context: KmsContext, access: Access) => KmsModule)[]
    /** Whether the routes of the server itself are there too. */
    readonly system?: boolean
    /** PostgreSQL instead of SQLite. */
    readonly databaseUri?: string | undefined
    /** A data directory that is there, and stays. */
    readonly directory?: string
  } = {},
  now: number = START,
): Promise<TestServer> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'kms-access-'))
  const time = new ManualTime(now)
  let domain: AccessDomain | undefined
  const kms = await openTestKms({
    directory,
    databaseUri: options.databaseUri,
    clock: time,
    modules: [
      (context) => {
        // No test is to run into the limits, unless it is about them.
        const rate = { perSecond: 1e6, burst: 1e6 }
        domain = createAccess(context, {
          ...options,
          settings: { identityRate: rate, addressRate: rate, ...options.settings },
        })
        return domain.module
      },
      ...(options.more ?? []).map(
        (make) =>
          (context: KmsContext): KmsModule =>
            make(context, domain!.access),
      ),
    ],
  })
  const { access } = domain!
  const rekey = new Rekey(
    kms,
    kms.modules.flatMap(({ tables = [] }) => tables),
  )
  const routes =
    options.system === true
      ? serverRoutes(kms, rekey, () => '')
      : kms.modules.flatMap((each) => each.routes ?? [])
  const server = await createHttp({
    address: { host: '127.0.0.1', port: 0 },
    routes: routes.map((route) => gated(route, access)),
    authenticate: (request) => access.authenticate(request),
    logger: { log: () => undefined, with: () => kms.context.logger },
    clock: time,
    random: systemRandom,
    timers: time,
  })
  t.after(async () => {
    await server.close()
    await kms.close()
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true })
  })
  const url = `http://${addressText(server.address)}`

  const call: TestServer['call'] = async (method, path, { token, body, headers } = {}) => {
    const hasBody = method !== 'GET' && method !== 'DELETE'
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(hasBody ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(hasBody ? { body: JSON.stringify(body ?? {}) } : {}),
    })
    const text = await response.text()
    const type = response.headers.get('content-type') ?? ''
    const isJson = /\/(problem\+)?json\b/.test(type)
    const answer: Answer = {
      status: response.status,
      body: isJson && text !== '' ? JSON.parse(text) : undefined,
      headers: response.headers,
    }
    checkAnswer(routes, method, path, { ...answer, type, text })
    return answer
  }

  return {
    kms,
    domain: domain!,
    time,
    directory,
    url,
    routes,
    internalErrors: () => server.internalErrors,
    call,
    async administrator() {
      const secret = readFileSync(join(directory, BOOTSTRAP_FILE), 'utf8').trim()
      const { body, status } = await call('POST', '/api/v1/sys/init', {
        body: { secret, name: 'root' },
      })
      if (status !== 201) throw new Error(JSON.stringify(body))
      return { token: body.accessToken, id: body.identity.id, clientSecret: body.clientSecret }
    },
    async identity(admin, { kind = 'machine', name, project, grants = [], limits }) {
      const made = await call('POST', '/api/v1/identities', {
        token: admin,
        body: { kind, name, project },
      })
      if (made.status !== 201) throw new Error(JSON.stringify(made.body))
      const { id } = made.body
      for (const grant of grants) {
        const given = await call('POST', `/api/v1/identities/${id}/grants`, {
          token: admin,
          body: grant,
        })
        if (given.status !== 201) throw new Error(JSON.stringify(given.body))
      }
      const issued = await call('POST', `/api/v1/identities/${id}/tokens`, {
        token: admin,
        body: { name: 'test', limits },
      })
      if (issued.status !== 201) throw new Error(JSON.stringify(issued.body))
      return { id, token: issued.body.accessToken }
    },
    async audit() {
      const rows = await kms.sql.read('SELECT records FROM audit ORDER BY seq')
      return rows.flatMap((row) =>
        unpackRecords(row['records'] as Uint8Array).map((record) => decodeAuditRecord(record)),
      )
    },
  }
}
