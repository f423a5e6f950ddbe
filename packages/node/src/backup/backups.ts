/**
 * The backups of a running node. The signer seals, this keeps the files, tells the other nodes which is the newest,
 * and removes what is of an earlier generation: t backups of one generation are the key, whatever was
 * refreshed since.
 *
 *   seal → put and read back → on record here → tell the others → remove older generations
 *
 * A crash anywhere leaves a backup that was not announced, whose number the next one takes.
 */
import { type AcceptedRecord, type BackupHead, readBackupHead } from '@quorate/auth'
import {
  type Clock,
  equalBytes,
  Fault,
  isFault,
  type Logger,
  TAGS,
  taggedHash,
} from '@quorate/base'
import { type Client, type PublicState, type SignerCalls, verifyEd25519 } from '@quorate/enclave'
import { type BlobStore, failpoint } from '@quorate/platform'
import type { Journal } from '../journal.ts'
import type { Store } from '../store.ts'
import {
  type BackupRow,
  type BackupStore,
  forgetBackups,
  forgetFile,
  putBackup,
  putDrill,
  putPeerBackup,
} from './backup-store.ts'
import { backupName, keepBackup, keptNumbers, readDrill } from './place.ts'

/** Files of the present generation that are kept. */
const KEPT_FILES = 10
/** Rows that are kept beyond their files, for drills that come late. */
const KEPT_ROWS = 1_000

export type BackupsOptions = {
  readonly store: Store
  readonly backups: BackupStore
  readonly journal: Journal
  readonly signer: Pick<Client<SignerCalls>, 'backup' | 'tellBackup'>
  /** Where files go; nowhere unless given. */
  readonly place?: BlobStore | undefined
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Logger
  readonly nodeId: string
  readonly index: number
  readonly cluster: AcceptedRecord
  /** The other nodes know of a later backup than the one this machine was restored from. */
  onNotNewest(fault: Fault): void
}

export type BackupReport = {
  readonly isEnabled: boolean
  /** For people, without credentials. */
  readonly place?: string
  readonly newest?: { readonly number: number; readonly digest: Uint8Array; readonly at: number }
  /** Code of why the last attempt failed. */
  readonly failure?: string
  /** When somebody last opened a backup of this node. */
  readonly drilledAt?: number
}

export class Backups {
  readonly #o: BackupsOptions
  #running: Promise<BackupRow> | undefined
  /** Where the audit chain stood after the last backup. */
  #seq = -1
  #failure: string | undefined
  #known: BackupReport | undefined

  constructor(options: BackupsOptions) {
    this.#o = options
  }

  /** What the last report said, which is not asked for here. */
  get known(): BackupReport | undefined {
    return this.#known
  }

  async report(): Promise<BackupReport> {
    const { backups, place } = this.#o
    const newest = (await backups.own()).at(-1)
    const drilledAt = await backups.drilledAt()
    this.#known = {
      isEnabled: place !== undefined,
      ...(place !== undefined && { place: place.place }),
      ...(newest !== undefined && {
        newest: { number: newest.number, digest: newest.digest, at: newest.createdAt },
      }),
      ...(this.#failure !== undefined && { failure: this.#failure }),
      ...(drilledAt !== undefined && { drilledAt }),
    }
    return this.#known
  }

