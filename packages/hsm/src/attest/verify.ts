/**
 * The one place where attestations are judged. In: an attestation and what the verifier expects (the key, a
 * nonce of its own, how old it may be), and whom it trusts (pinned roots, enrolled keys). Out: the level
 * that follows from verifier and root, and what was shown. Nothing that a document says raises the level.
 *
 * Attestations of vendors hold no nonce: there the key itself signs it, which also shows that the device is
 * there and answers. Variable-time: public inputs only.
 */
import {
  array,
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  int,
  optional,
  record,
  TAGS,
  tagged,
  taggedHash,
  toHex,
  utf8,
} from '@quorate/base'
import type { Attestation } from '../provider.ts'
import { verifySimulatedAttestation } from '../simulated/attestation.ts'
import type { HsmState } from '../state/store.ts'
import {
  type Certificate,
  MAX_CERTIFICATE_BYTES,
  parseCertificate,
  refused,
  refusing,
  verifyChain,
} from './certificate.ts'
import { DOCUMENT_FORMAT, type KeyStatement, openDocument } from './document.ts'
import { type AttestedKey, holdsUnder, isSameKey, keyOfSpki } from './key-info.ts'
import {
  ATTESTATION_FORMATS,
  type AttestationFormat,
  type AttestationLevel,
  type AttestationRoot,
  isAtLeast,
  LEVEL_OF_FORMAT,
} from './levels.ts'
import { MAX_BLOB_BYTES, verifyMarvell } from './marvell.ts'
import { verifyYubiHsm } from './yubihsm.ts'

export type EnrolledKey = AttestedKey & {
  /** The only device that it may speak for. */
  readonly device: string
}

export type AttestationTrust = {
  readonly roots: readonly AttestationRoot[]
  /** Attestation keys that were enrolled, each for its device. */
  readonly enrolled?: readonly EnrolledKey[]
  /** Keys (32 bytes) of simulated HSMs. */
  readonly simulated?: readonly Uint8Array[]
}

export type AttestationExpectation = {
  /** The pinned key: an attestation of any other is none. */
  readonly key: AttestedKey
  /** Of the verifier's own making, used for this once. */
  readonly nonce: Uint8Array
  /** Milliseconds since the epoch. */
  readonly now: number
  /** 5 minutes unless told. */
  readonly maxAgeMs?: number
  /** Refuse what proves less. */
  readonly atLeast?: AttestationLevel
  /** The latest start of this device that was seen; an earlier one is refused. */
  readonly minBoot?: number
}

export type VerifiedAttestation = {
  readonly level: AttestationLevel
  readonly format: AttestationFormat
  readonly key: AttestedKey
  /** Serial number or name of the device, as far as the attestation tells. */
  readonly device: string
  /** Names of the roots, or what was enrolled. */
  readonly trustedBy: readonly string[]
  /** When it was made, milliseconds since the epoch. */
  readonly time: number
  /** Of our own format. */
  readonly boot?: number
  readonly policy?: KeyStatement['policy']
  /** End of the certificates that it rests on. */
  readonly notAfter?: number
}

const MAX_AGE_MS = 300_000
/** How far the clock of the attester may be ahead. */
const MAX_AHEAD_MS = 60_000

/** A signature of the attested key over a nonce of the verifier. */
export type KeyProof = { readonly time: number; readonly signature: Uint8Array }

const proof: Codec<KeyProof> = record({ time: field(0, int()), signature: field(1, bytes(64)) })
const certificates = array(bytes({ max: MAX_CERTIFICATE_BYTES }), { max: 12 })
type VendorEvidence = {
  readonly certificates: readonly Uint8Array[]
  readonly blob?: Uint8Array | undefined
  readonly proof: KeyProof
}
const vendorCodec: Codec<VendorEvidence> = record({
  certificates: field(0, certificates),
  blob: optional(1, bytes({ max: MAX_BLOB_BYTES })),
  proof: field(2, proof),
})
const proofCodec = record({ nonce: field(0, bytes({ min: 16, max: 64 })), time: field(1, int()) })
const MAX_EVIDENCE_BYTES = 12 * MAX_CERTIFICATE_BYTES + MAX_BLOB_BYTES + 1024

/** What the attested key signs for `nonce` at `time`. */
export const proofMessage = (nonce: Uint8Array, time: number): Uint8Array =>
  tagged(TAGS.hsmKeyProof, encode(proofCodec, { nonce, time }))

