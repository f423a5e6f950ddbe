/**
 * The audit log of the HSM layer: every record gets its number and its hash of the chain (`api`), is
 * written to the files and flushed, and only then confirmed. Records that wait together share one flush.
 *
 * Whoever can write the files can cut off their end or, without a signer, write them anew. Against that
 * stand signed checkpoints between the records, an anchor outside the directory, and the other places
 * that records are sent to.
 */
import { ChainBuilder, type ChainHead, merkleRoot, signCheckpoint } from '@quorate/api'
import {
  type Clock,
  Fault,
  isFault,
  type Logger,
  type Random,
  type Signer,
  utf8,
} from '@quorate/base'
import {
  type Cancel,
  type DataDirectory,
  openDataDirectory,
  type Timers,
  writeFileAtomic,
} from '@quorate/platform'
import type { HsmEvents } from '../events.ts'
import { auditNodeId, checkAnchor } from './anchor.ts'
import type { AuditDelivery, AuditLine } from './delivery.ts'
import { AuditFileWriter, auditFileName, linesAfter, openEnd } from './files.ts'
import { Forwarder, type ForwarderFigures } from './forwarder.ts'
import { checkpointLine, recordLine, startLine } from './line.ts'
import { auditEntryOf, type HsmAuditRecord, type HsmAuditSink } from './record.ts'

export type AuditLimits = {
  /** Where a file is turned over. */
  readonly maxFileBytes: number
  /** Records that may wait for a flush. */
  readonly maxWaiting: number
  /** Records that one place may lack; over it nothing is confirmed any more. */
  readonly maxBacklog: number
  /** How long a record waits for a place that has to confirm it. */
  readonly confirmMs: number
  /** How often a checkpoint is signed, where there was something new. */
  readonly checkpointMs: number
}
export const AUDIT_LIMITS: AuditLimits = {
  maxFileBytes: 16 << 20,
  maxWaiting: 10_000,
  maxBacklog: 100_000,
  confirmMs: 10_000,
  checkpointMs: 60_000,
}

export type AuditPlace = {
  readonly delivery: AuditDelivery
  /** Whether nothing is confirmed before this place has it too; only for one that confirms. */
  readonly isRequired?: boolean | undefined
}

export type HsmAuditLogOptions = {
  /** Mode 0700, made where missing; used by one process. */
  readonly directory: string
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  readonly events?: HsmEvents | undefined
  /** Signs checkpoints. */
  readonly signer?: Signer | undefined
  /** A file outside the directory that says where the chain stood. */
  readonly anchorFile?: string | undefined
  readonly places?: readonly AuditPlace[]
  readonly limits?: Partial<AuditLimits>
}

export type HsmAuditFigures = {
  /** Number of the last record. */
  readonly records: number
  readonly waiting: number
  /** Flushes that failed, and with them the records that were in them. */
  readonly failures: number
  readonly places: readonly ForwarderFigures[]
}

type Entry = {
  readonly record: HsmAuditRecord
  readonly resolve: (seq: number) => void
  readonly reject: (error: unknown) => void
}

const MAX_GROUP = 1000

export class HsmAuditLog implements HsmAuditSink {
  readonly #o: HsmAuditLogOptions
  readonly #limits: AuditLimits
  readonly #directory: DataDirectory
  readonly #bootId: Uint8Array
  readonly #chain: ChainBuilder
  readonly #places: readonly { readonly forwarder: Forwarder; readonly isRequired: boolean }[]
  readonly #cancel: Cancel
  #file: AuditFileWriter
  /** Number of the last record that is on disk. */
  #last: number
  #queue: Entry[] = []
  #running: Promise<void> | undefined
  /** Number of the record of the last checkpoint. */
  #signedTo: number
  #signing: Promise<void> | undefined
  /** Lines of checkpoints that wait to be written. */
  #signed: string[] = []
  #failures = 0
  #isFailing = false
  #isClosed = false

