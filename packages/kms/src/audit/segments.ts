/**
 * Segments: stretches of the audit log from one checkpoint to the next that was asked for, in files outside the database.
 * Each verifies alone, for its checkpoints are in it. What is sealed into one can be pruned from the database; how far it was
 * stands in a row that the state tree covers, so that nobody else can shorten the log from its beginning.
 *
 *   segments/segment-0000000001-0000004711.jsonl
 *   {"v": 1, "store": "sto_…", "first": 1, "last": 4711, "after": "00…", "checkpoints": ["…"]}
 *   {"bytes": "…", "h": "…"}                          one line for each record, as `audit export` writes them
 */
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { CHAIN_START, type ChainHead, decodeAuditRecord } from '@quorate/api'
import {
  array,
  bug,
  bytes,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  int,
  record,
  toHex,
} from '@quorate/base'
import { fileFault } from '@quorate/platform'
import type { DecisionRecord } from '../domains/access/port.ts'
import type { Kms } from '../kms.ts'
import { leafDigest } from '../storage/leaf.ts'
import type { AuditDraft, Change } from '../storage/port.ts'
import { streamLog } from './log.ts'
import { unpackRecords } from './records.ts'

export type Segment = {
  readonly first: number
  readonly last: number
  /** Chain hash after the last record. */
  readonly h: Uint8Array
  /** Time of the last record. */
  readonly at: number
  /** SHA-256 of the file. */
  readonly digest: Uint8Array
}

type State = {
  readonly version: number
  /** Where the log in the database begins: after the last record that was pruned. */
  readonly pruned: ChainHead
  readonly segments: readonly Segment[]
}

const HASH = 32
const SETTING = 'audit-segments'
const DIRECTORY = 'segments'
const BLOCK = 1 << 20
const MAX_SEGMENTS = 500_000
const MAX_STATE_BYTES = 1 << 26
const PUT =
  'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'

const stateCodec = record({
  version: field(0, int(1)),
  pruned: field(1, record({ seq: field(0, int(0)), h: field(1, bytes(HASH)) })),
  segments: field(
    2,
    array(
      record({
        first: field(0, int(1)),
        last: field(1, int(1)),
        h: field(2, bytes(HASH)),
        at: field(3, int(0)),
        digest: field(4, bytes(HASH)),
      }),
      { max: MAX_SEGMENTS },
    ),
  ),
})
const EMPTY: State = { version: 0, pruned: CHAIN_START, segments: [] }

const digits = (seq: number): string => String(seq).padStart(10, '0')

export class Segments {
  readonly #kms: Kms
  #turn: Promise<unknown> = Promise.resolve()

  constructor(kms: Kms) {
    this.#kms = kms
  }

