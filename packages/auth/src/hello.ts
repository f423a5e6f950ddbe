/**
 * The greeting on a new connection between two nodes: the sender's epoch record and a signature, by
 * the envelope key of that record, over which end of which connection it is for.
 *
 * On TLS the connection is named by both leaf certificates and the exported keying material
 * (RFC 9266), which only its two ends know: a greeting is of no use on another connection, to a
 * relay, or sent back to its maker. On a unix socket, which the file system protects, these are
 * empty and the greeting says who it is from, no more; what counts there too is that every
 * envelope is signed.
 */
import {
  bytes,
  type Codec,
  encode,
  equalBytes,
  Fault,
  field,
  isFault,
  oneOf,
  record,
  type Signer,
  TAGS,
} from '@quorate/base'
import { checkSignature, decodeVersioned, signDocument, splitDocument } from './document.ts'
import { type EpochRecord, epochNodeId, type TrustContext, verifyEpoch } from './epoch.ts'

/** One connection as one end sees it. */
export type Connection = {
  readonly role: 'dialler' | 'listener'
  /** SHA-256 of the TLS leaf certificates, 32 bytes each; empty on a unix socket. */
  readonly ownCertificate: Uint8Array
  readonly peerCertificate: Uint8Array
  /** 32 bytes of exported keying material; empty on a unix socket. */
  readonly channel: Uint8Array
}

export type Hello = Connection & {
  readonly v: 1
  /** The sender's epoch record, signed by its identity key. */
  readonly epoch: Uint8Array
}

const hash = bytes({ max: 32 })
const hello: Codec<Hello> = record({
  v: field(0, oneOf(1)),
  epoch: field(1, bytes({ max: 1200 })),
  role: field(2, oneOf('dialler', 'listener')),
  ownCertificate: field(3, hash),
  peerCertificate: field(4, hash),
  channel: field(5, hash),
})

/** The signed greeting as bytes; `signer` holds the envelope key of the epoch record. @throws base/malformed */
export const makeHello = (value: Hello, signer: Signer): Promise<Uint8Array> =>
  signDocument(TAGS.hello, encode(hello, value), signer)

export type HelloContext = TrustContext & {
  /** The connection as the end that checks sees it. */
  readonly connection: Connection
}

/** An accepted greeting. */
export type Greeting = {
  readonly epoch: EpochRecord
  /** The epoch record as its node signed it. */
  readonly signedEpoch: Uint8Array
}

/** Whether a greeting says that it comes from node `id`. Nothing is verified. */
export function isGreetingOf(signed: Uint8Array, id: string): boolean {
  try {
    const { document } = splitDocument(signed)
    return epochNodeId(decodeVersioned(hello, document, document.length).epoch) === id
  } catch (error) {
    if (isFault(error)) return false
    throw error
  }
}

/**
 * Who is at the other end of this connection.
 * @throws auth/wrong-channel, auth/bad-signature, and what `verifyEpoch` throws
 */
export function checkHello(signed: Uint8Array, context: HelloContext): Greeting {
  const parts = splitDocument(signed)
  const value = decodeVersioned(hello, parts.document, parts.document.length)
  const epoch = verifyEpoch(value.epoch, context)
  checkSignature('of the greeting', TAGS.hello, parts, epoch.envelopeKey, context.verify)
  const { role, ownCertificate, peerCertificate, channel } = context.connection
  const isThisConnection =
    value.role !== role &&
    equalBytes(value.ownCertificate, peerCertificate) &&
    equalBytes(value.peerCertificate, ownCertificate) &&
    equalBytes(value.channel, channel)
  if (!isThisConnection)
    throw new Fault('auth/wrong-channel', { detail: `node ${epoch.nodeIndex}` })
  // The identity key says which certificate its node shows; without TLS it names none.
  if (!equalBytes(epoch.tlsFingerprint ?? new Uint8Array(), peerCertificate))
    throw new Fault('auth/wrong-channel', {
      detail: `node ${epoch.nodeIndex} has another certificate`,
    })
  return { epoch, signedEpoch: value.epoch }
}