  private constructor(
    options: HsmAuditLogOptions,
    directory: DataDirectory,
    file: AuditFileWriter,
    head: ChainHead,
  ) {
    this.#o = options
    this.#limits = { ...AUDIT_LIMITS, ...options.limits }
    this.#directory = directory
    this.#bootId = options.random.bytes(16)
    this.#chain = new ChainBuilder(head)
    this.#file = file
    this.#last = head.seq
    this.#signedTo = head.seq
    const source = {
      last: () => this.#last,
      read: (after: number, limit: number) => linesAfter(directory.path, after, limit),
    }
    this.#places = (options.places ?? []).map(({ delivery, isRequired = false }) => ({
      forwarder: new Forwarder(delivery, source, directory.file(`place-${delivery.name}`), options),
      isRequired,
    }))
    this.#cancel = options.timers.every(this.#limits.checkpointMs, () => {
      this.#sign()
    })
  }

  /**
   * The log in the directory, after what a crash left at its end was cut off and the rest of its last file
   * was found whole.
   * @throws hsm/audit-tampered naming file and record, hsm/bad-config, platform/directory-in-use,
   *   platform/directory-mode, platform/disk-full, platform/file-unreadable
   */
  static async open(options: HsmAuditLogOptions): Promise<HsmAuditLog> {
    for (const { delivery, isRequired } of options.places ?? []) {
      if (!/^[a-z][a-z0-9-]{0,31}$/.test(delivery.name))
        throw new Fault('hsm/bad-config', { detail: 'the name of an audit sink' })
      if (isRequired === true && !delivery.confirms)
        throw new Fault('hsm/bad-config', {
          detail: `the audit sink ${delivery.name} cannot confirm, so nothing can wait for it`,
        })
    }
    const directory = openDataDirectory(options.directory)
    let file: AuditFileWriter | undefined
    try {
      const end = openEnd(directory.path)
      if (options.anchorFile !== undefined)
        checkAnchor(options.anchorFile, directory.path, end.head)
      file = await AuditFileWriter.open(end.path, end.size)
      const log = new HsmAuditLog(options, directory, file, end.head)
      if (end.torn > 0) {
        options.logger.log('warn', 'hsm/audit-repaired', { bytes: end.torn })
        const repaired = { time: options.clock.now(), operation: 'audit.repaired' } as const
        await log.append({ ...repaired, result: 'done' })
      }
      return log
    } catch (error) {
      await file?.close()
      directory.release()
      throw error
    }
  }

  get head(): ChainHead {
    return this.#chain.head
  }

  get figures(): HsmAuditFigures {
    return {
      records: this.#last,
      waiting: this.#queue.length,
      failures: this.#failures,
      places: this.#places.map(({ forwarder }) => forwarder.figures),
    }
  }

  /**
   * Resolves once the record is on disk, and wherever else it is required.
   * @throws hsm/audit-unavailable, hsm/bad-argument for what is no record, platform/disk-full
   */
  async append(record: HsmAuditRecord): Promise<void> {
    if (this.#isClosed) throw new Fault('hsm/closed')
    if (this.#queue.length >= this.#limits.maxWaiting)
      throw new Fault('hsm/audit-unavailable', { detail: 'too many records wait for the disk' })
    for (const { forwarder } of this.#places) {
      const { name, waiting } = forwarder.figures
      if (waiting >= this.#limits.maxBacklog)
        throw new Fault('hsm/audit-unavailable', { detail: `${waiting} records wait for ${name}` })
    }
    const seq = await new Promise<number>((resolve, reject) => {
      this.#queue.push({ record, resolve, reject })
      this.#start()
    })
    const required = this.#places.filter(({ isRequired }) => isRequired)
    await Promise.all(
      required.map(({ forwarder }) => forwarder.reached(seq, this.#limits.confirmMs)),
    )
  }

  /** Writes what was asked for, and a last checkpoint. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancel()
    await this.#running
    this.#sign()
    await this.#signing
    await this.#running
    await this.#file.close()
    await Promise.all(this.#places.map(({ forwarder }) => forwarder.close()))
    this.#directory.release()
  }

  #start(): void {
    this.#running ??= this.#drain()
  }

  async #drain(): Promise<void> {
    // Whoever comes in the same turn shares the flush.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.length + this.#signed.length > 0)
      await this.#write(this.#queue.splice(0, MAX_GROUP), this.#signed.splice(0))
    // In the same step as the last look at the queue: what comes later starts anew.
    this.#running = undefined
  }

  async #write(group: readonly Entry[], checkpoints: readonly string[]): Promise<void> {
    const before = this.#chain.head
    const written: { readonly entry: Entry; readonly line: AuditLine }[] = []
    for (const entry of group)
      try {
        const link = this.#chain.append(auditEntryOf(entry.record, this.#bootId))
        const { seq, time } = link.record
        written.push({
          entry,
          line: { seq, time, text: recordLine(link.bytes, link.head.h, link.record) },
        })
      } catch (error) {
        // One that is no record must not fail its neighbours.
        entry.reject(error)
      }
    const lines = written.map(({ line }) => line)
    const texts = [...lines.map(({ text }) => text), ...checkpoints]
    if (texts.length === 0) return
    try {
      if (this.#file.size >= this.#limits.maxFileBytes) await this.#turnOver(before)
      await this.#file.append(texts)
    } catch (error) {
      this.#chain.rewind(before)
      this.#failures++
      this.#tell(true)
      for (const { entry } of written) entry.reject(error)
      return
    }
    this.#tell(false)
    this.#last = this.#chain.head.seq
    for (const { forwarder } of this.#places) forwarder.push(lines)
    for (const { entry, line } of written) entry.resolve(line.seq)
  }

  /** The next file, which follows `head`. */
  async #turnOver(head: ChainHead): Promise<void> {
    const path = this.#directory.file(auditFileName(head.seq + 1))
    const start = utf8(`${startLine(head)}\n`)
    writeFileAtomic(path, start)
    const next = await AuditFileWriter.open(path, start.length)
    await this.#file.close()
    this.#file = next
  }

  /** Signs where the chain stands, where that is news. No record waits for it: the signer may write records itself. */
  #sign(): void {
    const { head } = this.#chain
    const isWritten = head.seq === this.#last
    if (this.#signing !== undefined || !isWritten || head.seq === this.#signedTo) return
    this.#signing = this.#checkpoint(head).finally(() => {
      this.#signing = undefined
    })
  }

  async #checkpoint(head: ChainHead): Promise<void> {
    const { signer, clock, anchorFile, logger } = this.#o
    try {
      let anchor = startLine(head)
      if (signer !== undefined) {
        const checkpoint = await signCheckpoint(signer, {
          ...head,
          stateRoot: merkleRoot([]),
          counter: BigInt(head.seq),
          time: clock.now(),
          node: auditNodeId(signer.publicKey),
        })
        anchor = checkpointLine(checkpoint)
        this.#signed.push(anchor)
        this.#start()
      }
      if (anchorFile !== undefined) writeFileAtomic(anchorFile, utf8(`${anchor}\n`))
      this.#signedTo = head.seq
    } catch (error) {
      // The next one comes soon, and covers more.
      logger.log('warn', 'hsm/audit-checkpoint-failed', {
        code: isFault(error) ? error.code : undefined,
      })
    }
  }

  #tell(isFailing: boolean): void {
    if (this.#isFailing === isFailing) return
    this.#isFailing = isFailing
    const { events, clock } = this.#o
    events?.emit({
      kind: isFailing ? 'audit.lost' : 'audit.restored',
      component: 'audit',
      time: clock.now(),
      sink: 'file',
    })
  }
}
