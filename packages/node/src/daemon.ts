/**
 * The node: opens its directory and signer, meets the other nodes, serves the API.
 *
 *   bus ⇄ daemon ⇄ signer process      envelopes pass through unread
 *   API ⇄ daemon ⇄ signer process      signed requests go in, receipts come out
 *                ⇣
 *             journal                  every change with its audit record
 */
import { type AcceptedRecord, acceptChain, checkHello, decodeSignedRecord } from '@quorate/auth'
import { Fault, type Logger } from '@quorate/base'
import { DEFAULT_LIMITS, decodeWallet, hastenVerification, verifyEd25519 } from '@quorate/enclave'
import {
  type Bus,
  type HttpServer,
  type RequestQueue,
  systemClock,
  systemRandom,
  systemTimers,
} from '@quorate/platform'
import { Anchors } from './anchors.ts'
import type { Backups } from './backup/backups.ts'
import { farewellTo, readFarewell } from './backup/farewell.ts'
import { openBackups } from './backup/open.ts'
import {
  checkLoopback,
  DEFAULT_POOLED_NONCES,
  DEFAULT_POOLED_PRESIGNATURES,
  DEFAULT_PRIMES_AHEAD,
  type NodeConfig,
} from './config.ts'
import { codeOf } from './fault-code.ts'
import { checkForeign } from './foreign-settings.ts'
import { Readiness } from './health.ts'
import { PRODUCT_VERSION } from './http/handlers.ts'
import { serve } from './http/server.ts'
import { type Instruments, openInstruments, probesOf } from './instruments.ts'
import { DEFAULT_STOP_MS, Lifecycle } from './lifecycle.ts'
import { loadSigner } from './load-signer.ts'
import { type LocalNode, openLocal } from './local.ts'
import { readParts } from './node-metrics.ts'
import { Operations } from './operations.ts'
import { type QueueService, serveQueue } from './request-queue.ts'
import { reachedBy, runRequest } from './run-request.ts'
import { forgetBefore, putClusterRecord } from './statements.ts'
import { makeTlsLeaf, type TlsLeaf } from './tls-leaf.ts'
import { openTransport, usesTls } from './transport.ts'
import type { Run } from './watch.ts'

export type RunningNode = {
  readonly nodeId: string
  readonly index: number
  readonly pid: number
  readonly signerPid: number
  /** Of the API on TCP, where there is one. */
  readonly port: number | undefined
  /** Resolves when the node has ended: with why, or with nothing after `stop`. */
  readonly ended: Promise<Fault | undefined>
  /** Takes on nothing new, lets what runs end for a while, then ends. */
  stop(): Promise<void>
}

const CHECKPOINT_MS = 10_000
const FORGET_MS = 3_600_000
/** How long the thresholds of the wallets are believed not to have changed. */
const THRESHOLDS_MS = 10_000

/** @throws platform/directory-in-use, node/not-enrolled, node/peers-mismatch, platform/port-taken, … */
export async function startNode(config: NodeConfig, logger: Logger): Promise<RunningNode> {
  checkLoopback(config)
  const daemon = new Daemon(config, logger)
  try {
    return await daemon.start()
  } catch (error) {
    await daemon.stop()
    throw error
  }
}

