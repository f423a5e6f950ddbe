/**
 * Authentication of HTTP requests by the client entries of the cluster record. One header:
 *
 *   Authorization: Quorate-Ed25519 client=cli_…, time=1767225600000, nonce=<32 hex>, signature=<128 hex>
 *
 * The signature covers tag ‖ CBOR {cluster, method, target, host, body hash, time, nonce}, so that a
 * request counts for one cluster, one host, one method and path with its query, one body, once.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { ALLOWED_SKEW_MS, checkPermitted, type Permission } from '@quorate/api'
import {
  bytes,
  encode,
  Fault,
  field,
  fromHex,
  type Id,
  isId,
  record,
  type Signer,
  TAGS,
  tagged,
  text,
  toHex,
} from '@quorate/base'
import type { ClusterClient } from './cluster-record.ts'
import { time } from './document.ts'
import type { TrustContext } from './epoch.ts'
import type { ReplayGuard } from './replay-guard.ts'

const SCHEME = 'Quorate-Ed25519'

export type HttpRequest = {
  /** Upper case. */
  readonly method: string
  /** Path and query, exactly as sent. */
  readonly target: string
  /** The `Host` header. */
  readonly host: string
  /** Empty where there is none. */
  readonly body: Uint8Array
}

const signedPart = record({
  cluster: field(1, bytes(32)),
  method: field(2, text(16, /^[A-Z]+$/)),
  target: field(3, text(8192, /^\/[\x21-\x7e]*$/)),
  host: field(4, text(300, /^[\x21-\x7e]+$/)),
  /** SHA-256. */
  bodyHash: field(5, bytes(32)),
  time: field(6, time),
  nonce: field(7, bytes(16)),
})

type Stamp = { readonly cluster: Uint8Array; readonly time: number; readonly nonce: Uint8Array }

/** The bytes that the client signs. @throws base/malformed for a request that HTTP could not carry */
export function httpRequestMessage(
  request: HttpRequest,
  { cluster, time, nonce }: Stamp,
): Uint8Array {
  const { method, target, host, body } = request
  // Host names ignore case, and some clients change it on the way.
  const value = {
    cluster,
    method,
    target,
    host: host.toLowerCase(),
    bodyHash: sha256(body),
    time,
    nonce,
  }
  return tagged(TAGS.httpRequest, encode(signedPart, value))
}

export type RequestCredentials = Stamp & {
  readonly client: Id<'cli'>
  /** Holds the key of the client entry. */
  readonly signer: Signer
}

/** The value of the `Authorization` header. `nonce` is 16 fresh random bytes. @throws base/malformed */
export async function signHttpRequest(
  request: HttpRequest,
  credentials: RequestCredentials,
): Promise<string> {
  const signature = await credentials.signer.sign(httpRequestMessage(request, credentials))
  const { client, time, nonce } = credentials
  return `${SCHEME} client=${client}, time=${time}, nonce=${toHex(nonce)}, signature=${toHex(signature)}`
}

const HEADER =
  /^Quorate-Ed25519 client=(cli_[0-9a-z]{26}), time=(0|[1-9][0-9]{0,14}), nonce=([0-9a-f]{32}), signature=([0-9a-f]{128})$/

type Header = {
  readonly client: Id<'cli'>
  readonly time: number
  readonly nonce: Uint8Array
  readonly signature: Uint8Array
}

function parseHeader(header: string | undefined): Header {
  const match = header === undefined ? null : HEADER.exec(header)
  const [, client, time, nonce, signature] = match ?? []
  if (client === undefined || time === undefined || nonce === undefined || signature === undefined)
    throw new Fault('auth/unauthenticated', {
      detail: 'the Authorization header is missing or not in its form',
    })
  if (!isId('cli', client)) throw new Fault('auth/unauthenticated', { detail: 'no client id' })
  return { client, time: Number(time), nonce: fromHex(nonce), signature: fromHex(signature) }
}

export type RequestContext = TrustContext & {
  readonly guard: ReplayGuard
  /** What the route demands of the client's role. */
  readonly permission: Permission
}

/**
 * The client entry that signed `request`, which is now used up.
 * An unknown client and a wrong signature answer alike, and only a signed request reaches the guard.
 * @throws auth/unauthenticated, auth/clock-skew, auth/client-expired, auth/replayed,
 *   auth/too-many-requests, api/not-permitted, base/malformed for a target that HTTP could not carry
 */
export function verifyHttpRequest(
  request: HttpRequest,
  authorization: string | undefined,
  { cluster, now, verify, guard, permission }: RequestContext,
): ClusterClient {
  const header = parseHeader(authorization)
  if (Math.abs(now - header.time) > ALLOWED_SKEW_MS) throw new Fault('auth/clock-skew')
  const client = cluster.record.clients.find(({ id }) => id === header.client)
  const message = httpRequestMessage(request, { ...header, cluster: cluster.cluster })
  if (client === undefined || !verify(client.key, message, header.signature))
    throw new Fault('auth/unauthenticated')
  if (now >= client.expiresAt) throw new Fault('auth/client-expired')
  guard.admit({ client: client.id, nonce: header.nonce, time: header.time, now })
  checkPermitted([client.role], permission)
  return client
}
