/**
 * The KMS as it ships, under load from another process of the same machine: random keys out of many, each
 * answer after its audit record is on disk (flushed), no cache of plaintext. SQLite, and PostgreSQL where it
 * is installed.
 *
 *   secret-read, secret-write   at 32 connections: answers a second, the median of all latencies, and the
 *                               processor time of the server for one answer
 *   filled/secret-read          the same, of the process that has just stored all secrets
 *   start                       until it serves, with all secrets in the store; memory after that
 *   million/…                   the same with a million secrets, and the memory after reads of them at random.
 *                               To store them takes minutes, so it is done only where it is asked for.
 *
 * QUORATE_BENCH_SECONDS (10), QUORATE_BENCH_SECRETS (100000), QUORATE_BENCH_ONLY (sqlite, postgresql, million).
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Bench, type Row, row } from '../report.ts'
import { type Call, clientOf } from './client.ts'
import type { LoadOrder, LoadResult } from './load-main.ts'
import { startPostgres } from './postgres.ts'
import { secretValue } from './values.ts'

const SECONDS = Number(process.env['QUORATE_BENCH_SECONDS'] ?? 10)
const SECRETS = Number(process.env['QUORATE_BENCH_SECRETS'] ?? 100_000)
const ONLY = process.env['QUORATE_BENCH_ONLY']
const MILLION = 1_000_000
const CONNECTIONS = 32
const WARM_UP_MS = 5000
const BATCH = 500
/** One identity alone would meet its rate limit. */
const IDENTITIES = 8

const program = (name: string): string => fileURLToPath(new URL(`./${name}`, import.meta.url))
const run = promisify(execFile)

export const kms: Bench = {
  about: `the server as it ships, ${CONNECTIONS} connections, ${SECRETS} secrets, audit on disk before each answer`,
  async *run() {
    if (ONLY === undefined || ONLY === 'sqlite') yield* onEngine('sqlite', undefined)
    if (ONLY === undefined || ONLY === 'postgresql') {
      const database = await startPostgres()
      if (database === undefined) process.stderr.write('PostgreSQL is not installed: left out\n')
      else
        try {
          yield* onEngine('postgresql', database.uri)
        } finally {
          await database.stop()
        }
    }
    if (ONLY === 'million') yield* million()
  },
}

