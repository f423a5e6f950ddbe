/**
 * Where audit records are sent besides the store: a file, a syslog server, a URL. The store is always first;
 * a sink gets what is on disk there already. One that does not take records fast enough keeps a backlog, and
 * over its bound the server refuses to work rather than leave a hole.
 */
import { appendFile } from 'node:fs/promises'
import { auditRecordToJson, decodeAuditRecord } from '@quorate/api'
import { Fault, type Logger } from '@quorate/base'
import { fileFault } from '@quorate/platform'
import type { WrittenGroup } from './journal.ts'
import { syslogSender } from './syslog.ts'

/** Delivers records, oldest first; resolves once the other side has them. */
export type Deliver = (lines: readonly string[]) => Promise<void>

export type SinkState = {
  readonly name: string
  readonly waiting: number
  readonly failures: number
}

const BATCH = 500
const MAX_PAUSE_MS = 30_000

export class AuditSink {
  readonly name: string
  readonly #deliver: Deliver
  readonly #bound: number
  readonly #logger: Logger
  #waiting: string[] = []
  #failures = 0
  #isRunning = false
  #wake: (() => void) | undefined
  #isClosed = false

  constructor(name: string, deliver: Deliver, bound: number, logger: Logger) {
    this.name = name
    this.#deliver = deliver
    this.#bound = bound
    this.#logger = logger
  }

  get state(): SinkState {
    return { name: this.name, waiting: this.#waiting.length, failures: this.#failures }
  }

  /** @throws kms/audit-backlog */
  check(): void {
    if (this.#waiting.length >= this.#bound)
      throw new Fault('kms/audit-backlog', { detail: this.name })
  }

  accept({ records }: WrittenGroup): void {
    for (const bytes of records)
      this.#waiting.push(JSON.stringify(auditRecordToJson(decodeAuditRecord(bytes))))
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    let pauseMs = 0
    while (this.#waiting.length > 0 && !this.#isClosed) {
      const batch = this.#waiting.slice(0, BATCH)
      try {
        await this.#deliver(batch)
        this.#waiting.splice(0, batch.length)
        pauseMs = 0
      } catch (error) {
        this.#failures++
        pauseMs = Math.min(MAX_PAUSE_MS, Math.max(500, pauseMs * 2))
        this.#logger.log('warn', 'audit.sink-failed', {
          sink: this.name,
          waiting: this.#waiting.length,
          error: error instanceof Error ? error.name : typeof error,
        })
        await this.#pause(pauseMs)
      }
    }
    this.#isRunning = false
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Gives up waiting for the other side. What it has not taken is in the store, and can be exported. */
  close(): void {
    this.#isClosed = true
    this.#wake?.()
  }
}

/** Appends lines to a file with mode 0600; one that was moved away meanwhile is made anew. */
export const fileDelivery =
  (path: string): Deliver =>
  async (lines) => {
    try {
      await appendFile(path, `${lines.join('\n')}\n`, { mode: 0o600 })
    } catch (error) {
      throw fileFault(error, `cannot write ${path}`)
    }
  }

const HTTP_MS = 10_000

/** Posts lines of JSON. */
export const httpDelivery =
  (url: string): Deliver =>
  async (lines) => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/jsonl' },
      body: `${lines.join('\n')}\n`,
      redirect: 'error',
      signal: AbortSignal.timeout(HTTP_MS),
    })
    await answer.body?.cancel()
    if (!answer.ok) throw new Fault('kms/audit-backlog', { detail: `status ${answer.status}` })
  }

/** The sinks of the configuration. */
export function openSinks(
  config: {
    readonly file?: string | undefined
    readonly syslog?: string | undefined
    readonly http?: string | undefined
    readonly backlog: number
  },
  logger: Logger,
): readonly AuditSink[] {
  const { file, syslog, http, backlog } = config
  const sinks: AuditSink[] = []
  const add = (name: string, deliver: Deliver): void => {
    sinks.push(new AuditSink(name, deliver, backlog, logger))
  }
  if (file !== undefined) add('file', fileDelivery(file))
  if (syslog !== undefined) add('syslog', syslogSender(syslog))
  if (http !== undefined) add('http', httpDelivery(http))
  return sinks
}