  pathOf({ first, last }: Pick<Segment, 'first' | 'last'>): string {
    const name = `segment-${digits(first)}-${digits(last)}.jsonl`
    return join(this.#kms.config.directory, DIRECTORY, name)
  }

  /** @throws kms/rolled-back where somebody else wrote the row */
  state(): Promise<State> {
    const { sql } = this.#kms.context
    return sql.fresh(
      async () => {
        const [row] = await sql.read('SELECT value FROM setting WHERE name = ?', [SETTING])
        return row === undefined
          ? EMPTY
          : decode(stateCodec, row['value'] as Uint8Array, { maxBytes: MAX_STATE_BYTES })
      },
      (state) => [leafOf(state)],
    )
  }

  /** Seals what came since the last segment up to a checkpoint that is made now; `undefined` for nothing. @throws platform/… */
  seal(by: DecisionRecord): Promise<Segment | undefined> {
    return this.#inTurn(async () => {
      const { checkpoints } = this.#kms
      const state = await this.state()
      await checkpoints.make()
      const last = checkpoints.newest?.seq ?? 0
      const from: ChainHead = state.segments.at(-1) ? endOf(state.segments.at(-1)!) : state.pruned
      if (last <= from.seq) {
        await this.#kms.journal.record(noted(by, []))
        return undefined
      }
      const segment = await this.#write(from, last)
      await this.#put(
        { ...state, segments: [...state.segments, segment] },
        {
          statements: [],
          audit: [
            noted(by, [
              { name: 'first', kind: 'int', value: segment.first },
              { name: 'last', kind: 'int', value: segment.last },
            ]),
          ],
        },
      )
      return segment
    })
  }

  async #write(from: ChainHead, last: number): Promise<Segment> {
    const { sql } = this.#kms
    const path = this.pathOf({ first: from.seq + 1, last })
    mkdirSync(join(this.#kms.config.directory, DIRECTORY), { recursive: true, mode: 0o700 })
    const signed = await sql.read(
      'SELECT checkpoint FROM checkpoint WHERE seq >= ? AND seq <= ? ORDER BY seq',
      [from.seq, last],
    )
    const hash = createHash('sha256')
    const file = openPart(`${path}.part`)
    try {
      const write = (line: object): void => {
        const text = `${JSON.stringify(line)}\n`
        hash.update(text)
        writeSync(file, text)
      }
      write({
        v: 1,
        store: sql.storeId,
        first: from.seq + 1,
        last,
        after: toHex(from.h),
        checkpoints: signed.map((row) => toHex(row['checkpoint'] as Uint8Array)),
      })
      let seq = from.seq
      let end: { readonly bytes: Uint8Array; readonly h?: Uint8Array | undefined } | undefined
      for await (const item of streamLog(sql, from.seq + 1)) {
        const { bytes: encoded, h } = item
        write({ bytes: toHex(encoded), ...(h !== undefined && { h: toHex(h) }) })
        end = item
        if (++seq === last) break
      }
      fsyncSync(file)
      renameSync(`${path}.part`, path)
      const { bytes: encoded, h } = end ?? bug('a segment has a record')
      return {
        first: from.seq + 1,
        last,
        h: h ?? bug('a checkpoint stands at the end of a group'),
        at: decodeAuditRecord(encoded).time,
        digest: hash.digest(),
      }
    } finally {
      closeSync(file)
    }
  }

  /**
   * Removes from the database the segments whose records are all older than `before`; where the log begins then.
   * @throws kms/not-sealed where a record that old is in no segment, or a segment's file is not what was written
   */
  prune(before: number, by: DecisionRecord): Promise<ChainHead> {
    return this.#inTurn(async () => {
      const state = await this.state()
      const sealedTo = state.segments.at(-1)?.last ?? state.pruned.seq
      const oldest = await this.#timeOf(sealedTo + 1)
      if (oldest !== undefined && oldest < before)
        throw new Fault('kms/not-sealed', { detail: `record ${sealedTo + 1}` })
      const newest = this.#kms.checkpoints.newest?.seq ?? 0
      let pruned = state.pruned
      for (const segment of state.segments) {
        if (segment.last <= pruned.seq) continue
        // The newest checkpoint is what the next start begins from.
        if (segment.at >= before || segment.last >= newest) break
        const path = this.pathOf(segment)
        if (!equalBytes(digestOf(path), segment.digest))
          throw new Fault('kms/not-sealed', { detail: path })
        pruned = endOf(segment)
      }
      if (pruned.seq === state.pruned.seq) {
        await this.#kms.journal.record(noted(by, []))
        return pruned
      }
      await this.#put(
        { ...state, pruned },
        {
          statements: [
            { sql: 'DELETE FROM audit WHERE seq <= ?', params: [pruned.seq] },
            { sql: 'DELETE FROM checkpoint WHERE seq < ?', params: [pruned.seq] },
          ],
          audit: [noted(by, [{ name: 'last', kind: 'int', value: pruned.seq }])],
        },
      )
      return pruned
    })
  }

  async #timeOf(seq: number): Promise<number | undefined> {
    const [row] = await this.#kms.sql.read(
      'SELECT first, records FROM audit WHERE seq >= ? ORDER BY seq LIMIT 1',
      [seq],
    )
    if (row === undefined) return undefined
    const found = unpackRecords(row['records'] as Uint8Array)[seq - (row['first'] as number)]
    return found && decodeAuditRecord(found).time
  }

  async #put(state: State, { statements, audit }: Change): Promise<void> {
    const next = { ...state, version: state.version + 1 }
    await this.#kms.journal.commit({
      statements: [...statements, { sql: PUT, params: [SETTING, encode(stateCodec, next)] }],
      audit,
      leaves: [leafOf(next)],
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work)
    this.#turn = result.catch(() => undefined)
    return result
  }
}

const endOf = ({ last, h }: Segment): ChainHead => ({ seq: last, h })
const noted = (by: DecisionRecord, fields: AuditDraft['fields']): AuditDraft => ({
  ...by,
  outcome: 'done',
  fields,
})

const leafOf = (state: State) => ({
  table: 'setting',
  row: SETTING,
  digest: state.version === 0 ? null : leafDigest(state.version, encode(stateCodec, state)),
})

function openPart(path: string): number {
  try {
    return openSync(path, 'w', 0o600)
  } catch (error) {
    throw fileFault(error, `cannot make ${path}`)
  }
}

/** Empty where there is no such file. */
function digestOf(path: string): Uint8Array {
  const hash = createHash('sha256')
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return new Uint8Array()
  }
  try {
    const block = new Uint8Array(BLOCK)
    for (let got = -1; got !== 0; ) {
      got = readSync(file, block)
      hash.update(block.subarray(0, got))
    }
    return hash.digest()
  } finally {
    closeSync(file)
  }
}
