/** A node of a network as far as the command line talks to one, on loopback. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Asked = {
  /** Method and path. */
  readonly line: string
  readonly authorization: string | undefined
  readonly body: string
}
type Reply = { readonly status?: number; readonly body: string; readonly location?: string }
export type Answer = (asked: Asked) => Reply

export type FakeNetwork = {
  readonly url: string
  readonly asked: readonly Asked[]
  close(): Promise<void>
}

export async function startNetwork(answer: Answer): Promise<FakeNetwork> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const { method, url, headers } = request
    void read(request).then((body) => {
      const one = { line: `${method} ${url}`, authorization: headers.authorization, body }
      asked.push(one)
      const reply = answer(one)
      const location = reply.location === undefined ? {} : { location: reply.location }
      response.writeHead(reply.status ?? 200, location).end(reply.body)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

export type RpcError = { readonly error: { readonly code: number; readonly message: string } }

/** Answers JSON-RPC calls from a table of methods. */
export const rpcAnswers =
  (methods: { readonly [method: string]: (params: readonly unknown[]) => unknown }): Answer =>
  ({ body }) => {
    const { method, params } = JSON.parse(body) as {
      readonly method: string
      readonly params: readonly unknown[]
    }
    const found = methods[method]?.(params)
    const isError = typeof found === 'object' && found !== null && 'error' in found
    const missing = { error: { code: -32601, message: 'no such method' } }
    const answer = found === undefined ? missing : isError ? found : { result: found }
    return { body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...(answer as object) }) }
  }
