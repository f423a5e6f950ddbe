/**
 * What the broadcasts of an auxiliary information session must satisfy. Canetti et al., eprint
 * 2021/060 (revision of 2024-10), Figure 6, without the shares, which `keygen/` refreshes.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytes, type Codec, decode, equalBytes, field, record } from '@quorate/base'
import { Modulus, PaillierKey, RingPedersen, Transcript, toUnsignedBytes } from '@quorate/math'
import { Abort } from '../../session/abort.ts'
import type { PartyId } from '../../session/party.ts'
import { checkContext, contextOf, xorAll } from '../context.ts'
import type { Level } from '../level.ts'
import { type FacProof, facProof, verifyFac } from '../proofs/fac.ts'
import { type ModProof, modProof, verifyMod } from '../proofs/mod.ts'
import { areDistinct, checkModuli } from '../proofs/moduli.ts'
import { type PrmProof, prmProof, verifyPrm } from '../proofs/prm.ts'
import type { PublicChecks } from '../replay.ts'
import { modulusLength, unsigned } from '../wire.ts'
import { type AuxKeys, auxDigest, type OwnKeys, type PartyKeys } from './aux-info.ts'

export type AuxFacts = {
  readonly level: Level
  readonly sid: Uint8Array
  /** Ascending. */
  readonly parties: readonly PartyId[]
}

/** Round 1: this party binds itself to its round 2. */
export type Commit = { readonly context: Uint8Array; readonly opening: Uint8Array }
/** Round 2: this party's moduli, with the proof that s lies in the group of t. */
export type Open = {
  readonly n: bigint
  readonly nHat: bigint
  readonly s: bigint
  readonly t: bigint
  readonly prm: PrmProof
  /** This party's part of ρ, which no proof of round 3 can be made before. */
  readonly rho: Uint8Array
  readonly blind: Uint8Array
}

export const commitCodec: Codec<Commit> = record({
  context: field(1, bytes(32)),
  opening: field(2, bytes(32)),
})
export const openCodec = (level: Level): Codec<Open> => {
  const residue = unsigned(modulusLength(level))
  return record({
    n: field(1, residue),
    nHat: field(2, residue),
    s: field(3, residue),
    t: field(4, residue),
    prm: field(5, prmProof(level)),
    rho: field(6, bytes(32)),
    blind: field(7, bytes(32)),
  })
}
/** Round 3, to all: N is a product of two primes of the right kind. */
export const modCodec = (level: Level): Codec<{ readonly mod: ModProof }> =>
  record({ mod: field(1, modProof(level)) })
/** Round 3, to each: N has no small factor, under the receiver's parameters. */
export const facCodec = (level: Level): Codec<{ readonly fac: FacProof }> =>
  record({ fac: field(1, facProof(level)) })

/** More than the longest broadcast and direct message need. */
const MAX_BROADCAST_BYTES = 1 << 17
const MAX_DIRECT_BYTES = 1 << 13

export class AuxChecks implements PublicChecks {
  readonly facts: AuxFacts
  readonly context: Uint8Array
  readonly #own: { readonly party: PartyId; readonly keys: OwnKeys } | undefined
  readonly #commits = new Map<PartyId, Commit>()
  readonly #opens = new Map<PartyId, Open>()
  readonly #proofs = new Map<PartyId, ModProof>()
  readonly #keys = new Map<PartyId, PartyKeys>()
  #rho: Uint8Array | undefined

  /** @param own this party's secret keys, where there is one: checks under them are faster, and say the same */
  constructor(facts: AuxFacts, own?: { readonly party: PartyId; readonly keys: OwnKeys }) {
    this.facts = facts
    this.#own = own
    this.context = contextOf('auxiliary', { ...facts, threshold: facts.parties.length })
  }

