/**
 * A heartbeat: where a node can be reached, and that it was there at a time. Nodes leave theirs
 * with a discovery service, which can hide, repeat or replace them but not make one.
 *
 * The signature is that of a greeting whose channel is the hash of the content: the node's epoch
 * key signs greetings alone, and no greeting on a connection has this channel.
 */
import { ALLOWED_SKEW_MS } from '@quorate/api'
import {
  array,
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  oneOf,
  record,
  TAGS,
  taggedHash,
  text,
} from '@quorate/base'
import { decodeVersioned, time } from './document.ts'
import type { EpochRecord, TrustContext } from './epoch.ts'
import { type Connection, checkHello } from './hello.ts'

/** Older ones say nothing about now. Nodes make one every third of it. */
export const HEARTBEAT_LIFE_MS = 15_000

export type HeartbeatContent = {
  readonly v: 1
  /** When it was made, in milliseconds since the epoch. */
  readonly time: number
  /** `HOST:PORT` where the other nodes reach this one, best first; none behind a message broker. */
  readonly addresses: readonly string[]
  /** SHA-256 of the TLS leaf certificate that it shows there; empty without TLS. */
  readonly certificate: Uint8Array
}

export type Heartbeat = HeartbeatContent & {
  readonly epoch: EpochRecord
  /** The epoch record as its node signed it. */
  readonly signedEpoch: Uint8Array
}

const MAX_CONTENT_BYTES = 1024
const MAX_GREETING_BYTES = 2200
const MAX_HEARTBEAT_BYTES = MAX_CONTENT_BYTES + MAX_GREETING_BYTES + 16

const content: Codec<HeartbeatContent> = record({
  v: field(0, oneOf(1)),
  time: field(1, time),
  addresses: field(2, array(text(200, /^[\x21-\x7e]+$/), { max: 4 })),
  certificate: field(3, bytes({ max: 32 })),
})
const heartbeat: Codec<{ readonly content: Uint8Array; readonly greeting: Uint8Array }> = record({
  content: field(1, bytes({ max: MAX_CONTENT_BYTES })),
  greeting: field(2, bytes({ max: MAX_GREETING_BYTES })),
})

const connectionFor = (encoded: Uint8Array): Pick<Connection, 'channel'> => ({
  channel: taggedHash(TAGS.heartbeat, encoded),
})
const NONE = new Uint8Array()

/** The heartbeat as bytes; `greet` makes the node's greeting for a connection. @throws base/malformed */
export async function makeHeartbeat(
  value: HeartbeatContent,
  greet: (connection: Connection) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const encoded = encode(content, value)
  const greeting = await greet({
    role: 'listener',
    ownCertificate: value.certificate,
    peerCertificate: NONE,
    ...connectionFor(encoded),
  })
  return encode(heartbeat, { content: encoded, greeting })
}

/**
 * What a node of the cluster said of itself, not longer ago than HEARTBEAT_LIFE_MS and the allowed skew.
 * @throws auth/expired, and what `checkHello` throws, and base/… for bytes that are no heartbeat
 */
export function verifyHeartbeat(signed: Uint8Array, context: TrustContext): Heartbeat {
  const parts = decode(heartbeat, signed, { maxBytes: MAX_HEARTBEAT_BYTES })
  const value = decodeVersioned(content, parts.content, MAX_CONTENT_BYTES)
  const { epoch, signedEpoch } = checkHello(parts.greeting, {
    ...context,
    connection: {
      role: 'dialler',
      ownCertificate: NONE,
      peerCertificate: value.certificate,
      ...connectionFor(parts.content),
    },
  })
  const age = context.now - value.time
  if (age > HEARTBEAT_LIFE_MS + ALLOWED_SKEW_MS || age < -ALLOWED_SKEW_MS)
    throw new Fault('auth/expired', { detail: `heartbeat of node ${epoch.nodeIndex}` })
  return { ...value, epoch, signedEpoch }
}

/** The newest heartbeat of each node. */
export class HeartbeatBook {
  readonly #latest = new Map<number, { readonly signed: Uint8Array; readonly value: Heartbeat }>()

  /**
   * Takes a heartbeat from wherever it was found; nothing for one that is known.
   * @throws auth/replayed for one older than the newest of its node, and what `verifyHeartbeat` throws
   */
  take(signed: Uint8Array, context: TrustContext): Heartbeat | undefined {
    for (const known of this.#latest.values())
      if (equalBytes(known.signed, signed)) return undefined
    const value = verifyHeartbeat(signed, context)
    const known = this.#latest.get(value.epoch.nodeIndex)
    if (known !== undefined && value.time <= known.value.time) throw new Fault('auth/replayed')
    this.#latest.set(value.epoch.nodeIndex, { signed, value })
    return value
  }

  /** Indices of the nodes whose newest heartbeat still says something about `now`. */
  alive(now: number): readonly number[] {
    return [...this.#latest]
      .filter(([, { value }]) => now - value.time <= HEARTBEAT_LIFE_MS + ALLOWED_SKEW_MS)
      .map(([index]) => index)
      .sort((a, b) => a - b)
  }
}
