/**
 * Access tokens: what a client signs once and shows with each call, where signing every call is too
 * much to ask of a program.
 *
 *   Authorization: Bearer <base64url of CBOR {token, signature}>
 *
 * The enrolled key of the client signs it, so a node checks it from the cluster record alone and keeps
 * no list. It counts for one cluster, one client in one role, one host and at most an hour. It begins
 * nothing by itself: requests that cost something are signed by the client one by one, whatever brings
 * them. Whoever steals a token reads what its client may read until it expires.
 */
import {
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  fromBase64url,
  type Id,
  oneOf,
  record,
  type Signer,
  TAGS,
  tagged,
  text,
  toBase64url,
} from '@quorate/base'
import { hash32, id, signature64, timeMs, VERSION_KEY, versioned } from '../format.ts'
import { ALLOWED_SKEW_MS } from '../intent.ts'
import { ROLES, type Role } from '../permission.ts'
import type { VerifySignature } from '../request.ts'

export const MAX_TOKEN_MS: number = 60 * 60_000
const MAX_TOKEN_BYTES = 640
const SCHEME = 'Bearer '

export type AccessToken = {
  readonly v: 1
  /** The cluster id, 32 bytes. */
  readonly cluster: Uint8Array
  readonly client: Id<'cli'>
  /** That the client is enrolled with; another one from then on voids the token. */
  readonly role: Role
  /** The `Host` of the requests that it is good for, in lower case. */
  readonly host: string
  readonly createdAt: number
  /** Within `MAX_TOKEN_MS` of `createdAt`. */
  readonly expiresAt: number
  /** Random, 16 bytes: no two tokens are alike. */
  readonly nonce: Uint8Array
}

const tokenCodec: Codec<AccessToken> = versioned(
  1,
  record({
    v: field(VERSION_KEY, oneOf(1)),
    cluster: field(1, hash32),
    client: field(2, id('cli')),
    role: field(3, oneOf(...(Object.keys(ROLES) as Role[]))),
    host: field(4, text(300, /^[\x21-\x7e]+$/)),
    createdAt: field(5, timeMs),
    expiresAt: field(6, timeMs),
    nonce: field(7, bytes(16)),
  }),
)
const signed = record({
  token: field(1, bytes({ max: MAX_TOKEN_BYTES })),
  signature: field(2, signature64),
})

/** The value of the `Authorization` header. `signer` holds the key of the client entry. @throws base/malformed */
export async function signAccessToken(signer: Signer, token: AccessToken): Promise<string> {
  const document = encode(tokenCodec, { ...token, host: token.host.toLowerCase() })
  const signature = await signer.sign(tagged(TAGS.accessToken, document))
  return SCHEME + toBase64url(encode(signed, { token: document, signature }))
}

/** Whether an `Authorization` header holds a token, good or bad. */
export const holdsAccessToken = (authorization: string | undefined): boolean =>
  authorization?.startsWith(SCHEME) === true

/** What a node knows of a client. */
export type TokenHolder = {
  /** Ed25519, 32 bytes. */
  readonly key: Uint8Array
  readonly role: Role
}

export type TokenCheck<Holder extends TokenHolder> = {
  readonly cluster: Uint8Array
  /** The `Host` header of the request. */
  readonly host: string
  readonly now: number
  readonly find: (client: Id<'cli'>) => Holder | undefined
  readonly verify: VerifySignature
}

/**
 * The client whose token the header holds. An unknown client, a wrong signature, and what was made for
 * another place answer alike. @throws auth/unauthenticated, auth/expired
 */
export function checkAccessToken<Holder extends TokenHolder>(
  authorization: string,
  check: TokenCheck<Holder>,
): Holder {
  const { token, document, signature } = read(authorization.slice(SCHEME.length))
  const holder = check.find(token.client)
  const isSound =
    holder !== undefined &&
    equalBytes(token.cluster, check.cluster) &&
    token.role === holder.role &&
    token.host === check.host.toLowerCase() &&
    check.verify(holder.key, tagged(TAGS.accessToken, document), signature)
  if (!isSound) throw new Fault('auth/unauthenticated')
  const life = token.expiresAt - token.createdAt
  const isNow = check.now >= token.createdAt - ALLOWED_SKEW_MS && check.now < token.expiresAt
  if (life > MAX_TOKEN_MS || !isNow) throw new Fault('auth/expired', { detail: 'access token' })
  return holder
}

function read(encoded: string): {
  readonly token: AccessToken
  readonly document: Uint8Array
  readonly signature: Uint8Array
} {
  try {
    const limits = { maxBytes: MAX_TOKEN_BYTES }
    const { token: document, signature } = decode(signed, fromBase64url(encoded), limits)
    return { document, signature, token: decode(tokenCodec, document, limits) }
  } catch (cause) {
    throw new Fault('auth/unauthenticated', { cause, detail: 'no access token' })
  }
}
