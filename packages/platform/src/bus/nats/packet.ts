/**
 * What two nodes say to each other through the broker, one packet in one message.
 *
 *   dialler  → knock   its ephemeral key             again and again until there is a link
 *   listener → answer  that key, its own             costs the listener no memory
 *   dialler  → hello   both keys, the greeting       the greeting is bound to both keys
 *   listener → welcome both keys, its greeting
 *   either   → sealed  link, number, box             everything after that
 *   either   → wake    nothing                       asks the dialler to look whether its link lives
 *
 * Everything but `sealed` is open to forgery and replay, so none of it alone ends a link.
 */
import {
  bool,
  bytes,
  type Codec,
  decode,
  encode,
  field,
  int,
  oneOf,
  optional,
  record,
  union,
} from '@quorate/base'

export const MAX_CHUNK_BYTES: number = 128 * 1024
/** More than what goes around a chunk: fields, seal, packet. */
export const PACKET_OVERHEAD = 128
const MAX_PACKET_BYTES = MAX_CHUNK_BYTES + PACKET_OVERHEAD
export const MAX_HELLO_BYTES: number = 64 * 1024
export const LINK_ID_BYTES = 8

const key = bytes(32)
const hello = bytes({ max: MAX_HELLO_BYTES })
export type Greeted = {
  readonly key: Uint8Array
  readonly offer: Uint8Array
  readonly hello: Uint8Array
}
export type Packet =
  | { readonly kind: 'knock'; readonly value: Pick<Greeted, 'key'> }
  | { readonly kind: 'answer'; readonly value: Pick<Greeted, 'key' | 'offer'> }
  | { readonly kind: 'hello' | 'welcome'; readonly value: Greeted }
  | { readonly kind: 'sealed'; readonly value: Sealed }
  | { readonly kind: 'wake'; readonly value: Record<never, never> }
export type Sealed = {
  readonly link: Uint8Array
  /** Counts the packets of one direction of the link; never twice the same. */
  readonly number: number
  readonly box: Uint8Array
}

const greeted: Codec<Greeted> = record({
  key: field(0, key),
  offer: field(1, key),
  hello: field(2, hello),
})
const sealed: Codec<Sealed> = record({
  link: field(0, bytes(LINK_ID_BYTES)),
  number: field(1, int(0)),
  box: field(2, bytes({ max: MAX_PACKET_BYTES })),
})
const packet: Codec<Packet> = union({
  knock: [1, record({ key: field(0, key) })],
  answer: [2, record({ key: field(0, key), offer: field(1, key) })],
  hello: [3, greeted],
  welcome: [4, greeted],
  sealed: [5, sealed],
  wake: [6, record({})],
})

export const encodePacket = (value: Packet): Uint8Array => encode(packet, value)
/** @throws base/too-large, base/malformed, base/not-canonical */
export const decodePacket = (encoded: Uint8Array): Packet =>
  decode(packet, encoded, { maxBytes: MAX_PACKET_BYTES })

export type Chunk = {
  readonly seq: number
  /** Whether the frame ends with it. */
  readonly isLast: boolean
  readonly bytes: Uint8Array
}
/** What is in the box of a sealed packet. */
export type Content = {
  /** The chunk that the sender of this waits for: all before it have arrived. */
  readonly next: number
  /** `gap`: later chunks are here already. `ping`: please answer. `bye`: the link ends. */
  readonly say: 'plain' | 'gap' | 'ping' | 'bye'
  readonly chunk?: Chunk | undefined
}
export const contentCodec: Codec<Content> = record({
  next: field(0, int(0)),
  say: field(1, oneOf('plain', 'gap', 'ping', 'bye')),
  chunk: optional(
    2,
    record({
      seq: field(0, int(0)),
      isLast: field(1, bool),
      bytes: field(2, bytes({ min: 1, max: MAX_CHUNK_BYTES })),
    }),
  ),
})
