/** What a route is, and what its handler gets and gives. HTTP library types stop here. */
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** A JSON schema (TypeBox makes them). */
export type JsonSchema = object

export type HttpConnection = {
  /** Of the socket, never of a header; `local` over a unix socket. */
  readonly address: string
  /** DER of the certificate that the client showed on this very connection, and of those above it; empty without one. */
  readonly certificates: readonly Uint8Array[]
}

export type HttpRequest<Principal> = {
  /** `req_…`; also in the answer's `x-request-id` and in the log. */
  readonly id: string
  readonly method: HttpMethod
  /** Path and query exactly as sent. */
  readonly url: string
  /** Checked against the route's schemas; integers of the query are numbers. */
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  /** The body exactly as sent, for signatures over it; empty where there was none. */
  readonly rawBody: Uint8Array
  /** The header's value, `undefined` where missing or given more than once. */
  header(name: string): string | undefined
  /** Where it comes from. */
  readonly connection: HttpConnection
  /** Who asks; `undefined` only on public routes. */
  readonly principal: Principal | undefined
  /** Aborted when the client has gone or the server stops. */
  readonly signal: AbortSignal
}

/** What an authenticator sees: everything but what the schemas have not checked yet. */
export type UncheckedRequest = Pick<
  HttpRequest<never>,
  'id' | 'method' | 'url' | 'rawBody' | 'header' | 'connection'
>

export type ServerEvent = {
  readonly event: string
  /** JSON. */
  readonly data: unknown
  readonly id?: string
}

export type HttpAnswer = {
  /** 200 unless told; 204 where there is neither body nor text nor events. */
  readonly status?: number
  /** Besides those that every answer has: security headers, the type, the id of the request. */
  readonly headers?: { readonly [name: string]: string }
  /** JSON. */
  readonly body?: unknown
  /** Instead of a body: text of a content type that is not JSON. */
  readonly text?: { readonly type: string; readonly content: string }
  /** Instead of a body: server-sent events until the source ends. An error in it is sent as event `problem`. */
  readonly events?: AsyncIterable<ServerEvent>
}

export type HttpRoute<Principal> = {
  readonly method: HttpMethod
  /** With parameters in braces, e.g. `/api/v1/wallets/{id}`. */
  readonly path: string
  readonly schema?: {
    readonly params?: JsonSchema
    readonly query?: JsonSchema
    readonly body?: JsonSchema
  }
  /** Serves without authentication. */
  readonly isPublic?: true
  readonly maxBodyBytes?: number
  handle(request: HttpRequest<Principal>): HttpAnswer | Promise<HttpAnswer>
}
