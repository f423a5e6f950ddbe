/**
 * The gate in front of every handler: rate, identity, resource, permission, in this order. What does
 * not exist, and what lies in a project that the caller has nothing to do with, answer alike.
 */
import { IDEMPOTENCY_HEADER, IDEMPOTENCY_KEY } from '@quorate/api'
import { Fault, type Id, isFault } from '@quorate/base'
import type { HttpAnswer, HttpRequest, HttpRoute } from '@quorate/platform'
import type { Soon } from '../../soon.ts'
import type { Action } from './actions.ts'
import type { Access, Connection, Decision, Principal, Resource } from './port.ts'
import type { KmsRoute, RouteInput } from './route.ts'

export type KmsRequest = HttpRequest<Principal>

export type Gatekeeper = Pick<Access, 'check' | 'authorize' | 'recordOf' | 'isMember'> & {
  /** Counts a request to a public route. @throws kms/rate-limited */
  admitStranger(connection: Connection): void
}

/** The route as the HTTP server takes it. */
export const gated = (route: KmsRoute, access: Gatekeeper): HttpRoute<Principal> => ({
  method: route.method,
  path: route.path,
  schema: {
    ...(route.params === undefined ? {} : { params: route.params }),
    ...(route.query === undefined ? {} : { query: route.query }),
    ...(route.body === undefined ? {} : { body: route.body }),
  },
  ...(route.permission === 'public' ? { isPublic: true } : {}),
  ...(route.maxBodyBytes === undefined ? {} : { maxBodyBytes: route.maxBodyBytes }),
  handle: (request) => pass(route, access, request),
})

/** What the route answers to a request that has been authenticated and is in the form of its schemas. */
export async function pass(
  route: KmsRoute,
  access: Gatekeeper,
  request: KmsRequest,
): Promise<HttpAnswer> {
  const { query, body, header } = request
  const params = (request.params ?? {}) as RouteInput['params']
  if (route.permission === 'public') {
    access.admitStranger(request.connection)
    const requestId = request.id as Id<'req'>
    return withStatus(
      route,
      await route.handle({
        params,
        query,
        body,
        requestId,
        connection: request.connection,
        header,
      }),
    )
  }
  const { principal } = request
  if (principal === undefined) throw new Fault('kms/unauthenticated')
  const idempotencyKey = keyOf(
    request,
    route.permission !== 'self' && route.needsIdempotencyKey === true,
  )
  if (route.permission === 'self')
    return withStatus(
      route,
      await route.handle({ params, query, body, principal, idempotencyKey, header }),
    )
  const found = route.resourceOf({ params, query, body }, principal)
  const resource = found instanceof Promise ? await found : found
  if (resource === undefined) throw new Fault('kms/not-found')
  const checked = check(route.permission, access, resource, principal)
  const decision = checked instanceof Promise ? await checked : checked
  const record = access.recordOf(principal, route.permission, resource, decision)
  return withStatus(
    route,
    await route.handle({
      params,
      query,
      body,
      principal,
      idempotencyKey,
      header,
      resource,
      decision,
      record,
    }),
  )
}

/** The decision, at once where it is to allow. @throws kms/not-permitted, kms/not-found */
function check(
  permission: Action,
  access: Gatekeeper,
  resource: Resource,
  principal: Principal,
): Soon<Decision> {
  const decision = access.check(principal, permission, resource)
  if (!(decision instanceof Promise)) return decision
  const { project, id } = resource
  const isHidden =
    (project !== undefined || id !== undefined) && !access.isMember(principal, project)
  return decision.catch((error: unknown) => {
    throw isHidden && isFault(error, 'kms/not-permitted')
      ? new Fault('kms/not-found', { cause: error })
      : error
  })
}

/** @throws kms/idempotency-key-missing where a key is needed and is missing, or is not in form */
function keyOf(request: KmsRequest, isNeeded: boolean): string | undefined {
  const key = request.header(IDEMPOTENCY_HEADER)
  if (key === undefined && !isNeeded) return undefined
  if (key === undefined || !IDEMPOTENCY_KEY.test(key))
    throw new Fault('kms/idempotency-key-missing')
  return key
}

const withStatus = ({ status }: KmsRoute, answer: HttpAnswer): HttpAnswer =>
  status === undefined || answer.status !== undefined ? answer : { ...answer, status }
