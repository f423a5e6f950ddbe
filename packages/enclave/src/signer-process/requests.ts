/**
 * What a client's signed request means, decided from the request and the cluster record alone.
 * Every node runs this for itself: no coordinator's word counts.
 */

import {
  checkBlindGrant,
  checkLifetime,
  checkPermitted,
  decodeRequest,
  type Intent,
  MAX_MAKING_MS,
  MAX_WAIT_MS,
  type Permission,
  protocolOfSuite,
  type RequestKind,
  requestHash,
  requestMessage,
  type SignedRequest,
  type TxView,
  type WalletRequest,
} from '@quorate/api'
import {
  type AcceptedRecord,
  type ClusterClient,
  type ClusterRecord,
  clusterRecordHash,
  encodeClusterRecord,
} from '@quorate/auth'
import { equalBytes, Fault, type Id, idFrom, TAGS, taggedHash } from '@quorate/base'
import {
  addressProof,
  type ChainAdapter,
  DIGEST,
  findAdapter,
  parseDigest,
  type SignItem,
  suitesOf,
  type UnsignedTx,
} from '@quorate/chains'
import { deriveChild, secp256k1 } from '@quorate/math'
import {
  addressesOf,
  type Decision,
  decide,
  encodePolicy,
  instantiate,
  type Policy,
  policyHash,
} from '@quorate/policy'
import { partiesUpTo, type WalletKey } from '@quorate/threshold'
import type { WalletRecord } from '../wallet-record.ts'
import { verifyEd25519 } from './node-crypto.ts'

const PERMISSION: { readonly [K in RequestKind]: Permission } = {
  createWallet: 'wallet.create',
  sign: 'tx.sign',
  refresh: 'wallet.refresh',
  changePolicy: 'policy.change',
}

/** What may wait for people lives long; policy decides whether it does. */
const maxLifetimeOf = (kind: RequestKind): number =>
  kind === 'sign' || kind === 'changePolicy' ? MAX_WAIT_MS : MAX_MAKING_MS

/** A request whose client is enrolled, signed it, and may ask for it now. */
export type CheckedRequest = {
  readonly request: SignedRequest
  readonly hash: Uint8Array
  readonly client: ClusterClient
}

/**
 * @throws base/… for bytes that are no request, auth/other-cluster, auth/unauthenticated,
 *   auth/client-expired, api/not-permitted, enclave/other-project, api/expired and its like
 */
export function checkRequest(
  bytes: Uint8Array,
  cluster: AcceptedRecord,
  now: number,
): CheckedRequest {
  const known = verified.get(bytes)
  const request = known?.request ?? decodeRequest(bytes)
  if (!equalBytes(request.cluster, cluster.cluster)) throw new Fault('auth/other-cluster')
  const client = cluster.record.clients.find(({ id }) => id === request.client)
  // An entry of no cluster record and a wrong signature are answered alike.
  if (
    client === undefined ||
    !(
      (known !== undefined && equalBytes(known.key, client.key)) ||
      verifyEd25519(client.key, requestMessage(request), request.signature)
    )
  )
    throw new Fault('auth/unauthenticated')
  const hash = known?.hash ?? requestHash(request)
  verified.set(bytes, { request, hash, key: client.key })
  if (now >= client.expiresAt) throw new Fault('auth/client-expired')
  checkPermitted([client.role], PERMISSION[request.body.kind])
  if (request.body.value.project !== client.project) throw new Fault('enclave/other-project')
  checkLifetime(request.body.value, now, maxLifetimeOf(request.body.kind))
  return { request, hash, client }
}

/** Requests whose signature held, and under which key: whoever leads one comes here twice with the same bytes. */
const verified = new WeakMap<
  Uint8Array,
  { readonly request: SignedRequest; readonly hash: Uint8Array; readonly key: Uint8Array }
>()

/** The id of the wallet that a request makes: every node computes the same. */
export const walletIdOf = (request: WalletRequest, hash: Uint8Array): Id<'wal'> =>
  idFrom('wal', request.createdAt, taggedHash(TAGS.walletId, hash).slice(0, 10))

/** A suite for tests and comparison: nothing of value may hang on it. */
const WEAK_SUITE = 'CGGMP24-secp256k1-SHA256-112-v1'

