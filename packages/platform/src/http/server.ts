/**
 * The one HTTP server: routes in, problems out. Every route is authenticated unless it says that it
 * is public, every input is checked by a schema, and no error shows more than the error table does.
 */
import type { Server, ServerResponse } from 'node:http'
import { PROBLEM_CONTENT_TYPE, toProblem } from '@quorate/api'
import {
  type Clock,
  ERRORS,
  Fault,
  type Id,
  isFault,
  type Logger,
  type LogLevel,
  type Random,
} from '@quorate/base'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { type Address, listen } from '../net/listen.ts'
import type { Timers } from '../time/timers.ts'
import { eventStream } from './events.ts'
import { checkContentType, checkSource, type Guard, ownHosts, SECURITY_HEADERS } from './guard.ts'
import { InputCheck } from './input.ts'
import { problemHeaders, rawProblem, toFault } from './problems.ts'
import { requestIds } from './request-id.ts'
import type { HttpMethod, HttpRoute, JsonSchema, UncheckedRequest } from './route.ts'
import { sendJson } from './send-json.ts'
import { RequestView } from './view.ts'

export type HttpLimits = {
  readonly bodyBytes: number
  /** For the headers, and for the whole request. */
  readonly headersMs: number
  readonly requestMs: number
  /** How long running requests may take to end when the server stops. */
  readonly stopMs: number
}
export const HTTP_LIMITS: HttpLimits = {
  bodyBytes: 1024 * 1024,
  headersMs: 10_000,
  requestMs: 30_000,
  stopMs: 10_000,
}

export type HttpOptions<Principal> = {
  readonly address: Address
  readonly routes: readonly HttpRoute<Principal>[]
  /** Who asks. @throws a Fault of class Denied where the request is not authentic */
  authenticate(request: UncheckedRequest): Principal | Promise<Principal>
  /** Values of the Host header that are answered besides the own address, port included. */
  readonly hosts?: readonly string[]
  /** Origins whose pages may call; none unless told. */
  readonly origins?: readonly string[]
  /** Serves over TLS 1.3 with this certificate; on a unix socket there is no need for it. */
  readonly tls?: HttpTls
  /** What a 401 asks for (RFC 9110, 11.6.1); `Signature` unless told. */
  readonly challenge?: string
  /** Seconds after which a refused request is worth another try, where the error says so. */
  retryAfter?(error: unknown): number | undefined
  /** At which level each request is logged; `info` unless told. */
  readonly requestLevel?: LogLevel
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  readonly limits?: Partial<HttpLimits>
}

export type HttpTls = {
  /** PEM. */
  readonly certificate: string
  readonly privateKey: string
  /** Asks clients for a certificate, and takes any: whether it is a good one is for the authenticator. */
  readonly asksForCertificate?: boolean
}

export type HttpServer = {
  /** Its real port in it. */
  readonly address: Address
  /** Answers so far that hid an error of our own. */
  readonly internalErrors: number
  /** Takes no more requests, lets running ones end, then closes. */
  close(): Promise<void>
}

/** Of one part of a path: a name of 128 characters, each written as an escape of three. */
const MAX_PARAMETER_LENGTH = 384

/** Where a request carries what the server knows of it. */
const VIEW = Symbol('view')

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Serves until closed. @throws platform/port-taken, platform/cannot-listen */
export async function createHttp<Principal>(options: HttpOptions<Principal>): Promise<HttpServer> {
  const server = new HttpEngine(options)
  await server.open()
  return server
}

class HttpEngine<Principal> implements HttpServer {
  address: Address
  internalErrors = 0
  readonly #options: HttpOptions<Principal>
  readonly #limits: HttpLimits
  readonly #app: FastifyInstance
  /** Of requests whose handlers want to know when to give up. */
  readonly #waiting = new Set<AbortController>()
  #isStopping = false
  readonly #newRequestId: () => Id<'req'>
  #guard: Guard = { hosts: new Set(), origins: new Set() }

