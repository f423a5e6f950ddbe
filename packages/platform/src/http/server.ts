/**
 * The one HTTP server: routes in, problems out. Every route is authenticated unless it says that it
 * is public, every input is checked by a schema, and no error shows more than the error table does.
 */
import type { Server } from 'node:http'
import { PROBLEM_CONTENT_TYPE, toProblem } from '@quorate/api'
import { type Clock, ERRORS, Fault, isFault, type Logger, newId, type Random } from '@quorate/base'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { type Address, listen } from '../net/listen.ts'
import type { Timers } from '../time/timers.ts'
import { eventStream } from './events.ts'
import { checkContentType, checkSource, type Guard, ownHosts, SECURITY_HEADERS } from './guard.ts'
import { problemHeaders, rawProblem, toFault } from './problems.ts'
import type { HttpMethod, HttpRequest, HttpRoute, JsonSchema, UncheckedRequest } from './route.ts'

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
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  readonly limits?: Partial<HttpLimits>
}

export type HttpServer = {
  /** Its real port in it. */
  readonly address: Address
  /** Answers so far that hid an error of our own. */
  readonly internalErrors: number
  /** Takes no more requests, lets running ones end, then closes. */
  close(): Promise<void>
}

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
  readonly #bodies = new WeakMap<FastifyRequest, Uint8Array>()
  readonly #principals = new WeakMap<FastifyRequest, Principal>()
  readonly #stop = new AbortController()
  #guard: Guard = { hosts: new Set(), origins: new Set() }

  constructor(options: HttpOptions<Principal>) {
    this.#options = options
    this.#limits = { ...HTTP_LIMITS, ...options.limits }
    this.address = options.address
    const { bodyBytes, headersMs, requestMs } = this.#limits
    this.#app = fastify({
      logger: false,
      bodyLimit: bodyBytes,
      requestTimeout: requestMs,
      http: {
        headersTimeout: headersMs,
        connectionsCheckingInterval: Math.min(1000, headersMs),
        maxHeaderSize: 16_384,
      },
      genReqId: () => newId('req', options.clock.now(), options.random),
      exposeHeadRoutes: false,
      return503OnClosing: false,
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
        if (socket.writable)
          socket.end(rawProblem(error, newId('req', options.clock.now(), options.random)))
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
    app.setErrorHandler((error, request, reply) => this.#sendProblem(error, request, reply))
    app.setNotFoundHandler(() => {
      throw new Fault('platform/no-route')
    })
    app.addHook('onRequest', async (request, reply) => {
      reply.headers({ ...SECURITY_HEADERS, 'x-request-id': request.id })
      checkSource(this.#guard, request.headers)
    })
    app.addHook('onResponse', async (request, reply) => {
      // A client that keeps its connection would otherwise keep a stopping server.
      if (this.#stop.signal.aborted) setImmediate(() => app.server.closeIdleConnections())
      this.#options.logger.log('info', 'http.request', {
        requestId: request.id,
        method: request.method,
        // The pattern and not the URL, which may hold anything.
        route: request.routeOptions.url ?? 'none',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      })
    })
    app.removeAllContentTypeParsers()
    const parseJson = app.getDefaultJsonParser('error', 'error')
    app.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer' },
      (request, body: Buffer, done) => {
        this.#bodies.set(request, new Uint8Array(body))
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
    const { params, query, body } = route.schema ?? {}
    const integers = integersOf(query)
    this.#app.route({
      method: route.method,
      url,
      schema: {
        ...(params === undefined ? {} : { params }),
        querystring: query ?? { type: 'object', additionalProperties: false },
        ...(body === undefined ? {} : { body }),
      },
      ...(route.maxBodyBytes === undefined ? {} : { bodyLimit: route.maxBodyBytes }),
      onRequest: async (request) => checkContentType(request.method, request.headers),
      preValidation: async (request) => {
        if (route.isPublic !== true)
          this.#principals.set(request, await this.#options.authenticate(this.#view(request)))
        readIntegers(request.query, integers)
      },
      handler: (request, reply) => this.#answer(route, request, reply),
    })
  }

  #refuseOthers(url: string, allowed: readonly HttpMethod[]): void {
    this.#app.route({
      method: METHODS.filter((method) => !(allowed as readonly string[]).includes(method)),
      url,
      // Before the body is looked at.
      onRequest: async (_request, reply) => {
        reply.header('allow', allowed.join(', '))
        throw new Fault('platform/wrong-method')
      },
      handler: async () => undefined,
    })
  }

  #view(request: FastifyRequest): UncheckedRequest {
    return {
      id: request.id,
      method: request.method as HttpMethod,
      url: request.url,
      rawBody: this.#bodies.get(request) ?? new Uint8Array(),
      header: (name) => {
        const { headersDistinct } = request.raw
        const values = headersDistinct[name.toLowerCase()]
        return values?.length === 1 ? values[0] : undefined
      },
    }
  }

  async #answer(
    route: HttpRoute<Principal>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<unknown> {
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    const full: HttpRequest<Principal> = {
      ...this.#view(request),
      params: request.params,
      query: request.query,
      body: request.body,
      principal: this.#principals.get(request),
      signal: AbortSignal.any([gone.signal, this.#stop.signal]),
    }
    const { status, headers = {}, body, text, events } = await route.handle(full)
    reply.headers(headers)
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
    if (body === undefined) return reply.code(status ?? 204).send()
    return reply
      .code(status ?? 200)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(body))
  }

  #sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const fault = toFault(error)
    this.#note(fault, request.id)
    const problem = toProblem(fault, request.id)
    reply
      .code(problem.status)
      .headers({ ...SECURITY_HEADERS, 'x-request-id': request.id, ...problemHeaders(problem) })
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
    this.#stop.abort()
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