async function* onEngine(engine: string, databaseUri: string | undefined): AsyncIterable<Row> {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-bench-'))
  let server = await Server.start(directory, databaseUri)
  try {
    const filled = await fill(server, directory, SECRETS)
    yield* underLoad(`kms/${engine}/filled/secret-read`, server, filled, 'read')
    await server.stop()
    server = await Server.start(directory, databaseUri)
    yield row(`kms/${engine}/start`, server.startMs)
    yield await memory(`kms/${engine}/memory`, server)
    yield* underLoad(`kms/${engine}/secret-read`, server, filled, 'read')
    yield* underLoad(`kms/${engine}/secret-write`, server, filled, 'write')
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function* underLoad(
  name: string,
  server: Server,
  filled: Filled,
  kind: LoadOrder['kind'],
): AsyncIterable<Row> {
  const { socketPath } = server
  const order = { ...filled, socketPath, connections: CONNECTIONS, warmUpMs: WARM_UP_MS }
  const before = await server.figures()
  const result = await load({ ...order, kind, ms: SECONDS * 1000 })
  const after = await server.figures()
  check(result, after.records - before.records)
  yield perSecond(`${name}/throughput`, result.perSecond)
  yield row(`${name}/p50`, result.p50Ms)
  yield row(`${name}/p99`, result.p99Ms)
  yield {
    name: `${name}/cpu`,
    value: Math.round((after.cpuUs - before.cpuUs) / result.total),
    unit: 'µs',
  }
}

/** What many secrets cost a server that has just been started, and then answers. */
async function* million(): AsyncIterable<Row> {
  const name = 'kms/sqlite/million'
  const directory = mkdtempSync(join(tmpdir(), 'quorate-bench-'))
  let server = await Server.start(directory, undefined)
  try {
    const begin = performance.now()
    const filled = await fill(server, directory, MILLION)
    yield perSecond(`${name}/store`, (MILLION * 1000) / (performance.now() - begin))
    await server.stop()
    server = await Server.start(directory, undefined)
    yield row(`${name}/start`, server.startMs)
    yield* underLoad(`${name}/secret-read`, server, filled, 'read')
    yield await memory(`${name}/memory`, server)
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

const memory = async (name: string, server: Server): Promise<Row> => ({
  name,
  value: (await server.figures()).rss,
  unit: 'bytes',
})

const perSecond = (name: string, value: number): Row => ({
  name,
  value: Math.round(value),
  unit: 'per s',
})

/** Every answer is a good one, and has its record. */
function check({ failures, firstFailure, total }: LoadResult, records: number): void {
  if (failures > 0) throw new Error(`${failures} answers failed, the first:\n${firstFailure}`)
  if (records < total) throw new Error(`${total} answers and ${records} audit records`)
}

async function load(order: LoadOrder): Promise<LoadResult> {
  const { stdout } = await run(process.execPath, [program('load-main.js'), JSON.stringify(order)], {
    maxBuffer: 1 << 24,
  })
  return JSON.parse(stdout) as LoadResult
}

type Filled = Pick<LoadOrder, 'tokens' | 'ids'>

async function fill(server: Server, directory: string, count: number): Promise<Filled> {
  const secret = readFileSync(join(directory, 'data', 'bootstrap-secret'), 'utf8').trim()
  const init = clientOf(server.socketPath)
  const { body } = await init('POST', '/api/v1/sys/init', { secret, name: 'admin' })
  const admin = clientOf(server.socketPath, (body as { accessToken: string }).accessToken)
  const project = await idOf(admin('POST', '/api/v1/projects', { name: 'bench' }))
  const place = `/api/v1/projects/${project}/environments/development`
  const ids: string[] = []
  for (let first = 0; first < count; first += BATCH) {
    const operations = Array.from({ length: Math.min(BATCH, count - first) }, (_, i) => ({
      op: 'create',
      secretName: `KEY_${first + i}`,
      secretValue: secretValue(first + i),
    }))
    const made = await admin('POST', `${place}/batch`, { operations })
    for (const { id } of (made.body as { items: readonly { id: string }[] }).items) ids.push(id)
  }
  const file = join(directory, 'ids')
  writeFileSync(file, `${ids.join('\n')}\n`)
  return { tokens: await tokensFor(admin, project), ids: file }
}

async function tokensFor(admin: Call, project: string): Promise<readonly string[]> {
  const tokens: string[] = []
  for (let i = 0; i < IDENTITIES; i++) {
    const identity = await idOf(
      admin('POST', '/api/v1/identities', { kind: 'machine', name: `bench-${i}`, project }),
    )
    await admin('POST', `/api/v1/identities/${identity}/grants`, { project, role: 'developer' })
    const { body } = await admin('POST', `/api/v1/identities/${identity}/tokens`, { name: 'bench' })
    tokens.push((body as { accessToken: string }).accessToken)
  }
  return tokens
}

const idOf = async (answer: ReturnType<Call>): Promise<string> =>
  ((await answer).body as { readonly id: string }).id

type Figures = {
  readonly rss: number
  readonly cpuUs: number
  readonly records: number
  readonly errors: readonly string[]
}

class Server {
  readonly socketPath: string
  readonly startMs: number
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(
    child: ChildProcess,
    lines: AsyncIterator<string>,
    { socketPath, startMs }: { readonly socketPath: string; readonly startMs: number },
  ) {
    this.#child = child
    this.#lines = lines
    this.socketPath = socketPath
    this.startMs = startMs
  }

  static async start(directory: string, databaseUri: string | undefined): Promise<Server> {
    const args = databaseUri === undefined ? [directory] : [directory, databaseUri]
    const child = spawn(process.execPath, [program('server-main.js'), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
    const first = await lines.next()
    if (first.done === true) throw new Error('the server did not start')
    return new Server(child, lines, JSON.parse(first.value) as Server)
  }

  async figures(): Promise<Figures> {
    this.#child.stdin!.write('figures\n')
    const next = await this.#lines.next()
    const figures = JSON.parse(String(next.value)) as Figures
    if (figures.errors.length > 0) throw new Error(figures.errors.join('\n'))
    return figures
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.stdin!.writableEnded) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.stdin!.end('stop\n')
    await ended
  }
}