  constructor(options: HttpOptions<Principal>) {
    this.#options = options
    this.#limits = { ...HTTP_LIMITS, ...options.limits }
    this.address = options.address
    const { bodyBytes, headersMs, requestMs } = this.#limits
    this.#newRequestId = requestIds(options.clock, options.random)
    this.#app = fastify({
      ...(options.tls !== undefined && { https: tlsOptions(options.tls) }),
      logger: false,
      bodyLimit: bodyBytes,
      requestTimeout: requestMs,
      http: {
        headersTimeout: headersMs,
        connectionsCheckingInterval: Math.min(1000, headersMs),
        maxHeaderSize: 16_384,
      },
      genReqId: this.#newRequestId,
      exposeHeadRoutes: false,
      return503OnClosing: false,
      routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
      // Only what the schema allows, exactly as it was sent.
      ajv: {
        customOptions: {
          removeAdditional: false,
          coerceTypes: false,
          useDefaults: false,
          allErrors: false,
        },
      },
      clientErrorHandler: (error, socket) => {
        if (socket.writable) socket.end(rawProblem(error, this.#newRequestId()))
        else socket.destroy()
      },
      frameworkErrors: (error, request, reply) => {
        this.#sendProblem(error, request, reply as unknown as FastifyReply)
      },
    })
    this.#setUp()
  }

