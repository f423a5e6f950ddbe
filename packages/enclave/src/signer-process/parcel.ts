/**
 * What goes over the bus in one piece: an envelope, or one with what its sender says beside it.
 *
 *   parcel = envelope | [ envelope, said, … ]
 *
 * What is said beside an envelope has no signature of its own and needs none: a proposal whose manifest
 * hashes to the session id that the envelope's header holds, from the coordinator that the manifest names,
 * of a request that its client signed; or a receipt, which is signed whole. Whoever could change it on its
 * way could as well lose it, and nothing else comes of either.
 */
import { array, bytes, decode, encode } from '@quorate/base'
import { MAX_ENVELOPE_BYTES, type PartyId } from '@quorate/threshold'
import { type Control, decodeControl } from './control.ts'
import type { Outgoing } from './peers.ts'

/** A message, and who gets it. */
export type Dispatch = {
  readonly message: Outgoing
  readonly receivers: readonly PartyId[]
  /** Whether it is one that may go beside an envelope of its session. */
  readonly isAside: boolean
}

export type Parcel = {
  readonly envelope: Uint8Array
  /** Control messages, unchecked. */
  readonly said: readonly Uint8Array[]
}

const MAX_SAID = 4
/** The major type of an array (RFC 8949, 3.1); an envelope is a map. */
const ARRAY = 4

const parcelCodec = array(bytes({ max: MAX_ENVELOPE_BYTES }), { min: 2, max: MAX_SAID + 1 })

/** Whether these may go beside an envelope of that length. */
export const fitsBeside = (envelope: Uint8Array, said: readonly Uint8Array[]): boolean =>
  said.length <= MAX_SAID &&
  said.reduce((sum, each) => sum + each.length, envelope.length) < MAX_ENVELOPE_BYTES >> 1

/** The bytes for the bus. */
export const encodeParcel = ({ envelope, said }: Parcel): Uint8Array =>
  said.length === 0 ? envelope : encode(parcelCodec, [envelope, ...said])

/** @throws base/malformed, base/too-large, base/not-canonical; the envelope itself is not looked at */
export function readParcel(frame: Uint8Array): Parcel {
  if ((frame[0] ?? 0) >> 5 !== ARRAY) return { envelope: frame, said: [] }
  const [envelope, ...said] = decode(parcelCodec, frame, { maxBytes: MAX_ENVELOPE_BYTES })
  return { envelope: envelope!, said }
}

/** Whether the message proves by itself what its receiver has to believe. */
export const provesItself = (message: Control): boolean =>
  message.kind === 'receipt' ||
  (message.kind === 'prepare' && message.value.countersignature === undefined)

/** What was said beside an envelope; `undefined` for what must not be. @throws base/… */
export function readAside(body: Uint8Array): Control | undefined {
  const message = decodeControl(body)
  return provesItself(message) ? message : undefined
}