/** What a vendor's tools give of a key, with the key's own proof, as one attestation. */
export const vendorAttestation = (
  format: 'yubihsm-x509' | 'marvell-hsm',
  evidence: VendorEvidence,
): Attestation => ({ format, document: encode(vendorCodec, evidence) })

/**
 * What the attestation shows, at the level that it really has.
 * @throws hsm/attestation-invalid, also for another key; hsm/attestation-stale for another nonce, one too
 *   old or from an earlier start; hsm/weak-custody below the demanded level
 */
export function verifyKeyAttestation(
  attestation: Attestation,
  expected: AttestationExpectation,
  trust: AttestationTrust,
): VerifiedAttestation {
  const shown = readKeyAttestation(attestation, expected, trust)
  if (!isSameKey(shown.key, expected.key)) refused('of another key')
  return shown
}

/** The same for whichever key it is of: the caller compares it. @throws as `verifyKeyAttestation` */
export function readKeyAttestation(
  attestation: Attestation,
  expected: AttestationExpectation,
  trust: AttestationTrust,
): VerifiedAttestation {
  const format = ATTESTATION_FORMATS.find((each) => each === attestation.format)
  if (format === undefined) return refused('a format that nobody here understands')
  const { atLeast = 'simulated' } = expected
  const level = LEVEL_OF_FORMAT[format]
  if (!isAtLeast(level, atLeast))
    throw new Fault('hsm/weak-custody', { detail: `${level} is shown, ${atLeast} is demanded` })
  return { ...VERIFIERS[format](attestation, expected, trust), level, format }
}

type Shown = Omit<VerifiedAttestation, 'level' | 'format'>
type Verifier = (
  attestation: Attestation,
  expected: AttestationExpectation,
  trust: AttestationTrust,
) => Shown

const VERIFIERS: { readonly [F in AttestationFormat]: Verifier } = {
  'quorate-simulated': simulated,
  'quorate-hsm-key': ownDocument,
  'yubihsm-x509': yubiHsm,
  'marvell-hsm': marvell,
}

function checkFreshness(
  { nonce, now, maxAgeMs = MAX_AGE_MS }: AttestationExpectation,
  made: { readonly nonce: Uint8Array; readonly time: number },
): void {
  const stale = (detail: string): never => {
    throw new Fault('hsm/attestation-stale', { detail })
  }
  if (!equalBytes(made.nonce, nonce)) stale('made for another nonce')
  if (now - made.time > maxAgeMs) stale('too old')
  if (made.time - now > MAX_AHEAD_MS) stale('from the future')
}

function simulated(
  attestation: Attestation,
  expected: AttestationExpectation,
  { simulated: keys = [] }: AttestationTrust,
): Shown {
  for (const root of keys)
    try {
      const shown = verifySimulatedAttestation(attestation, { root, nonce: expected.nonce })
      const { deviceId, algorithm, publicKey, time, nonce } = shown
      checkFreshness(expected, { nonce, time })
      const isKey =
        publicKey !== undefined &&
        (algorithm === 'ed25519' || algorithm === 'p256' || algorithm === 'secp256k1')
      if (!isKey) return refused('of a key that signs nothing')
      return {
        key: { algorithm, publicKey },
        device: toHex(deviceId),
        trustedBy: ['simulated'],
        time,
      }
    } catch (error) {
      if (root === keys.at(-1)) throw error
    }
  return refused('of a simulated HSM that is not pinned')
}

function ownDocument(
  attestation: Attestation,
  expected: AttestationExpectation,
  trust: AttestationTrust,
): Shown {
  const { statement, signedBy, chain } = openDocument(attestation.document)
  const { device, algorithm, publicKey, time, boot, policy, isExtractable } = statement
  checkFreshness(expected, statement)
  if (boot < (expected.minBoot ?? 0))
    throw new Fault('hsm/attestation-stale', { detail: 'from an earlier start of the device' })
  if (isExtractable) refused('of a key that can leave its device')
  const trustedBy =
    chain.length === 0
      ? enrolledFor(device, signedBy, trust)
      : certifiedBy(chain, signedBy, expected.now, trust)
  return { key: { algorithm, publicKey }, device, time, boot, policy, ...trustedBy }
}

type TrustedBy = Pick<Shown, 'trustedBy' | 'notAfter'>

function enrolledFor(device: string, signedBy: AttestedKey, trust: AttestationTrust): TrustedBy {
  const { enrolled = [] } = trust
  const isEnrolled = enrolled.some((each) => each.device === device && isSameKey(each, signedBy))
  return isEnrolled ? { trustedBy: ['enrolled key'] } : refused('by a key that is not enrolled')
}

