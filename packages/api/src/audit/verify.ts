/**
 * The one verifier of audit logs, over a stream of records and a stream of checkpoints, in constant
 * memory. It finds records that were removed, reordered, inserted or altered, a tail that was cut
 * off before a checkpoint, and checkpoints that are forged, contradict each other, or show that
 * the node went back to an earlier state.
 *
 * After a fault the chain is taken up again at the next sound checkpoint, so that one altered
 * record does not make everything behind it look altered. Records after the last checkpoint are
 * chained but signed by nobody: `signedTo` says how far the proof reaches.
 * Variable-time: public inputs only.
 */
import { equalBytes, isFault } from '@quorate/base'
import type { VerifySignature } from '../request.ts'
import { CHAIN_START, type ChainHead, chainHash } from './chain.ts'
import { type Checkpoint, checkpointMessage } from './checkpoint.ts'
import { decodeAuditRecord } from './record.ts'

export type AuditProblemCode =
  | 'record-malformed'
  | 'record-removed'
  | 'record-reordered'
  | 'record-inserted'
  | 'record-altered'
  | 'tail-removed'
  | 'checkpoint-forged'
  | 'checkpoint-key-unknown'
  | 'checkpoint-reordered'
  | 'checkpoint-contradicts'
  | 'counter-went-back'
  | 'too-many-problems'

export type AuditProblem = {
  readonly code: AuditProblemCode
  /** Number of the record or checkpoint; of a stretch, its first record. */
  readonly seq: number
  /** Last record of a stretch: all of them are missing, or one of them at least was altered. */
  readonly to: number
}

/** A stored record: its bytes, and the chain hash beside it where there is one. */
export type AuditItem = { readonly bytes: Uint8Array; readonly h?: Uint8Array | undefined }

export type AuditStream<T> = Iterable<T> | AsyncIterable<T>

export type AuditInput = {
  /** In the order of their numbers. */
  readonly records: AuditStream<AuditItem>
  /** Of one node, in the order of their numbers. */
  readonly checkpoints: AuditStream<Checkpoint>
  /**
   * What the first record must follow. Unless given it follows the start of the chain, or a
   * checkpoint just before it, as when earlier records have been pruned.
   */
  readonly after?: ChainHead
  /** The trusted key (32 bytes) behind a checkpoint's `node` and `key`, or `undefined`. */
  readonly resolveKey: (checkpoint: Checkpoint) => Uint8Array | undefined
  readonly verify: VerifySignature
}

export type AuditReport = {
  readonly isOk: boolean
  readonly problems: readonly AuditProblem[]
  /** Number of the first record seen, 0 if there is none. */
  readonly from: number
  /** Number of the last record seen, 0 if there is none. */
  readonly to: number
  /** Where the chain ends by these records. */
  readonly head: ChainHead
  /** Number of the last record that a sound checkpoint covers, 0 if none does. */
  readonly signedTo: number
}

type Gap = { readonly first: number; readonly last: number }

/** Where a report stops: a log with as many faults is not worth more work. */
const MAX_PROBLEMS = 1000

/** What is wrong with a log, or that nothing is. Never throws for bad records or checkpoints. */
export async function verifyAudit(input: AuditInput): Promise<AuditReport> {
  const checker = new Checker(input)
  for await (const item of input.records) {
    await checker.record(item)
    if (checker.isFull) break
  }
  return checker.report()
}

class Checker {
  readonly #input: AuditInput
  readonly #checkpoints: AsyncIterator<Checkpoint> | Iterator<Checkpoint>
  readonly #problems: AuditProblem[] = []
  /** Numbers passed over: a record of one that still comes was moved, not removed. */
  #gaps: readonly Gap[] = []
  #head: ChainHead | undefined
  /** Last record whose hash is known to be right: of the latest checkpoint, or the start. */
  #anchor = 0
  /** Whether `#head.h` means nothing, until a stored hash or a checkpoint is there to go on from. */
  #isBroken = false
  /** Sound, but not yet compared with the chain. */
  #next: Checkpoint | undefined
  #last: Checkpoint | undefined
  #from = 0
  #signedTo = 0

  constructor(input: AuditInput) {
    this.#input = input
    const { checkpoints } = input
    this.#checkpoints =
      Symbol.asyncIterator in checkpoints
        ? checkpoints[Symbol.asyncIterator]()
        : checkpoints[Symbol.iterator]()
  }

  get isFull(): boolean {
    return this.#problems.length + this.#gaps.length >= MAX_PROBLEMS
  }

