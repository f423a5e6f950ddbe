/**
 * The API of a node over its unix socket and, where configured, TCP: the table of `api` with a handler
 * for each route; and the metrics, which are for Prometheus and no client.
 */
import {
  IDEMPOTENCY_HEADER,
  IDEMPOTENCY_KEY,
  type NodeApi,
  type OperationId,
  type OperationJson,
  type Place,
  Places,
  PROBLEM_CONTENT_TYPE,
  ROUTES,
  type StreamId,
  TokenBuckets,
  toProblem,
} from '@quorate/api'
import { type ClusterClient, ReplayGuard } from '@quorate/auth'
import { Fault, isFault } from '@quorate/base'
import {
  type Address,
  createHttp,
  type HttpAnswer,
  type HttpRequest,
  type HttpRoute,
  type HttpServer,
  systemClock,
  systemRandom,
  systemTimers,
  traceparent,
} from '@quorate/platform'
import { DEFAULT_METRICS_PREFIX, isLoopback } from '../config.ts'
import { readyRoute } from '../health.ts'
import { authenticate } from './authenticate.ts'
import { type Call, type CallId, handlers, streams } from './handlers.ts'
import { API_LIMITS, type ApiLimits } from './limits.ts'
import { metricsRoute } from './metrics.ts'
import type { ServeOptions } from './options.ts'
import { type ApiTls, apiTls } from './tls.ts'
import { Traffic } from './traffic.ts'

/** A signed request may carry a transaction and its context of a mebibyte each, in hex. */
const MAX_BODY_BYTES = 5 * 1024 * 1024
/** Of signed calls that are remembered, as many as a client may make while they are. */
const REMEMBERED_SECONDS = 60

export async function serve(given: Omit<ServeOptions, 'tls'>): Promise<readonly HttpServer[]> {
  const { config, local, cluster, logger } = given
  const tls = await tlsOf(given)
  const options: ServeOptions = { ...given, ...(tls !== undefined && { tls }) }
  const limits = { ...API_LIMITS, ...config.http.limits }
  const guard = new ReplayGuard({
    // What was signed before this start may have been seen before it.
    refuseUntil: systemClock.now(),
    maxPerClient: limits.burst + REMEMBERED_SECONDS * limits.ratePerSecond,
  })
  const { registry } = given
  const traffic = new Traffic(registry)
  const metrics = metricsRoute<ClusterClient>({
    hsmStatus: () => local.signer.calls.hsmStatus({}),
    signerStatus: () => local.signer.calls.status({}),
    look: () => Promise.all([given.readiness.look(), given.backups.report()]),
    registry,
    clock: systemClock,
    prefix: config.metricsPrefix ?? DEFAULT_METRICS_PREFIX,
  })
  const routes = routesOf(options, limits, traffic)

  const addresses: Address[] = []
  if (config.http.socketPath !== undefined) addresses.push({ path: config.http.socketPath })
  if (config.http.port !== undefined)
    addresses.push({ host: config.http.host ?? '127.0.0.1', port: config.http.port })
  const servers: HttpServer[] = []
  try {
    for (const address of addresses)
      servers.push(
        await createHttp({
          address,
          routes: [...routes, metrics, readyRoute(given.readiness)],
          authenticate: (request) =>
            authenticate(request, {
              cluster,
              clock: systemClock,
              guard,
              isPrivate: isLoopback(address) || tls !== undefined,
            }),
          ...('port' in address && tls !== undefined && { tls }),
          // What a client sends over the unix socket, which has no host of its own.
          ...('path' in address && { hosts: ['localhost'] }),
          logger: traffic.counting(logger),
          clock: systemClock,
          random: systemRandom,
          timers: systemTimers,
        }),
      )
  } catch (error) {
    for (const server of servers) await server.close()
    throw error
  }
  return servers
}

/** What the API on TCP shows, where it speaks TLS. */
async function tlsOf({
  config: { http, directory },
  local,
  logger,
}: Omit<ServeOptions, 'tls'>): Promise<ApiTls | undefined> {
  if (http.port === undefined) return undefined
  const isWanted = http.tls ?? !isLoopback({ host: http.host ?? '127.0.0.1', port: http.port })
  if (!isWanted) return undefined
  const tls = await apiTls(directory, local.nodeId, systemClock, systemRandom)
  logger.log('info', 'http.tls', { fingerprint: tls.fingerprint })
  return tls
}