class Daemon {
  readonly #config: NodeConfig
  readonly #logger: Logger
  readonly #startedAt = systemClock.now()
  readonly #undo: (() => unknown)[] = []
  readonly #connected = new Set<number>()
  readonly #lifecycle = new Lifecycle()
  readonly #instruments: Instruments
  #index = 0
  #queue: QueueService | undefined
  #local: LocalNode | undefined
  #bus: Bus | undefined
  #operations: Operations | undefined
  #anchors: Anchors | undefined
  #backups: Backups | undefined
  #stopping: Promise<void> | undefined
  #end!: (fault: Fault | undefined) => void
  readonly #ended = new Promise<Fault | undefined>((resolve) => {
    this.#end = resolve
  })

  constructor(config: NodeConfig, logger: Logger) {
    this.#config = config
    this.#instruments = openInstruments(config, logger, () => this.#index)
    this.#logger = this.#instruments.logger
    this.#undo.push(() => this.#instruments.tracer?.close())
  }

  async start(): Promise<RunningNode> {
    const config = this.#config
    const local = await openLocal(
      { ...config, logger: this.#logger },
      {
        onSend: (to, envelope) => void this.#bus?.send(to, envelope),
        onProgress: (requestId, progress) => {
          this.#instruments.watch.progressed(requestId, progress.phase)
          this.#operations?.progress(requestId, progress)
        },
        onConcluded: (request, outcome) =>
          this.#operations?.concluding(request, (asked) => reachedBy(asked, outcome)),
        onAudited: (records) => this.#instruments.watch.audited(records),
        onWake: (request) => {
          // Where the node stops, it goes on when the node is back.
          if (!this.#lifecycle.isStopping) void this.#operations?.wake(request)
        },
        onBackupTold: (from, head) => {
          this.#backups
            ?.told(from, head)
            .catch((error: unknown) => this.#note('backup.head-refused', error))
        },
        onAnchored: (from, checkpoint) => {
          this.#anchors
            ?.received(from, checkpoint)
            .catch((error: unknown) => this.#note('anchor.failed', error))
        },
      },
    )
    this.#local = local
    this.#undo.push(() => local.close())
    const { store, journal, signer } = local
    void signer.ended.then(() => this.fail(new Fault('node/signer-ended')))

    const chain = await store.clusterChain()
    if (chain.length === 0) throw new Fault('node/not-enrolled')
    const cluster = acceptChain(chain.map(decodeSignedRecord), { verify: verifyEd25519 })
    if (cluster.former.some(({ id }) => id === local.nodeId)) throw new Fault('node/fenced')
    const { index } = await signer.calls.join({ chain })
    this.#index = index
    const rows = await store.wallets()
    // It verifies a signature for every call.
    await hastenVerification(config.backend)
    checkForeign(config, { nodeId: local.nodeId, index, cluster, wallets: rows })
    await journal.commit(forgetBefore(systemClock.now()), [])
    await loadSigner(signer.calls, store, rows)

    const tls = usesTls(config)
      ? await makeTlsLeaf(local.nodeId, systemClock, systemRandom)
      : undefined
    const tlsFingerprint = tls?.fingerprint ?? null
    const renewEpoch = (): Promise<unknown> => signer.calls.epoch({ tlsFingerprint })
    const { backend, primesAhead = DEFAULT_PRIMES_AHEAD } = config
    const limits = { ...DEFAULT_LIMITS, ...config.limits }
    const pools = poolSizes(config)
    const { backends } = await signer.calls.prepare({ backend, primesAhead, limits, pools })
    const { notAfter } = await signer.calls.epoch({ tlsFingerprint })
    const renewMs = notAfter - systemClock.now()
    this.#undo.push(
      systemTimers.every(
        renewMs,
        () => void renewEpoch().catch((error: unknown) => this.#note('epoch.failed', error)),
      ),
    )

    const operations = new Operations({
      store,
      journal,
      clock: systemClock,
      random: systemRandom,
      run: this.#instruments.watch.running(this.#running(runRequest(local))),
    })
    await operations.recover()
    this.#operations = operations
    const anchors = new Anchors({
      store,
      journal,
      signer: signer.calls,
      clock: systemClock,
      logger: this.#logger,
      nodeId: local.nodeId,
      identityKey: local.identityKey,
      peer: (peer) => cluster.record.nodes[peer - 1],
      peersConnected: () => this.#connected.size,
      onRollback: (fault) => this.fail(fault),
    })
    await anchors.open()
    this.#anchors = anchors

    const backups = await openBackups(config, local, cluster, index, this.#logger, (fault) =>
      this.fail(fault),
    )
    this.#backups = backups
    const queue = await this.#openBus(local, cluster, index, tls)
    if (queue !== undefined) this.#serveQueue(queue, operations, cluster)
    const { registry, watch, clock, links, tracer } = this.#instruments
    const readiness = new Readiness({
      probes: probesOf(
        local,
        this.#lifecycle,
        clock,
        () => this.#connected.size + 1,
        leastThreshold(local, cluster),
      ),
      clock: systemClock,
      timers: systemTimers,
    })
    this.#undo.push(
      readParts(registry, {
        directory: config.directory,
        startedAt: this.#startedAt,
        version: PRODUCT_VERSION,
        clock: systemClock,
        readiness,
        head: () => journal.head,
        anchors,
        backups,
        operations,
        bus: this.#bus!,
        links,
        queue: this.#queue?.figures,
        tracer,
      }),
    )
    const servers = await serve({
      config,
      local,
      cluster,
      index,
      startedAt: this.#startedAt,
      backends: Object.fromEntries(backends.map((each) => each.split('=') as [string, string])),
      operations,
      anchors,
      backups,
      connected: this.#connected,
      logger: this.#logger,
      registry,
      watch,
      readiness,
      lifecycle: this.#lifecycle,
    })
    this.#undo.push(() => Promise.all(servers.map((server) => server.close())))
    this.#undo.push(
      systemTimers.every(CHECKPOINT_MS, () => this.#checkpoint()),
      systemTimers.every(
        FORGET_MS,
        () => void journal.commit(forgetBefore(systemClock.now()), []).catch(() => undefined),
      ),
    )
    if (config.backup !== undefined)
      this.#undo.push(systemTimers.every(config.backup.periodMs, () => void backups.tick()))
    operations.resume()
    await journal.commit([], [nodeEvent(local, 'node.start')])
    this.#logger.log('info', 'node.started', { index, nodeId: local.nodeId })
    return {
      nodeId: local.nodeId,
      index,
      pid: process.pid,
      signerPid: signer.pid,
      port: portOf(servers),
      ended: this.#ended,
      stop: () => this.stop(),
    }
  }

  #running(run: Run): Run {
    return async (request) => {
      try {
        return await run(request)
      } catch (error) {
        this.#instruments.clock.heard(codeOf(error))
        throw this.#lifecycle.reasonOf(error)
      }
    }
  }

  async #openBus(
    local: LocalNode,
    cluster: AcceptedRecord,
    self: number,
    tls: TlsLeaf | undefined,
  ): Promise<RequestQueue | undefined> {
    const { calls } = local.signer
    const chain = await local.store.clusterChain()
    /** Newest epoch record of each peer, as its last greeting showed it. */
    const epochs = new Map<number, Uint8Array>()
    const transport = await openTransport({
      config: this.#config,
      cluster,
      self,
      tls,
      logger: this.#logger,
      makeHello: async (connection) => (await calls.hello(connection)).hello,
      farewell: (hello) => farewellTo(hello, cluster, chain),
      checkHello: (hello, connection) => {
        if (this.#isFarewell(hello, local, chain)) return undefined
        try {
          const now = systemClock.now()
          const { epoch, signedEpoch } = checkHello(hello, {
            cluster,
            now,
            verify: verifyEd25519,
            connection,
          })
          epochs.set(epoch.nodeIndex, signedEpoch)
          return epoch.nodeIndex
        } catch (error) {
          this.#note('peer.refused', error)
          return undefined
        }
      },
      ready: (bus) => {
        this.#bus = bus
        bus.onMessage((_from, envelope) => {
          if (!this.#isFarewell(envelope, local, chain))
            void calls
              .deliver({ envelope })
              .catch((error: unknown) => this.#note('deliver.failed', error))
        })
        bus.onPeer((peer, isConnected) => {
          this.#instruments.links.changed(peer, isConnected)
          if (!isConnected) {
            this.#connected.delete(peer)
            calls.peerGone({ index: peer }).catch(() => undefined)
            this.#logger.log('info', 'peer.left', { peer })
            return
          }
          calls
            .peer({ record: epochs.get(peer)! })
            .then(() => {
              this.#connected.add(peer)
              this.#logger.log('info', 'peer.connected', { peer })
              return Promise.all([this.#anchors?.greet(peer), this.#backups?.greet(peer)])
            })
            .catch((error: unknown) => this.#note('peer.refused', error))
        })
      },
    })
    this.#undo.push(() => transport.close())
    return transport.queue
  }

  /** Whether a peer shows, in place of anything else, that another machine has replaced this one. It then stops for good. */
  #isFarewell(frame: Uint8Array, local: LocalNode, chain: readonly Uint8Array[]): boolean {
    const farewell = readFarewell(frame, chain, local.nodeId)
    if (farewell === undefined) return false
    const unknown = farewell.chain.slice(chain.length)
    local.journal
      .commit(
        unknown.map((signed, i) => putClusterRecord(chain.length + i + 1, signed)),
        [nodeEvent(local, 'node.fenced')],
      )
      .catch((error: unknown) => this.#note('fence.failed', error))
      .finally(() => this.fail(new Fault('node/fenced')))
    return true
  }

  #serveQueue(queue: RequestQueue, operations: Operations, cluster: AcceptedRecord): void {
    const atOnce = this.#config.transport?.nats?.queue ?? { keygen: 1, sign: 1 }
    this.#queue = serveQueue({
      queue,
      operations,
      cluster,
      atOnce,
      clock: systemClock,
      timers: systemTimers,
      logger: this.#logger,
    })
    this.#undo.push(() => this.#queue?.stop())
  }

  #checkpoint(): void {
    this.#anchors?.checkpoint().catch((error: unknown) => this.#note('checkpoint.failed', error))
  }

  #note(event: string, error: unknown): void {
    this.#logger.log('warn', event, { code: codeOf(error) })
  }

  /** Ends the node because it cannot go on. */
  fail(fault: Fault): void {
    if (this.#stopping !== undefined) return
    this.#logger.log('error', 'node.failed', { code: fault.code })
    void this.#close(fault)
  }

  stop(): Promise<void> {
    return this.#close(undefined)
  }

  #close(fault: Fault | undefined): Promise<void> {
    this.#stopping ??= (async () => {
      this.#lifecycle.beginStop()
      if (fault === undefined && this.#local !== undefined && this.#bus !== undefined) {
        await this.#drain(this.#local).catch((error: unknown) => this.#note('node.drain', error))
        await this.#local.journal
          .commit([], [nodeEvent(this.#local, 'node.stop')])
          .catch(() => undefined)
        await this.#anchors?.checkpoint().catch(() => undefined)
      }
      this.#lifecycle.cutOff()
      for (const step of this.#undo.splice(0).reverse())
        await Promise.resolve(step()).catch(() => undefined)
      this.#end(fault)
    })()
    return this.#stopping
  }

  /** Lets what runs come to its end. */
  async #drain({ signer }: LocalNode): Promise<void> {
    const operations = this.#operations
    if (operations === undefined) return
    this.#queue?.stop()
    this.#logger.log('info', 'node.stopping', { running: operations.running })
    const isDrained = await this.#lifecycle.drain({
      drained: () => operations.drain(),
      isBusy: () => operations.running > 0,
      sessions: async () => (await signer.calls.status({})).sessions,
      patienceMs: this.#config.stopMs ?? DEFAULT_STOP_MS,
      clock: systemClock,
      timers: systemTimers,
    })
    if (!isDrained) this.#logger.log('warn', 'node.cut-off', { running: operations.running })
  }
}

