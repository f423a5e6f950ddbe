/** Requests to the HTTP API of Consul: bounded in time and in size, no library. */
import http from 'node:http'
import https from 'node:https'
import { Fault, type Secret } from '@quorate/base'

export type ConsulAccess = {
  /** `http://HOST:PORT` or `https://HOST:PORT`. */
  readonly address: string
  /** Sent as X-Consul-Token. */
  readonly token?: Secret<Uint8Array> | undefined
  /** Certificates in PEM by which the server is known, instead of the system's. */
  readonly ca?: string | undefined
}

export type ConsulAnswer = {
  readonly status: number
  readonly body: Uint8Array
  /** X-Consul-Index, 0 where there is none. */
  readonly index: number
}

export type ConsulCall = {
  readonly method: 'GET' | 'PUT'
  /** Path and query. */
  readonly target: string
  readonly body?: Uint8Array
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

const MAX_ANSWER_BYTES = 1024 * 1024

/** The answer, whatever its status. @throws platform/discovery-unavailable */
export function callConsul(
  { address, token, ca }: ConsulAccess,
  { method, target, body, timeoutMs, signal }: ConsulCall,
): Promise<ConsulAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown): void =>
      reject(new Fault('platform/discovery-unavailable', { cause }))
    const url = new URL(target, address)
    const request = (url.protocol === 'https:' ? https : http).request(
      url,
      {
        method,
        timeout: timeoutMs,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        headers: {
          ...(token !== undefined && {
            'x-consul-token': Buffer.from(token.expose()).toString('latin1'),
          }),
          'content-length': body?.length ?? 0,
        },
        ...(ca !== undefined && { ca }),
      },
      (answer) => {
        const parts: Buffer[] = []
        let length = 0
        answer.on('data', (part: Buffer) => {
          length += part.length
          if (length > MAX_ANSWER_BYTES) request.destroy(new Error('too long an answer'))
          else parts.push(part)
        })
        answer.on('error', fail)
        answer.on('end', () => {
          const index = Number(answer.headers['x-consul-index'])
          resolve({
            status: answer.statusCode ?? 0,
            body: new Uint8Array(Buffer.concat(parts)),
            index: Number.isSafeInteger(index) && index > 0 ? index : 0,
          })
        })
      },
    )
    request.on('error', fail)
    request.end(body)
  })
}
