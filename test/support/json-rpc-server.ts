/** JSON-RPC over HTTP on loopback, as wallets' libraries ask for it: one call at a time, or a batch. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Methods = {
  readonly [method: string]: (...params: never[]) => unknown
}

export type RpcServer = { readonly url: string; close(): Promise<void> }

type Call = { readonly id: unknown; readonly method: string; readonly params?: readonly unknown[] }

/** What a method throws is answered as its error. */
export async function serveRpc(methods: Methods): Promise<RpcServer> {
  // Calls come after each other, so that no method meets the state that another one is changing.
  let last: Promise<unknown> = Promise.resolve()
  const answer = (call: Call): Promise<object> => {
    const answered = last.then(() => answerOne(methods, call))
    last = answered
    return answered
  }
  const respond = async (request: IncomingMessage): Promise<string> => {
    const asked = JSON.parse(await bodyOf(request)) as Call | readonly Call[]
    return JSON.stringify(
      await ('method' in asked ? answer(asked) : Promise.all(asked.map(answer))),
    )
  }
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    void respond(request).then((body) => response.end(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function answerOne(methods: Methods, { id, method, params = [] }: Call): Promise<object> {
  const run = methods[method] as ((...given: readonly unknown[]) => unknown) | undefined
  const answer = { jsonrpc: '2.0', id }
  if (run === undefined) return { ...answer, error: { code: -32601, message: `no ${method}` } }
  try {
    return { ...answer, result: await run(...params) }
  } catch (error) {
    return { ...answer, error: { code: -32000, message: (error as Error).message } }
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}
