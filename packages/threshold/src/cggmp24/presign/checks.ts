/**
 * What the messages of presigning, of the signature shares that may follow at once, and of an alert
 * must satisfy. Canetti et al., eprint 2021/060 (revision of 2024-10), Figures 8 (presigning), 9 and
 * 10 (the two alerts).
 *
 *   round 1  K, G, Y, A, B        direct: Π^enc-elg twice
 *   round 2  Γ, Π^elog, links     direct: D, F, D̂, F̂, Π^aff-g twice
 *   round 3  δ, S, Δ, Π^elog
 *   round 4  σ, where the message was known from the start
 *   round 5  after a failed check of δ or χ: products and Π^dec; from round 6 on Π^aff-g*, one a round
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bug, decode, equalBytes } from '@quorate/base'
import {
  deriveChild,
  type Element,
  EncryptionBatch,
  inverse,
  lagrangeCoefficients,
  mod,
  type PaillierKey,
  secp256k1,
  Transcript,
  toUnsignedBytes,
} from '@quorate/math'
import { Abort } from '../../session/abort.ts'
import type { PartyId } from '../../session/party.ts'
import { type AuxKeys, auxDigest } from '../aux/aux-info.ts'
import { checkContext, contextOf } from '../context.ts'
import { type EcdsaKey, keyDigest } from '../key.ts'
import type { Level } from '../level.ts'
import { verifyAffG } from '../proofs/aff-g.ts'
import { type AffGStarStatement, verifyAffGStar } from '../proofs/aff-g-star.ts'
import { verifyDec } from '../proofs/dec.ts'
import { verifyElog } from '../proofs/elog.ts'
import { verifyEncElg } from '../proofs/enc-elg.ts'
import type { PublicChecks } from '../replay.ts'
import { squareLength } from '../wire.ts'
import {
  type AlertDec,
  alertAffGCodec,
  alertDecCodec,
  type Commit,
  commitCodec,
  commitProofsCodec,
  type DeltaItem,
  deltaCodec,
  maxBytesOf,
  type Product,
  productsCodec,
  type RevealItem,
  revealCodec,
  sharesCodec,
} from './messages.ts'
import { isShareOf, type PublicPresignature } from './presignature.ts'

/** One signature in the making. */
export type PresignItem = {
  /** Non-hardened steps below the group key (BIP-32); part of the context. */
  readonly path: readonly number[]
  /** The digest to sign, 32 bytes, where it is known from the start. */
  readonly digest?: Uint8Array
}

export type PresignFacts = {
  readonly level: Level
  readonly sid: Uint8Array
  /** At least `threshold`, ascending. */
  readonly signers: readonly PartyId[]
  readonly key: EcdsaKey
  /** Of all parties that made it together, in ascending order; a party's own with its secrets. */
  readonly aux: AuxKeys
  readonly items: readonly PresignItem[]
  /** For presignatures of no path yet: each signer commits to entropy for re-randomisation. */
  readonly isRerandomised?: boolean
}

/** What an alert is about: 0 where δ does not fit, 1 where χ does not. */
export type AlertKind = 0 | 1
export type Alert = { readonly item: number; readonly kind: AlertKind }

/** A derived key as the signers share it: additive shares that need no more Lagrange weights. */
type ItemKey = {
  readonly tweak: bigint
  /** X of the derived key. */
  readonly X: Element
  /** Xⱼ, weighted, and tweaked for the first signer: they add up to X. */
  readonly shares: ReadonlyMap<PartyId, Element>
}

export class PresignChecks implements PublicChecks {
  readonly facts: PresignFacts
  readonly context: Uint8Array
  readonly weights: ReadonlyMap<PartyId, bigint>
  readonly itemKeys: readonly ItemKey[]
  readonly #commits = new Map<PartyId, Commit>()
  readonly #reveals = new Map<PartyId, readonly RevealItem[]>()
  readonly #deltas = new Map<PartyId, readonly DeltaItem[]>()
  readonly #shares = new Map<PartyId, readonly bigint[]>()
  readonly #alerts = new Map<PartyId, AlertDec>()
  readonly #alertProofs = new Map<PartyId, Uint8Array>()
  #gammas: readonly Element[] | undefined
  #alert: Alert | undefined
  #view: Uint8Array | undefined
  #presignatures: readonly PublicPresignature[] | undefined

