/**
 * Every change of the store goes through here, together with its audit records: one transaction,
 * so there is no change without its record and no record without its change. Writes that wait for
 * each other share a transaction; the chain's order is the order of commits.
 */
import { type AuditEntry, ChainBuilder, type ChainHead, type ChainLink } from '@quorate/api'
import { failpoint, type Sql, type SqlStatement } from '@quorate/platform'

export type Draft = Omit<AuditEntry, 'time' | 'bootId'>

type Entry = {
  readonly statements: readonly SqlStatement[]
  readonly audit: readonly Draft[]
  resolve(): void
  reject(error: unknown): void
}

const INSERT = 'INSERT INTO audit (seq, record, h) VALUES (?, ?, ?)'
/** Entries that share one transaction at most. */
const MAX_BATCH = 128

export class Journal {
  readonly #sql: Sql
  readonly #chain: ChainBuilder
  readonly #stamp: () => { time: number; bootId: Uint8Array }
  #queue: Entry[] = []
  #running: Promise<void> | undefined

  private constructor(
    sql: Sql,
    head: ChainHead | undefined,
    stamp: () => { time: number; bootId: Uint8Array },
  ) {
    this.#sql = sql
    this.#chain = new ChainBuilder(head)
    this.#stamp = stamp
  }

  /** Goes on at the end of the stored chain. */
  static async open(sql: Sql, stamp: () => { time: number; bootId: Uint8Array }): Promise<Journal> {
    const [last] = await sql.read('SELECT seq, h FROM audit ORDER BY seq DESC LIMIT 1')
    const head = last && { seq: last['seq'] as number, h: last['h'] as Uint8Array }
    return new Journal(sql, head, stamp)
  }

  /** Where the committed chain ends, once nothing is being written. */
  get head(): ChainHead {
    return this.#chain.head
  }

  /** Resolves once statements and records are on disk, all or none of them. @throws platform/… of the write */
  commit(statements: readonly SqlStatement[], audit: readonly Draft[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ statements, audit, resolve, reject })
      this.#running ??= this.#drain()
    })
  }

  /** Resolves when all that was asked so far has been settled. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, MAX_BATCH)
      try {
        await this.#write(batch)
        for (const entry of batch) entry.resolve()
      } catch (error) {
        // One bad entry must not fail its neighbours: each alone then.
        if (batch.length === 1) batch[0]!.reject(error)
        else await this.#oneByOne(batch)
      }
    }
    // In one turn with the look that found nothing: what comes between would wait for ever.
    this.#running = undefined
  }

  async #oneByOne(batch: readonly Entry[]): Promise<void> {
    for (const entry of batch) await this.#write([entry]).then(entry.resolve, entry.reject)
  }

  async #write(batch: readonly Entry[]): Promise<void> {
    const before = this.#chain.head
    try {
      const stamp = this.#stamp()
      const links: ChainLink[] = batch.flatMap(({ audit }) =>
        audit.map((draft) => this.#chain.append({ ...draft, ...stamp })),
      )
      const records = links.map(({ bytes, head }) => ({
        sql: INSERT,
        params: [head.seq, bytes, head.h],
      }))
      failpoint('node/journal/before-commit')
      await this.#sql.write([...batch.flatMap(({ statements }) => statements), ...records])
      failpoint('node/journal/after-commit')
    } catch (error) {
      this.#chain.rewind(before)
      throw error
    }
  }
}
