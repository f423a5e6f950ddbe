/**
 * Operations: requests that take a while. The client's idempotency key, the hash of what it asked
 * and the result are durable, so that asking again gives the same answer for a day, and the same key
 * with another request is refused. Running ones report their progress.
 */
import {
  decodeRequest,
  encodeRequest,
  type OperationJson,
  type OperationResult,
  type Problem,
  requestHash,
  type SignedRequest,
  toProblem,
  toRfc3339,
  type WaitingJson,
} from '@quorate/api'
import {
  type Clock,
  equalBytes,
  Fault,
  type Id,
  isFault,
  newId,
  type Random,
  toHex,
} from '@quorate/base'
import type { SqlStatement } from '@quorate/platform'
import type { Journal } from './journal.ts'
import { insertRequest, moveRequest, putPastRequest } from './statements.ts'
import type { RequestRow, RequestState, Store } from './store.ts'

/** How long a result answers for its key. */
const KEEP_MS = 24 * 60 * 60_000

type Progress = { readonly phase: string; readonly round: number; readonly of: number }
/** What a request has come to: its result, or what it waits for. */
export type Reached = { readonly result: OperationResult } | { readonly waiting: WaitingJson }
type Run = (request: SignedRequest) => Promise<Reached>

type Running = {
  readonly row: RequestRow
  readonly request: SignedRequest
  progress: Progress | undefined
  /** How it ended, once that is on disk with what it came to: the call that brought it is not waited for. */
  readonly concluded: Promise<Concluded>
  conclude(end: Concluded): void
  ended: Promise<void>
}

type Concluded = { readonly row: RequestRow; readonly ended: Ended }

/** What makes the end of an operation durable together with what it came to. */
export type Concluding = {
  readonly statements: readonly SqlStatement[]
  /** Called once they are on disk. */
  written(): void
}

/** What the row of an operation holds as JSON. */
type Ended = {
  readonly result?: OperationResult
  readonly problem?: Problem
  readonly waiting?: WaitingJson
}

/** Operations that were done lately and are answered without a look at the store. */
const MAX_ENDED = 256

const endedOf = ({ result }: RequestRow): Ended =>
  result === null ? {} : (JSON.parse(result) as Ended)

/** How long what a wallet was asked to sign is kept: as long as the longest window of a policy. */
const KEEP_PAST_MS = 31 * 24 * 60 * 60_000
/** Longer ones are not kept: they would fill the disk. */
const MAX_PAST_BYTES = 64 * 1024