  async record({ bytes, h }: AuditItem): Promise<void> {
    const seq = seqOf(bytes)
    const head = this.#head ?? (await this.#begin(seq ?? 1))
    if (seq === undefined) {
      this.#report('record-malformed', head.seq + 1)
      this.#isBroken = true
      return
    }
    if (this.#from === 0) this.#from = seq
    if (seq <= head.seq) {
      this.#report(this.#takeFromGap(seq) ? 'record-reordered' : 'record-inserted', seq)
      this.#isBroken = true
      return
    }
    await this.#compareUpTo(seq - 1)
    this.#append(seq, bytes, h)
  }

  async report(): Promise<AuditReport> {
    const start = this.#head ?? (await this.#begin(1))
    if (!this.isFull) {
      await this.#compareUpTo(start.seq)
      let tail = await this.#peek()
      for (; tail !== undefined; tail = await this.#peek()) this.#next = undefined
      const last = this.#last?.seq ?? 0
      if (last > start.seq) this.#report('tail-removed', start.seq + 1, last)
    }
    const isFull = this.isFull
    if (isFull) await this.#checkpoints.return?.()
    for (const { first, last } of this.#gaps) this.#report('record-removed', first, last)
    const head = this.#head ?? start
    const problems = this.#problems.toSorted((a, b) => a.seq - b.seq)
    if (isFull) problems.push({ code: 'too-many-problems', seq: head.seq, to: head.seq })
    return {
      isOk: problems.length === 0,
      problems,
      from: this.#from,
      to: this.#from === 0 ? 0 : head.seq,
      head,
      signedTo: this.#signedTo,
    }
  }

  /** The end that the first record, number `seq`, follows. */
  async #begin(seq: number): Promise<ChainHead> {
    let head = this.#input.after
    if (head === undefined && seq > 1) {
      let checkpoint = await this.#peek()
      for (; checkpoint !== undefined && checkpoint.seq < seq - 1; checkpoint = await this.#peek())
        this.#next = undefined
      if (checkpoint?.seq === seq - 1) head = checkpoint
    }
    const { seq: anchor, h } = head ?? CHAIN_START
    this.#anchor = anchor
    this.#head = { seq: anchor, h }
    return this.#head
  }

  #append(seq: number, bytes: Uint8Array, stored: Uint8Array | undefined): void {
    const head = this.#head ?? CHAIN_START
    this.#openGap(head.seq + 1, seq - 1)
    const h = chainHash(head.h, bytes)
    if (stored === undefined) {
      this.#head = { seq, h }
      return
    }
    if (!this.#isBroken && !equalBytes(h, stored)) this.#report('record-altered', seq)
    // Going on from the stored hash keeps one altered record from tainting those behind it.
    this.#head = { seq, h: stored }
    this.#isBroken = false
  }

  /** Compares the chain with every checkpoint up to record `seq`. */
  async #compareUpTo(seq: number): Promise<void> {
    let next = await this.#peek()
    for (; next !== undefined && next.seq <= seq; next = await this.#peek()) {
      this.#next = undefined
      this.#compare(next)
    }
  }

  #compare({ seq, h }: Checkpoint): void {
    const head = this.#head ?? CHAIN_START
    // Before the records at hand there is nothing to compare it with.
    if (seq < head.seq) return
    this.#openGap(head.seq + 1, seq)
    if (!this.#isBroken && !equalBytes(h, head.h)) {
      if (seq === this.#anchor) this.#report('checkpoint-contradicts', seq)
      else this.#report('record-altered', this.#anchor + 1, seq)
    }
    this.#signedTo = seq
    this.#anchor = seq
    this.#head = { seq, h }
    this.#isBroken = false
  }

  /** The next sound checkpoint, which stays until `#next` is emptied. */
  async #peek(): Promise<Checkpoint | undefined> {
    while (this.#next === undefined) {
      const result: IteratorResult<Checkpoint, unknown> = await this.#checkpoints.next()
      if (result.done === true) return undefined
      const checkpoint = result.value
      const code = this.#faultOf(checkpoint)
      if (code !== undefined) this.#report(code, checkpoint.seq)
      else {
        this.#next = checkpoint
        this.#last = checkpoint
      }
    }
    return this.#next
  }

  #faultOf(checkpoint: Checkpoint): AuditProblemCode | undefined {
    const { resolveKey, verify } = this.#input
    const key = resolveKey(checkpoint)
    if (key === undefined) return 'checkpoint-key-unknown'
    if (!verify(key, checkpointMessage(checkpoint), checkpoint.signature))
      return 'checkpoint-forged'
    const last = this.#last
    if (last === undefined) return undefined
    if (checkpoint.seq < last.seq) return 'checkpoint-reordered'
    if (checkpoint.seq === last.seq && !equalBytes(checkpoint.h, last.h))
      return 'checkpoint-contradicts'
    return checkpoint.counter < last.counter ? 'counter-went-back' : undefined
  }

  #openGap(first: number, last: number): void {
    if (first > last) return
    this.#gaps = [...this.#gaps, { first, last }]
    this.#isBroken = true
  }

  /** Whether `seq` was missing so far. */
  #takeFromGap(seq: number): boolean {
    const gap = this.#gaps.find(({ first, last }) => first <= seq && seq <= last)
    if (gap === undefined) return false
    const pieces = [
      { first: gap.first, last: seq - 1 },
      { first: seq + 1, last: gap.last },
    ].filter(({ first, last }) => first <= last)
    this.#gaps = this.#gaps.flatMap((each) => (each === gap ? pieces : [each]))
    return true
  }

  #report(code: AuditProblemCode, seq: number, to = seq): void {
    this.#problems.push({ code, seq, to })
  }
}

/** The number of a record, or `undefined` where the bytes are none. */
function seqOf(bytes: Uint8Array): number | undefined {
  try {
    return decodeAuditRecord(bytes).seq
  } catch (error) {
    if (isFault(error)) return undefined
    throw error
  }
}