/** The routes of the table, each within the limits. */
function routesOf(
  options: ServeOptions,
  limits: ApiLimits,
  traffic: Traffic,
): readonly HttpRoute<ClusterClient>[] {
  const serveRoute = handlers(options)
  const open = streams(options)
  const buckets = new TokenBuckets(limits, systemClock)
  const running = new Places(limits.maxConcurrent)
  const listening = new Places(limits.maxStreams)
  traffic.streams = () => listening.taken

  const answer = async (
    id: OperationId,
    request: HttpRequest<ClusterClient>,
  ): Promise<HttpAnswer> => {
    if (isStream(id)) {
      const { principal: client, params, signal } = request
      const leave = placeIn(listening, client!.id)
      signal.addEventListener('abort', leave, { once: true })
      try {
        return { events: leaving(await open[id]({ client: client!, params, signal }), leave) }
      } catch (error) {
        leave()
        throw error
      }
    }
    const leave = placeIn(running, ALL)
    try {
      const body = await serveRoute(id, callOf(id, request))
      const isUnfinished =
        ROUTES[id].status === 202 && !['done', 'failed'].includes((body as OperationJson).state)
      return { status: isUnfinished ? 202 : 200, body }
    } finally {
      leave()
    }
  }

  return (Object.keys(ROUTES) as OperationId[]).map((id) => {
    const { method, path, params, query, body, permission } = ROUTES[id]
    return {
      method,
      path,
      schema: {
        ...(params !== undefined && { params }),
        ...(query !== undefined && { query }),
        ...(body !== undefined && { body }),
      },
      ...(permission === undefined && { isPublic: true as const }),
      maxBodyBytes: MAX_BODY_BYTES,
      handle: async (request) => {
        const waitMs = request.principal === undefined ? 0 : buckets.take(request.principal.id)
        if (waitMs > 0) {
          traffic.rateLimited.add({})
          return tooMany(request.id, waitMs)
        }
        try {
          // What was begun may still be looked at.
          if (method === 'GET') return await answer(id, request)
          const { value, context } = await options.watch.call(
            `${method} ${path}`,
            request.header('traceparent'),
            { 'http.route': path, 'quorate.http.request.id': request.id },
            () => options.lifecycle.take(() => answer(id, request)),
          )
          if (context === undefined) return value
          return { ...value, headers: { ...value.headers, traceresponse: traceparent(context) } }
        } catch (error) {
          if (isFault(error, 'node/overloaded')) traffic.overloaded.add({})
          throw error
        }
      },
    }
  })
}

/** The name under which the calls of all clients are counted together. */
const ALL = ''

/** @throws node/overloaded where no place is left */
function placeIn(places: Places, name: string): Place {
  const place = places.take(name)
  if (place === undefined) throw new Fault('node/overloaded')
  return place
}

const isStream = (id: OperationId): id is StreamId => ROUTES[id].isStream

/** `source`, after whose end `leave` is called, whichever way it ends. */
async function* leaving<T>(source: AsyncIterable<T>, leave: () => void): AsyncGenerator<T> {
  try {
    yield* source
  } finally {
    leave()
  }
}

/** The problem with the time after which it is worth another try. */
const tooMany = (requestId: string, waitMs: number): HttpAnswer => ({
  status: 429,
  headers: { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) },
  text: {
    type: PROBLEM_CONTENT_TYPE,
    content: JSON.stringify(toProblem(new Fault('node/rate-limited'), requestId)),
  },
})

/** The checked input of a route. @throws node/idempotency-key-missing */
function callOf<Id extends CallId>(id: Id, request: HttpRequest<ClusterClient>): Call<NodeApi[Id]> {
  const { needsIdempotencyKey } = ROUTES[id]
  const idempotencyKey = request.header(IDEMPOTENCY_HEADER)
  if (
    needsIdempotencyKey &&
    (idempotencyKey === undefined || !IDEMPOTENCY_KEY.test(idempotencyKey))
  )
    throw new Fault('node/idempotency-key-missing')
  return {
    params: request.params as NodeApi[Id]['params'],
    query: request.query as NodeApi[Id]['query'],
    body: request.body as NodeApi[Id]['body'],
    client: request.principal as ClusterClient,
    idempotencyKey: idempotencyKey ?? '',
  }
}