function pastRequest(
  { operation, createdAt }: RequestRow,
  request: SignedRequest,
): readonly SqlStatement[] {
  if (request.body.kind !== 'sign') return []
  const bytes = encodeRequest(request)
  if (bytes.length > MAX_PAST_BYTES) return []
  return [putPastRequest(request.body.value.wallet, operation, bytes, createdAt + KEEP_PAST_MS)]
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
  /** The newest that runs, by request hash. */
  readonly #byHash = new Map<string, Running>()
  /** What waits, by request hash. */
  readonly #waiting = new Map<
    string,
    { readonly row: RequestRow; readonly request: SignedRequest }
  >()
  /** What was done lately, by operation. */
  readonly #ended = new Map<string, { readonly row: RequestRow; readonly ended: Ended }>()
  /** By operation, and by project. */
  readonly #listeners = new Map<string, Set<(operation: string) => void>>()

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

  /**
   * Ends what a crash cut off: its session can never finish, since its nonces and rounds were in memory.
   * What waited goes on waiting.
   */
  async recover(): Promise<void> {
    for (const row of await this.#store.unfinished()) {
      if (row.request !== null) {
        this.#waiting.set(toHex(row.requestHash), { row, request: decodeRequest(row.request) })
        continue
      }
      const problem = toProblem(new Fault('node/interrupted'), row.operation)
      await this.#journal.commit(
        [moveRequest(row.operation, 'failed', JSON.stringify({ problem }), this.#clock.now())],
        [],
      )
    }
  }

  /** Takes up everything that waits, once the node can work: what it waited for may have come meanwhile. */
  resume(): void {
    for (const hash of Array.from(this.#waiting.keys())) void this.#goOn(hash)
  }

  /** A request that waited, by its hash, need not wait any more. */
  async wake(hash: Uint8Array): Promise<void> {
    await this.#goOn(toHex(hash))
  }

  async #goOn(name: string): Promise<void> {
    const waiting = this.#waiting.get(name)
    if (waiting === undefined) return
    this.#waiting.delete(name)
    const row: RequestRow = { ...waiting.row, state: 'running', result: null }
    this.#start(row, waiting.request)
    await this.ended(row.operation)
  }

  #start(row: RequestRow, request: SignedRequest): void {
    let conclude: Running['conclude'] = () => {}
    const concluded = new Promise<Concluded>((resolve) => {
      conclude = resolve
    })
    const running: Running = {
      row,
      request,
      progress: undefined,
      concluded,
      conclude,
      ended: Promise.resolve(),
    }
    this.#running.set(row.operation, running)
    this.#byRequest.set(row.requestId, row.operation)
    this.#byHash.set(toHex(row.requestHash), running)
    running.ended = this.#carryOut(running)
    this.#notify(row)
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
      until: Math.max(now, request.body.value.expiresAt) + KEEP_MS,
      request: null,
    }
    try {
      await this.#journal.commit([insertRequest(row), ...pastRequest(row, request)], [])
    } catch (error) {
      // The key was used before, or is being used: the row that it made is there.
      const first = isFault(error, 'platform/constraint') ? await find() : undefined
      if (first === undefined) throw error
      return first
    }
    this.#start(row, request)
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

  /**
   * What else goes into the write by which a request, by its hash, comes to that; nothing where no
   * operation runs for it.
   */
  concluding(
    hash: Uint8Array,
    reachedBy: (request: SignedRequest) => Reached,
  ): Concluding | undefined {
    const running = this.#byHash.get(toHex(hash))
    if (running === undefined) return undefined
    const ended = reachedBy(running.request)
    const result = JSON.stringify(ended)
    const now = this.#clock.now()
    const row: RequestRow = { ...running.row, state: 'done', result, updatedAt: now }
    return {
      statements: [moveRequest(row.operation, 'done', result, now)],
      written: () => running.conclude({ row, ended }),
    }
  }

  async #carryOut(running: Running): Promise<void> {
    const { row, request } = running
    const came = await Promise.race([running.concluded, this.#reached(running)])
    if ('ended' in came) {
      this.#keep(came.row, came.ended)
      this.#leave(running)
      return
    }
    const { state, reached } = came
    const result = JSON.stringify(reached)
    const signed = state === 'waiting' ? encodeRequest(request) : null
    // Before it is on disk: what it waits for may come while the disk works.
    if (signed !== null)
      this.#waiting.set(toHex(row.requestHash), {
        row: { ...row, state, result, request: signed },
        request,
      })
    try {
      const now = this.#clock.now()
      await this.#journal.commit([moveRequest(row.operation, state, result, now, signed)], [])
      if (state === 'done') this.#keep({ ...row, state, result, updatedAt: now }, reached)
    } finally {
      this.#leave(running)
    }
  }

  /** What a request comes to; that it fails is one of it. */
  async #reached({
    row,
    request,
  }: Running): Promise<{ readonly state: RequestState; readonly reached: Ended }> {
    try {
      const reached = await this.#run(request)
      return { state: 'waiting' in reached ? 'waiting' : 'done', reached }
    } catch (error) {
      const fault = isFault(error) ? error : new Fault('node/internal', { cause: error })
      return { state: 'failed', reached: { problem: toProblem(fault, row.operation) } }
    }
  }

  #leave(running: Running): void {
    const { row } = running
    const hash = toHex(row.requestHash)
    // What it waited for may have come already: then it runs anew.
    if (this.#running.get(row.operation) === running) this.#running.delete(row.operation)
    if (this.#byHash.get(hash) === running) this.#byHash.delete(hash)
    this.#byRequest.delete(row.requestId)
    this.#notify(row)
  }

  progress(requestId: string, progress: Progress): void {
    const operation = this.#byRequest.get(requestId)
    const running = operation === undefined ? undefined : this.#running.get(operation)
    if (running === undefined || operation === undefined) return
    running.progress = progress
    this.#notify(running.row)
  }

  /** Resolves when the operation does not run, or no longer. */
  async ended(operation: string): Promise<void> {
    await this.#running.get(operation)?.ended.catch(() => undefined)
  }

  /**
   * Calls `listener` with the id of an operation at each of its steps: of the one operation named, or of
   * every one of a project. Returns how to stop.
   */
  watch(operationOrProject: string, listener: (operation: string) => void): () => void {
    const listeners = this.#listeners.get(operationOrProject) ?? new Set()
    listeners.add(listener)
    this.#listeners.set(operationOrProject, listeners)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(operationOrProject) === listeners)
        this.#listeners.delete(operationOrProject)
    }
  }

  #notify({ operation, project }: RequestRow): void {
    for (const name of [operation, project])
      for (const listener of this.#listeners.get(name) ?? []) listener(operation)
  }

  /** Remembers what has just ended, for whoever waits for it. */
  #keep(row: RequestRow, ended: Ended): void {
    if (this.#ended.size === MAX_ENDED) this.#ended.delete(this.#ended.keys().next().value!)
    this.#ended.set(row.operation, { row, ended })
  }

  /** @throws node/unknown-operation */
  async get(operation: string, project: string): Promise<OperationJson> {
    const kept = this.#ended.get(operation)
    if (kept?.row.project === project) return this.#json(kept.row, kept.ended)
    const row = await this.#store.operation(operation, project)
    if (row === undefined) throw new Fault('node/unknown-operation')
    return this.#json(row)
  }

  /** Resolves when everything that runs has ended. */
  async drain(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map(({ ended }) => ended))
  }

  #json(row: RequestRow, ended: Ended = endedOf(row)): OperationJson {
    const progress = this.#running.get(row.operation)?.progress
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
