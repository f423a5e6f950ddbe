/**
 * The node: opens its directory and signer, meets the other nodes, serves the API.
 *
 *   bus ⇄ daemon ⇄ signer process      envelopes pass through unread
 *   API ⇄ daemon ⇄ signer process      signed requests go in, receipts come out
 *                ⇣
 *             journal                  every change with its audit record
 */
import { type AcceptedRecord, acceptChain, checkHello, decodeSignedRecord } from '@quorate/auth'
import { Fault, isFault, type Logger } from '@quorate/base'
import { decodeWallet, verifyEd25519, type WalletRow } from '@quorate/enclave'
import {
  type Bus,
  type HttpServer,
  openMesh,
  systemClock,
  systemRandom,
  systemTimers,
} from '@quorate/platform'
import { Anchors } from './anchors.ts'
import { checkLoopback, DEFAULT_PRIMES_AHEAD, type NodeConfig } from './config.ts'
import { serve } from './http/server.ts'
import { type LocalNode, openLocal } from './local.ts'
import { Operations } from './operations.ts'
import { runRequest } from './run-request.ts'
import { forgetBefore } from './store.ts'
import { makeTlsLeaf } from './tls-leaf.ts'

export type RunningNode = {
  readonly nodeId: string
  readonly index: number
  readonly pid: number
  readonly signerPid: number
  /** Of the API on TCP, where there is one. */
  readonly port: number | undefined
  /** Resolves when the node has ended: with why, or with nothing after `stop`. */
  readonly ended: Promise<Fault | undefined>
  stop(): Promise<void>
}

const CHECKPOINT_MS = 10_000
const FORGET_MS = 3_600_000

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
  #local: LocalNode | undefined
  #bus: Bus | undefined
  #operations: Operations | undefined
  #anchors: Anchors | undefined
  #stopping: Promise<void> | undefined
  #end!: (fault: Fault | undefined) => void
  readonly #ended = new Promise<Fault | undefined>((resolve) => {
    this.#end = resolve
  })

  constructor(config: NodeConfig, logger: Logger) {
    this.#config = config
    this.#logger = logger
  }

  async start(): Promise<RunningNode> {
    const config = this.#config
    const local = await openLocal(
      { ...config, logger: this.#logger },
      {
        onSend: (to, envelope) => void this.#bus?.send(to, envelope),
        onProgress: (requestId, progress) => this.#operations?.progress(requestId, progress),
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
    const { index } = await signer.calls.join({ chain })
    const cluster = acceptChain(chain.map(decodeSignedRecord), { verify: verifyEd25519 })
    const rows = await store.wallets()
    checkThreshold(config, rows)
    await journal.commit(forgetBefore(systemClock.now()), [])
    await signer.calls.load({
      rows,
      burnt: await store.burnt(systemClock.now()),
      aux: await store.aux(),
      primes: await store.primes(),
    })

    const tls =
      'host' in config.mesh.listen
        ? await makeTlsLeaf(local.nodeId, systemClock, systemRandom)
        : undefined
    const tlsFingerprint = tls?.fingerprint ?? null
    const renewEpoch = (): Promise<unknown> => signer.calls.epoch({ tlsFingerprint })
    const { backend, primesAhead = DEFAULT_PRIMES_AHEAD } = config
    const { backends } = await signer.calls.prepare({ backend, primesAhead })
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
      run: runRequest(local),
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

    await this.#openBus(local, cluster, index, tls)
    const servers = await serve({
      config,
      local,
      cluster,
      index,
      startedAt: this.#startedAt,
      backends: Object.fromEntries(backends.map((each) => each.split('=') as [string, string])),
      operations,
      anchors,
      connected: this.#connected,
      logger: this.#logger,
    })
    this.#undo.push(() => Promise.all(servers.map((server) => server.close())))
    this.#undo.push(
      systemTimers.every(CHECKPOINT_MS, () => this.#checkpoint()),
      systemTimers.every(
        FORGET_MS,
        () => void journal.commit(forgetBefore(systemClock.now()), []).catch(() => undefined),
      ),
    )
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

  async #openBus(
    local: LocalNode,
    cluster: AcceptedRecord,
    self: number,
    tls: Awaited<ReturnType<typeof makeTlsLeaf>> | undefined,
  ): Promise<void> {
    const { peers, listen } = this.#config.mesh
    const expected = cluster.record.nodes
      .map(({ index }) => index)
      .filter((index) => index !== self)
    if (
      peers.length !== expected.length ||
      expected.some((index) => !peers.some((peer) => peer.index === index))
    )
      throw new Fault('node/peers-mismatch', {
        detail: `addresses of nodes ${expected.join(', ')} are needed`,
      })
    const { calls } = local.signer
    /** Newest epoch record of each peer, as its last greeting showed it. */
    const epochs = new Map<number, Uint8Array>()
    const bus = await openMesh({
      self,
      listen,
      peers,
      ...(tls !== undefined && { tls }),
      timers: systemTimers,
      random: systemRandom,
      logger: this.#logger,
      makeHello: async (connection) => (await calls.hello(connection)).hello,
      checkHello: (hello, connection) => {
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
    })
    this.#bus = bus
    this.#undo.push(() => bus.close())
    bus.onMessage(
      (_from, envelope) =>
        void calls
          .deliver({ envelope })
          .catch((error: unknown) => this.#note('deliver.failed', error)),
    )
    bus.onPeer((peer, isConnected) => {
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
          return this.#anchors?.greet(peer)
        })
        .catch((error: unknown) => this.#note('peer.refused', error))
    })
  }

  #checkpoint(): void {
    this.#anchors?.checkpoint().catch((error: unknown) => this.#note('checkpoint.failed', error))
  }

  #note(event: string, error: unknown): void {
    this.#logger.log('warn', event, { code: isFault(error) ? error.code : 'node/internal' })
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
      if (fault === undefined && this.#local !== undefined && this.#bus !== undefined) {
        await this.#local.journal
          .commit([], [nodeEvent(this.#local, 'node.stop')])
          .catch(() => undefined)
        await this.#anchors?.checkpoint().catch(() => undefined)
      }
      for (const step of this.#undo.splice(0).reverse())
        await Promise.resolve(step()).catch(() => undefined)
      this.#end(fault)
    })()
    return this.#stopping
  }
}

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

/** A guide for another product may say how many signers there are: wrong numbers must not pass unnoticed. @throws node/threshold-disagrees */
function checkThreshold({ threshold }: NodeConfig, rows: readonly WalletRow[]): void {
  if (threshold === undefined) return
  for (const row of rows) {
    const own = decodeWallet(row.public).key.threshold
    if (own !== threshold)
      throw new Fault('node/threshold-disagrees', {
        detail: `${threshold}, a wallet here has ${own}`,
      })
  }
}
