/**
 * What a client's signed request means, decided from the request and the cluster record alone.
 * Every node runs this for itself: no coordinator's word counts.
 */

import {
  checkLifetime,
  checkPermitted,
  decodeRequest,
  type Intent,
  type Permission,
  protocolOfSuite,
  type RequestKind,
  requestHash,
  requestMessage,
  type SignedRequest,
  type TxView,
  type WalletRequest,
} from '@quorate/api'
import type { AcceptedRecord, ClusterClient, ClusterRecord } from '@quorate/auth'
import { equalBytes, Fault, type Id, idFrom, TAGS, taggedHash } from '@quorate/base'
import {
  addressProof,
  type ChainAdapter,
  findAdapter,
  type KeyRef,
  type SignItem,
  suitesOf,
  type UnsignedTx,
} from '@quorate/chains'
import { deriveChild, secp256k1 } from '@quorate/math'
import {
  type Decision,
  decide,
  decodePolicy,
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
}

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
  const request = decodeRequest(bytes)
  if (!equalBytes(request.cluster, cluster.cluster)) throw new Fault('auth/other-cluster')
  const client = cluster.record.clients.find(({ id }) => id === request.client)
  // An entry of no cluster record and a wrong signature are answered alike.
  if (
    client === undefined ||
    !verifyEd25519(client.key, requestMessage(request), request.signature)
  )
    throw new Fault('auth/unauthenticated')
  if (now >= client.expiresAt) throw new Fault('auth/client-expired')
  checkPermitted([client.role], PERMISSION[request.body.kind])
  if (request.body.value.project !== client.project) throw new Fault('enclave/other-project')
  checkLifetime(request.body.value, now)
  return { request, hash: requestHash(request), client }
}

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
}

/**
 * @throws enclave/wrong-parties, enclave/wrong-suite, enclave/weak-suite, enclave/mainnet-in-development,
 *   chains/unknown-network, policy/… for a template or parameters that do not exist
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
  }
}

/**
 * Rules compare addresses as text, so each must stand in the one spelling that views use: in another
 * one a recipient would never match, and a rule that denies it would be void. @throws chains/…
 */
function checkSpelling({ rules }: Policy, adapter: ChainAdapter): void {
  for (const { when } of rules)
    for (const recipient of [...(when.onlyRecipients ?? []), ...(when.anyRecipient ?? [])])
      if (adapter.parseAddress(recipient) !== recipient) throw new Fault('enclave/policy-address')
}

/**
 * The adapter of a network for keys of that suite, both of which this cluster may serve.
 * @throws chains/unknown-network, enclave/wrong-suite, enclave/weak-suite, enclave/mainnet-in-development
 */
export function usable(network: string, suite: string, cluster: ClusterRecord): ChainAdapter {
  const suites = suitesOf(network)
  if (!suites.includes(suite))
    throw new Fault('enclave/wrong-suite', { detail: `${network} takes ${suites.join(', ')}` })
  if (suite === WEAK_SUITE && cluster.environment !== 'development')
    throw new Fault('enclave/weak-suite', { detail: suite })
  const adapter = findAdapter(network, suite)
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
 * The transaction of an intent, parsed and judged here. Denied ones are returned too: the caller refuses.
 * @throws chains/…, enclave/wrong-suite, enclave/derivation-unsupported
 */
export function readTransaction(
  what: Pick<Intent, 'network' | 'unsigned' | 'context' | 'path'>,
  wallet: WalletRecord,
  client: ClusterClient,
  cluster: ClusterRecord,
  now: number,
): ReadTransaction {
  const { unsigned, context, path } = what
  const adapter = usable(what.network, wallet.key.suite, cluster)
  const key: KeyRef = { scheme: adapter.scheme, publicKey: keyAt(wallet.key, path) }
  const tx = adapter.parse({ unsigned, context, key })
  const view = tx.view()
  const decision = decide(decodePolicy(wallet.policy), {
    view,
    initiator: client.id,
    isTestnet: adapter.network.isTestnet,
    now,
    wallet: wallet.key.wallet,
  })
  return { tx, view, items: tx.prepare(), path, decision }
}

/** The public key at a path below the wallet's. @throws enclave/derivation-unsupported for a wallet without derived keys */
function keyAt({ protocol, groupKey, chainCode }: WalletKey, path: readonly number[]): Uint8Array {
  if (path.length === 0) return groupKey
  if (protocol === 'frost' || chainCode === undefined)
    throw new Fault('enclave/derivation-unsupported')
  return secp256k1.encode(deriveChild(secp256k1.decode(groupKey), chainCode, path).publicKey)
}

/** Refuses an intent that does not name the wallet as it is now. @throws enclave/other-… */
export function checkIntent(intent: Intent, wallet: WalletRecord): void {
  if (intent.generation !== wallet.key.generation)
    throw new Fault('enclave/other-generation', {
      detail: `it is at generation ${wallet.key.generation}`,
    })
  if (!equalBytes(intent.policyHash, wallet.policyHash)) throw new Fault('enclave/other-policy')
}

/** What the wallet signs before its address is shown to anyone. */
export const proofOf = (wallet: WalletRecord): ReturnType<typeof addressProof> => {
  const { scheme } = findAdapter(wallet.network, wallet.key.suite)
  return addressProof(wallet.network, { scheme, publicKey: wallet.key.groupKey })
}