  #setUp(): void {
    const app = this.#app
    app.decorateRequest(VIEW, null)
    app.setErrorHandler((error, request, reply) => this.#sendProblem(error, request, reply))
    app.setNotFoundHandler(() => {
      throw new Fault('platform/no-route')
    })
    app.addHook('onRequest', (request, _reply, done) => {
      done(refusal(() => checkSource(this.#guard, request.headers)))
    })
    app.addHook('onResponse', (request, reply, done) => {
      // A client that keeps its connection would otherwise keep a stopping server.
      if (this.#isStopping) setImmediate(() => app.server.closeIdleConnections())
      this.#options.logger.log(this.#options.requestLevel ?? 'info', 'http.request', {
        requestId: request.id,
        method: request.method,
        // The pattern and not the URL, which may hold anything.
        route: request.routeOptions.url ?? 'none',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      })
      done()
    })
    app.removeAllContentTypeParsers()
    const parseJson = app.getDefaultJsonParser('error', 'error')
    app.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer' },
      (request, body: Buffer, done) => {
        this.#view(request).rawBody = new Uint8Array(body)
        void parseJson(request, body.toString('utf8'), done)
      },
    )
    const methods = new Map<string, HttpMethod[]>()
    for (const route of this.#options.routes) {
      const url = route.path.replace(/\{(\w+)\}/g, ':$1')
      methods.set(url, [...(methods.get(url) ?? []), route.method])
      this.#addRoute(url, route)
    }
    for (const [url, allowed] of methods) this.#refuseOthers(url, allowed)
  }

  #addRoute(url: string, route: HttpRoute<Principal>): void {
    const input = new InputCheck(route.schema)
    const integers = integersOf(route.schema?.query)
    this.#app.route({
      method: route.method,
      url,
      ...(route.maxBodyBytes === undefined ? {} : { bodyLimit: route.maxBodyBytes }),
      onRequest: (request, _reply, done) => {
        done(refusal(() => checkContentType(request.method, request.headers)))
      },
      preValidation: (request, _reply, done) => {
        if (integers.length > 0) readIntegers(request.query, integers)
        if (route.isPublic === true) done()
        else this.#identify(request, done)
      },
      handler: (request, reply) => {
        input.check(request)
        return this.#answer(route, request, reply)
      },
    })
  }

  #refuseOthers(url: string, allowed: readonly HttpMethod[]): void {
    this.#app.route({
      method: METHODS.filter((method) => !(allowed as readonly string[]).includes(method)),
      url,
      // Before the body is looked at.
      onRequest: (_request, reply, proceed) => {
        reply.header('allow', allowed.join(', '))
        proceed(new Fault('platform/wrong-method'))
      },
      handler: async () => undefined,
    })
  }

  #identify(request: FastifyRequest, proceed: (error?: Error) => void): void {
    const view = this.#view(request)
    let principal: Principal | Promise<Principal>
    try {
      principal = this.#options.authenticate(view)
    } catch (error) {
      proceed(error as Error)
      return
    }
    if (principal instanceof Promise)
      principal.then((found) => {
        view.principal = found
        proceed()
      }, proceed)
    else {
      view.principal = principal
      proceed()
    }
  }

  /** On the request itself: a map with requests for keys would be most of the work of the collector. */
  #view(request: FastifyRequest): RequestView<Principal> {
    const carrier = request as FastifyRequest & { [VIEW]: RequestView<Principal> | null }
    carrier[VIEW] ??= new RequestView(request, this.#makeSignal)
    return carrier[VIEW]
  }

  readonly #makeSignal = (response: ServerResponse): AbortSignal => {
    const gone = new AbortController()
    if (response.closed || this.#isStopping) gone.abort()
    this.#waiting.add(gone)
    response.once('close', () => {
      this.#waiting.delete(gone)
      gone.abort()
    })
    return gone.signal
  }

  async #answer(
    route: HttpRoute<Principal>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<unknown> {
    const full = this.#view(request).answering(reply.raw)
    const { status, headers, body, text, events } = await route.handle(full)
    if (events === undefined && text === undefined && body !== undefined) {
      sendJson(reply, status ?? 200, request.id, headers, body)
      return reply
    }
    reply.headers({ ...SECURITY_HEADERS, 'x-request-id': request.id, ...headers })
    if (events !== undefined) {
      const onError = (error: unknown): void => this.#note(error, request.id)
      const stream = eventStream(events, {
        requestId: request.id,
        signal: full.signal,
        timers: this.#options.timers,
        onError,
      })
      return reply
        .code(status ?? 200)
        .type('text/event-stream')
        .send(stream)
    }
    if (text !== undefined)
      return reply
        .code(status ?? 200)
        .type(text.type)
        .send(text.content)
    return reply.code(status ?? 204).send()
  }

  #sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const fault = toFault(error)
    this.#note(fault, request.id)
    const problem = toProblem(fault, request.id)
    reply
      .code(problem.status)
      .headers({
        ...SECURITY_HEADERS,
        'x-request-id': request.id,
        ...problemHeaders(problem, {
          challenge: this.#options.challenge,
          retryAfter: this.#options.retryAfter?.(error),
        }),
      })
      .type(PROBLEM_CONTENT_TYPE)
      .send(JSON.stringify(problem))
  }

  /** Counts and logs what the answer hides. */
  #note(error: unknown, requestId: string): void {
    if (isFault(error) && ERRORS[error.code].class !== 'Bug') return
    this.internalErrors++
    this.#options.logger.log('error', 'http.internal-error', {
      requestId,
      error: error instanceof Error ? `${error.name}: ${error.message}` : typeof error,
      stack: error instanceof Error ? error.stack : undefined,
    })
  }

  async open(): Promise<void> {
    await this.#app.ready()
    this.address = await listen(this.#app.server, this.#options.address)
    const hosts = [...ownHosts(this.address), ...(this.#options.hosts ?? [])].map((host) =>
      host.toLowerCase(),
    )
    this.#guard = { hosts: new Set(hosts), origins: new Set(this.#options.origins) }
  }

  async close(): Promise<void> {
    const server: Server = this.#app.server
    this.#isStopping = true
    for (const each of this.#waiting) each.abort()
    if (server.listening) {
      const isDown = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const cancel = this.#options.timers.after(this.#limits.stopMs, () =>
        server.closeAllConnections(),
      )
      await isDown
      cancel()
    }
    await this.#app.close()
  }
}

/** What a check threw, as the HTTP library wants it; `undefined` where nothing was wrong. */
function refusal(check: () => void): Error | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    return error as Error
  }
}

const tlsOptions = (tls: HttpTls): object => ({
  cert: tls.certificate,
  key: tls.privateKey,
  minVersion: 'TLSv1.3',
  ...(tls.asksForCertificate === true && { requestCert: true, rejectUnauthorized: false }),
})

/** The properties of a query schema that are integers. */
function integersOf(schema: JsonSchema | undefined): readonly string[] {
  const { properties = {} } = (schema ?? {}) as {
    properties?: { readonly [name: string]: { readonly type?: unknown } }
  }
  return Object.entries(properties).flatMap(([name, { type }]) =>
    type === 'integer' ? [name] : [],
  )
}

/** A query is text, so its integers are read before the schema is asked; what is none stays text and is refused by it. */
function readIntegers(query: unknown, names: readonly string[]): void {
  const values = query as { [name: string]: unknown }
  for (const name of names) {
    const value = values[name]
    if (typeof value === 'string' && /^-?(0|[1-9]\d{0,14})$/.test(value))
      values[name] = Number(value)
  }
}
