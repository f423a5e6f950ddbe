/**
 * The messages of ChillDKG as bytes, for any group with elements of E bytes (33 or 32), t' coefficients
 * and n parties; E zeros stand for the identity.
 *
 *   dealer message   = commitment (E·t') ‖ proof of possession (64) ‖ nonce (E) ‖ encrypted shares (32·n)
 *   joint message    = first commitments (E·n) ‖ sums of the others (E·(t'−1)) ‖ proofs (64·n)
 *                      ‖ nonces (E·n) ‖ sums of encrypted shares (32·n)
 *   inquiry answer   = encrypted shares for one party (32·n) ‖ public shares of that party (E·n)
 *   transcript       = t (4) ‖ joint commitment (E·t') ‖ host keys (E·n) ‖ nonces (E·n)
 *                      ‖ sums of encrypted shares (32·n), and for a refresh what it refreshes
 *
 * `params` fixes every length; a wrong one is malformed before anything is read, so a longer
 * commitment, which would raise the threshold, never gets in.
 */
import { concatBytes, Fault } from '@quorate/base'
import type { Commitment, Element, Group } from '@quorate/math'
import type { DkgParameters } from './parameters.ts'
import { PROOF_LENGTH, uint32 } from './suite.ts'

export type DealerMessage = {
  readonly commitment: Commitment
  readonly proof: Uint8Array
  /** Not yet checked to be an element: who uses it blames its dealer. */
  readonly nonce: Uint8Array
  readonly encryptedShares: readonly bigint[]
}

export type JointMessage = {
  readonly firstCommitments: readonly Element[]
  readonly otherSums: readonly Element[]
  readonly proofs: readonly Uint8Array[]
  readonly nonces: readonly Uint8Array[]
  readonly encryptedSums: readonly bigint[]
}

export type InquiryAnswer = {
  readonly encryptedShares: readonly bigint[]
  readonly publicShares: readonly Element[]
}

const encodeElement = (group: Group, e: Element): Uint8Array =>
  group.isIdentity(e) ? new Uint8Array(group.elementLength) : group.encode(e)
const encodeElements = (group: Group, elements: readonly Element[]): Uint8Array =>
  concatBytes(...elements.map((e) => encodeElement(group, e)))
const encodeScalars = (group: Group, scalars: readonly bigint[]): Uint8Array =>
  concatBytes(...scalars.map((k) => group.encodeScalar(k)))

/** Reads from the front; the caller has checked the whole length. */
export class Reader {
  readonly #group: Group
  #rest: Uint8Array

  constructor(group: Group, bytes: Uint8Array) {
    this.#group = group
    this.#rest = bytes
  }

  bytes(length: number): Uint8Array {
    if (this.#rest.length < length)
      throw new Fault('base/malformed', { detail: 'the message is too short' })
    const out = this.#rest.slice(0, length)
    this.#rest = this.#rest.subarray(length)
    return out
  }
  list<T>(count: number, one: () => T): T[] {
    return Array.from({ length: count }, one)
  }
  /** @throws math/bad-element */
  element(): Element {
    const encoded = this.bytes(this.#group.elementLength)
    return encoded.every((byte) => byte === 0) ? this.#group.identity : this.#group.decode(encoded)
  }
  /** @throws math/bad-scalar */
  scalar(): bigint {
    return this.#group.decodeScalar(this.bytes(32))
  }
}

export const dealerMessageLength = ({ suite, coefficients, hostKeys }: DkgParameters): number =>
  suite.group.elementLength * (coefficients + 1) + PROOF_LENGTH + 32 * hostKeys.length
const jointMessageLength = ({
  suite,
  coefficients,
  hostKeys: { length: n },
}: DkgParameters): number =>
  suite.group.elementLength * (2 * n + coefficients - 1) + (PROOF_LENGTH + 32) * n

function reader({ suite }: DkgParameters, bytes: Uint8Array, length: number): Reader {
  if (bytes.length !== length)
    throw new Fault('base/malformed', { detail: `expected ${length} bytes` })
  return new Reader(suite.group, bytes)
}

export const encodeDealerMessage = (
  { suite: { group } }: DkgParameters,
  m: DealerMessage,
): Uint8Array =>
  concatBytes(
    encodeElements(group, m.commitment),
    m.proof,
    m.nonce,
    encodeScalars(group, m.encryptedShares),
  )

/** @throws base/malformed, math/bad-element, math/bad-scalar */
export function decodeDealerMessage(params: DkgParameters, bytes: Uint8Array): DealerMessage {
  const from = reader(params, bytes, dealerMessageLength(params))
  return {
    commitment: from.list(params.coefficients, () => from.element()),
    proof: from.bytes(PROOF_LENGTH),
    nonce: from.bytes(params.suite.group.elementLength),
    encryptedShares: from.list(params.hostKeys.length, () => from.scalar()),
  }
}

export const encodeJointMessage = (
  { suite: { group } }: DkgParameters,
  m: JointMessage,
): Uint8Array =>
  concatBytes(
    encodeElements(group, [...m.firstCommitments, ...m.otherSums]),
    ...m.proofs,
    ...m.nonces,
    encodeScalars(group, m.encryptedSums),
  )

/** @throws base/malformed, math/bad-element, math/bad-scalar */
export function decodeJointMessage(params: DkgParameters, bytes: Uint8Array): JointMessage {
  const from = reader(params, bytes, jointMessageLength(params))
  const n = params.hostKeys.length
  return {
    firstCommitments: from.list(n, () => from.element()),
    otherSums: from.list(params.coefficients - 1, () => from.element()),
    proofs: from.list(n, () => from.bytes(PROOF_LENGTH)),
    nonces: from.list(n, () => from.bytes(params.suite.group.elementLength)),
    encryptedSums: from.list(n, () => from.scalar()),
  }
}

export const encodeInquiryAnswer = (
  { suite: { group } }: DkgParameters,
  m: InquiryAnswer,
): Uint8Array =>
  concatBytes(encodeScalars(group, m.encryptedShares), encodeElements(group, m.publicShares))

/** @throws base/malformed, math/bad-element, math/bad-scalar */
export function decodeInquiryAnswer(params: DkgParameters, bytes: Uint8Array): InquiryAnswer {
  const n = params.hostKeys.length
  const from = reader(params, bytes, (32 + params.suite.group.elementLength) * n)
  return {
    encryptedShares: from.list(n, () => from.scalar()),
    publicShares: from.list(n, () => from.element()),
  }
}

/** The commitment to the sum of all dealt polynomials. */
export const jointCommitment = (
  { suite: { group } }: DkgParameters,
  m: JointMessage,
): Commitment => [group.sum(m.firstCommitments), ...m.otherSums]

/** What all parties sign. */
export const transcriptOf = (
  { suite: { group }, threshold, hostKeys, refreshes }: DkgParameters,
  m: JointMessage,
  commitment: Commitment,
): Uint8Array =>
  concatBytes(
    uint32(threshold),
    encodeElements(group, commitment),
    ...hostKeys,
    ...m.nonces,
    encodeScalars(group, m.encryptedSums),
    refreshes ?? new Uint8Array(),
  )
