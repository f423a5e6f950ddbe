/**
 * The client of a node, or of several that stand in for each other. Every call is signed by a client
 * entry of the cluster record. Results come with the nodes' receipts, which whoever uses them checks
 * (`QuorateClient` does): a new wallet counts with those of all nodes, a signature with those of its
 * signers, so that one lying node can slip nothing in.
 */
import {
  EVENT_NAME,
  encodeRequest,
  fromProblem,
  IDEMPOTENCY_HEADER,
  isPermitted,
  MAX_LIFETIME_MS,
  type NodeApi,
  type OperationId,
  type OperationJson,
  pathOf,
  type RequestBody,
  ROUTES,
  type Role,
  type SignResult,
  type StreamId,
  signRequest as signClientRequest,
  type WalletJson,
} from '@quorate/api'
import { signHttpRequest } from '@quorate/auth'
import {
  type Clock,
  Fault,
  fromHex,
  type Id,
  isFault,
  newId,
  parseId,
  type Random,
  type Signer,
  toHex,
  utf8,
} from '@quorate/base'
import { readEvents } from './events.ts'
import { readReply, retryAfterMs } from './reply.ts'
import { checkGoing, isPassing, pause, pauseMs, type RetryPolicy } from './retry.ts'
import { type Endpoint, exchange, type HttpCall, hostOf, stream } from './transport.ts'

/** One client entry of the cluster record with its key. */
export type Credential = {
  readonly client: Id<'cli'>
  readonly role: Role
  readonly project: Id<'prj'>
  readonly signer: Signer
}

export type NodeClientOptions = {
  /** One, or several nodes of the cluster: the next one is asked where one does not serve. */
  readonly endpoint: Endpoint | readonly [Endpoint, ...Endpoint[]]
  /** The cluster id, 32 bytes. */
  readonly cluster: Uint8Array
  /** The first that permits a call makes it. */
  readonly credentials: readonly Credential[]
  readonly clock: Clock
  readonly random: Random
  /** Waits; tests pass their own. */
  readonly sleep: (ms: number) => Promise<void>
  /** Each endpoint once, without a pause, unless given. */
  readonly retry?: RetryPolicy
}

type Input<C extends OperationId> = {
  readonly [K in 'params' | 'body' as NodeApi[C][K] extends undefined ? never : K]: NodeApi[C][K]
} & {
  readonly query?: NodeApi[C]['query']
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal | undefined
  readonly traceparent?: string | undefined
}

/** The calls that are answered once. */
export type CallId = Exclude<OperationId, StreamId>

export type OnProgress = (operation: OperationJson) => void

/** How a call goes on that takes its time. */
export type CallOptions = {
  readonly onProgress?: OnProgress | undefined
  /** Given, an operation that waits for people is followed until they have decided or it has expired. */
  readonly onWaiting?: OnProgress | undefined
  readonly signal?: AbortSignal | undefined
  /** The caller's span (W3C Trace Context, 3.2), under which the node puts its own. */
  readonly traceparent?: string | undefined
}

/** What a wallet is to sign. */
export type SignTask = {
  /** Slug. */
  readonly network: string
  /** The exact unsigned bytes, in the form of the network's adapter. */
  readonly unsigned: Uint8Array
  readonly context: Uint8Array
  /** Non-hardened derivation steps below the wallet's key, none for the key itself. */
  readonly path: readonly number[]
  /**
   * For how long it may still be signed, in milliseconds: five minutes unless told. One that has to wait
   * for people needs longer, a day at most.
   */
  readonly lifetimeMs?: number
}

/** What the cluster signed, and the request that its receipts name. */
export type SignAnswer = {
  readonly result: SignResult
  readonly body: RequestBody
  readonly client: Id<'cli'>
}

/** Between two looks at an operation: a tenth of the time that it has taken, within these. */
const MIN_POLL_MS = 60
const MAX_POLL_MS = 500
/**
 * How long an operation is waited for before its id is handed back in a fault. Shares of an ECDSA key
 * need auxiliary information, and that large primes, which take minutes on a slow machine.
 */
const MAX_WAIT_MS: { readonly [kind in OperationJson['kind']]: number } = {
  createWallet: 15 * 60_000,
  refresh: 15 * 60_000,
  sign: 2 * 60_000,
  changePolicy: 2 * 60_000,
}

type AnyInput = {
  readonly params?: { readonly [name: string]: string }
  readonly query?: { readonly [name: string]: string | number | undefined }
  readonly body?: unknown
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal | undefined
  readonly traceparent?: string | undefined
}

