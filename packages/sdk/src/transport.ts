/**
 * HTTP to a node: over its unix socket, or over TCP with TLS or without. With `pinned-agent.ts` the only
 * file of the client that needs Node; all others would run in a browser too.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Fault } from '@quorate/base'
import { agentFor } from './pinned-agent.ts'
import { type HttpReply, readReply } from './reply.ts'

export type Endpoint =
  | { readonly socketPath: string }
  | {
      readonly host: string
      readonly port: number
      /** Speaks TLS to a node that shows the certificate with this SHA-256, in hex, and to no other. */
      readonly fingerprint?: string
    }

export type HttpCall = {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: { readonly [name: string]: string }
  readonly body: Uint8Array
}

const TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
/** A server of ours says something every 15 seconds. */
const SILENCE_MS = 45_000

/** The `Host` of requests to an endpoint. */
export const hostOf = (endpoint: Endpoint): string =>
  'socketPath' in endpoint
    ? 'localhost'
    : `${endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`

/**
 * The JSON that the node answers.
 * @throws the node's own fault, by its code; sdk/unreachable, sdk/timeout, sdk/bad-answer, sdk/cancelled
 */
export const send = async (
  endpoint: Endpoint,
  call: HttpCall,
  signal?: AbortSignal,
): Promise<unknown> => readReply(await exchange(endpoint, call, signal))

/** The answer as it came. @throws sdk/unreachable, sdk/timeout, sdk/bad-answer, sdk/cancelled */
export async function exchange(
  endpoint: Endpoint,
  call: HttpCall,
  signal?: AbortSignal,
): Promise<HttpReply> {
  const { answer, outgoing } = await open(endpoint, call, TIMEOUT_MS, signal)
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length > MAX_ANSWER_BYTES) throw new Fault('sdk/bad-answer', { detail: 'too long' })
    }
  } catch (error) {
    throw toFault(error, signal)
  } finally {
    if (!answer.complete) outgoing.destroy()
  }
  return replyOf(answer, Buffer.concat(chunks))
}

/**
 * The bytes of an answer that goes on until either side ends it.
 * @throws those of `send`, before the first bytes where the node refuses
 */
export async function* stream(
  endpoint: Endpoint,
  call: HttpCall,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { answer, outgoing } = await open(endpoint, call, SILENCE_MS, signal)
  try {
    if (answer.statusCode !== 200) {
      const chunks: Buffer[] = []
      for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk)
      readReply(replyOf(answer, Buffer.concat(chunks)))
      throw new Fault('sdk/bad-answer', { detail: `HTTP ${answer.statusCode}` })
    }
    for await (const chunk of answer as AsyncIterable<Buffer>) yield chunk
  } catch (error) {
    throw toFault(error, signal)
  } finally {
    outgoing.destroy()
  }
}

const isPinned = (
  endpoint: Endpoint,
): endpoint is Extract<Endpoint, { readonly host: string }> & { readonly fingerprint: string } =>
  'host' in endpoint && endpoint.fingerprint !== undefined

/** The request, and the head of its answer. */
function open(
  endpoint: Endpoint,
  { method, target, headers, body }: HttpCall,
  silenceMs: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly outgoing: ClientRequest; readonly answer: IncomingMessage }> {
  return new Promise((resolve, reject) => {
    const ask = isPinned(endpoint) ? httpsRequest : httpRequest
    const outgoing = ask(
      {
        ...('socketPath' in endpoint
          ? { socketPath: endpoint.socketPath }
          : { host: endpoint.host, port: endpoint.port }),
        ...(isPinned(endpoint) && { agent: agentFor(endpoint.fingerprint) }),
        method,
        path: target,
        headers: { host: hostOf(endpoint), ...headers },
        timeout: silenceMs,
        ...(signal !== undefined && { signal }),
      },
      (answer) => resolve({ outgoing, answer }),
    )
    outgoing.on('timeout', () => outgoing.destroy(new Fault('sdk/timeout')))
    outgoing.on('error', (error) => reject(toFault(error, signal)))
    outgoing.end(body)
  })
}

const replyOf = ({ statusCode = 0, headers }: IncomingMessage, body: Uint8Array): HttpReply => ({
  status: statusCode,
  contentType: headers['content-type'] ?? '',
  retryAfter: headers['retry-after'],
  body,
})

function toFault(error: unknown, signal: AbortSignal | undefined): Fault {
  if (error instanceof Fault) return error
  if (signal?.aborted === true) return new Fault('sdk/cancelled', { cause: error })
  const { code } = error as NodeJS.ErrnoException
  return new Fault('sdk/unreachable', { cause: error, detail: code ?? 'no connection' })
}
