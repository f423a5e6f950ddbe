/** A request as handlers see it. What costs something is worked out when it is asked for. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import type { HttpConnection, HttpMethod, HttpRequest } from './route.ts'

/** The value of a header that was sent exactly once. */
export function singleHeader({ rawHeaders }: IncomingMessage, name: string): string | undefined {
  const wanted = name.toLowerCase()
  let found: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const each = rawHeaders[i]!
    if (each.length !== wanted.length || each.toLowerCase() !== wanted) continue
    if (found !== undefined) return undefined
    found = rawHeaders[i + 1]
  }
  return found
}

const MAX_CHAIN = 16

/** The certificate of the other side and those above it, as it sent them. */
function chainOf(socket: Socket): readonly Uint8Array[] {
  const { getPeerCertificate } = socket as Partial<TLSSocket>
  const chain: Uint8Array[] = []
  let next = getPeerCertificate?.call(socket, true) as DetailedPeerCertificate | undefined
  while (next?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(new Uint8Array(next.raw))
    // The one at the top names itself as its issuer.
    if (next.issuerCertificate === next) break
    next = next.issuerCertificate
  }
  return chain
}

/** The other end of a socket; one for all requests that come over it. */
class SocketEnd implements HttpConnection {
  readonly address: string
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
    this.address = socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '') ?? 'local'
  }

  get certificates(): readonly Uint8Array[] {
    return chainOf(this.#socket)
  }
}

const END = Symbol('the other end')

function endOf(socket: Socket & { [END]?: SocketEnd }): HttpConnection {
  socket[END] ??= new SocketEnd(socket)
  return socket[END]
}

const NO_BODY = new Uint8Array(0)

/** One request, from its arrival to its answer. */
export class RequestView<Principal> implements HttpRequest<Principal> {
  principal: Principal | undefined
  rawBody: Uint8Array = NO_BODY
  /** A property, because callers take it out of the request. */
  readonly header: (name: string) => string | undefined
  readonly #request: FastifyRequest
  readonly #makeSignal: (response: ServerResponse) => AbortSignal
  #response: ServerResponse | undefined
  #signal: AbortSignal | undefined

  constructor(request: FastifyRequest, makeSignal: (response: ServerResponse) => AbortSignal) {
    this.#request = request
    this.#makeSignal = makeSignal
    this.header = (name) => singleHeader(request.raw, name)
  }

  get id(): string {
    return this.#request.id
  }
  get method(): HttpMethod {
    return this.#request.method as HttpMethod
  }
  get url(): string {
    return this.#request.url
  }
  get params(): unknown {
    return this.#request.params
  }
  get query(): unknown {
    return this.#request.query
  }
  get body(): unknown {
    return this.#request.body
  }
  get connection(): HttpConnection {
    return endOf(this.#request.raw.socket)
  }
  get signal(): AbortSignal {
    this.#signal ??= this.#makeSignal(this.#response as ServerResponse)
    return this.#signal
  }

  /** The same request, once there is a response to watch. */
  answering(response: ServerResponse): this {
    this.#response = response
    return this
  }
}
