/**
 * The client for applications: one promise for each request, and nothing in its answer that was not
 * verified. A wallet comes with the receipts of all nodes and addresses worked out here; a signature
 * verifies under the wallet's key over bytes that were read here, and has the receipts of its signers.
 * The node that answers is believed in nothing but its refusals.
 */
import {
  checkThreshold,
  MAX_MAKING_MS,
  MAX_TOKEN_MS,
  type OperationJson,
  type PolicyChoice,
  protocolOfSuite,
  type RequestBody,
  type Role,
  type SignResult,
  signAccessToken,
  type WalletJson,
} from '@quorate/api'
import type { AcceptedRecord } from '@quorate/auth'
import { type Clock, Fault, fromHex, isId, newId, parseId, type Random, toHex } from '@quorate/base'
import { type ChainAdapter, findAdapter, type KeyRef, type TxFormat } from '@quorate/chains'
import { type CallOptions, type Credential, NodeClient, type SignTask } from './client.ts'
import { systemPorts } from './ports.ts'
import { PATIENT, type RetryPolicy } from './retry.ts'
import type { Endpoint } from './transport.ts'
import { checkedKey, confirmedBy, ReceiptReader, signaturesHash } from './verify.ts'

export type QuorateClientOptions = {
  /** Nodes of the cluster, in the order in which they are asked. */
  readonly endpoints: readonly [Endpoint, ...Endpoint[]]
  /** The cluster record in force, got out of band: everything is verified by it. */
  readonly cluster: AcceptedRecord
  /** The first that permits a call makes it. */
  readonly credentials: readonly Credential[]
  /** `PATIENT` unless given. */
  readonly retry?: RetryPolicy
  /** The system's unless given. */
  readonly clock?: Clock
  readonly random?: Random
  readonly sleep?: (ms: number) => Promise<void>
}

export type NewWallet = {
  readonly label: string
  /** Slug or CAIP-2 id. */
  readonly network: string
  /** Exact; the network's first unless given. */
  readonly suite?: string
  /** Number of signers; a majority of the nodes unless given. */
  readonly threshold?: number
  /** Accepts a threshold at which two signer sets need not meet. */
  readonly unsafeThreshold?: boolean
  readonly policy: PolicyChoice
  /** For a wallet that signs digests: the administrators' grant. */
  readonly blindGrant?: Uint8Array
}

/** A wallet that all nodes have confirmed, or said anew by a node and put together here. */
export type VerifiedWallet = { readonly wallet: WalletJson; readonly key: KeyRef }

export type MadeWallet = VerifiedWallet & {
  /** Numbers of the nodes that confirmed it: all of them. */
  readonly nodes: readonly number[]
}

export type VerifiedSignature = {
  /** The signed document as its network takes it. */
  readonly signed: Uint8Array
  readonly txid: string | undefined
  readonly signatures: SignResult['signatures']
  /** Numbers of the nodes that signed and confirmed it: at least the threshold. */
  readonly nodes: readonly number[]
  readonly attempts: number
}

export type NewSignature = Omit<SignTask, 'context' | 'path'> & {
  readonly context?: Uint8Array
  /** Raw unless given. */
  readonly format?: TxFormat
}

const DEFAULT_TOKEN_MS = 15 * 60_000

export class QuorateClient {
  /** The calls as they are, for what is not here. */
  readonly node: NodeClient
  readonly cluster: AcceptedRecord
  readonly #clock: Clock
  readonly #random: Random
  readonly #receipts: ReceiptReader
  readonly #credentials: readonly Credential[]

  constructor(options: QuorateClientOptions) {
    const { clock, random, sleep } = { ...systemPorts, ...options }
    this.cluster = options.cluster
    this.#clock = clock
    this.#random = random
    this.#receipts = new ReceiptReader(options.cluster)
    this.#credentials = options.credentials
    this.node = new NodeClient({
      endpoint: options.endpoints,
      cluster: options.cluster.cluster,
      credentials: options.credentials,
      retry: options.retry ?? PATIENT,
      clock,
      random,
      sleep,
    })
  }

  /** Fresh id and times of a request. */
  #stamp(): Pick<RequestBody['value'], 'requestId' | 'createdAt' | 'expiresAt'> {
    const now = this.#clock.now()
    return {
      requestId: newId('req', now, this.#random),
      createdAt: now,
      expiresAt: now + MAX_MAKING_MS,
    }
  }

