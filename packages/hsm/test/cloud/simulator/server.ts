/**
 * What the SIMULATED services share: a small HTTP(S) server of ours that the official clients talk to, and
 * the faults that a test can have it show. They compute real results and are nobody's security.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

export type Trouble =
  /** Answers with this error of the service, and does nothing. */
  | { readonly kind: 'error'; readonly status: number; readonly code: string }
  /** Does nothing and never answers. */
  | { readonly kind: 'silence' }
  /** Does nothing and drops the connection. */
  | { readonly kind: 'drop' }
  /** Does what was asked and drops the connection: the answer is lost. */
  | { readonly kind: 'lost-answer' }
  /** Changes what it answers. */
  | { readonly kind: 'changed'; readonly change: (answer: Body) => Body }

export type Body = { readonly [name: string]: unknown }

export type Answer = {
  readonly status?: number
  readonly headers?: { readonly [name: string]: string }
  readonly body?: Body
}

/** What a service answers for an error code of its own. */
export class ServiceError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string) {
    super(code)
    this.status = status
    this.code = code
  }
}

export type Asked = {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Body
}

export type Service = {
  /** Name of the operation, by which tests speak of it. */
  operationOf(asked: Asked): string
  answer(operation: string, asked: Asked): Answer
  errorAnswer(error: ServiceError): Answer
}

type Planned = { readonly operation: string; readonly trouble: Trouble; left: number }

export class SimulatedServer {
  readonly url: string
  /** Names of the operations asked for, in order. */
  readonly asked: string[] = []
  /** Everything that came in, to look for what must not be in it. */
  readonly requests: Asked[] = []
  readonly #planned: Planned[] = []
  readonly #close: () => Promise<void>

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url
    this.#close = close
  }

  static async start(
    service: Service,
    tls?: { readonly key: string; readonly cert: string },
  ): Promise<SimulatedServer> {
    const sockets = new Set<Socket>()
    let receive = (_request: IncomingMessage, response: ServerResponse): void =>
      void response.destroy()
    const listener = (request: IncomingMessage, response: ServerResponse): void =>
      receive(request, response)
    const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = server.address() as AddressInfo
    const origin = tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`
    const started = new SimulatedServer(origin, async () => {
      const closed = new Promise((resolve) => {
        server.close(resolve)
      })
      for (const socket of sockets) socket.destroy()
      await closed
    })
    receive = (request, response) => {
      started.#receive(service, request, response).catch(() => response.destroy())
    }
    return started
  }

  /** The next `times` requests for `operation` meet this trouble. */
  plan(operation: string, trouble: Trouble, times = 1): void {
    this.#planned.push({ operation, trouble, left: times })
  }

  /** How often `operation` was asked for. */
  count(operation: string): number {
    return this.asked.filter((each) => each === operation).length
  }

  close(): Promise<void> {
    return this.#close()
  }

  async #receive(
    service: Service,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const asked = await read(request)
    const operation = service.operationOf(asked)
    this.asked.push(operation)
    this.requests.push(asked)
    const planned = this.#planned.find((each) => each.operation === operation && each.left > 0)
    if (planned !== undefined) planned.left--
    const trouble = planned?.trouble
    if (trouble?.kind === 'silence') return
    if (trouble?.kind === 'drop') return void request.socket.destroy()
    const answer = answerOf(service, operation, asked, trouble)
    if (trouble?.kind === 'lost-answer') return void request.socket.destroy()
    const { status = 200, headers = {}, body } = answer
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(body === undefined ? '' : JSON.stringify(body))
  }
}

function answerOf(
  service: Service,
  operation: string,
  asked: Asked,
  trouble: Trouble | undefined,
): Answer {
  try {
    if (trouble?.kind === 'error') throw new ServiceError(trouble.status, trouble.code)
    const answer = service.answer(operation, asked)
    return trouble?.kind === 'changed'
      ? { ...answer, body: trouble.change(answer.body ?? {}) }
      : answer
  } catch (error) {
    if (error instanceof ServiceError) return service.errorAnswer(error)
    throw error
  }
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://simulated')
  return {
    method: request.method ?? '',
    path: decodeURIComponent(pathname),
    query: searchParams,
    headers: request.headers,
    body: text === '' ? {} : (JSON.parse(text) as Body),
  }
}

/** A text of a request's body. */
export function textIn(body: Body, name: string): string {
  const value = body[name]
  if (typeof value !== 'string') throw new ServiceError(400, 'ValidationException')
  return value
}
