/** Figures that parts of the node keep by themselves, read when somebody looks. They name no client, wallet or key. */
import { statfsSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { ChainHead } from '@quorate/api'
import type { Clock } from '@quorate/base'
import type { Bus, Registry, Sample, Tracer } from '@quorate/platform'
import type { Anchors } from './anchors.ts'
import type { BackupReport, Backups } from './backup/backups.ts'
import type { Readiness } from './health.ts'
import type { Operations } from './operations.ts'
import type { QueueFigures } from './request-queue.ts'

export type NodeParts = {
  readonly directory: string
  readonly startedAt: number
  readonly version: string
  readonly clock: Clock
  readonly readiness: Readiness
  readonly head: () => ChainHead
  readonly anchors: Anchors
  readonly backups: Pick<Backups, 'known'>
  readonly operations: Operations
  readonly bus: Bus
  readonly links: LinkFigures
  /** Where requests come by a queue, too. */
  readonly queue: Readonly<QueueFigures> | undefined
  readonly tracer: Tracer | undefined
}

/** How often each peer came and went. */
export class LinkFigures {
  readonly #met = new Map<number, number>()
  readonly #lost = new Map<number, number>()

  changed(peer: number, isConnected: boolean): void {
    const counts = isConnected ? this.#met : this.#lost
    counts.set(peer, (counts.get(peer) ?? 0) + 1)
  }

  met(peer: number): number {
    return this.#met.get(peer) ?? 0
  }
  lost(peer: number): number {
    return this.#lost.get(peer) ?? 0
  }
}

const NANOSECONDS = 1e9

/** Adds them to the registry; how to let go of what measures. */
export function readParts(registry: Registry, parts: NodeParts): () => void {
  const { clock, readiness, anchors, operations, bus, links, queue, tracer } = parts
  const perPeer = (value: (peer: ReturnType<Bus['peers']>[number]) => number) => () =>
    bus.peers().map((peer): Sample => [{ peer: String(peer.peer) }, value(peer)])

  registry.read('gauge', 'build_info', 'What runs here; always 1.', () => [
    [{ version: parts.version, runtime: process.version }, 1],
  ])
  registry.read(
    'gauge',
    'start_time_seconds',
    'When the node was started, since the epoch.',
    () => parts.startedAt / 1000,
  )
  registry.read(
    'gauge',
    'ready',
    'Whether a check of readiness holds, as last asked: 1 or 0.',
    () => Object.entries(readiness.known ?? {}).map(([check, isOk]) => [{ check }, isOk ? 1 : 0]),
  )
  registry.read(
    'gauge',
    'requests_running',
    'Requests that this node leads now.',
    () => operations.running,
  )
  registry.read(
    'counter',
    'audit_records_total',
    'Records in the audit chain.',
    () => parts.head().seq,
  )
  registry.read(
    'gauge',
    'audit_checkpoint_records',
    'Records of the audit chain that the newest checkpoint covers.',
    () => anchors.seq,
  )
  registry.read(
    'gauge',
    'audit_checkpoint_age_seconds',
    'Since the audit chain went beyond its newest checkpoint; 0 where it does not.',
    () => anchors.ageMs(clock.now()) / 1000,
  )
  registry.read(
    'gauge',
    'audit_anchored',
    'Whether a peer was given the newest checkpoint, so that a rollback would show: 1 or 0.',
    () => (anchors.isRollbackDetectable ? 1 : 0),
  )
  registry.read(
    'gauge',
    'peer_connected',
    'Whether a peer is connected: 1 or 0.',
    perPeer(({ isConnected }) => (isConnected ? 1 : 0)),
  )
  registry.read(
    'gauge',
    'peer_queue_frames',
    'Frames that wait to be sent to a peer.',
    perPeer(({ queued }) => queued),
  )
  registry.read(
    'counter',
    'peer_connections_total',
    'How often a peer was met.',
    perPeer(({ peer }) => links.met(peer)),
  )
  registry.read(
    'counter',
    'peer_losses_total',
    'How often a peer was lost.',
    perPeer(({ peer }) => links.lost(peer)),
  )
  registry.read(
    'counter',
    'queue_requests_total',
    'Requests from the queue on the NATS server, by what became of them.',
    () =>
      Object.entries(queue ?? {}).map(([outcome, count]) => [{ outcome: snake(outcome) }, count]),
  )
  registry.read('counter', 'trace_spans_total', 'Spans of traces, by what became of them.', () =>
    Object.entries(tracer?.figures ?? {}).map(([outcome, count]) => [{ outcome }, count]),
  )
  readBackups(registry, parts)
  return readProcess(registry, parts.directory)
}

/** Nothing where backups go nowhere. */
function readBackups(registry: Registry, { backups, clock }: NodeParts): void {
  const age = (of: (known: BackupReport) => number | undefined) => () => {
    const { known } = backups
    const at = known?.isEnabled === true ? of(known) : undefined
    return at === undefined ? [] : [[{}, Math.max(0, clock.now() - at) / 1000] as Sample]
  }
  registry.read(
    'gauge',
    'backup_age_seconds',
    'Since the newest backup was made.',
    age(({ newest }) => newest?.at),
  )
  registry.read(
    'gauge',
    'backup_drill_age_seconds',
    'Since somebody opened a backup of this node.',
    age(({ drilledAt }) => drilledAt),
  )
  registry.read(
    'gauge',
    'backup_failing',
    'Whether the last attempt at a backup failed: 1 or 0.',
    () => {
      const { known } = backups
      return known?.isEnabled === true ? [[{}, known.failure === undefined ? 0 : 1]] : []
    },
  )
}

function readProcess(registry: Registry, directory: string): () => void {
  registry.read(
    'gauge',
    'process_resident_memory_bytes',
    'Memory of the daemon, without its signer.',
    () => process.memoryUsage.rss(),
  )
  registry.read(
    'counter',
    'process_cpu_seconds_total',
    'Of the daemon, without its signer.',
    () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    },
  )
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  registry.read(
    'gauge',
    'event_loop_delay_p99_seconds',
    'How late all but one in a hundred timers of the event loop were since somebody last looked.',
    () => {
      const seconds = delay.percentile(99) / NANOSECONDS
      delay.reset()
      return seconds
    },
  )
  registry.read('gauge', 'disk_free_bytes', 'Space that is left for the data directory.', () => {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  })
  return () => delay.disable()
}

const snake = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
