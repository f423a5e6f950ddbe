/** What goes into a session and comes out of it. */
import type { SignedPlace } from './evidence.ts'
import type { PartyId } from './party.ts'

export type MessageKind = 'broadcast' | 'direct' | 'echo' | 'dispute'

export type Outgoing = {
  readonly round: number
  readonly kind: MessageKind
  readonly to: PartyId | 'all'
  readonly body: Uint8Array
}

export type Received = {
  readonly from: PartyId
  readonly round: number
  readonly kind: MessageKind
  readonly body: Uint8Array
  /** The signed envelope it came in. */
  readonly original: Uint8Array
  /** What a third party needs in order to check a sealed body against the envelope. */
  readonly salt?: Uint8Array
}

/** What a signed original says, after its signature was checked. */
export type OriginalClaim = SignedPlace & {
  /** The shortest form of the original that still carries the signature. */
  readonly proof: Uint8Array
}
