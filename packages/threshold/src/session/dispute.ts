/** Disputes: what a party shows to all others when the messages of a round cannot all be right. */
import { array, bytes, decode, encode, field, isFault, record, union } from '@quorate/base'
import { contradict, hasOnePlace } from './evidence.ts'
import type { OriginalClaim } from './message.ts'
import { MAX_PARTIES, type PartyId } from './party.ts'

export const MAX_DISPUTE_BYTES: number = 1 << 18
const MAX_PROOF_BYTES = 1 << 12

const dispute = union({
  /** Signed originals of a round. */
  originals: [
    1,
    record({ originals: field(1, array(bytes({ max: MAX_PROOF_BYTES }), { max: MAX_PARTIES })) }),
  ],
  /** What a round has to say about the messages of another party. */
  complaint: [2, record({ body: field(1, bytes({ max: MAX_DISPUTE_BYTES })) })],
})
export type Dispute =
  | { readonly kind: 'originals'; readonly value: { readonly originals: readonly Uint8Array[] } }
  | { readonly kind: 'complaint'; readonly value: { readonly body: Uint8Array } }

export const encodeOriginals = (originals: readonly Uint8Array[]): Uint8Array =>
  encode(dispute, { kind: 'originals', value: { originals } })
export const encodeComplaint = (body: Uint8Array): Uint8Array =>
  encode(dispute, { kind: 'complaint', value: { body } })

/** `undefined` for bytes that are no dispute. */
export function decodeDispute(body: Uint8Array): Dispute | undefined {
  try {
    return decode(dispute, body, { maxBytes: MAX_DISPUTE_BYTES })
  } catch (error) {
    if (isFault(error)) return undefined
    throw error
  }
}

/** The complaint that the body of a dispute holds; `undefined` for any other. */
export function complaintIn(body: Uint8Array): Uint8Array | undefined {
  const parsed = decodeDispute(body)
  return parsed?.kind === 'complaint' ? parsed.value.body : undefined
}

/** What the originals in others' disputes say, gathered over a session. */
export class Testimonies {
  readonly #claims: OriginalClaim[] = []
  readonly #counts = new Map<string, number>()

  /** Takes one dispute's originals in, already read; more than an honest party sends are left out. */
  add(from: PartyId, round: number, claims: () => readonly OriginalClaim[]): void {
    // An honest party sends two at most: all it received, and the pair that convicts.
    const count = this.#counts.get(`${round}/${from}`) ?? 0
    if (count === 2) return
    this.#counts.set(`${round}/${from}`, count + 1)
    this.#claims.push(...claims().filter((claim) => claim.round === round && hasOnePlace(claim)))
  }

  /** Whether the party has shown what it received in that round. */
  hasSpoken(from: PartyId, round: number): boolean {
    return this.#counts.has(`${round}/${from}`)
  }

  /** Two claims that one of these parties signed for the same place, one of them from a dispute. */
  findContradiction(
    own: readonly OriginalClaim[],
    parties: readonly PartyId[],
  ): readonly [OriginalClaim, OriginalClaim] | undefined {
    const all = [...own, ...this.#claims]
    for (const claim of this.#claims) {
      const other = parties.includes(claim.from)
        ? all.find((each) => contradict(each, claim))
        : undefined
      if (other !== undefined) return [other, claim]
    }
    return undefined
  }
}
