/** HTTP to a node: over its unix socket or over TCP, JSON in and out. */
import { request as httpRequest } from 'node:http'
import { fromProblem, PROBLEM_CONTENT_TYPE } from '@quorate/api'
import { Fault, fromUtf8 } from '@quorate/base'

export type Endpoint =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number }

export type HttpCall = {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: { readonly [name: string]: string }
  readonly body: Uint8Array
}

const TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

/** The `Host` of requests to an endpoint. */
export const hostOf = (endpoint: Endpoint): string =>
  'socketPath' in endpoint ? 'localhost' : `${endpoint.host}:${endpoint.port}`

/**
 * The JSON that the node answers.
 * @throws the node's own fault, by its code; sdk/unreachable, sdk/timeout, sdk/bad-answer
 */
export function send(
  endpoint: Endpoint,
  { method, target, headers, body }: HttpCall,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        ...endpoint,
        method,
        path: target,
        headers: { host: hostOf(endpoint), ...headers },
        timeout: TIMEOUT_MS,
      },
      (answer) => {
        const chunks: Buffer[] = []
        let length = 0
        answer.on('data', (chunk: Buffer) => {
          chunks.push(chunk)
          length += chunk.length
          if (length > MAX_ANSWER_BYTES)
            outgoing.destroy(new Fault('sdk/bad-answer', { detail: 'too long' }))
        })
        answer.on('end', () => {
          try {
            resolve(
              read(
                answer.statusCode ?? 0,
                answer.headers['content-type'] ?? '',
                Buffer.concat(chunks),
              ),
            )
          } catch (error) {
            reject(error as Error)
          }
        })
        answer.on('error', reject)
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Fault('sdk/timeout')))
    outgoing.on('error', (cause: NodeJS.ErrnoException) => {
      reject(
        cause instanceof Fault
          ? cause
          : new Fault('sdk/unreachable', { cause, detail: cause.code ?? 'no connection' }),
      )
    })
    outgoing.end(body)
  })
}

function read(status: number, contentType: string, body: Uint8Array): unknown {
  const json = parse(body)
  if (contentType.startsWith(PROBLEM_CONTENT_TYPE)) throw fromProblem(json, status)
  if (status < 200 || status > 299) throw new Fault('sdk/bad-answer', { detail: `HTTP ${status}` })
  return json
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(body) ?? '')
  } catch (cause) {
    throw new Fault('sdk/bad-answer', { cause, detail: 'not JSON' })
  }
}
