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
  type OpenApiJson,
  type OperationId,
  type OperationJson,
  openApi,
  parseProtocol,
  type RequestKind,
  type StreamId,
  SYNC_MS,
  toRfc3339,
  type WaitingRequestJson,
  type WalletJson,
} from '@quorate/api'
import { type ClusterClient, fingerprintWords } from '@quorate/auth'
import { Fault, fromHex, toHex } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import { decodeWallet, type WalletRow } from '@quorate/enclave'
import type { ServerEvent } from '@quorate/platform'
import { decodePolicy, policyHash, policyToPlain } from '@quorate/policy'
import { waitingJson } from '../run-request.ts'
import { walletJson } from '../wallet-json.ts'
import { backupStatus, madeBackup } from './backup-status.ts'
import { followOperation, followProject } from './follow.ts'
import type { ServeOptions } from './options.ts'
import { within } from './within.ts'

type AnyCall = NodeApi[OperationId]
export type Call<C extends AnyCall> = Pick<C, 'params' | 'query' | 'body'> & {
  readonly client: ClusterClient
  readonly idempotencyKey: string
}

/** The routes that answer once. */
export type CallId = Exclude<OperationId, StreamId>

type Handlers = {
  readonly [Id in CallId]: (call: Call<NodeApi[Id]>) => Promise<NodeApi[Id]['answer']>
}
type Serve = <Id extends CallId>(id: Id, call: Call<NodeApi[Id]>) => Promise<NodeApi[Id]['answer']>

const PROTOCOL_VERSION = 1
export const PRODUCT_VERSION = '0.1.0'

export function handlers(o: ServeOptions): Serve {
  const { local, cluster, operations, anchors } = o
  const { store, journal, signer } = local
  const { record } = cluster

  /** Begins the operation of a signed request that really is for this route and from this client. */
  const begin = async (
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
    const begun = await operations.begin(request, call.idempotencyKey)
    if (begun.state !== 'running') return begun
    await within(SYNC_MS, operations.ended(begun.id))
    return operations.get(begun.id, client.project)
  }

  /** Version and canonical bytes of the policy in force. */
  const policyOf = async (
    row: WalletRow,
  ): Promise<{ readonly version: number; readonly policy: Uint8Array }> =>
    (await store.changedPolicy(row.wallet)) ?? {
      version: 1,
      policy: decodeWallet(row.public).policy,
    }

  /** The wallet, with the hash of the policy that its next request must name. */
  const shown = async (row: WalletRow): Promise<WalletJson> => {
    const { policy } = await policyOf(row)
    return { ...walletJson(row), policyHash: toHex(policyHash(decodePolicy(policy))) }
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
          ...(o.tls !== undefined && { apiCertificate: o.tls.fingerprint }),
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
        backup: await backupStatus(o.backups, local.signer.calls),
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
          (query.label === undefined || row.label === query.label) &&
          (protocol === undefined || decodeWallet(row.public).key.protocol === protocol),
      )
      const page = rows.slice(0, limit)
      return {
        items: await Promise.all(page.map(shown)),
        nextCursor: rows.length > limit ? (page.at(-1)?.wallet ?? null) : null,
      }
    },

    async getWallet({ client, params }) {
      return shown(await store.wallet(params.id, client.project))
    },

    createWallet: (call) => begin('createWallet', call),
    signTransaction: (call) => begin('sign', call),
    refreshWallet: (call) => begin('refresh', call),
    changePolicy: (call) => begin('changePolicy', call),

    async listRequests({ client, params, query }) {
      const { wallet } = await store.wallet(params.id, client.project)
      const limit = query.limit ?? DEFAULT_LIMIT
      const rows = await store.pastRequests(wallet, query.cursor ?? '', limit)
      return {
        items: rows.map(({ operation, request: bytes, state }) => {
          const request = decodeRequest(bytes)
          return {
            operation,
            client: request.client,
            request: toHex(bytes),
            createdAt: toRfc3339(request.body.value.createdAt),
            ...(state !== null && { state }),
          }
        }),
        nextCursor: rows.length === limit ? rows.at(-1)!.operation : null,
      }
    },

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
      const row = await store.wallet(params.walletId, client.project)
      const { version, policy: bytes } = await policyOf(row)
      const policy = decodePolicy(bytes)
      return {
        wallet: row.wallet,
        template: decodeWallet(row.public).policyTemplate,
        policyHash: toHex(policyHash(policy)),
        version,
        policy: policyToPlain(policy),
      }
    },

    async listApprovals({ client }) {
      const { items } = await signer.calls.listWaiting({ project: client.project })
      return { items: items.map(waitingRequest), nextCursor: null }
    },

    async giveApproval({ body }) {
      const { hash } = await signer.calls.approve({ approval: fromHex(body.approval) })
      return { request: toHex(hash) }
    },

    makeBackup: () => madeBackup(o.backups),

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

    getOpenApi: () => Promise.resolve(openApi(PRODUCT_VERSION) as OpenApiJson),
  }
  return (id, call) => (table[id] as (call: unknown) => Promise<never>)(call)
}

type WaitingItem = Awaited<
  ReturnType<ServeOptions['local']['signer']['calls']['listWaiting']>
>['items'][number]

function waitingRequest({ hash, request, lines, waiting, since }: WaitingItem): WaitingRequestJson {
  const { client, body } = decodeRequest(request)
  // Nothing else ever waits.
  if (body.kind !== 'sign' && body.kind !== 'changePolicy') throw new Fault('node/internal')
  return {
    hash: toHex(hash),
    kind: body.kind,
    wallet: body.value.wallet,
    client,
    request: toHex(request),
    lines,
    waiting: waitingJson(waiting),
    since: toRfc3339(since),
  }
}

type Open = (call: {
  readonly client: ClusterClient
  readonly params: unknown
  readonly signal: AbortSignal
}) => Promise<AsyncIterable<ServerEvent>>

/** What each streaming route of the API opens. */
export function streams({ operations }: ServeOptions): { readonly [Id in StreamId]: Open } {
  return {
    async watchOperation({ client, params, signal }) {
      const { id } = params as NodeApi['watchOperation']['params']
      // A stream that has begun could no longer answer that there is none.
      await operations.get(id, client.project)
      return followOperation(operations, id, client.project, signal)
    },
    watchProject: ({ client, signal }) =>
      Promise.resolve(followProject(operations, client.project, signal)),
  }
}
