/**
 * FROST(secp256k1, SHA-256) with BIP-340 signatures, the suite `FROST-secp256k1-SHA256-TR-v1` of
 * ZF FROST: the hashes of RFC 9591, section 6.5 under its own context string, the challenge of
 * BIP-340, and keys and group commitments of even y. Taproot tweaks are those of BIP-341.
 */
import { schnorr, secp256k1_hasher } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, Fault, utf8 } from '@quorate/base'
import { decodeX, encodeX, fromBytesBe, secp256k1 as group, hasEvenY, mod } from '@quorate/math'
import type { FrostSuite } from '../suite.ts'

const CONTEXT = 'FROST-secp256k1-SHA256-TR-v1'

const toScalar = (purpose: string, message: Uint8Array): bigint =>
  secp256k1_hasher.hashToScalar(message, { DST: CONTEXT + purpose })
const hash = (purpose: string, message: Uint8Array): Uint8Array =>
  sha256(concatBytes(utf8(CONTEXT + purpose), message))

/** SHA-256(SHA-256(tag) ‖ SHA-256(tag) ‖ message): the tagged hash of BIP-340. */
function bipHash(tag: string): (message: Uint8Array) => Uint8Array {
  const prefix = sha256(utf8(tag))
  return (message) => sha256(concatBytes(prefix, prefix, message))
}
const challengeHash = bipHash('BIP0340/challenge')
const tapTweakHash = bipHash('TapTweak')

export const frostSecp256k1Tr: FrostSuite = {
  id: CONTEXT,
  scheme: 'bip340-secp256k1',
  group,

  H1: (message) => toScalar('rho', message),
  H2: (message) => mod(fromBytesBe(challengeHash(message)), group.order),
  H3: (message) => toScalar('nonce', message),
  H4: (message) => hash('msg', message),
  H5: (message) => hash('com', message),
  HDKG: (message) => toScalar('dkg', message),

  usesNegative: (e) => !hasEvenY(e),
  encodePublic: encodeX,
  decodePublic: decodeX,
  tweakScalar(key, { merkleRoot = new Uint8Array() }) {
    if (merkleRoot.length !== 0 && merkleRoot.length !== 32) throw new Fault('threshold/bad-tweak')
    const t = fromBytesBe(tapTweakHash(concatBytes(encodeX(key), merkleRoot)))
    if (t >= group.order) throw new Fault('threshold/bad-tweak')
    return t
  },

  verify(publicKey, message, signature) {
    try {
      return schnorr.verify(signature, message, publicKey)
    } catch {
      return false
    }
  },
}
