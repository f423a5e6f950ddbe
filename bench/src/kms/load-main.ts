/**
 * The load, a process of its own: `load-main.js <JSON of LoadOrder>`. Each connection sends a request, waits
 * for the answer, and sends the next. Bare sockets, so that the machine is left to the server.
 */
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { secretValue } from './values.ts'

export type LoadOrder = {
  readonly socketPath: string
  readonly tokens: readonly string[]
  /** File with one secret id a line, in the order of their values. */
  readonly ids: string
  readonly kind: 'read' | 'write'
  readonly connections: number
  readonly warmUpMs: number
  readonly ms: number
}
export type LoadResult = {
  readonly answers: number
  /** Of all answers from the start on, those before the measurement too. */
  readonly total: number
  readonly failures: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly firstFailure: string | undefined
}

// Without arguments this is no run: it is imported for its types.
const [text] = process.argv.slice(2)
if (text !== undefined) {
  const result = await load(JSON.parse(text) as LoadOrder)
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

async function load(order: LoadOrder): Promise<LoadResult> {
  const ids = readFileSync(order.ids, 'utf8').trimEnd().split('\n')
  const begin = performance.now() + order.warmUpMs
  const end = begin + order.ms
  const times: number[] = []
  let total = 0
  let failures = 0
  let firstFailure: string | undefined
  const one = (token: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = net.connect(order.socketPath)
      let sentAt = 0
      let received = ''
      let wanted = ''
      const send = (): void => {
        const line = Math.floor(Math.random() * ids.length)
        const id = ids[line] as string
        // The right value of the right secret, not just an answer.
        wanted = order.kind === 'read' ? `"secretValue":"${secretValue(line)}"` : `"id":"${id}"`
        sentAt = performance.now()
        socket.write(requestFor(order.kind, id, token), 'latin1')
      }
      socket.setEncoding('latin1')
      socket.on('connect', send)
      socket.on('error', reject)
      socket.on('data', (chunk: string) => {
        received += chunk
        const head = received.indexOf('\r\n\r\n')
        if (head < 0) return
        const at = received.indexOf('content-length: ')
        const length = Number.parseInt(received.slice(at + 16, at + 28), 10)
        if (received.length < head + 4 + length) return
        const now = performance.now()
        const isGood = received.startsWith('HTTP/1.1 200') && received.includes(wanted, head)
        if (!isGood) {
          failures++
          firstFailure ??= received
        }
        received = ''
        total++
        if (now >= begin && now < end) times.push(now - sentAt)
        if (now < end) send()
        else {
          socket.destroy()
          resolve()
        }
      })
    })
  await Promise.all(
    Array.from({ length: order.connections }, (_, i) =>
      one(order.tokens[i % order.tokens.length] as string),
    ),
  )
  times.sort((a, b) => a - b)
  const quantile = (q: number): number => times[Math.floor(times.length * q)] ?? Number.NaN
  return {
    answers: times.length,
    total,
    failures,
    perSecond: times.length / (order.ms / 1000),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    firstFailure,
  }
}

function requestFor(kind: LoadOrder['kind'], id: string, token: string): string {
  const head = `/api/v1/secrets/${id} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n`
  if (kind === 'read') return `GET ${head}\r\n`
  const body = `{"secretValue":"postgres://app:${Math.random().toString(36).slice(2)}@db.internal:5432/app"}`
  return `PATCH ${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}