export class NodeClient {
  readonly #o: NodeClientOptions
  readonly #endpoints: readonly Endpoint[]
  readonly #retry: RetryPolicy
  /** The endpoint that served last. */
  #at = 0

  constructor(options: NodeClientOptions) {
    this.#o = options
    const { endpoint, retry } = options
    this.#endpoints = Array.isArray(endpoint) ? endpoint : [endpoint as Endpoint]
    this.#retry = retry ?? { attempts: this.#endpoints.length, firstMs: 0, maxMs: 0 }
  }

  /** The credential for a route. @throws sdk/no-credential */
  credentialFor(id: OperationId): Credential | undefined {
    const { permission } = ROUTES[id]
    if (permission === undefined) return undefined
    const found = this.#o.credentials.find(({ role }) => isPermitted([role], permission))
    if (found === undefined)
      throw new Fault('sdk/no-credential', { detail: `it takes ${permission}` })
    return found
  }

  /** One call of the API, made again where that may help. @throws the node's fault by its code, sdk/… */
  async call<C extends CallId>(id: C, input: Input<C>): Promise<NodeApi[C]['answer']> {
    const { answer } = await this.#ask(id, input as AnyInput)
    return answer as NodeApi[C]['answer']
  }

  /** The answer, and the place of the endpoint that gave it. `only`: no other one will do. */
  async #ask(
    id: CallId,
    input: AnyInput,
    only?: number,
  ): Promise<{ readonly answer: unknown; readonly at: number }> {
    const { random, sleep } = this.#o
    const count = only === undefined ? this.#endpoints.length : 1
    for (let attempt = 1; ; attempt++) {
      const at = only ?? this.#at
      const endpoint = this.#endpoints[at]!
      let serverMs = 0
      try {
        const reply = await exchange(
          endpoint,
          await this.#signed(endpoint, id, input),
          input.signal,
        )
        serverMs = retryAfterMs(reply.retryAfter)
        return { answer: readReply(reply), at }
      } catch (error) {
        if (!isPassing(error)) throw error
        if (only === undefined && this.#at === at) this.#at = (at + 1) % count
        if (attempt >= this.#retry.attempts) throw error
        await pause(sleep, pauseMs(attempt, count, serverMs, this.#retry, random), input.signal)
      }
    }
  }

  /** One HTTP request, signed now. @throws sdk/no-credential */
  async #signed(
    endpoint: Endpoint,
    id: OperationId,
    { params, query, body, idempotencyKey, traceparent }: AnyInput,
  ): Promise<HttpCall> {
    const { cluster, clock, random } = this.#o
    const search = Object.entries(query ?? {})
      .flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
      )
      .join('&')
    const target = pathOf(id, params) + (search === '' ? '' : `?${search}`)
    const bytes = body === undefined ? new Uint8Array() : utf8(JSON.stringify(body))
    const { method, isStream } = ROUTES[id]
    const credential = this.credentialFor(id)
    const headers: { [name: string]: string } = {
      accept: isStream ? 'text/event-stream' : 'application/json',
    }
    if (body !== undefined) headers['content-type'] = 'application/json'
    if (idempotencyKey !== undefined) headers[IDEMPOTENCY_HEADER] = idempotencyKey
    if (traceparent !== undefined) headers['traceparent'] = traceparent
    if (credential !== undefined)
      headers['authorization'] = await signHttpRequest(
        { method, target, host: hostOf(endpoint), body: bytes },
        { ...credential, cluster, time: clock.now(), nonce: random.bytes(16) },
      )
    return { method, target, headers, body: bytes }
  }

  /**
   * The operations that a node tells of as they move on: one to its end, or all of the project from now
   * on. A node knows the operations that were begun at it. Ends when the node ends it.
   * @throws the node's fault by its code, sdk/unreachable when the connection is lost, sdk/cancelled
   */
  async *watch(
    id: StreamId,
    input: { readonly params?: { readonly id: string }; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<OperationJson> {
    const endpoint = this.#endpoints[this.#at]!
    const chunks = stream(endpoint, await this.#signed(endpoint, id, input), input.signal)
    for await (const operation of readEvents(chunks, EVENT_NAME)) yield operation as OperationJson
  }

  /**
   * Signs a request, has it carried out, and returns the operation once it has ended, or waits for
   * people where `onWaiting` is not given. Where the node is lost on the way, the same request goes to the next one under the same
   * idempotency key.
   * @throws the fault that the operation ended with; sdk/timeout with the operation's id
   */
  async carryOut(
    id: 'createWallet' | 'refreshWallet' | 'signTransaction' | 'changePolicy',
    body: RequestBody,
    options: CallOptions = {},
  ): Promise<OperationJson> {
    const credential = this.credentialFor(id)!
    const { signal, traceparent } = options
    const request = await signClientRequest(
      credential.signer,
      this.#o.cluster,
      credential.client,
      body,
    )
    const input: AnyInput = {
      ...(id === 'refreshWallet' &&
        body.kind === 'refresh' && { params: { id: body.value.wallet } }),
      ...(id === 'changePolicy' &&
        body.kind === 'changePolicy' && { params: { walletId: body.value.wallet } }),
      body: { request: toHex(encodeRequest(request)) },
      idempotencyKey: body.value.requestId,
      signal,
      traceparent,
    }
    for (let lost = 0; ; lost++) {
      const { answer, at } = await this.#ask(id, input)
      try {
        return await this.#follow(answer as OperationJson, at, options)
      } catch (error) {
        // One that comes back after a restart has forgotten what it coordinated.
        const isLost = isFault(error, 'sdk/unreachable') || isFault(error, 'node/interrupted')
        if (!isLost || lost + 1 >= this.#endpoints.length) throw error
        if (this.#at === at) this.#at = (at + 1) % this.#endpoints.length
      }
    }
  }

  /**
   * Has the wallet, in its present generation and under its present policy, sign one transaction.
   * What comes back is the node's word: whoever uses it verifies it.
   * @throws policy/denied, sdk/waits-for-approval with the operation's id unless `onWaiting` is given, sdk/…, and what
   *   the cluster refuses it with
   */
  async sign(
    wallet: Pick<WalletJson, 'id' | 'generation' | 'policyHash'>,
    task: SignTask,
    options: CallOptions = {},
  ): Promise<SignAnswer> {
    const { clock, random } = this.#o
    const { project, client } = this.credentialFor('signTransaction')!
    const now = clock.now()
    const { lifetimeMs = MAX_LIFETIME_MS, ...document } = task
    const body: RequestBody = {
      kind: 'sign',
      value: {
        v: 1,
        requestId: newId('req', now, random),
        project,
        wallet: parseId('wal', wallet.id),
        generation: wallet.generation,
        ...document,
        policyHash: fromHex(wallet.policyHash),
        createdAt: now,
        expiresAt: now + lifetimeMs,
      },
    }
    const { id, state, result } = await this.carryOut('signTransaction', body, options)
    if (state === 'waiting') throw new Fault('sdk/waits-for-approval', { detail: id })
    if (result?.kind !== 'sign') throw new Fault('sdk/bad-answer')
    return { result, body, client }
  }

  /**
   * Follows an operation that runs until it has ended, or waits for people where `onWaiting` is not given.
   * @throws the fault it ended with; sdk/timeout, sdk/cancelled
   */
  wait(operation: OperationJson, options: CallOptions = {}): Promise<OperationJson> {
    return this.#follow(operation, this.#at, options)
  }

  async #follow(
    operation: OperationJson,
    at: number,
    { onProgress, onWaiting, signal }: CallOptions,
  ): Promise<OperationJson> {
    const { clock, sleep } = this.#o
    let begun = clock.monotonic()
    let current = operation
    for (;;) {
      const isWaiting = current.state === 'waiting' && onWaiting !== undefined
      if (current.state !== 'running' && !isWaiting) break
      checkGoing(signal)
      if (isWaiting) onWaiting(current)
      else onProgress?.(current)
      const waited = clock.monotonic() - begun
      // People take their time, until the request expires.
      if (waited > MAX_WAIT_MS[current.kind] && !isWaiting)
        throw new Fault('sdk/timeout', { detail: `operation ${current.id} still runs` })
      const ms = Math.round(Math.min(MAX_POLL_MS, Math.max(MIN_POLL_MS, waited / 10)))
      await pause(sleep, ms, signal)
      const { answer } = await this.#ask('getOperation', { params: { id: current.id }, signal }, at)
      const next = answer as OperationJson
      if (next.state !== current.state) begun = clock.monotonic()
      current = next
    }
    if (current.state === 'failed')
      throw fromProblem(current.problem, current.problem?.status ?? 500)
    return current
  }
}