  constructor(facts: PresignFacts) {
    this.facts = facts
    const { key, signers, items } = facts
    const lambdas = lagrangeCoefficients(signers.map(BigInt), secp256k1.order)
    this.weights = new Map(signers.map((party, i) => [party, lambdas[i]!]))
    this.itemKeys = items.map(({ path }) => this.#keyAt(path))
    this.context = contextOf(
      'presign',
      { ...facts, parties: signers, threshold: key.threshold },
      (transcript) => {
        transcript
          .bytes('key', keyDigest(key))
          .bytes('aux', auxDigest(facts.level, facts.aux))
          .number('rerandomised', facts.isRerandomised === true ? 1 : 0)
          .number('items', items.length)
        for (const { path, digest } of items) {
          transcript.number('steps', path.length)
          for (const step of path) transcript.number('step', step)
          transcript.bytes('digest', digest ?? new Uint8Array())
        }
      },
    )
  }

  #keyAt(path: readonly number[]): ItemKey {
    const { key, signers } = this.facts
    const { tweak, publicKey } =
      path.length === 0
        ? { tweak: 0n, publicKey: key.groupKey }
        : deriveChild(key.groupKey, key.chainCode, path)
    const shares = signers.map((party, i): [PartyId, Element] => {
      const weighted = secp256k1.mul(this.weights.get(party)!, key.verifyingShares.get(party)!)
      // The first signer carries the tweak for all.
      return [party, i === 0 ? secp256k1.add(weighted, secp256k1.mulBase(tweak)) : weighted]
    })
    return { tweak, X: publicKey, shares: new Map(shares) }
  }

  /** All signers but one, ascending. */
  othersOf(self: PartyId): readonly PartyId[] {
    return this.facts.signers.filter((each) => each !== self)
  }
  commitOf(party: PartyId): Commit {
    return this.#commits.get(party)!
  }
  /** Γ of an item, after round 2. */
  gammaOf(item: number): Element {
    return this.#gammas![item]!
  }
  /** What went wrong in round 3, if anything did. */
  get alert(): Alert | undefined {
    return this.#alert
  }
  /** 32 bytes over all broadcasts of round 3. */
  get view(): Uint8Array {
    return this.#view!
  }
  /** After round 3, if nothing went wrong. */
  get presignatures(): readonly PublicPresignature[] {
    return this.#presignatures ?? bug('presigning is not over')
  }
  sharesOf(party: PartyId): readonly bigint[] {
    return this.#shares.get(party)!
  }

  setupOf(prover: PartyId): {
    readonly level: Level
    readonly context: Uint8Array
    readonly prover: PartyId
  } {
    return { level: this.facts.level, context: this.context, prover }
  }

  /** What binds a sender to the product it sent: 32 bytes. */
  linkOf(item: number, kind: AlertKind, from: PartyId, to: PartyId, { D, F }: Product): Uint8Array {
    const length = squareLength(this.facts.level)
    return new Transcript('cggmp24-link', sha256)
      .bytes('context', this.context)
      .number('item', item)
      .number('inst', kind)
      .number('from', from)
      .number('to', to)
      .bytes('D', toUnsignedBytes(D, length))
      .bytes('F', toUnsignedBytes(F, length))
      .digest()
  }

  basisOf(round: number): number {
    // Shares and an alert both answer to round 3, every later proof of an alert to its beginning.
    return round > 5 ? 5 : round > 3 ? 3 : round - 1
  }

  maxBytes(round: number, kind: 'broadcast' | 'direct'): number {
    const { level, items, signers } = this.facts
    return maxBytesOf(level, items.length, signers.length, round, kind)
  }

  note(round: number, from: PartyId, body: Uint8Array): void {
    const { level, items, signers } = this.facts
    const limits = { maxBytes: body.length }
    const count = items.length
    if (round === 1) this.#commits.set(from, decode(commitCodec(level, count), body, limits))
    else if (round === 2)
      this.#reveals.set(from, decode(revealCodec(level, count, signers.length - 1), body, limits))
    else if (round === 3) this.#deltas.set(from, decode(deltaCodec(level, count), body, limits))
    else if (round === 4) this.#shares.set(from, decode(sharesCodec(count), body, limits))
    else if (round === 5)
      this.#alerts.set(from, decode(alertDecCodec(level, signers.length), body, limits))
    else this.#alertProofs.set(from, body)
  }

