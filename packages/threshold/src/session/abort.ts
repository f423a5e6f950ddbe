/** The end of a protocol run that did not succeed. */
import { Fault, type FaultCode } from '@quorate/base'
import type { Evidence } from './evidence.ts'
import type { PartyId } from './party.ts'

export type AbortCode = Extract<FaultCode, `threshold/${string}`>

export type AbortOptions = {
  /** Parties that provably broke the protocol. Empty when the cause cannot be pinned on anyone. */
  readonly culprits?: readonly PartyId[]
  /** Parties whose messages did not come. Silence is never blamed: the network may have eaten them. */
  readonly laggards?: readonly PartyId[]
  /** Parties whose broadcasts a third party needs besides those of the culprits. */
  readonly witnesses?: readonly PartyId[]
  /** Protocol data that makes the fault checkable for a third party; the session adds the signed originals. */
  readonly proof?: Uint8Array
  /** Body of a dispute to send to all before this party stops, so that they learn of the fault too. */
  readonly complaint?: Uint8Array
  readonly evidence?: Evidence
  readonly round?: number
  readonly detail?: string
  readonly cause?: unknown
}

export class Abort extends Fault {
  override readonly name: string = 'Abort'
  readonly culprits: readonly PartyId[]
  readonly laggards: readonly PartyId[]
  readonly witnesses: readonly PartyId[]
  readonly evidence: Evidence | undefined
  readonly proof: Uint8Array | undefined
  readonly complaint: Uint8Array | undefined
  /** Round whose messages were awaited; 0 before the first. */
  readonly round: number

  constructor(code: AbortCode, options: AbortOptions = {}) {
    const { detail, cause } = options
    super(code, { ...(detail !== undefined && { detail }), ...(cause !== undefined && { cause }) })
    this.culprits = [...new Set(options.culprits ?? [])].sort((a, b) => a - b)
    this.laggards = options.laggards ?? []
    this.witnesses = options.witnesses ?? []
    this.evidence = options.evidence
    this.proof = options.proof
    this.complaint = options.complaint
    this.round = options.round ?? 0
  }

  /** The same abort with more said about it. */
  with(more: Omit<AbortOptions, 'detail' | 'cause'>): Abort {
    const {
      code,
      culprits,
      laggards,
      witnesses,
      proof,
      complaint,
      evidence,
      round,
      detail,
      cause,
    } = this
    return new Abort(code as AbortCode, {
      culprits,
      laggards,
      witnesses,
      round,
      cause,
      ...(detail !== undefined && { detail }),
      ...(proof !== undefined && { proof }),
      ...(complaint !== undefined && { complaint }),
      ...(evidence !== undefined && { evidence }),
      ...more,
    })
  }
}
