/**
 * What this node knows of clients' requests, for as long as they could be replayed: that it took part in
 * one, and what came of it. On disk before the first countersignature leaves, so that neither a
 * restart nor another coordinator makes a request run again once it is done, or lets another request
 * go under the same id. Two signer sets of a wallet meet, so one honest node that remembers is enough.
 */
import { ALLOWED_SKEW_MS } from '@quorate/api'
import {
  array,
  bytes,
  type Clock,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  int,
  mapped,
  record,
  toHex,
} from '@quorate/base'
import { MAX_PARTIES, type PartyId, partyId } from '@quorate/threshold'
import type { Change, RequestRow } from '../channel/rows.ts'
import type { CheckedRequest } from './requests.ts'

/** How much longer than its own life a request is kept. */
const KEEP_MS: number = 2 * ALLOWED_SKEW_MS
const SWEEP_EVERY = 4096

/** The signatures that a signing request ended with, and in which session. */
export type Answer = {
  readonly sid: Uint8Array
  readonly attempt: number
  readonly signers: readonly PartyId[]
  /** 64 bytes each, in the order of the transaction's items. */
  readonly signatures: readonly Uint8Array[]
}

const party: Codec<PartyId> = mapped(int(1, MAX_PARTIES), partyId, Number)

export const answerCodec: Codec<Answer> = record({
  sid: field(0, bytes(32)),
  attempt: field(1, int()),
  signers: field(2, array(party, { min: 1, max: MAX_PARTIES })),
  signatures: field(3, array(bytes(64), { min: 1, max: 1000 })),
})
const MAX_ANSWER_BYTES = 1 << 17

export class RequestBook {
  readonly #clock: Clock
  readonly #byHash = new Map<string, RequestRow>()
  /** Hash of the request under each client's request id. */
  readonly #byId = new Map<string, Uint8Array>()
  /** Answers that are being written, by the hash of their request. */
  readonly #settling = new Map<string, Uint8Array>()
  #sinceSweep = 0
  /** The latest time at which anything was forgotten: a clock that is set back revives no request. */
  #highWater: number

  constructor(clock: Clock, rows: Iterable<RequestRow>, highWater: number) {
    this.#clock = clock
    this.#highWater = highWater
    for (const row of rows) this.#put(row)
  }

  #put(row: RequestRow): void {
    this.#byHash.set(toHex(row.hash), row)
    this.#byId.set(`${row.client}/${row.requestId}`, row.hash)
  }

  /** @throws node/idempotency-conflict where the client's request id was used for another request */
  refuseOther({ request, hash }: CheckedRequest): void {
    const known = this.#byId.get(`${request.client}/${request.body.value.requestId}`)
    if (known !== undefined && !equalBytes(known, hash))
      throw new Fault('node/idempotency-conflict')
  }

  /** What came of the request, if this node knows. */
  answerTo(hash: Uint8Array): Answer | undefined {
    const answer = this.#byHash.get(toHex(hash))?.answer ?? null
    return answer === null ? undefined : decode(answerCodec, answer, { maxBytes: MAX_ANSWER_BYTES })
  }

  /**
   * Remembers a request from now on; returns what makes it durable.
   * @throws node/idempotency-conflict, enclave/already-signed, api/expired
   */
  admit(checked: CheckedRequest): readonly Change[] {
    this.refuseOther(checked)
    const { request, hash } = checked
    const known = this.#byHash.get(toHex(hash))
    if (known !== undefined) {
      if (known.answer !== null) throw new Fault('enclave/already-signed')
      return []
    }
    this.#sweep()
    const { requestId, expiresAt } = request.body.value
    if (expiresAt + KEEP_MS < this.#highWater) throw new Fault('api/expired')
    const row = {
      client: request.client,
      requestId,
      hash,
      until: expiresAt + KEEP_MS,
      answer: null,
    }
    this.#put(row)
    return [{ kind: 'putRequest', value: row }]
  }

  /**
   * What the request came to, as far as this node goes: the first answer that `write` makes durable here, and
   * no other after it. So no two answers can both have the receipts of nodes that outnumber the rest.
   * @throws enclave/already-signed where it came to something else, or is about to; what `write` throws
   */
  async settle(
    hash: Uint8Array,
    answer: Answer,
    write: (change: Change) => Promise<void>,
  ): Promise<void> {
    const name = toHex(hash)
    const encoded = encode(answerCodec, answer)
    const first = this.#byHash.get(name)?.answer ?? this.#settling.get(name)
    if (first !== undefined && !equalBytes(first, encoded))
      throw new Fault('enclave/already-signed')
    this.#settling.set(name, encoded)
    try {
      await write({ kind: 'answerRequest', value: { hash, answer: encoded } })
      const row = this.#byHash.get(name)
      if (row !== undefined) this.#put({ ...row, answer: encoded })
    } finally {
      this.#settling.delete(name)
    }
  }

  #sweep(): void {
    if (++this.#sinceSweep < SWEEP_EVERY) return
    this.#sinceSweep = 0
    const now = this.#clock.now()
    this.#highWater = Math.max(this.#highWater, now)
    for (const [name, row] of this.#byHash)
      if (row.until < now) {
        this.#byHash.delete(name)
        this.#byId.delete(`${row.client}/${row.requestId}`)
      }
  }
}
