/**
 * FROST(Ed25519, SHA-512): RFC 9591, section 6.1. Signatures verify as Ed25519 (RFC 8032).
 */
import { ed25519 as noble } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, Fault, utf8 } from '@quorate/base'
import { fromBytesLe, ed25519 as group, isVouchedFor, mod } from '@quorate/math'
import type { FrostSuite } from '../suite.ts'

const CONTEXT = 'FROST-ED25519-SHA512-v1'

const hash = (purpose: string, message: Uint8Array): Uint8Array =>
  sha512(concatBytes(utf8(CONTEXT + purpose), message))
const toScalar = (digest: Uint8Array): bigint => mod(fromBytesLe(digest), group.order)

export const frostEd25519: FrostSuite = {
  id: CONTEXT,
  scheme: 'ed25519',
  group,

  H1: (message) => toScalar(hash('rho', message)),
  // Without the context string, so that the challenge is that of RFC 8032.
  H2: (message) => toScalar(sha512(message)),
  H3: (message) => toScalar(hash('nonce', message)),
  H4: (message) => hash('msg', message),
  H5: (message) => hash('com', message),
  HDKG: (message) => toScalar(hash('dkg', message)),

  usesNegative: () => false,
  encodePublic: (e) => group.encode(e),
  decodePublic: (bytes) => group.decode(bytes),
  tweakScalar() {
    throw new Fault('threshold/unsupported-tweak')
  },

  isVouchedFor,
  verify(publicKey, message, signature) {
    try {
      return noble.verify(signature, message, publicKey, { zip215: false })
    } catch {
      return false
    }
  },
}