/** Nodes that it takes to sign for the wallet that takes fewest; a majority where there is no wallet yet. */
function leastThreshold({ store }: LocalNode, cluster: AcceptedRecord): () => Promise<number> {
  const majority = Math.floor(cluster.record.nodes.length / 2) + 1
  let known: { readonly at: number; readonly need: Promise<number> } | undefined
  const ask = async (): Promise<number> => {
    const thresholds = (await store.wallets()).map((row) => decodeWallet(row.public).key.threshold)
    return thresholds.length === 0 ? majority : Math.min(...thresholds)
  }
  return () => {
    const at = systemClock.monotonic()
    if (known === undefined || at - known.at > THRESHOLDS_MS) known = { at, need: ask() }
    return known.need
  }
}

const poolSizes = ({
  nonces = DEFAULT_POOLED_NONCES,
  presignatures = DEFAULT_POOLED_PRESIGNATURES,
}: NodeConfig) => ({ nonces, presignatures })

const nodeEvent = ({ nodeId }: LocalNode, action: string) =>
  ({
    actor: nodeId,
    action,
    resource: nodeId,
    decision: 'none',
    outcome: 'done',
    fields: [],
  }) as const

const portOf = (servers: readonly HttpServer[]): number | undefined =>
  servers.flatMap(({ address }) => ('port' in address ? [address.port] : []))[0]