  /**
   * A new wallet, confirmed by all nodes.
   * @throws api/bad-threshold, api/unsafe-threshold, chains/…, sdk/bad-receipts, sdk/bad-wallet, and what the cluster refuses it with
   */
  async createWallet(wanted: NewWallet, options: CallOptions = {}): Promise<MadeWallet> {
    const { network, suite } = findAdapterFor(wanted)
    const protocol = protocolOfSuite(suite)
    const parties = this.cluster.record.nodes.length
    const threshold = wanted.threshold ?? Math.floor(parties / 2) + 1
    const { label, policy, unsafeThreshold = false, blindGrant } = wanted
    checkThreshold({ threshold, parties, unsafeThreshold })
    const { client, project } = this.node.credentialFor('createWallet')!
    const body: RequestBody = {
      kind: 'createWallet',
      value: {
        v: 1,
        ...this.#stamp(),
        project,
        label,
        protocol,
        suite,
        network,
        threshold,
        parties,
        policy,
        unsafeThreshold,
        ...(blindGrant !== undefined && { blindGrant }),
      },
    }
    const { result } = await this.node.carryOut('createWallet', body, options)
    if (result?.kind !== 'createWallet') throw new Fault('sdk/bad-answer')
    const { wallet } = result
    if (wallet.label !== label || wallet.suite !== suite || wallet.threshold !== threshold)
      throw new Fault('sdk/bad-wallet', { detail: 'it is not the one that was asked for' })
    const nodes = this.#receipts.check(result.receipts, {
      purpose: 'keygen',
      body,
      client,
      wallet: wallet.id,
      result: confirmedBy(result.record, wallet, { isNew: true }),
      need: parties,
    })
    return { wallet, key: checkedKey(wallet), nodes }
  }

  /**
   * New shares of the same key at all nodes; the number of the new generation.
   * @throws sdk/bad-receipts, sdk/bad-wallet, and what the cluster refuses it with
   */
  async refreshWallet(wallet: WalletJson, options: CallOptions = {}): Promise<number> {
    const { client, project } = this.node.credentialFor('refreshWallet')!
    const { generation } = wallet
    const id = parseId('wal', wallet.id)
    const body: RequestBody = {
      kind: 'refresh',
      value: { v: 1, ...this.#stamp(), project, wallet: id, generation },
    }
    const { result } = await this.node.carryOut('refreshWallet', body, options)
    if (result?.kind !== 'refresh') throw new Fault('sdk/bad-answer')
    this.#receipts.check(result.receipts, {
      purpose: 'refresh',
      body,
      client,
      wallet: wallet.id,
      // The key that everyone confirms is the one it was: a refresh never changes it.
      result: confirmedBy(
        result.record,
        { ...wallet, generation: result.generation },
        { isNew: false },
      ),
      need: this.cluster.record.nodes.length,
    })
    return result.generation
  }

  /**
   * The wallet of that id or label as a node shows it, its addresses worked out here. That the key is
   * the wallet's shows only where its address is known from when it was made: give it as `address`.
   * @throws sdk/other-wallet, sdk/bad-wallet, enclave/unknown-wallet
   */
  async wallet(
    idOrLabel: string,
    { address, signal }: { readonly address?: string; readonly signal?: AbortSignal } = {},
  ): Promise<VerifiedWallet> {
    const wallet = isId('wal', idOrLabel)
      ? await this.node.call('getWallet', { params: { id: idOrLabel }, signal })
      : await this.#labelled(idOrLabel, signal)
    const key = checkedKey(wallet)
    if (address !== undefined && !Object.values(wallet.addresses).includes(address))
      throw new Fault('sdk/other-wallet')
    return { wallet, key }
  }

  async #labelled(label: string, signal: AbortSignal | undefined): Promise<WalletJson> {
    const { items } = await this.node.call('listWallets', { query: { label }, signal })
    const found = items.find((wallet) => wallet.label === label)
    if (found === undefined) throw new Fault('sdk/unknown-wallet')
    return found
  }

  /** All wallets of the project, page by page. */
  async *wallets(signal?: AbortSignal): AsyncGenerator<WalletJson> {
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const query = cursor === undefined ? {} : { cursor }
      const page: Awaited<ReturnType<typeof this.node.call<'listWallets'>>> = await this.node.call(
        'listWallets',
        { query, signal },
      )
      yield* page.items
      cursor = page.nextCursor
    }
  }

  /**
   * The document signed by the wallet, in its present generation and under its present policy.
   * @throws policy/denied, sdk/waits-for-approval unless `onWaiting` is given, sdk/bad-receipts, sdk/does-not-verify, chains/…, and what the cluster refuses it with
   */
  async sign(
    { wallet, key }: VerifiedWallet,
    wanted: NewSignature,
    options: CallOptions = {},
  ): Promise<VerifiedSignature> {
    const adapter = findAdapter(wanted.network, wallet.suite)
    return this.signWith(adapter, { wallet, key }, wanted, options)
  }

  /** The same with an adapter of the caller's choice, for documents that belong to no network. */
  async signWith(
    adapter: Pick<ChainAdapter, 'parse'>,
    { wallet, key }: VerifiedWallet,
    { network, unsigned, context = new Uint8Array(), format, lifetimeMs }: NewSignature,
    options: CallOptions = {},
  ): Promise<VerifiedSignature> {
    const tx = adapter.parse({ unsigned, context, key })
    const items = tx.prepare()
    const task: SignTask = {
      network,
      unsigned,
      context,
      path: [],
      ...(lifetimeMs !== undefined && { lifetimeMs }),
    }
    const { result, body, client } = await this.node.sign(wallet, task, options)
    const { signatures } = result
    const isWhole =
      signatures.length === items.length &&
      items.every(({ message }, i) => signatures[i]?.message === toHex(message))
    if (!isWhole) throw new Fault('sdk/does-not-verify')
    const signed = items.map((item, i) => ({
      ...item,
      signature: fromHex(signatures[i]!.signature),
    }))
    // Verifies every one of them, by the rules of the network.
    const complete = tx.attach(new Map(signed.map(({ id, signature }) => [id, signature])))
    const nodes = this.#receipts.check(result.receipts, {
      purpose: 'sign',
      body,
      client,
      wallet: wallet.id,
      result: signaturesHash(signed),
      need: wallet.threshold,
    })
    const { bytes, txid } = complete.serialise(format)
    return { signed: bytes, txid, signatures, nodes, attempts: result.attempts }
  }

  /**
   * The value of an `Authorization` header with which another program makes the calls that the role of
   * one of this client's credentials permits, at one host (`HOST:PORT`, or `localhost` on a unix socket)
   * and for a quarter of an hour unless told, an hour at most. It is as good as the key for reading.
   * @throws sdk/no-credential
   */
  accessToken(role: Role, host: string, lifetimeMs: number = DEFAULT_TOKEN_MS): Promise<string> {
    const credential = this.#credentials.find((each) => each.role === role)
    if (credential === undefined) throw new Fault('sdk/no-credential', { detail: role })
    const createdAt = this.#clock.now()
    return signAccessToken(credential.signer, {
      v: 1,
      cluster: this.cluster.cluster,
      client: credential.client,
      role,
      host,
      createdAt,
      expiresAt: createdAt + Math.min(lifetimeMs, MAX_TOKEN_MS),
      nonce: this.#random.bytes(16),
    })
  }

  /** All operations of the project that the node tells of from now on. @throws sdk/unreachable when the connection is lost, sdk/cancelled */
  events(signal?: AbortSignal): AsyncGenerator<OperationJson> {
    return this.node.watch('watchProject', signal === undefined ? {} : { signal })
  }

  /** The states of one operation to its end. @throws node/unknown-operation, sdk/unreachable, sdk/cancelled */
  operation(id: string, signal?: AbortSignal): AsyncGenerator<OperationJson> {
    return this.node.watch('watchOperation', {
      params: { id },
      ...(signal !== undefined && { signal }),
    })
  }
}

const findAdapterFor = ({
  network,
  suite,
}: NewWallet): { readonly network: string; readonly suite: string } => {
  const adapter = findAdapter(network, suite)
  return { network: adapter.network.slug, suite: suite ?? adapter.suite }
}