  /** After round 2. */
  get keys(): AuxKeys {
    return new Map(this.facts.parties.map((party) => [party, this.#keys.get(party)!]))
  }
  get digest(): Uint8Array {
    return auxDigest(this.facts.level, this.keys)
  }
  /** ρ, after round 2. */
  get rho(): Uint8Array {
    return this.#rho!
  }

  openingOf(party: PartyId, open: Open): Uint8Array {
    const { level } = this.facts
    const length = modulusLength(level)
    const { A, z } = open.prm
    const transcript = new Transcript('cggmp24-opening', sha256)
      .bytes('context', this.context)
      .number('party', party)
    for (const value of [open.n, open.nHat, open.s, open.t, ...A, ...z])
      transcript.bytes('value', toUnsignedBytes(value, length))
    return transcript.bytes('rho', open.rho).bytes('blind', open.blind).digest()
  }

  basisOf(round: number): number {
    return round - 1
  }

  maxBytes(_round: number, kind: 'broadcast' | 'direct'): number {
    return kind === 'direct' ? MAX_DIRECT_BYTES : MAX_BROADCAST_BYTES
  }

  note(round: number, from: PartyId, body: Uint8Array): void {
    const { level } = this.facts
    const limits = { maxBytes: body.length }
    if (round === 1) this.#commits.set(from, decode(commitCodec, body, limits))
    if (round === 2) this.#noteOpen(from, decode(openCodec(level), body, limits))
    if (round === 3) this.#proofs.set(from, decode(modCodec(level), body, limits).mod)
  }

  #noteOpen(from: PartyId, open: Open): void {
    this.#opens.set(from, open)
    const isOwn = this.#own?.party === from
    this.#keys.set(
      from,
      isOwn
        ? this.#own!.keys
        : {
            paillier: PaillierKey.of(open.n),
            parameters: new RingPedersen(Modulus.of(open.nHat), open.s, open.t),
          },
    )
  }

  check(round: number, from: PartyId): void {
    if (round === 1) checkContext(this.context, this.#commits.get(from)!.context)
    if (round === 2) this.#checkOpen(from)
    if (round === 3) this.#checkModulus(from)
  }

  checkDirect(_round: number, from: PartyId, to: PartyId, body: Uint8Array): void {
    const { level } = this.facts
    const { fac } = decode(facCodec(level), body, { maxBytes: body.length })
    const statement = {
      rho: this.rho,
      verifierParameters: this.#keys.get(to)!.parameters,
      key: this.#keys.get(from)!.paillier,
    }
    if (!verifyFac({ ...this.setupOf(from), verifier: to }, statement, fac))
      throw new Abort('threshold/invalid-proof', { culprits: [from], detail: 'no small factor' })
  }

  close(round: number): void {
    if (round !== 2) return
    const opens = this.facts.parties.map((party) => this.#opens.get(party)!)
    this.#rho = xorAll(
      opens.map(({ rho }) => rho),
      32,
    )
    // Fresh primes never collide, and nobody could copy what was committed to: nothing says who lies.
    if (!areDistinct(opens.flatMap(({ n, nHat }) => [n, nHat])))
      throw new Abort('threshold/degenerate')
  }

  setupOf(prover: PartyId): {
    readonly level: Level
    readonly context: Uint8Array
    readonly prover: PartyId
  } {
    return { level: this.facts.level, context: this.context, prover }
  }

  #checkOpen(from: PartyId): void {
    const open = this.#opens.get(from)!
    if (!equalBytes(this.#commits.get(from)!.opening, this.openingOf(from, open)))
      throw new Abort('threshold/wrong-opening', { culprits: [from] })
    const { parameters } = this.#keys.get(from)!
    const reason = checkModuli(this.facts.level, { n: open.n, parameters })
    if (reason !== undefined)
      throw new Abort('threshold/bad-modulus', { culprits: [from], detail: reason })
    if (!verifyPrm(this.setupOf(from), { parameters }, open.prm))
      throw new Abort('threshold/invalid-proof', {
        culprits: [from],
        detail: 'ring-Pedersen parameters',
      })
  }

  #checkModulus(from: PartyId): void {
    const key = this.#keys.get(from)!.paillier
    if (!verifyMod(this.setupOf(from), { rho: this.rho, key }, this.#proofs.get(from)!))
      throw new Abort('threshold/invalid-proof', { culprits: [from], detail: 'Paillier modulus' })
  }
}
