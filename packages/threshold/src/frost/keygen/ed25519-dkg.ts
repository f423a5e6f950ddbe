/**
 * Key generation over Ed25519, in the shape of ChillDKG. Proofs of possession are those of ZF FROST's
 * PedPop (challenge HDKG); certificates are signatures that any Ed25519 verifier accepts (RFC 8032);
 * all other hashes are transcripts of our own. Host secrets are scalars, 32 bytes little-endian.
 */
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes, TAGS, tagged } from '@quorate/base'
import { type Element, fromBytesLe, ed25519 as group, mod, Transcript } from '@quorate/math'
import { frostEd25519 } from '../suites/ed25519.ts'
import { type DkgSuite, uint32 } from './suite.ts'

type Challenge = (R: Uint8Array) => bigint

/** Schnorr: R ‖ k + c·secret. The nonce is derived from the secret, `aux` and the purpose. Treats secret and `aux` as secret. */
function prove(
  purpose: string,
  secret: bigint,
  context: Uint8Array,
  aux: Uint8Array,
  challenge: Challenge,
): Uint8Array {
  const k = new Transcript('dkg-signature-nonce')
    .text('purpose', purpose)
    .scalar('secret', group, secret)
    .bytes('randomness', aux)
    .bytes('context', context)
    .challenge(group)
  const R = group.encode(group.mulBase(k))
  return concatBytes(R, group.encodeScalar(k + challenge(R) * secret))
}

/** Variable-time: public inputs only. */
function check(key: Element, proof: Uint8Array, challenge: Challenge): boolean {
  if (proof.length !== 64) return false
  const R = proof.subarray(0, 32)
  const s = fromBytesLe(proof.subarray(32))
  if (s >= group.order) return false
  const expected = group.msm([s, -challenge(R)], [group.generator, key])
  return !group.isIdentity(expected) && equalBytes(group.encode(expected), R)
}

const possession =
  (key: Element, index: number): Challenge =>
  (R) =>
    frostEd25519.HDKG(concatBytes(group.encodeScalar(BigInt(index + 1)), group.encode(key), R))
const signature =
  (key: Element, message: Uint8Array): Challenge =>
  (R) =>
    mod(fromBytesLe(sha512(concatBytes(R, group.encode(key), message))), group.order)

export const ed25519Dkg: DkgSuite = {
  id: frostEd25519.id,
  group,

  hash: (label, input) =>
    new Transcript('dkg-hash').text('label', label).bytes('input', input).digest(),
  coefficient: (seed, index) =>
    new Transcript('dkg-coefficient').bytes('seed', seed).number('index', index).challenge(group),
  encryptionNonce: (seed) =>
    new Transcript('dkg-encryption-nonce').bytes('seed', seed).challenge(group),
  pad: (shared, nonce, hostKey, context) =>
    new Transcript('dkg-pad')
      .element('shared', group, shared)
      .bytes('nonce', nonce)
      .bytes('host key', hostKey)
      .bytes('context', context)
      .challenge(group),
  selfPad: (hostSecret, nonce, context) =>
    new Transcript('dkg-self-pad')
      .bytes('host secret', hostSecret)
      .bytes('nonce', nonce)
      .bytes('context', context)
      .challenge(group),

  provePossession(secret, index, aux) {
    const key = group.mulBase(secret)
    return prove('possession', secret, uint32(index), aux, possession(key, index))
  },
  verifyPossession: (key, index, proof) => check(key, proof, possession(key, index)),

  certificateMessage: (index, transcript) => tagged(TAGS.dkgCertificate, uint32(index), transcript),
  sign: (hostSecret, message, aux) =>
    prove('certificate', hostSecret, message, aux, signature(group.mulBase(hostSecret), message)),
  verify: (hostKey, message, given) => check(hostKey, given, signature(hostKey, message)),
}
