/**
 * What the broadcasts of a key generation or refresh must satisfy, for its parties and for anybody who
 * judges evidence. Canetti et al., eprint 2021/060 (revision of 2024-10), Figure 5, for t of n: Feldman
 * commitments in place of single public shares, and a refresh that deals polynomials without a
 * constant term.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytes, type Codec, decode, equalBytes, field, record } from '@quorate/base'
import {
  addCommitments,
  type Commitment,
  type Element,
  evaluateCommitment,
  isShareOf,
  secp256k1,
  Transcript,
} from '@quorate/math'
import { Abort } from '../../session/abort.ts'
import type { PartyId } from '../../session/party.ts'
import { checkContext, contextOf, xorAll } from '../context.ts'
import { type EcdsaKey, keyDigest, keyOfCommitment } from '../key.ts'
import type { Level } from '../level.ts'
import { type SchStatement, verifySch } from '../proofs/sch.ts'
import type { PublicChecks } from '../replay.ts'
import { point, points, scalar } from '../wire.ts'

export type KeygenFacts = {
  readonly level: Level
  readonly sid: Uint8Array
  /** 1 … n. */
  readonly parties: readonly PartyId[]
  readonly threshold: number
  /** The generation that gets new shares; absent for a new key. */
  readonly refreshes?: EcdsaKey
  /** 32 bytes over the auxiliary information that comes into force together with the shares. */
  readonly aux: Uint8Array
}

/** Round 1: this party binds itself to its round 2. */
export type Commit = { readonly context: Uint8Array; readonly opening: Uint8Array }
/** Round 2: coefficients·G, the first message of the proof of knowing xᵢ, and randomness for all. */
export type Open = {
  /** t elements for a new key; t−1 for a refresh, whose constant term is zero. */
  readonly coefficients: Commitment
  readonly A: Element
  readonly rid: Uint8Array
  readonly chainCode: Uint8Array
  /** u: what keeps the commitment of round 1 from being guessed open. */
  readonly blind: Uint8Array
}

export const commitCodec: Codec<Commit> = record({
  context: field(1, bytes(32)),
  opening: field(2, bytes(32)),
})
export const openCodec = (coefficients: number): Codec<Open> =>
  record({
    coefficients: field(1, points(coefficients)),
    A: field(2, point),
    rid: field(3, bytes(32)),
    chainCode: field(4, bytes(32)),
    blind: field(5, bytes(32)),
  })
/** Round 2, to each party: fᵢ(j). */
export const shareCodec: Codec<{ readonly share: bigint }> = record({ share: field(1, scalar) })
/** Round 3: the response of the Schnorr proof. */
export const proveCodec: Codec<{ readonly z: bigint }> = record({ z: field(1, scalar) })

export class KeygenChecks implements PublicChecks {
  readonly facts: KeygenFacts
  /** 32 bytes. */
  readonly context: Uint8Array
  /** Number of coefficients that each party commits to. */
  readonly degree: number
  readonly #commits = new Map<PartyId, Commit>()
  readonly #opens = new Map<PartyId, Open>()
  readonly #responses = new Map<PartyId, bigint>()
  #key: EcdsaKey | undefined

  constructor(facts: KeygenFacts) {
    this.facts = facts
    const { refreshes, aux } = facts
    this.degree = facts.threshold - (refreshes === undefined ? 0 : 1)
    this.context = contextOf(
      refreshes === undefined ? 'keygen' : 'refresh',
      facts,
      (transcript) => {
        transcript.bytes('aux', aux)
        if (refreshes !== undefined) transcript.bytes('refreshes', keyDigest(refreshes))
      },
    )
  }

  /** The key, after round 2. */
  get key(): EcdsaKey {
    return this.#key!
  }

