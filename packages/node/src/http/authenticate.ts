/**
 * Who calls: a client entry of the cluster record, by one of three ways.
 *
 *   Authorization: Quorate-Ed25519 …   the call is signed, and counts once
 *   Authorization: Bearer …            an access token that the client signed before
 *   a client certificate               whose key is the Ed25519 key of the entry (TLS proves that the
 *                                      caller has it, so who issued the certificate does not matter)
 *
 * A token can be read off the wire by whoever sees it, so it is taken only where nobody does: under TLS,
 * on the unix socket and on loopback.
 */
import { checkAccessToken, checkPermitted, holdsAccessToken, ROUTES } from '@quorate/api'
import {
  type AcceptedRecord,
  type ClusterClient,
  type ReplayGuard,
  verifyHttpRequest,
} from '@quorate/auth'
import { type Clock, equalBytes, Fault, isFault } from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'
import type { UncheckedRequest } from '@quorate/platform'
import { certificatePublicKey } from '@quorate/trust'

export type Authentication = {
  readonly cluster: AcceptedRecord
  readonly clock: Clock
  readonly guard: ReplayGuard
  /** Whether nobody on the way can read what is sent. */
  readonly isPrivate: boolean
}

type Permission = NonNullable<(typeof ROUTES)[keyof typeof ROUTES]['permission']>

/** @throws auth/unauthenticated, auth/client-expired, auth/expired, api/not-permitted, and what `verifyHttpRequest` throws */
export function authenticate(
  { method, url, rawBody, header, connection }: UncheckedRequest,
  { cluster, clock, guard, isPrivate }: Authentication,
): ClusterClient {
  const permission = permissionFor(method, url)
  const authorization = header('authorization')
  const host = header('host') ?? ''
  const now = clock.now()
  const [certificate] = connection.certificates
  if (authorization === undefined && certificate !== undefined)
    return permitted(holderOf(certificate, cluster), permission, now)
  if (authorization === undefined || !holdsAccessToken(authorization))
    return verifyHttpRequest({ method, target: url, host, body: rawBody }, authorization, {
      cluster,
      now,
      verify: verifyEd25519,
      guard,
      permission,
    })
  if (!isPrivate)
    throw new Fault('auth/unauthenticated', {
      detail: 'no access tokens over a network in the clear',
    })
  const client = checkAccessToken(authorization, {
    cluster: cluster.cluster,
    host,
    now,
    verify: verifyEd25519,
    find: (id) => cluster.record.clients.find((each) => each.id === id),
  })
  return permitted(client, permission, now)
}

/** @throws auth/client-expired, api/not-permitted */
function permitted(client: ClusterClient, permission: Permission, now: number): ClusterClient {
  if (now >= client.expiresAt) throw new Fault('auth/client-expired')
  checkPermitted([client.role], permission)
  return client
}

/** The client whose key the certificate (DER) is for. @throws auth/unauthenticated */
function holderOf(certificate: Uint8Array, { record }: AcceptedRecord): ClusterClient {
  let key: Uint8Array
  try {
    key = certificatePublicKey(certificate)
  } catch (cause) {
    if (!isFault(cause)) throw cause
    throw new Fault('auth/unauthenticated', { cause, detail: 'no certificate of an Ed25519 key' })
  }
  const client = record.clients.find((each) => equalBytes(each.key, key))
  if (client === undefined) throw new Fault('auth/unauthenticated')
  return client
}

const PATTERNS = Object.values(ROUTES).map(({ method, path, permission }) => ({
  method,
  pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
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
