/**
 * ChillDKG over secp256k1, byte for byte (BlockstreamResearch/bip-frost-dkg v0.3.0-dev). Host keys are
 * plain public keys (33 bytes), signatures and proofs of possession BIP-340 with tags of their own.
 *
 * ChillDKG hands out a key that is already tweaked with an unspendable Taproot commitment. Quorate
 * does not: its records hold the untweaked key and shares, and the tweaks beside them, so each is
 * applied exactly once, at signing. `chillDkgOutput` gives the values as ChillDKG states them.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes, Secret, utf8, wipe } from '@quorate/base'
import {
  decodeX,
  type Element,
  encodeX,
  evaluateCommitment,
  fromBytesBe,
  secp256k1 as group,
  hasEvenY,
  mod,
} from '@quorate/math'
import type { DkgOutput } from './outcome.ts'
import { type DkgSuite, type HashLabel, uint32 } from './suite.ts'

const PREFIX = 'BIP DKG/'
const LABELS: { readonly [Label in HashLabel]: string } = {
  parameters: 'params_hash',
  seed: 'encpedpop seed',
  'proof randomness': 'simplpedpop aux',
}

/** SHA-256(SHA-256(tag) ‖ SHA-256(tag) ‖ parts), as in BIP-340. */
function taggedSha256(tag: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const prefix = sha256(utf8(tag))
  return sha256(concatBytes(prefix, prefix, ...parts))
}
const toScalar = (digest: Uint8Array): bigint => mod(fromBytesBe(digest), group.order)

/** BIP-340 signing; `tag` stands in the place of `BIP0340`. Treats secret and `aux` as secret. */
function signBip340(tag: string, secret: bigint, message: Uint8Array, aux: Uint8Array): Uint8Array {
  const P = group.mulBase(secret)
  const d = group.encodeScalar(hasEvenY(P) ? secret : -secret)
  const mask = taggedSha256(`${tag}/aux`, aux)
  const masked = d.map((byte, i) => byte ^ mask[i]!)
  const seed = taggedSha256(`${tag}/nonce`, masked, encodeX(P), message)
  const k = toScalar(seed)
  const R = group.mulBase(k)
  const e = toScalar(taggedSha256(`${tag}/challenge`, encodeX(R), encodeX(P), message))
  const s = (hasEvenY(R) ? k : -k) + e * group.decodeScalar(d)
  wipe(d, mask, masked, seed)
  return concatBytes(encodeX(R), group.encodeScalar(s))
}

/** BIP-340 verification by x coordinate only. Variable-time: public inputs only. */
function verifyBip340(
  tag: string,
  key: Element,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64) return false
  const r = signature.subarray(0, 32)
  const s = fromBytesBe(signature.subarray(32))
  if (s >= group.order) return false
  const x = encodeX(key)
  const e = toScalar(taggedSha256(`${tag}/challenge`, r, x, message))
  const R = group.msm([s, -e], [group.generator, decodeX(x)])
  return !group.isIdentity(R) && hasEvenY(R) && equalBytes(encodeX(R), r)
}

const POSSESSION = `${PREFIX}pop message`

export const chillDkg: DkgSuite = {
  id: 'FROST-secp256k1-SHA256-TR-v1',
  group,

  hash: (label, input) => taggedSha256(PREFIX + LABELS[label], input),
  coefficient: (seed, index) =>
    group.decodeScalar(taggedSha256(`${PREFIX}vss coeffs`, seed, uint32(index))),
  encryptionNonce: (seed) => group.decodeScalar(taggedSha256(`${PREFIX}encpedpop secnonce`, seed)),
  pad: (shared, nonce, hostKey, context) =>
    toScalar(
      taggedSha256(
        `${PREFIX}encpedpop ecdh`,
        sha256(group.encode(shared)),
        nonce,
        hostKey,
        context,
      ),
    ),
  selfPad: (hostSecret, nonce, context) =>
    toScalar(taggedSha256(`${PREFIX}encaps_multi self_pad`, hostSecret, nonce, context)),

  provePossession: (secret, index, aux) => signBip340(POSSESSION, secret, uint32(index), aux),
  verifyPossession: (key, index, proof) => verifyBip340(POSSESSION, key, uint32(index), proof),

  certificateMessage: (index, transcript) =>
    concatBytes(padded('certeq message'), uint32(index), transcript),
  sign: (hostSecret, message, aux) => signBip340('BIP0340', hostSecret, message, aux),
  verify: (hostKey, message, signature) => verifyBip340('BIP0340', hostKey, message, signature),
}

/** A domain of 33 bytes, as BIP-340 advises for signed messages. */
function padded(domain: string): Uint8Array {
  const out = new Uint8Array(33)
  out.set(utf8(PREFIX + domain))
  return out
}

/** The output in ChillDKG's own terms: with its Taproot commitment applied. */
export type ChillDkgOutput = {
  /** Absent for a coordinator, who has no share. */
  readonly share: Secret<Uint8Array> | undefined
  /** 33 bytes. */
  readonly thresholdKey: Uint8Array
  /** 33 bytes each. */
  readonly publicShares: readonly Uint8Array[]
}

/**
 * The tweaked values that other ChillDKG implementations show for a result of ours. The tweak commits
 * to an empty message, which BIP-341 cannot spend: P + H_TapTweak(x(P))·G, with P as it is, not lifted.
 * They are for comparing only: a share from here put into our records would be tweaked twice.
 */
export function chillDkgOutput({ commitment, share, parties }: DkgOutput): ChillDkgOutput {
  const tweak = toScalar(taggedSha256('TapTweak', encodeX(commitment[0]!)))
  const offset = group.mulBase(tweak)
  const tweaked = (e: Element): Uint8Array => group.encode(group.add(e, offset))
  return {
    share: share && new Secret(group.encodeScalar(group.decodeScalar(share.expose()) + tweak)),
    thresholdKey: tweaked(commitment[0]!),
    publicShares: Array.from({ length: parties }, (_, i) =>
      tweaked(evaluateCommitment(group, commitment, BigInt(i + 1))),
    ),
  }
}
