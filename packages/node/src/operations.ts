/**
 * Operations: requests that take a while. The client's idempotency key, the hash of what it asked
 * and the result are durable, so that asking again gives the same answer for a day, and the same key
 * with another request is refused. Running ones report their progress.
 */
import {
  type OperationJson,
  type OperationResult,
  type Problem,
  requestHash,
  type SignedRequest,
  toProblem,
  toRfc3339,
} from '@quorate/api'
import { type Clock, equalBytes, Fault, type Id, isFault, newId, type Random } from '@quorate/base'
import type { Journal } from './journal.ts'
import { finishRequest, insertRequest, type RequestRow, type Store } from './store.ts'

/** How long a result answers for its key. */
const KEEP_MS = 24 * 60 * 60_000

type Progress = { readonly phase: string; readonly round: number; readonly of: number }
type Run = (request: SignedRequest) => Promise<OperationResult>

type Running = {
  readonly row: RequestRow
  progress: Progress | undefined
  readonly ended: Promise<void>
}

export class Operations {
  readonly #store: Store
  readonly #journal: Journal
  readonly #clock: Clock
  readonly #random: Random
  readonly #run: Run
  /** By operation id. */
  readonly #running = new Map<string, Running>()
  readonly #byRequest = new Map<string, string>()
  readonly #listeners = new Map<string, Set<() => void>>()

  constructor(o: { store: Store; journal: Journal; clock: Clock; random: Random; run: Run }) {
    this.#store = o.store
    this.#journal = o.journal
    this.#clock = o.clock
    this.#random = o.random
    this.#run = o.run
  }

  get running(): number {
    return this.#running.size
  }

  /** Ends what a crash cut off: its session can never finish, since its nonces and rounds were in memory. */
  async recover(): Promise<void> {
    for (const row of await this.#store.unfinished()) {
      const problem = toProblem(new Fault('node/interrupted'), row.operation)
      await this.#journal.commit(
        [finishRequest(row.operation, 'failed', JSON.stringify({ problem }), this.#clock.now())],
        [],
      )
    }
  }

  /**
   * Begins the operation of a request, or finds the one that the same key began.
   * @throws node/idempotency-conflict where the key was used for another request
   */
  async begin(request: SignedRequest, idempotencyKey: string): Promise<OperationJson> {
    const { project, requestId } = request.body.value
    const hash = requestHash(request)
    const find = (): Promise<OperationJson | undefined> =>
      this.#find(project, request.client, idempotencyKey, hash)
    const known = await find()
    if (known !== undefined) return known
    const now = this.#clock.now()
    const row: RequestRow = {
      project,
      client: request.client,
      idempotencyKey,
      operation: newId('op', now, this.#random),
      requestId,
      requestHash: hash,
      kind: request.body.kind,
      state: 'running',
      result: null,
      createdAt: now,
      updatedAt: now,
      until: now + KEEP_MS,
    }
    try {
      await this.#journal.commit([insertRequest(row)], [])
    } catch (error) {
      // Two at once with one key: the second finds the first's row.
      const first = isFault(error, 'platform/constraint') ? await find() : undefined
      if (first === undefined) throw error
      return first
    }
    const ended = this.#carryOut(row, request)
    this.#running.set(row.operation, { row, progress: undefined, ended })
    this.#byRequest.set(requestId, row.operation)
    return this.#json(row)
  }

  /** What the key began. @throws node/idempotency-conflict where that was another request */
  async #find(
    project: string,
    client: string,
    idempotencyKey: string,
    hash: Uint8Array,
  ): Promise<OperationJson | undefined> {
    const row = await this.#store.request(project, client, idempotencyKey)
    if (row === undefined) return undefined
    if (!equalBytes(row.requestHash, hash)) throw new Fault('node/idempotency-conflict')
    return this.#json(row)
  }

  async #carryOut(row: RequestRow, request: SignedRequest): Promise<void> {
    const [state, result] = await this.#run(request).then(
      (value): ['done', object] => ['done', { result: value }],
      (error: unknown): ['failed', object] => {
        const fault = isFault(error) ? error : new Fault('node/internal', { cause: error })
        return ['failed', { problem: toProblem(fault, row.operation) }]
      },
    )
    try {
      await this.#journal.commit(
        [finishRequest(row.operation, state, JSON.stringify(result), this.#clock.now())],
        [],
      )
    } finally {
      this.#running.delete(row.operation)
      this.#byRequest.delete(request.body.value.requestId)
      this.#notify(row.operation)
      this.#listeners.delete(row.operation)
    }
  }

  progress(requestId: string, progress: Progress): void {
    const operation = this.#byRequest.get(requestId)
    const running = operation === undefined ? undefined : this.#running.get(operation)
    if (running === undefined || operation === undefined) return
    running.progress = progress
    this.#notify(operation)
  }

  /** Calls `listener` at each step of a running operation; returns how to stop. */
  watch(operation: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(operation) ?? new Set()
    listeners.add(listener)
    this.#listeners.set(operation, listeners)
    return () => listeners.delete(listener)
  }

  #notify(operation: string): void {
    for (const listener of this.#listeners.get(operation) ?? []) listener()
  }

  /** @throws node/unknown-operation */
  async get(operation: string, project: string): Promise<OperationJson> {
    const row = await this.#store.operation(operation, project)
    if (row === undefined) throw new Fault('node/unknown-operation')
    return this.#json(row)
  }

  /** Resolves when everything that runs has ended. */
  async drain(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map(({ ended }) => ended))
  }

  #json(row: RequestRow): OperationJson {
    const progress = this.#running.get(row.operation)?.progress
    const ended =
      row.result === null
        ? {}
        : (JSON.parse(row.result) as { result?: OperationResult; problem?: Problem })
    return {
      id: row.operation as Id<'op'>,
      kind: row.kind as OperationJson['kind'],
      state: row.state,
      project: row.project,
      requestId: row.requestId,
      ...(progress !== undefined && row.state === 'running' && { progress }),
      ...ended,
      createdAt: toRfc3339(row.createdAt),
      updatedAt: toRfc3339(row.updatedAt),
    }
  }
}
