/**
 * A simulator of the part of Consul's HTTP API that discovery uses, written from its documentation:
 * services with TTL checks that turn critical, blocking queries, the key-value store with
 * check-and-set, the token. The same tests run against a real Consul where one is installed.
 */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

type Check = { ttlMs: number; passesUntil: number }
type Service = { readonly id: string; readonly tags: readonly string[]; readonly check: Check }
type Entry = { value: Buffer; modifyIndex: number }

export type ConsulSimulator = {
  readonly address: string
  readonly entries: ReadonlyMap<string, Entry>
  readonly passing: () => readonly string[]
  /** As another client of Consul with every right would. */
  write(key: string, value: Uint8Array): void
  /** Answers of the store from now on, instead of what it holds. */
  lie: ((path: string) => { status: number; body: string } | undefined) | undefined
}

export async function consulSimulator(
  t: Pick<TestContext, 'after'>,
  token?: string,
): Promise<ConsulSimulator> {
  const services = new Map<string, Service>()
  const entries = new Map<string, Entry>()
  const waiting = new Set<() => void>()
  let index = 1
  const changed = (): void => {
    index++
    for (const wake of waiting) wake()
  }
  const isPassing = ({ check }: Service): boolean => check.passesUntil > performance.now()
  const passing = (): Service[] => [...services.values()].filter(isPassing)

  /** Waits until `index` has moved on from the query's, or its time is over. */
  const block = async (query: URLSearchParams): Promise<void> => {
    const from = Number(query.get('index') ?? 0)
    const waitMs = Number(/^(\d+)ms$/.exec(query.get('wait') ?? '')?.[1] ?? 300_000)
    if (from === 0 || index > from) return
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        waiting.delete(end)
        resolve()
      }
      const timer = setTimeout(end, waitMs)
      waiting.add(end)
    })
  }
  const put = (key: string, value: Buffer, cas: string | null): boolean => {
    const known = entries.get(key)
    if (cas !== null && Number(cas) !== (known?.modifyIndex ?? 0)) return false
    changed()
    entries.set(key, { value, modifyIndex: index })
    return true
  }

  const simulator: ConsulSimulator = {
    address: '',
    entries,
    passing: () => passing().map(({ id }) => id),
    write: (key, value) => void put(key, Buffer.from(value), null),
    lie: undefined,
  }
  const answer = async (
    method: string,
    { pathname, searchParams: query }: URL,
    body: Buffer,
  ): Promise<{ status: number; body: string }> => {
    const lie = simulator.lie?.(pathname)
    if (lie !== undefined) return lie
    if (method === 'PUT' && pathname === '/v1/agent/service/register') {
      const { ID, Tags, Check } = JSON.parse(body.toString()) as {
        ID: string
        Tags: string[]
        Check: { TTL: string }
      }
      // A new TTL check is critical until it is first passed.
      const check = { ttlMs: Number.parseInt(Check.TTL, 10) * 1000, passesUntil: 0 }
      services.set(ID, { id: ID, tags: Tags, check })
      return { status: 200, body: '' }
    }
    const [, checkId] = /^\/v1\/agent\/check\/pass\/(.+)$/.exec(pathname) ?? []
    if (method === 'PUT' && checkId !== undefined) {
      const service = services.get(checkId)
      if (service === undefined) return { status: 404, body: `Unknown check ID "${checkId}"` }
      if (!isPassing(service)) changed()
      service.check.passesUntil = performance.now() + service.check.ttlMs
      return { status: 200, body: '' }
    }
    if (method === 'GET' && pathname === '/v1/health/service/quorate') {
      await block(query)
      const found = passing().filter(({ tags }) => tags.includes(query.get('tag') ?? ''))
      return { status: 200, body: JSON.stringify(found.map(({ id }) => ({ Service: { ID: id } }))) }
    }
    const [, key] = /^\/v1\/kv\/(.+)$/.exec(pathname) ?? []
    if (method === 'PUT' && key !== undefined)
      return { status: 200, body: String(put(key, body, query.get('cas'))) }
    if (method === 'GET' && key !== undefined) {
      const found = [...entries].filter(([name]) =>
        query.has('recurse') ? name.startsWith(key) : name === key,
      )
      if (found.length === 0) return { status: 404, body: '' }
      const list = found.map(([Key, { value, modifyIndex }]) => ({
        Key,
        Value: value.toString('base64'),
        ModifyIndex: modifyIndex,
      }))
      return { status: 200, body: JSON.stringify(list) }
    }
    return { status: 405, body: '' }
  }

  const server = http.createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      if (token !== undefined && request.headers['x-consul-token'] !== token) {
        response.writeHead(403).end('Permission denied')
        return
      }
      const url = new URL(request.url ?? '/', 'http://consul')
      void answer(request.method ?? '', url, Buffer.concat(parts)).then(({ status, body }) =>
        response.writeHead(status, { 'x-consul-index': String(index) }).end(body),
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return Object.assign(simulator, { address: `http://127.0.0.1:${port}` })
}