  /** Makes a backup if anything has happened since the last. Failures are logged and reported. */
  async tick(): Promise<void> {
    const { journal, place, logger } = this.#o
    if (place === undefined) return
    try {
      await this.#lookForDrill(place)
      await journal.settled()
      if (journal.head.seq !== this.#seq) await this.make()
    } catch (error) {
      this.#failure = isFault(error) ? error.code : 'node/internal'
      logger.log('error', 'backup.failed', { code: this.#failure })
    }
  }

  /** Makes a backup now; two at once are one. @throws node/no-backup-place, enclave/no-recipients, platform/… */
  make(): Promise<BackupRow> {
    this.#running ??= this.#make().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #make(): Promise<BackupRow> {
    const { backups, journal, signer, place, clock, nodeId, logger } = this.#o
    if (place === undefined) throw new Fault('node/no-backup-place')
    const last = (await backups.own()).at(-1)
    const number = (last?.number ?? 0) + 1
    const made = await signer.backup({
      number,
      previous: last?.digest ?? null,
      state: await this.#state(),
    })
    failpoint('node/backup/before-put')
    await keepBackup(place, nodeId, number, made.file)
    failpoint('node/backup/after-put')
    const { digest, generation, drill, head } = made
    const row = {
      number,
      digest,
      generation,
      drill,
      head,
      createdAt: clock.now(),
      isKept: true,
    }
    await journal.commit(
      [putBackup(row), forgetBackups(number - KEPT_ROWS)],
      [this.#audit('backup.make', number)],
    )
    failpoint('node/backup/before-tell')
    await signer.tellBackup({ to: 0, head })
    failpoint('node/backup/before-prune')
    await this.#prune(place)
    failpoint('node/backup/after-prune')
    this.#failure = undefined
    this.#seq = journal.head.seq
    logger.log('info', 'backup.made', { number, place: place.place })
    return row
  }

  async #state(): Promise<PublicState> {
    const { store, clock } = this.#o
    return {
      chain: await store.clusterChain(),
      burnt: await store.burnt(clock.now()),
      requests: await store.seenRequests(),
      ledger: await store.ledger(),
      highWaters: await store.ledgerTimes(),
      policies: await store.policies(),
      highWater: await store.highWater(),
    }
  }

  /** Removes what is of another generation than the newest, and the oldest beyond so many. */
  async #prune(place: BlobStore): Promise<void> {
    const { backups, journal, nodeId, cluster } = this.#o
    const rows = await backups.own()
    const newest = rows.at(-1)!
    const wanted = rows
      .filter(({ generation, isKept }) => isKept && equalBytes(generation, newest.generation))
      .slice(-KEPT_FILES)
      .map(({ number }) => number)
    const there = await keptNumbers(place, nodeId)
    for (const number of there)
      if (!wanted.includes(number)) await place.delete(backupName(nodeId, number))
    // Those of the machines before this one, once none of their shares is worth anything any more.
    const isRefreshed = rows.every(
      ({ head, generation }) => head.length > 0 || !equalBytes(generation, newest.generation),
    )
    for (const { id, index } of isRefreshed ? cluster.former : [])
      if (index === this.#o.index)
        for (const number of await keptNumbers(place, id))
          await place.delete(backupName(id, number))
    const gone = rows.filter(({ number, isKept }) => isKept && !wanted.includes(number))
    if (gone.length > 0)
      await journal.commit(
        gone.map(({ number }) => forgetFile(number)),
        [this.#audit('backup.destroy', gone.at(-1)!.number)],
      )
  }

  async #lookForDrill(place: BlobStore): Promise<void> {
    const { backups, journal, nodeId, clock } = this.#o
    const drill = await readDrill(place, nodeId)
    if (drill === undefined) return
    const row = (await backups.own()).find(({ number }) => number === drill.number)
    const isReal =
      row !== undefined && equalBytes(taggedHash(TAGS.backupDrill, drill.token), row.drill)
    if (!isReal || ((await backups.drilledAt()) ?? 0) >= row.createdAt) return
    await journal.commit([putDrill(clock.now())], [this.#audit('backup.drill', drill.number)])
  }

  #audit(action: string, number: number) {
    const { nodeId } = this.#o
    return {
      actor: nodeId,
      action,
      resource: nodeId,
      decision: 'none',
      outcome: 'done',
      fields: [{ name: 'number', kind: 'int', value: number }],
    } as const
  }

  /** Gives a peer that has just connected this node's newest head, and all that is kept of that node. */
  async greet(peer: number): Promise<void> {
    const { backups, signer } = this.#o
    for (const head of await backups.headsOf(peer)) await signer.tellBackup({ to: peer, head })
    const own = (await backups.own()).findLast(({ head }) => head.length > 0)
    if (own !== undefined) await signer.tellBackup({ to: peer, head: own.head })
  }

  /** A head from a peer: its own is kept, one of this node is compared with what it was restored from. */
  async told(from: number, signed: Uint8Array): Promise<void> {
    const { cluster, journal, index, logger } = this.#o
    const head = readBackupHead(signed, { cluster, verify: verifyEd25519 })
    if (head.index === index) this.#compare(head)
    else if (head.index === from)
      await journal.commit([putPeerBackup(head.nodeId, from, head.number, signed)], [])
    else logger.log('warn', 'backup.head-refused', { from })
  }

  /** Only a machine that is, or was, this node can have signed it, so no peer can make it stop. */
  #compare(head: BackupHead): void {
    const { cluster, index, nodeId, onNotNewest } = this.#o
    const entry = cluster.record.nodes[index - 1]?.restored
    if (entry === undefined || entry.isOlderAccepted || head.nodeId === nodeId) return
    const predecessor = cluster.former.findLast((old) => old.index === index)
    const isFork =
      head.number === entry.number &&
      head.nodeId === predecessor?.id &&
      !equalBytes(head.digest, entry.backup)
    if (head.number > entry.number || isFork)
      onNotNewest(
        new Fault('node/backup-not-newest', {
          detail: `it was restored from backup ${entry.number}, a peer knows of ${head.number}`,
        }),
      )
  }
}
