/** Answers to changes that may be sent again under one idempotency key: the change happens once. */
import { equalBytes, Fault, fromUtf8, type Id, utf8 } from '@quorate/base'
import type { SqlStatement } from '@quorate/platform'
import type { Place as SealedPlace } from '../../barrier/port.ts'
import type { KmsContext } from '../../context.ts'
import type { SealedTable } from '../../storage/port.ts'
import type { Principal } from '../access/port.ts'

/** How long an answer is kept. */
export const KEPT_MS: number = 24 * 60 * 60 * 1000

export type Once = {
  readonly principal: Principal
  readonly project: Id<'prj'>
  readonly key: string | undefined
  /** The route and the body, by which another request under the same key is told. */
  readonly request: unknown
}

const placeOf = (project: string, id: string): SealedPlace => ({
  project,
  table: 'secret_request',
  row: id,
  version: 1,
  column: 'answer',
})

export class Requests {
  readonly #context: KmsContext
  /** Requests that are being carried out. */
  readonly #running = new Map<string, Promise<unknown>>()

  constructor(context: KmsContext) {
    this.#context = context
  }

  /**
   * What `run` answers, or answered before to the same request. `run` puts the statements that it is given
   * for its answer into its own transaction.
   * @throws kms/idempotency-conflict, and what `run` throws
   */
  async once<T>(
    { principal, project, key, request }: Once,
    run: (keep: (answer: T) => { readonly statements: readonly SqlStatement[] }) => Promise<T>,
  ): Promise<T> {
    if (key === undefined) return run(() => ({ statements: [] }))
    const { barrier, clock } = this.#context
    await barrier.project(project)
    const id = `${project} ${principal.id} ${key}`
    const body = barrier.auditHash(project, 'request', utf8(JSON.stringify(request)))
    // The same request, sent twice at once: the second waits for the answer of the first.
    for (let other = this.#running.get(id); other !== undefined; other = this.#running.get(id))
      await other.catch(() => undefined)
    const running = (async (): Promise<T> => {
      const before = await this.#answer<T>(project, id, body)
      if (before !== undefined) return before
      const now = clock.now()
      return run((answer) => ({
        statements: [
          { sql: 'DELETE FROM secret_request WHERE at < ?', params: [now - KEPT_MS] },
          {
            sql: 'INSERT INTO secret_request (id, project, body, answer, at) VALUES (?, ?, ?, ?, ?)',
            params: [
              id,
              project,
              body,
              barrier.seal(placeOf(project, id), utf8(JSON.stringify(answer))),
              now,
            ],
          },
        ],
      }))
    })()
    this.#running.set(id, running)
    try {
      return await running
    } finally {
      this.#running.delete(id)
    }
  }

  async #answer<T>(project: string, id: string, body: Uint8Array): Promise<T | undefined> {
    const { sql, barrier, clock } = this.#context
    const [row] = await sql.read('SELECT body, answer, at FROM secret_request WHERE id = ?', [id])
    if (row === undefined || Number(row['at']) < clock.now() - KEPT_MS) return undefined
    if (!equalBytes(row['body'] as Uint8Array, body)) throw new Fault('kms/idempotency-conflict')
    const opened = barrier.open(placeOf(project, id), row['answer'] as Uint8Array)
    return JSON.parse(fromUtf8(opened) ?? 'null') as T
  }
}

export const REQUEST_SEALED: SealedTable = {
  table: 'secret_request',
  key: ['id'],
  columns: ['project'],
  sealed: ['answer'],
  placeOf: (row) => placeOf(String(row['project']), String(row['id'])),
}
