/**
 * Every change goes to disk through here, together with its audit records and its leaves of the tree: one
 * transaction. Changes that wait for each other share it, and with it one flush; reads share it too, for
 * their records must be on disk before their answers.
 *
 * A group of records is one row: the records, the chain hash after the last of them, the root of the tree,
 * and a mac over both, so that the newest row says what state the whole store must be in.
 */
import { CHAIN_START, type ChainHead } from '@quorate/api'
import { bug, encodeCbor, equalBytes, Fault, isFault } from '@quorate/base'
import { failpoint, type Sql, type SqlStatement, StatementFault } from '@quorate/platform'
import type { AuditDraft, Change, Journal, Leaf } from '../storage/port.ts'
import type { StateTree } from '../storage/tree.ts'
import { encodeRecord, type Stamp } from './encode.ts'
import { packRecords } from './records.ts'
import { chained } from './tail.ts'

export type JournalPorts = {
  readonly sql: Pick<Sql, 'read' | 'write'>
  readonly tree: StateTree
  /** HMAC over a head; fails while the store is sealed. */
  mac(body: Uint8Array): Uint8Array
  /** Time and boot id of the records that are written now. */
  stamp(): { readonly time: number; readonly bootId: Uint8Array }
  /** Told of every group once it is on disk. */
  onWritten(group: WrittenGroup): void
  /** Asked before each group. @throws kms/audit-backlog */
  checkSinks(): void
}

export type WrittenGroup = {
  readonly first: number
  readonly head: ChainHead
  readonly records: readonly Uint8Array[]
}

type Entry = Required<Change> & {
  resolve(this: void, changes: readonly number[]): void
  reject(this: void, error: unknown): void
}

const NONE: readonly never[] = []
const NOTHING = (): void => undefined

const INSERT = 'INSERT INTO audit (seq, first, records, h, root, mac) VALUES (?, ?, ?, ?, ?, ?)'
const NEWEST = 'SELECT seq, h, root, mac FROM audit ORDER BY seq DESC LIMIT 1'
/** Changes that share one transaction at most, and those that may wait for it. */
const MAX_GROUP = 256
const MAX_WAITING = 16_384
/** Changes that are not kept waiting for more: while they are written, the next ones gather. */
const ENOUGH = 16

/** What the mac of a head covers. */
const headBody = (seq: number, h: Uint8Array, root: Uint8Array): Uint8Array =>
  encodeCbor([seq, h, root])

export class StoreJournal implements Journal {
  readonly #ports: JournalPorts
  #head: ChainHead
  #queue: Entry[] = []
  #running: Promise<void> | undefined
  #between: (() => Promise<void>)[] = []
  /** Ends the wait for company. */
  #isEnough: () => void = NOTHING
  #failure: Fault | undefined

  private constructor(ports: JournalPorts, head: ChainHead) {
    this.#ports = ports
    this.#head = head
  }

  /**
   * Goes on at the end of the stored chain, where head and tree are what this server wrote last.
   * @throws kms/rolled-back
   */
  static async open(ports: JournalPorts): Promise<StoreJournal> {
    const [row] = await ports.sql.read(NEWEST)
    if (row === undefined) {
      if (ports.tree.root.some((byte) => byte !== 0))
        throw new Fault('kms/rolled-back', { detail: 'rows without any audit record' })
      return new StoreJournal(ports, CHAIN_START)
    }
    const seq = row['seq'] as number
    const [h, root, mac] = [row['h'], row['root'], row['mac']] as Uint8Array[]
    if (h === undefined || root === undefined || mac === undefined) bug('a head has four parts')
    if (!equalBytes(ports.mac(headBody(seq, h, root)), mac))
      throw new Fault('kms/rolled-back', { detail: `the head of the audit log, record ${seq}` })
    if (!equalBytes(ports.tree.root, root))
      throw new Fault('kms/rolled-back', { detail: 'the tree is not the one of the audit log' })
    return new StoreJournal(ports, { seq, h })
  }

  /** Where the committed chain ends, once nothing is being written. */
  get head(): ChainHead {
    return this.#head
  }
  get waiting(): number {
    return this.#queue.length
  }

  commit({ statements, audit, leaves = [] }: Change): Promise<readonly number[]> {
    if (audit.length === 0) bug('a change without an audit record')
    return new Promise((resolve, reject) => {
      this.#enqueue({ statements, audit, leaves, resolve, reject })
    })
  }