function certifiedBy(
  chain: readonly Uint8Array[],
  signedBy: AttestedKey,
  now: number,
  trust: AttestationTrust,
): TrustedBy {
  const all = chain.map(parseCertificate)
  const root = all.at(-1)!
  const name = pinnedName(root, DOCUMENT_FORMAT, trust)
  if (name === undefined) return refused('a root that is not pinned')
  const below = all.slice(0, -1)
  verifyChain(below, root, { now, needsCa: true })
  if (!isSameKey(keyOfSpki(below[0]!.spki), signedBy))
    refused('by another key than the certified one')
  return { trustedBy: [name], notAfter: Math.min(...below.map(({ notAfter }) => notAfter)) }
}

function pinnedName(
  root: Certificate,
  format: AttestationFormat,
  { roots }: AttestationTrust,
  vouches?: 'manufacturer' | 'owner',
): string | undefined {
  return roots.find(
    (each) => each.format === format && each.vouches === vouches && each.sha256 === root.sha256,
  )?.name
}

const vendorEvidence = ({ document }: Attestation): VendorEvidence =>
  refusing('a malformed document', () =>
    decode(vendorCodec, document, { maxBytes: MAX_EVIDENCE_BYTES }),
  )

/** The key has signed the nonce just now. */
function checkProof(key: AttestedKey, expected: AttestationExpectation, made: KeyProof): void {
  const { nonce } = expected
  checkFreshness(expected, { nonce, time: made.time })
  if (!holdsUnder(key, proofMessage(nonce, made.time), made.signature))
    throw new Fault('hsm/attestation-stale', { detail: 'the key has not signed this nonce' })
}

function yubiHsm(
  attestation: Attestation,
  expected: AttestationExpectation,
  trust: AttestationTrust,
): Shown {
  const evidence = vendorEvidence(attestation)
  const isPinned = (root: Certificate): boolean =>
    pinnedName(root, 'yubihsm-x509', trust) !== undefined
  const shown = verifyYubiHsm(evidence.certificates, expected.now, isPinned)
  const key = { algorithm: shown.algorithm, publicKey: shown.publicKey }
  checkProof(key, expected, evidence.proof)
  return {
    key,
    device: shown.device,
    trustedBy: [pinnedName(shown.root, 'yubihsm-x509', trust) ?? ''],
    time: evidence.proof.time,
    notAfter: shown.notAfter,
  }
}

function marvell(
  attestation: Attestation,
  expected: AttestationExpectation,
  trust: AttestationTrust,
): Shown {
  const evidence = vendorEvidence(attestation)
  if (evidence.blob === undefined) return refused('no blob')
  const nameOf = (root: Certificate, vouches: 'manufacturer' | 'owner'): string | undefined =>
    pinnedName(root, 'marvell-hsm', trust, vouches)
  const shown = verifyMarvell(
    evidence.blob,
    evidence.certificates,
    expected.now,
    (root, vouches) => nameOf(root, vouches) !== undefined,
  )
  // The blob holds a point and no curve; the proof below holds on one curve only.
  const key = { algorithm: expected.key.algorithm, publicKey: shown.publicKey }
  checkProof(key, expected, evidence.proof)
  return {
    key,
    device: shown.label,
    trustedBy: [
      nameOf(shown.manufacturer, 'manufacturer') ?? '',
      nameOf(shown.owner, 'owner') ?? '',
    ],
    time: evidence.proof.time,
    notAfter: shown.notAfter,
  }
}

const bootCodec: Codec<number> = int(1)
/** A device may be called anything; a state may not. */
const bootName = (device: string): string =>
  `attest/seen/${toHex(taggedHash(TAGS.hsmKeyStatement, utf8(device))).slice(0, 32)}`

/** The latest start of the device that a verifier with this state has seen. */
export const lastBootOf = (state: HsmState, device: string): number | undefined =>
  state.read(bootName(device), bootCodec)

/** Remembers the start that was shown, durably. @throws hsm/attestation-stale where a later one was seen meanwhile */
export async function rememberBoot(state: HsmState, verified: VerifiedAttestation): Promise<void> {
  const { boot, device } = verified
  if (boot === undefined) return
  await state.update(bootName(device), bootCodec, (old = boot) => {
    if (boot < old)
      throw new Fault('hsm/attestation-stale', { detail: 'from an earlier start of the device' })
    return boot
  })
}