/** What a wallet request amounts to in this cluster. */
export type WalletPlan = {
  readonly wallet: Id<'wal'>
  readonly adapter: ChainAdapter
  readonly policy: Policy
  readonly policyBytes: Uint8Array
  readonly policyHash: Uint8Array
  /** Whether it may sign digests. */
  readonly blind: boolean
}

/**
 * @throws enclave/wrong-parties, enclave/wrong-suite, enclave/weak-suite, enclave/mainnet-in-development,
 *   chains/unknown-network, policy/… for a template or parameters that do not exist, api/bad-blind-grant
 */
export function planWallet(
  request: WalletRequest,
  hash: Uint8Array,
  cluster: ClusterRecord,
): WalletPlan {
  if (request.parties !== partiesUpTo(cluster.nodes.length).length)
    throw new Fault('enclave/wrong-parties', {
      detail: `${request.parties}, the cluster has ${cluster.nodes.length}`,
    })
  const adapter = usable(request.network, request.suite, cluster)
  if (request.protocol !== protocolOfSuite(request.suite))
    throw new Fault('enclave/wrong-suite', { detail: `it is none of ${request.protocol}` })
  const policy = instantiate(request.policy, cluster.environment)
  checkSpelling(policy, adapter)
  const policyBytes = encodePolicy(policy)
  return {
    wallet: walletIdOf(request, hash),
    adapter,
    policy,
    policyBytes,
    policyHash: policyHash(policy),
    blind: isBlind(request, policyHash(policy), cluster),
  }
}

/** Whether the administrators granted that this very wallet signs digests. @throws api/bad-blind-grant */
function isBlind(request: WalletRequest, policy: Uint8Array, cluster: ClusterRecord): boolean {
  if (request.blindGrant === undefined) return false
  const { project, label, network, suite, threshold, createdAt } = request
  checkBlindGrant(request.blindGrant, {
    wallet: {
      cluster: cluster.cluster ?? clusterRecordHash(encodeClusterRecord(cluster)),
      project,
      label,
      network,
      suite,
      threshold,
      policyHash: policy,
      // Within minutes of now on every node, and the same on all.
      now: createdAt,
    },
    admins: cluster.admins,
    adminThreshold: cluster.adminThreshold,
    verify: verifyEd25519,
  })
  return true
}

/**
 * Rules compare addresses as text, so each must stand in the one spelling that views use: in another
 * one a recipient would never match, and a rule that denies it would be void. @throws chains/…
 */
export function checkSpelling(policy: Policy, adapter: Pick<ChainAdapter, 'parseAddress'>): void {
  for (const address of addressesOf(policy))
    if (adapter.parseAddress(address) !== address) throw new Fault('enclave/policy-address')
}

/** The adapter of a network for keys of that suite. @throws chains/unknown-network, enclave/wrong-suite */
function adapterFor(network: string, suite: string): ChainAdapter {
  const suites = suitesOf(network)
  if (!suites.includes(suite))
    throw new Fault('enclave/wrong-suite', { detail: `${network} takes ${suites.join(', ')}` })
  return findAdapter(network, suite)
}

/**
 * The adapter of a network for keys of that suite, both of which this cluster may serve.
 * @throws chains/unknown-network, enclave/wrong-suite, enclave/weak-suite, enclave/mainnet-in-development
 */
export function usable(network: string, suite: string, cluster: ClusterRecord): ChainAdapter {
  const adapter = adapterFor(network, suite)
  if (suite === WEAK_SUITE && cluster.environment !== 'development')
    throw new Fault('enclave/weak-suite', { detail: suite })
  if (cluster.environment === 'development' && !adapter.network.isTestnet)
    throw new Fault('enclave/mainnet-in-development', { detail: adapter.network.slug })
  return adapter
}

export type ReadTransaction = {
  readonly tx: UnsignedTx
  readonly view: TxView
  readonly items: readonly SignItem[]
  /** The key at this path below the wallet's signs all of them. */
  readonly path: readonly number[]
  readonly decision: Decision
}

/**
 * The transaction of an intent, parsed and judged here by the policy in force. Denied ones are returned too: the caller refuses.
 * @throws chains/…, enclave/wrong-suite, enclave/derivation-unsupported, enclave/not-blind, enclave/blind-initiator
 */
