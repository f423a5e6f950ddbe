/** An HTTP request over a unix socket with whatever headers and body a test wants to send. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

export type HttpCall = {
  readonly method?: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: string
}

export type HttpAnswer = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

export async function httpCall(
  socketPath: string,
  path: string,
  { method = 'GET', headers = {}, body }: HttpCall = {},
): Promise<HttpAnswer> {
  const asked = request({
    socketPath,
    path,
    method,
    agent: false,
    headers: {
      host: 'localhost',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    timeout: 20_000,
  })
  asked.on('timeout', () => asked.destroy(new Error('no answer in 20 seconds')))
  asked.end(body)
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: await text(answer) }
}