  record(draft: AuditDraft): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => resolve()
      this.#enqueue({ statements: NONE, audit: [draft], leaves: NONE, resolve: done, reject })
    })
  }

  /** Does `work` while nothing is being written: what it reads is what memory says. */
  between<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#between.push(() => work().then(resolve, reject))
      this.#start()
    })
  }

  #enqueue(entry: Entry): void {
    if (this.#failure !== undefined) entry.reject(this.#failure)
    else if (this.#queue.length >= MAX_WAITING) entry.reject(new Fault('platform/overloaded'))
    else {
      this.#queue.push(entry)
      if (this.#queue.length >= ENOUGH) this.#isEnough()
      this.#start()
    }
  }

  #start(): void {
    this.#running ??= this.#drain()
  }

  /** Writes what was asked so far, then takes no more. */
  async close(fault: Fault): Promise<void> {
    while (this.#running !== undefined) await this.#running
    this.#failure = fault
  }

  async #drain(): Promise<void> {
    await this.#gather()
    while (this.#queue.length > 0 || this.#between.length > 0) {
      for (const work of this.#between.splice(0)) await work()
      const group = this.#queue.splice(0, MAX_GROUP)
      if (group.length > 0) await this.#writeGroup(group)
      await this.#gather()
    }
    // In the same step as the look at the queue: what comes later starts anew.
    this.#running = undefined
  }

  /**
   * Waits for company: until there is enough of it, or a turn of the event loop brought no more. Not a moment
   * longer, so that the disk works while the rest of the requests of this turn are still being decided.
   */
  async #gather(): Promise<void> {
    for (let before = -1; before !== this.#queue.length && this.#queue.length < ENOUGH; ) {
      before = this.#queue.length
      await new Promise<void>((resolve) => {
        const turn = setImmediate(resolve)
        this.#isEnough = () => {
          clearImmediate(turn)
          resolve()
        }
      })
    }
    this.#isEnough = NOTHING
  }

  async #writeGroup(group: readonly Entry[]): Promise<void> {
    let left = group
    while (left.length > 0) {
      try {
        const changes = await this.#write(left)
        let at = 0
        for (const entry of left) {
          entry.resolve(changes.slice(at, at + entry.statements.length))
          at += entry.statements.length
        }
        return
      } catch (error) {
        const failed = failedEntry(error, left)
        if (failed === undefined) {
          if (isFault(error, 'platform/database-broken')) this.#failure = error
          for (const entry of left) entry.reject(error)
          return
        }
        // One that fails alone must not fail its neighbours.
        failed.reject(error)
        left = left.filter((entry) => entry !== failed)
      }
    }
  }

  async #write(group: readonly Entry[]): Promise<readonly number[]> {
    const { tree, stamp, sql, mac, checkSinks, onWritten } = this.#ports
    checkSinks()
    const { time, bootId } = stamp()
    const records: Uint8Array[] = []
    let { seq, h } = this.#head
    const first = seq + 1
    for (const entry of group)
      for (const draft of entry.audit) {
        const record = encodeDraft(entry, draft, { seq: ++seq, time, bootId })
        h = chained(h, record)
        records.push(record)
      }
    const leaves: Leaf[] = []
    for (const entry of group) leaves.push(...entry.leaves)
    const change = await tree.plan(leaves)
    const statements: SqlStatement[] = []
    for (const entry of group) statements.push(...entry.statements)
    statements.push(...change.statements, {
      sql: INSERT,
      params: [
        seq,
        first,
        packRecords(records),
        h,
        change.root,
        mac(headBody(seq, h, change.root)),
      ],
    })
    failpoint('kms/journal/before-commit')
    const changes = await sql.write(statements)
    failpoint('kms/journal/after-commit')
    change.apply()
    this.#head = { seq, h }
    onWritten({ first, head: this.#head, records })
    return changes
  }
}

/** An entry that cannot be recorded. */
class EntryFault extends Fault {
  readonly by: Entry

  constructor(by: Entry, fault: Fault) {
    super(fault.code, { ...(fault.detail !== undefined && { detail: fault.detail }), cause: fault })
    this.by = by
  }
}

function encodeDraft(entry: Entry, draft: AuditDraft, stamp: Stamp): Uint8Array {
  try {
    return encodeRecord(draft, stamp)
  } catch (error) {
    throw isFault(error) ? new EntryFault(entry, error) : error
  }
}

/** Whose fault it was; `undefined` where the whole group failed. */
function failedEntry(error: unknown, group: readonly Entry[]): Entry | undefined {
  if (error instanceof EntryFault) return error.by
  if (!(error instanceof StatementFault)) return undefined
  let end = 0
  return group.find((entry) => {
    end += entry.statements.length
    return error.statement < end
  })
}
