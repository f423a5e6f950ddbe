/**
 * The client of a node. Every call is signed by a client entry of the cluster record. Results come
 * with the nodes' receipts, which whoever uses them checks: a new wallet counts with those of all
 * nodes, a signature with those of its signers, so that one lying node can slip nothing in.
 */
import {
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
  signRequest as signClientRequest,
  type WalletJson,
} from '@quorate/api'
import { signHttpRequest } from '@quorate/auth'
import {
  type Clock,
  Fault,
  fromHex,
  type Id,
  newId,
  parseId,
  type Random,
  type Signer,
  toHex,
  utf8,
} from '@quorate/base'
import { type Endpoint, hostOf, send } from './transport.ts'

/** One client entry of the cluster record with its key. */
export type Credential = {
  readonly client: Id<'cli'>
  readonly role: Role
  readonly project: Id<'prj'>
  readonly signer: Signer
}

export type NodeClientOptions = {
  readonly endpoint: Endpoint
  /** The cluster id, 32 bytes. */
  readonly cluster: Uint8Array
  /** The first that permits a call makes it. */
  readonly credentials: readonly Credential[]
  readonly clock: Clock
  readonly random: Random
  /** Waits; tests pass their own. */
  readonly sleep: (ms: number) => Promise<void>
}

type Input<C extends OperationId> = {
  readonly [K in 'params' | 'body' as NodeApi[C][K] extends undefined ? never : K]: NodeApi[C][K]
} & { readonly query?: NodeApi[C]['query']; readonly idempotencyKey?: string }

export type OnProgress = (operation: OperationJson) => void

/** What a wallet is to sign. */
export type SignTask = {
  /** Slug. */
  readonly network: string
  /** The exact unsigned bytes, in the form of the network's adapter. */
  readonly unsigned: Uint8Array
  readonly context: Uint8Array
  /** Non-hardened derivation steps below the wallet's key, none for the key itself. */
  readonly path: readonly number[]
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
}

export class NodeClient {
  readonly #o: NodeClientOptions

  constructor(options: NodeClientOptions) {
    this.#o = options
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

  /** One call of the API. @throws the node's fault by its code, sdk/… */
  async call<C extends OperationId>(id: C, input: Input<C>): Promise<NodeApi[C]['answer']> {
    const { endpoint, cluster, clock, random } = this.#o
    const { params, query, body, idempotencyKey } = input as {
      params?: { [name: string]: string }
      query?: { [name: string]: string | number | undefined }
      body?: unknown
      idempotencyKey?: string
    }
    const search = Object.entries(query ?? {})
      .flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
      )
      .join('&')
    const target = pathOf(id, params) + (search === '' ? '' : `?${search}`)
    const bytes = body === undefined ? new Uint8Array() : utf8(JSON.stringify(body))
    const { method } = ROUTES[id]
    const credential = this.credentialFor(id)
    const headers: { [name: string]: string } = { accept: 'application/json' }
    if (body !== undefined) headers['content-type'] = 'application/json'
    if (idempotencyKey !== undefined) headers[IDEMPOTENCY_HEADER] = idempotencyKey
    if (credential !== undefined)
      headers['authorization'] = await signHttpRequest(
        { method, target, host: hostOf(endpoint), body: bytes },
        { ...credential, cluster, time: clock.now(), nonce: random.bytes(16) },
      )
    return (await send(endpoint, { method, target, headers, body: bytes })) as NodeApi[C]['answer']
  }

  /**
   * Signs a request, has it carried out, and returns the finished operation.
   * @throws the fault that the operation ended with; sdk/timeout with the operation's id
   */
  async carryOut(
    id: 'createWallet' | 'refreshWallet' | 'signTransaction',
    body: RequestBody,
    onProgress: OnProgress = () => {},
  ): Promise<OperationJson> {
    const credential = this.credentialFor(id)!
    const request = await signClientRequest(
      credential.signer,
      this.#o.cluster,
      credential.client,
      body,
    )
    const started = await this.call(id, {
      ...(id === 'refreshWallet' &&
        body.kind === 'refresh' && { params: { id: body.value.wallet } }),
      body: { request: toHex(encodeRequest(request)) },
      idempotencyKey: body.value.requestId,
    } as Input<typeof id>)
    return this.wait(started, onProgress)
  }

  /**
   * Has the wallet, in its present generation and under its present policy, sign one transaction.
   * What comes back is the node's word: whoever uses it verifies it.
   * @throws policy/denied, sdk/…, and what the cluster refuses it with
   */
  async sign(
    wallet: Pick<WalletJson, 'id' | 'generation' | 'policyHash'>,
    task: SignTask,
    onProgress?: OnProgress,
  ): Promise<SignAnswer> {
    const { clock, random } = this.#o
    const { project, client } = this.credentialFor('signTransaction')!
    const now = clock.now()
    const body: RequestBody = {
      kind: 'sign',
      value: {
        v: 1,
        requestId: newId('req', now, random),
        project,
        wallet: parseId('wal', wallet.id),
        generation: wallet.generation,
        ...task,
        policyHash: fromHex(wallet.policyHash),
        createdAt: now,
        expiresAt: now + MAX_LIFETIME_MS,
      },
    }
    const { result } = await this.carryOut('signTransaction', body, onProgress)
    if (result?.kind !== 'sign') throw new Fault('sdk/bad-answer')
    return { result, body, client }
  }

  /** Follows a running operation to its end. @throws the fault it ended with; sdk/timeout */
  async wait(operation: OperationJson, onProgress: OnProgress = () => {}): Promise<OperationJson> {
    const { clock, sleep } = this.#o
    const begun = clock.monotonic()
    let current = operation
    while (current.state === 'running') {
      onProgress(current)
      const waited = clock.monotonic() - begun
      if (waited > MAX_WAIT_MS[current.kind])
        throw new Fault('sdk/timeout', { detail: `operation ${current.id} still runs` })
      await sleep(Math.round(Math.min(MAX_POLL_MS, Math.max(MIN_POLL_MS, waited / 10))))
      current = await this.call('getOperation', { params: { id: current.id } })
    }
    if (current.state === 'failed')
      throw fromProblem(current.problem, current.problem?.status ?? 500)
    return current
  }
}
