/**
 * The hash chain over audit records: h₀ is 32 zero bytes, hᵢ = H(tag ‖ hᵢ₋₁ ‖ recordᵢ). Whoever
 * knows hᵢ can tell every change to any of the first i records.
 */
import { Fault, TAGS, taggedHash } from '@quorate/base'
import {
  type AuditEntry,
  type AuditRecord,
  encodeAuditRecord,
  MAX_AUDIT_RECORD_BYTES,
} from './record.ts'

/** The end of a chain: number and hash of its last record. */
export type ChainHead = {
  readonly seq: number
  /** 32 bytes. */
  readonly h: Uint8Array
}

/** The end of a chain without records. */
export const CHAIN_START: ChainHead = { seq: 0, h: new Uint8Array(32) }

/** hᵢ from hᵢ₋₁ and the bytes of record i. */
export const chainHash = (previous: Uint8Array, record: Uint8Array): Uint8Array =>
  taggedHash(TAGS.auditRecord, previous, record)

export type ChainLink = {
  readonly record: AuditRecord
  /** Its canonical bytes: what is stored. */
  readonly bytes: Uint8Array
  readonly head: ChainHead
}

/**
 * Gives entries their numbers and hashes. It follows a database transaction: `append` moves the end
 * along, and `rewind` takes back what was not committed.
 */
export class ChainBuilder {
  #head: ChainHead

  constructor(head: ChainHead = CHAIN_START) {
    this.#head = head
  }

  get head(): ChainHead {
    return this.#head
  }

  /** The next link. @throws base/malformed, base/too-large; the end stays where it was */
  append(entry: AuditEntry): ChainLink {
    const record: AuditRecord = { ...entry, v: 1, seq: this.#head.seq + 1 }
    const bytes = encodeAuditRecord(record)
    // What no reader would accept must not get into the chain.
    if (bytes.length > MAX_AUDIT_RECORD_BYTES)
      throw new Fault('base/too-large', { detail: `an audit record of ${bytes.length} bytes` })
    this.#head = { seq: record.seq, h: chainHash(this.#head.h, bytes) }
    return { record, bytes, head: this.#head }
  }

  /** Goes back to an earlier end, whose later records were not committed. @throws api/chain-gap */
  rewind(head: ChainHead): void {
    if (head.seq > this.#head.seq) throw new Fault('api/chain-gap')
    this.#head = head
  }
}
