/** What each route of the API does. Everything is looked up within the client's project. */
import {
  auditRecordToJson,
  type CheckpointJson,
  DEFAULT_LIMIT,
  decodeAuditRecord,
  decodeCheckpoint,
  decodeRequest,
  type ExplanationJson,
  type NodeApi,
  type OperationId,
  type OperationJson,
  parseProtocol,
  type RequestKind,
  toRfc3339,
} from '@quorate/api'
import { type ClusterClient, fingerprintWords } from '@quorate/auth'
import { Fault, fromHex, toHex } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import { decodeWallet } from '@quorate/enclave'
import { decodePolicy, policyToPlain } from '@quorate/policy'
import { walletJson } from '../wallet-json.ts'
import type { ServeOptions } from './options.ts'

type AnyCall = NodeApi[OperationId]
export type Call<C extends AnyCall> = Pick<C, 'params' | 'query' | 'body'> & {
  readonly client: ClusterClient
  readonly idempotencyKey: string
}

type Handlers = {
  readonly [Id in OperationId]: (call: Call<NodeApi[Id]>) => Promise<NodeApi[Id]['answer']>
}
type Serve = <Id extends OperationId>(
  id: Id,
  call: Call<NodeApi[Id]>,
) => Promise<NodeApi[Id]['answer']>

const PROTOCOL_VERSION = 1
const PRODUCT_VERSION = '0.1.0'

export function handlers(o: ServeOptions): Serve {
  const { local, cluster, operations, anchors } = o
  const { store, journal, signer } = local
  const { record } = cluster

  /** Begins the operation of a signed request that really is for this route and from this client. */
  const begin = (
    kind: RequestKind,
    call: Pick<Call<NodeApi['createWallet']>, 'body' | 'client' | 'idempotencyKey'>,
  ): Promise<OperationJson> => {
    const request = decodeRequest(fromHex(call.body.request))
    const { client } = call
    if (
      request.body.kind !== kind ||
      request.client !== client.id ||
      request.body.value.project !== client.project
    )
      throw new Fault('node/request-mismatch')
    return operations.begin(request, call.idempotencyKey)
  }

  const table: Handlers = {
    getHealth: () => Promise.resolve({ status: 'ok' }),

    async getStatus({ client }) {
      const wallets = await store.wallets(client.project)
      const { seq, h } = journal.head
      return {
        node: {
          id: local.nodeId,
          index: o.index,
          startedAt: toRfc3339(o.startedAt),
          bootId: toHex(local.bootId),
        },
        cluster: {
          id: toHex(cluster.cluster),
          name: record.name,
          number: record.number,
          size: record.nodes.length,
        },
        environment: record.environment,
        peers: record.nodes
          .filter(({ index }) => index !== o.index)
          .map(({ index, id }) => ({
            index,
            id,
            state: o.connected.has(index) ? 'connected' : 'silent',
          })),
        wallets: wallets.length,
        pendingWallets: await store.pending(client.project),
        runningOperations: operations.running,
        custody: { kind: local.hsmType, level: local.custody },
        audit: {
          seq,
          h: toHex(h),
          checkpointSeq: anchors.seq,
          rollbackDetectable: anchors.isRollbackDetectable,
        },
        versions: {
          product: PRODUCT_VERSION,
          runtime: process.version,
          protocol: PROTOCOL_VERSION,
        },
        backends: o.backends,
      }
    },

    getCluster: () =>
      Promise.resolve({
        id: toHex(cluster.cluster),
        name: record.name,
        number: record.number,
        environment: record.environment,
        adminThreshold: record.adminThreshold,
        minProtocol: record.minProtocol,
        words: fingerprintWords(cluster.hash),
        nodes: record.nodes.map(({ index, id, identityKey, minCustody }) => ({
          index,
          id,
          identityKey: toHex(identityKey),
          minCustody,
        })),
      }),

    async listWallets({ client, query }) {
      const limit = query.limit ?? DEFAULT_LIMIT
      const after = query.cursor ?? ''
      const protocol = query.protocol === undefined ? undefined : parseProtocol(query.protocol)
      // A wallet without its proof of address is not shown yet.
      const rows = (await store.wallets(client.project)).filter(
        (row) =>
          row.wallet > after &&
          row.proof !== null &&
          (protocol === undefined || decodeWallet(row.public).key.protocol === protocol),
      )
      const page = rows.slice(0, limit)
      return {
        items: page.map(walletJson),
        nextCursor: rows.length > limit ? (page.at(-1)?.wallet ?? null) : null,
      }
    },

    async getWallet({ client, params }) {
      return walletJson(await store.wallet(params.id, client.project))
    },

    createWallet: (call) => begin('createWallet', call),
    signTransaction: (call) => begin('sign', call),
    refreshWallet: (call) => begin('refresh', call),

    async explainTransaction({ client, body }) {
      const row = await store.wallet(body.wallet, client.project)
      const { json } = await signer.calls.explain({
        wallet: row.wallet,
        client: client.id,
        network: findAdapter(body.network).network.slug,
        unsigned: fromHex(body.unsigned),
        context: fromHex(body.context),
        path: body.path ?? [],
      })
      return JSON.parse(json) as ExplanationJson
    },

    getOperation: ({ client, params }) => operations.get(params.id, client.project),

    async getPolicy({ client, params }) {
      const wallet = decodeWallet((await store.wallet(params.walletId, client.project)).public)
      return {
        wallet: wallet.key.wallet,
        template: wallet.policyTemplate,
        policyHash: toHex(wallet.policyHash),
        policy: policyToPlain(decodePolicy(wallet.policy)),
      }
    },

    async listAudit({ query }) {
      const limit = query.limit ?? DEFAULT_LIMIT
      const rows = await store.audit(query.after ?? 0, limit)
      return {
        items: rows.map(({ record: bytes, h }) => ({
          bytes: toHex(bytes),
          h: toHex(h),
          record: auditRecordToJson(decodeAuditRecord(bytes)),
        })),
        nextCursor: rows.length === limit ? String(rows.at(-1)!.seq) : null,
      }
    },

    async listCheckpoints({ query }) {
      const limit = query.limit ?? DEFAULT_LIMIT
      const rows = await store.checkpoints(query.after ?? 0, limit)
      const items = rows.map((bytes): CheckpointJson => {
        const { seq, time } = decodeCheckpoint(bytes)
        return { bytes: toHex(bytes), seq, time: toRfc3339(time) }
      })
      return { items, nextCursor: rows.length === limit ? String(items.at(-1)!.seq) : null }
    },
  }
  return (id, call) => (table[id] as (call: unknown) => Promise<never>)(call)
}