  /** What a party commits to in round 1. */
  openingOf(party: PartyId, open: Open): Uint8Array {
    const transcript = new Transcript('cggmp24-opening', sha256)
      .bytes('context', this.context)
      .number('party', party)
      .number('coefficients', open.coefficients.length)
    for (const element of open.coefficients) transcript.element('coefficient', secp256k1, element)
    return transcript
      .element('A', secp256k1, open.A)
      .bytes('rid', open.rid)
      .bytes('chain code', open.chainCode)
      .bytes('blind', open.blind)
      .digest()
  }

  /** fᵢ(j)·G as the dealer committed to it. */
  isShare(dealer: PartyId, receiver: PartyId, share: bigint): boolean {
    const { coefficients } = this.#opens.get(dealer)!
    const commitment =
      this.facts.refreshes === undefined ? coefficients : [secp256k1.identity, ...coefficients]
    return isShareOf(secp256k1, commitment, BigInt(receiver), share)
  }

  /** What party `index` proves in round 3. */
  statementOf(index: PartyId): SchStatement {
    return { instance: 0, rid: this.key.rid, X: this.key.verifyingShares.get(index)! }
  }

  basisOf(round: number): number {
    return round - 1
  }

  maxBytes(round: number, kind: 'broadcast' | 'direct'): number {
    return kind === 'direct' ? 64 : round === 2 ? 33 * (this.degree + 1) + 192 : 128
  }

  note(round: number, from: PartyId, body: Uint8Array): void {
    const limits = { maxBytes: body.length }
    if (round === 1) this.#commits.set(from, decode(commitCodec, body, limits))
    if (round === 2) this.#opens.set(from, decode(openCodec(this.degree), body, limits))
    if (round === 3) this.#responses.set(from, decode(proveCodec, body, limits).z)
  }

  check(round: number, from: PartyId): void {
    if (round === 1) checkContext(this.context, this.#commits.get(from)!.context)
    if (round === 2) this.#checkOpening(from)
    if (round === 3) this.#checkProof(from)
  }

  checkDirect(_round: number, from: PartyId, to: PartyId, body: Uint8Array): void {
    const { share } = decode(shareCodec, body, { maxBytes: body.length })
    if (!this.isShare(from, to, share))
      throw new Abort('threshold/invalid-share', { culprits: [from] })
  }

  close(round: number): void {
    if (round === 2) this.#key = this.#deriveKey()
  }

  #checkOpening(from: PartyId): void {
    if (!equalBytes(this.#commits.get(from)!.opening, this.openingOf(from, this.#opens.get(from)!)))
      throw new Abort('threshold/wrong-opening', { culprits: [from] })
  }

  #checkProof(from: PartyId): void {
    const setup = { level: this.facts.level, context: this.context, prover: from }
    const { A } = this.#opens.get(from)!
    if (!verifySch(setup, this.statementOf(from), A, this.#responses.get(from)!))
      throw new Abort('threshold/invalid-proof', {
        culprits: [from],
        detail: 'knowledge of the share',
      })
  }

  /** @throws Abort threshold/degenerate where the parties' coefficients cancel out */
  #deriveKey(): EcdsaKey {
    const { level, parties, refreshes } = this.facts
    const opens = parties.map((party) => this.#opens.get(party)!)
    const sum = addCommitments(
      secp256k1,
      opens.map(({ coefficients }) => coefficients),
    )
    const commitment =
      refreshes === undefined
        ? sum
        : refreshes.commitment.map((old, k) => (k === 0 ? old : secp256k1.add(old, sum[k - 1]!)))
    const isUsable =
      commitment.every((each) => !secp256k1.isIdentity(each)) &&
      parties.every(
        (party) => !secp256k1.isIdentity(evaluateCommitment(secp256k1, commitment, BigInt(party))),
      )
    if (!isUsable) throw new Abort('threshold/degenerate')
    const contributions = (of: (open: Open) => Uint8Array): Uint8Array => xorAll(opens.map(of), 32)
    return keyOfCommitment(
      {
        level,
        commitment,
        rid: contributions(({ rid }) => rid),
        chainCode: refreshes?.chainCode ?? contributions(({ chainCode }) => chainCode),
      },
      parties,
    )
  }
}
