/**
 * The API of a node over its unix socket and, where configured, TCP: the table of `api` with a handler
 * for each route; and the metrics, which are for Prometheus and no client.
 */
import {
  IDEMPOTENCY_HEADER,
  IDEMPOTENCY_KEY,
  type NodeApi,
  type OperationId,
  type Permission,
  ROUTES,
} from '@quorate/api'
import { type ClusterClient, ReplayGuard, verifyHttpRequest } from '@quorate/auth'
import { Fault } from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'
import {
  type Address,
  createHttp,
  type HttpRequest,
  type HttpRoute,
  type HttpServer,
  systemClock,
  systemRandom,
  systemTimers,
  type UncheckedRequest,
} from '@quorate/platform'
import { DEFAULT_METRICS_PREFIX } from '../config.ts'
import { type Call, handlers } from './handlers.ts'
import { metricsRoute } from './metrics.ts'
import type { ServeOptions } from './options.ts'

/** A signed request may carry a transaction and its context of a mebibyte each, in hex. */
const MAX_BODY_BYTES = 5 * 1024 * 1024

export async function serve(options: ServeOptions): Promise<readonly HttpServer[]> {
  const { config, local, cluster, logger } = options
  // What was signed before this start may have been seen before it.
  const guard = new ReplayGuard({ refuseUntil: systemClock.now() })
  const serveRoute = handlers(options)

  const authenticate = (request: UncheckedRequest): ClusterClient =>
    verifyHttpRequest(
      {
        method: request.method,
        target: request.url,
        host: request.header('host') ?? '',
        body: request.rawBody,
      },
      request.header('authorization'),
      {
        cluster,
        now: systemClock.now(),
        verify: verifyEd25519,
        guard,
        permission: permissionFor(request.method, request.url),
      },
    )

  const metrics = metricsRoute({
    hsmStatus: () => local.signer.calls.hsmStatus({}),
    clock: systemClock,
    prefix: config.metricsPrefix ?? DEFAULT_METRICS_PREFIX,
  })
  const routes = (Object.keys(ROUTES) as OperationId[]).map((id): HttpRoute<ClusterClient> => {
    const { method, path, params, query, body, status } = ROUTES[id]
    return {
      method,
      path,
      schema: {
        ...(params !== undefined && { params }),
        ...(query !== undefined && { query }),
        ...(body !== undefined && { body }),
      },
      ...(ROUTES[id].permission === undefined && { isPublic: true as const }),
      maxBodyBytes: MAX_BODY_BYTES,
      handle: async (request) => {
        const answer = await serveRoute(id, callOf(id, request))
        return { status, body: answer }
      },
    }
  })

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
          routes: [...routes, metrics],
          authenticate,
          // What a client sends over the unix socket, which has no host of its own.
          ...('path' in address && { hosts: ['localhost'] }),
          logger,
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

const PATTERNS = Object.values(ROUTES).map(({ method, path, permission }) => ({
  method,
  pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
  permission,
}))

/** What the route of a request takes. @throws auth/unauthenticated where there is no such route to be authenticated for */
function permissionFor(method: string, url: string): Permission {
  const path = url.split('?')[0]!
  const found = PATTERNS.find(
    (each) => each.method === method && each.pattern.test(path),
  )?.permission
  if (found === undefined) throw new Fault('auth/unauthenticated')
  return found
}

/** The checked input of a route. @throws node/idempotency-key-missing */
function callOf<Id extends OperationId>(
  id: Id,
  request: HttpRequest<ClusterClient>,
): Call<NodeApi[Id]> {
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