export function readTransaction(
  what: Document,
  wallet: WalletRecord,
  policy: Policy,
  client: ClusterClient,
  cluster: ClusterRecord,
  now: number,
): ReadTransaction {
  const { path } = what
  const reader = readerOf(what.network, wallet, cluster)
  const tx = readDocument(what, reader, wallet)
  const view = tx.view()
  const decision = decide(policy, {
    view,
    initiator: client.id,
    isTestnet: reader.isTestnet,
    now,
    wallet: wallet.key.wallet,
  })
  if (what.network === DIGEST) checkBlindInitiator(policy, decision, client)
  return { tx, view, items: tx.prepare(), path, decision }
}

/** How many signatures of one that are made ahead a document takes; 0 for a digest, which is signed from none. */
export function countPooled(what: Document, wallet: WalletRecord): number {
  if (what.network === DIGEST) return 0
  return readDocument(what, adapterFor(what.network, wallet.key.suite), wallet).prepare().length
}

type Document = Pick<Intent, 'network' | 'unsigned' | 'context' | 'path'>

/** What was parsed of which document, for which key: its coordinator looks at it twice. */
const read = new WeakMap<Document, { readonly tx: UnsignedTx; readonly publicKey: Uint8Array }>()

function readDocument(
  what: Document,
  { scheme, parse }: Pick<ChainAdapter, 'scheme' | 'parse'>,
  wallet: WalletRecord,
): UnsignedTx {
  const publicKey = keyAt(wallet.key, what.path)
  const known = read.get(what)
  if (known !== undefined && equalBytes(known.publicKey, publicKey)) return known.tx
  const { unsigned, context } = what
  const tx = parse({ unsigned, context, key: { scheme, publicKey } })
  read.set(what, { tx, publicKey })
  return tx
}

type Reader = Pick<ChainAdapter, 'scheme' | 'parse'> & { readonly isTestnet: boolean }

/** What reads the document of an intent. @throws enclave/not-blind for a digest, and those of `usable` */
function readerOf(network: string, wallet: WalletRecord, cluster: ClusterRecord): Reader {
  if (network !== DIGEST) {
    const adapter = usable(network, wallet.key.suite, cluster)
    return { ...adapter, isTestnet: adapter.network.isTestnet }
  }
  if (!wallet.blind) throw new Fault('enclave/not-blind')
  const { scheme } = findAdapter(wallet.network, wallet.key.suite)
  // Where a digest counts, nobody knows.
  return { scheme, isTestnet: false, parse: parseDigest }
}

/**
 * A rule that lets everybody have unread things signed is not enough: one must name this client.
 * @throws enclave/blind-initiator unless the decision is to deny anyway
 */
function checkBlindInitiator(
  { rules }: Policy,
  { decision, reasons }: Decision,
  { id }: ClusterClient,
): void {
  if (decision === 'deny') return
  const isNamed = rules.some(
    (rule, i) =>
      rule.action === 'allow' &&
      reasons[i]?.matched === true &&
      rule.when.initiators?.includes(id) === true &&
      rule.when.kinds?.includes('opaque') === true,
  )
  if (!isNamed) throw new Fault('enclave/blind-initiator')
}

/** The public key at a path below the wallet's. @throws enclave/derivation-unsupported for a wallet without derived keys */
function keyAt({ protocol, groupKey, chainCode }: WalletKey, path: readonly number[]): Uint8Array {
  if (path.length === 0) return groupKey
  if (protocol === 'frost' || chainCode === undefined)
    throw new Fault('enclave/derivation-unsupported')
  return secp256k1.encode(deriveChild(secp256k1.decode(groupKey), chainCode, path).publicKey)
}

/** Refuses an intent that does not name the wallet and its policy (by hash) as they are now. @throws enclave/other-… */
export function checkIntent(intent: Intent, wallet: WalletRecord, policyHash: Uint8Array): void {
  if (intent.generation !== wallet.key.generation)
    throw new Fault('enclave/other-generation', {
      detail: `it is at generation ${wallet.key.generation}`,
    })
  if (!equalBytes(intent.policyHash, policyHash)) throw new Fault('enclave/other-policy')
}

/** What the wallet signs before its address is shown to anyone. */
export const proofOf = (wallet: WalletRecord): ReturnType<typeof addressProof> => {
  const { scheme } = findAdapter(wallet.network, wallet.key.suite)
  return addressProof(wallet.network, { scheme, publicKey: wallet.key.groupKey })
}