  check(round: number, from: PartyId): void {
    if (round === 1) checkContext(this.context, this.#commits.get(from)!.context)
    if (round === 1) this.#checkCommit(from)
    if (round === 2) this.#checkReveal(from)
    if (round === 3) this.#checkDelta(from)
    if (round === 4) this.#checkShares(from)
    if (round === 5) this.#checkAlert(from)
    if (round > 5) this.#checkAlertProof(round, from)
  }

  checkDirect(round: number, from: PartyId, to: PartyId, body: Uint8Array): void {
    if (round === 1) this.#checkCommitProofs(from, to, body)
    else this.#checkProducts(from, to, body)
  }

  close(round: number): void {
    const { signers, items } = this.facts
    if (round === 2) {
      this.#gammas = items.map((_, item) =>
        secp256k1.sum(signers.map((party) => this.#reveals.get(party)![item]!.Gamma)),
      )
      if (this.#gammas.some((gamma) => secp256k1.isIdentity(gamma)))
        throw new Abort('threshold/degenerate')
    }
    if (round === 3) this.#conclude()
  }

  #checkCommit(from: PartyId): void {
    const { paillier } = this.facts.aux.get(from)!
    const isSound = this.#commits
      .get(from)!
      .items.every(({ K, G }) => paillier.isCiphertext(K) && paillier.isCiphertext(G))
    if (!isSound) throw new Abort('threshold/malformed-message', { culprits: [from] })
  }

  #checkCommitProofs(from: PartyId, to: PartyId, body: Uint8Array): void {
    const { level, items, aux } = this.facts
    const proofs = decode(commitProofsCodec(level, items.length), body, { maxBytes: body.length })
    const setup = { ...this.setupOf(from), verifier: to }
    const { paillier: key } = aux.get(from)!
    const { parameters: verifierParameters } = aux.get(to)!
    const batches = new Batches()
    const holds = this.#commits.get(from)!.items.every(({ K, G, Y, A1, A2, B1, B2 }, item) => {
      const of = { verifierParameters, key, A: Y }
      const { k, gamma } = proofs[item]!
      const forK = { ...of, instance: 0, C: K, B: A1, X: A2 } as const
      const forGamma = { ...of, instance: 1, C: G, B: B1, X: B2 } as const
      return (
        verifyEncElg(setup, forK, k, batches.of) && verifyEncElg(setup, forGamma, gamma, batches.of)
      )
    })
    if (!holds || !batches.hold())
      throw new Abort('threshold/invalid-proof', { culprits: [from], detail: 'range of k or γ' })
  }

  #checkReveal(from: PartyId): void {
    const H = secp256k1.generator
    for (const [item, { Gamma, proof }] of this.#reveals.get(from)!.entries()) {
      const { B1, B2, Y } = this.#commits.get(from)!.items[item]!
      const statement = { instance: 0, L: B1, M: B2, X: Y, Y: Gamma, H } as const
      if (!verifyElog(this.setupOf(from), statement, proof))
        throw new Abort('threshold/invalid-proof', { culprits: [from], detail: 'logarithm of Γ' })
    }
  }

  #checkProducts(from: PartyId, to: PartyId, body: Uint8Array): void {
    const { level, items, aux } = this.facts
    const products = decode(productsCodec(level, items.length), body, { maxBytes: body.length })
    const setup = { ...this.setupOf(from), verifier: to }
    const of = {
      verifierParameters: aux.get(to)!.parameters,
      receiverKey: aux.get(to)!.paillier,
      proverKey: aux.get(from)!.paillier,
    }
    const batches = new Batches()
    const holds = products.every(({ gamma, gammaProof, x, xProof }, item) => {
      if (!this.#isLinked(item, from, to, gamma, 0) || !this.#isLinked(item, from, to, x, 1))
        return false
      const C = this.#commits.get(to)!.items[item]!.K
      const { Gamma } = this.#reveals.get(from)![item]!
      const X = this.itemKeys[item]!.shares.get(from)!
      return (
        verifyAffG(
          setup,
          { ...of, instance: 0, C, D: gamma.D, Y: gamma.F, X: Gamma },
          gammaProof,
          batches.of,
        ) && verifyAffG(setup, { ...of, instance: 1, C, D: x.D, Y: x.F, X }, xProof, batches.of)
      )
    })
    if (!holds || !batches.hold())
      throw new Abort('threshold/invalid-proof', { culprits: [from], detail: 'product with k' })
  }

  #isLinked(item: number, from: PartyId, to: PartyId, product: Product, kind: AlertKind): boolean {
    const { links } = this.#reveals.get(from)![item]!
    const at = 64 * this.othersOf(from).indexOf(to) + 32 * kind
    return equalBytes(links.subarray(at, at + 32), this.linkOf(item, kind, from, to, product))
  }

  #checkDelta(from: PartyId): void {
    const { isRerandomised = false } = this.facts
    for (const [item, { Delta, proof, entropy }] of this.#deltas.get(from)!.entries()) {
      const { A1, A2, Y } = this.#commits.get(from)!.items[item]!
      const H = this.gammaOf(item)
      if ((entropy !== undefined) !== isRerandomised)
        throw new Abort('threshold/malformed-message', { culprits: [from] })
      const statement = { instance: 1, L: A1, M: A2, X: Y, Y: Delta, H } as const
      if (!verifyElog(this.setupOf(from), statement, proof))
        throw new Abort('threshold/invalid-proof', { culprits: [from], detail: 'logarithm of Δ' })
    }
  }

  /** After round 3: whether δ and χ fit, and what everybody knows of the presignatures. */
  #conclude(): void {
    const { signers, items, level } = this.facts
    const transcript = new Transcript('cggmp24-view', sha256).bytes('context', this.context)
    for (const party of signers)
      for (const { delta, S, Delta, entropy } of this.#deltas.get(party)!)
        transcript
          .scalar('delta', secp256k1, delta)
          .element('S', secp256k1, S)
          .element('Delta', secp256k1, Delta)
          .bytes('entropy', entropy ?? new Uint8Array())
    this.#view = transcript.digest()
    const deltas = items.map((_, item) => this.#sumOf(item, ({ delta }) => delta))
    this.#alert = this.#findAlert(deltas)
    if (this.#alert !== undefined) return
    // A δ of 0 that is not what k and γ make is an alert; one that is has no inverse, and no culprit.
    if (deltas.includes(0n)) throw new Abort('threshold/degenerate')
    this.#presignatures = items.map((_, item) => {
      const scale = inverse(deltas[item]!, secp256k1.order)
      const scaled = (of: (each: DeltaItem) => Element): ReadonlyMap<PartyId, Element> =>
        new Map(
          signers.map((party) => [
            party,
            secp256k1.mul(scale, of(this.#deltas.get(party)![item]!)),
          ]),
        )
      return {
        level: level.id,
        context: this.context,
        view: this.view,
        item,
        Gamma: this.gammaOf(item),
        delta: deltas[item]!,
        deltas: scaled(({ Delta }) => Delta),
        chis: scaled(({ S }) => S),
        entropies: new Map(
          signers.flatMap((party) => {
            const { entropy } = this.#deltas.get(party)![item]!
            return entropy === undefined ? [] : [[party, entropy] as const]
          }),
        ),
        publicKey: this.itemKeys[item]!.X,
        path: items[item]!.path,
      }
    })
  }

  #sumOf(item: number, of: (each: DeltaItem) => bigint): bigint {
    return this.facts.signers.reduce(
      (sum, party) => mod(sum + of(this.#deltas.get(party)![item]!), secp256k1.order),
      0n,
    )
  }

  #findAlert(deltas: readonly bigint[]): Alert | undefined {
    const { signers, items } = this.facts
    const total = (item: number, of: (each: DeltaItem) => Element): Element =>
      secp256k1.sum(signers.map((party) => of(this.#deltas.get(party)![item]!)))
    for (const kind of [0, 1] as const)
      for (const item of items.keys()) {
        const expected =
          kind === 0
            ? secp256k1.mulBase(deltas[item]!)
            : secp256k1.mul(deltas[item]!, this.itemKeys[item]!.X)
        const sum = total(item, ({ Delta, S }) => (kind === 0 ? Delta : S))
        if (!secp256k1.equals(expected, sum)) return { item, kind }
      }
    return undefined
  }

  #checkShares(from: PartyId): void {
    const { items } = this.facts
    for (const [item, share] of this.#shares.get(from)!.entries()) {
      const { digest } = items[item]!
      // No share may leave a signer after an alert, nor before there is a message.
      if (digest === undefined || this.#alert !== undefined)
        throw new Abort('threshold/malformed-message', { culprits: [from] })
      if (!isShareOf(this.presignatures[item]!, digest, from, share))
        throw new Abort('threshold/invalid-share', { culprits: [from] })
    }
  }

  #checkAlert(from: PartyId): void {
    const { aux, signers } = this.facts
    const alert = this.#alert
    const { item, received, sent, proof } = this.#alerts.get(from)!
    if (alert === undefined || alert.item !== item)
      throw new Abort('threshold/false-alert', { culprits: [from] })
    const { kind } = alert
    const { paillier } = aux.get(from)!
    const others = this.othersOf(from)
    const areLinked = others.every(
      (other, i) =>
        this.#isLinked(item, other, from, received[i]!, kind) &&
        this.#isLinked(item, from, other, sent[i]!, kind),
    )
    if (!areLinked)
      throw new Abort('threshold/malformed-message', { culprits: [from], detail: 'other products' })
    const { delta, S } = this.#deltas.get(from)![item]!
    const statement = {
      instance: kind,
      view: this.view,
      signers: signers.length,
      key: paillier,
      K: this.#commits.get(from)!.items[item]!.K,
      D: sumOfProducts(paillier, received, sent),
      X: this.#factorOf(item, kind, from),
      S: kind === 0 ? secp256k1.mulBase(delta) : S,
      G: kind === 0 ? secp256k1.generator : this.gammaOf(item),
    }
    if (!verifyDec(this.setupOf(from), statement, proof))
      throw new Abort('threshold/invalid-proof', {
        culprits: [from],
        detail:
          kind === 0
            ? 'δ is not what its products add up to'
            : 'χ is not what its products add up to',
      })
  }

  /** X of the products of a signer: Γᵢ or Xᵢ. */
  #factorOf(item: number, kind: AlertKind, party: PartyId): Element {
    return kind === 0
      ? this.#reveals.get(party)![item]!.Gamma
      : this.itemKeys[item]!.shares.get(party)!
  }

  /** The statement of Π^aff-g* by `from` about the product it sent to `to`. */
  alertStatement(from: PartyId, to: PartyId): AffGStarStatement {
    const { item, kind } = this.#alert ?? bug('there is no alert')
    const { aux } = this.facts
    const { D, F } = this.#alerts.get(from)!.sent[this.othersOf(from).indexOf(to)]!
    return {
      instance: kind,
      receiver: to,
      view: this.view,
      receiverKey: aux.get(to)!.paillier,
      proverKey: aux.get(from)!.paillier,
      C: this.#commits.get(to)!.items[item]!.K,
      D,
      Y: F,
      X: this.#factorOf(item, kind, from),
    }
  }

  #checkAlertProof(round: number, from: PartyId): void {
    const to = this.othersOf(from)[round - 6]
    if (to === undefined) throw new Abort('threshold/malformed-message', { culprits: [from] })
    const body = this.#alertProofs.get(from)!
    const { proof } = decode(alertAffGCodec(this.facts.level), body, { maxBytes: body.length })
    if (!verifyAffGStar(this.setupOf(from), this.alertStatement(from, to), proof))
      throw new Abort('threshold/invalid-proof', {
        culprits: [from],
        detail: `the product sent to party ${to}`,
      })
  }
}

/** Π D_ij·F_ji⁻¹: what party i decrypts, besides Kᵢˣ, to its part. D was received, F sent. */
export function sumOfProducts(
  key: PaillierKey,
  received: readonly Product[],
  sent: readonly Product[],
): bigint {
  const gained = received.reduce((product, { D }) => key.add(product, D), 1n)
  const given = sent.reduce((product, { F }) => key.add(product, F), 1n)
  return key.add(gained, key.negate(given))
}

/** The Paillier equations of one message, one batch for each key. */
class Batches {
  readonly #batches = new Map<PaillierKey, EncryptionBatch>()

  readonly of = (key: PaillierKey): EncryptionBatch => {
    const known = this.#batches.get(key)
    if (known !== undefined) return known
    const batch = new EncryptionBatch(key)
    this.#batches.set(key, batch)
    return batch
  }

  hold(): boolean {
    return [...this.#batches.values()].every((batch) => batch.holds())
  }
}
