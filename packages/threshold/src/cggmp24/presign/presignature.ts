/**
 * A presignature: everything of an ECDSA signature but its message. It signs once; a second signature
 * from one would give the key away. It lives in memory only.
 *
 * Canetti et al., eprint 2021/060 (revision of 2024-10), Figure 8, output, and Figure 7, signing. The
 * re-randomised form is that of Groth–Shoup, eprint 2021/1330, §6, with entropy from every signer:
 *
 *   Γ′ = ρ·Γ, k̃′ = k̃/ρ, χ̃′ = (χ̃ + τ·k̃)/ρ, for the key X + τ·G
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, Fault, Secret } from '@quorate/base'
import {
  type Element,
  fromBytesBe,
  inverse,
  mod,
  scalarOfDigest,
  secp256k1,
  Transcript,
} from '@quorate/math'
import type { PartyId } from '../../session/party.ts'
import type { LevelId } from '../level.ts'

/** What everybody knows of a presignature. */
export type PublicPresignature = {
  readonly level: LevelId
  /** Of the session that made it, 32 bytes. */
  readonly context: Uint8Array
  /** 32 bytes over all broadcasts of that session's last round. */
  readonly view: Uint8Array
  /** Which of that session. */
  readonly item: number
  readonly Gamma: Element
  /** δ, which scaled the values below. */
  readonly delta: bigint
  /** Δ̃ⱼ and S̃ⱼ of each signer: what its signature share is checked against. */
  readonly deltas: ReadonlyMap<PartyId, Element>
  readonly chis: ReadonlyMap<PartyId, Element>
  /** Commitments to entropy; empty unless it was made for re-randomisation. */
  readonly entropies: ReadonlyMap<PartyId, Uint8Array>
  /** The key that it signs for, at `path` below the group key. */
  readonly publicKey: Element
  readonly path: readonly number[]
}

/** Names a presignature and covers everything public of it; 32 bytes. */
export function presignatureId(of: PublicPresignature): Uint8Array {
  const transcript = new Transcript('cggmp24-presignature', sha256)
    .text('level', of.level)
    .bytes('context', of.context)
    .bytes('view', of.view)
    .number('item', of.item)
    .element('Gamma', secp256k1, of.Gamma)
    .scalar('delta', secp256k1, of.delta)
    .element('key', secp256k1, of.publicKey)
  for (const [party, delta] of of.deltas)
    transcript
      .number('party', party)
      .element('Delta', secp256k1, delta)
      .element('S', secp256k1, of.chis.get(party)!)
      .bytes('entropy', of.entropies.get(party) ?? new Uint8Array())
  return transcript.digest()
}

/** How a presignature is changed before it signs: τ, the key X + τ·G, and ρ, as above. */
export type Shift = {
  readonly tweak: bigint
  readonly publicKey: Element
  readonly factor: bigint
}
/** What everybody knows of the signature that a presignature becomes, before there is a message. */
export type SignatureNonce = Shift & {
  /** Γ′. */
  readonly Gamma: Element
  /** r′ = x(Γ′) mod q. */
  readonly r: bigint
  /** The recovery id of an s that is not negated. */
  readonly recovery: number
}

/** Without a shift the presignature stays as it is: τ = 0, ρ = 1. @throws Fault math/bad-scalar for r′ = 0 */
export function nonceOf(
  { Gamma: unshifted, publicKey }: Pick<PublicPresignature, 'Gamma' | 'publicKey'>,
  shift: Shift = { tweak: 0n, publicKey, factor: 1n },
): SignatureNonce {
  const { order } = secp256k1
  const Gamma = secp256k1.mul(shift.factor, unshifted)
  const encoded = secp256k1.encode(Gamma)
  const x = fromBytesBe(encoded.subarray(1))
  const r = mod(x, order)
  if (r === 0n) throw new Fault('math/bad-scalar')
  return { ...shift, Gamma, r, recovery: (encoded[0]! & 1) | (x >= order ? 2 : 0) }
}

/** Whether σⱼ·Γ′ = m·Δ̃ⱼ + r′·(S̃ⱼ + τ·Δ̃ⱼ). Variable-time: public inputs only. */
export function isShareOf(
  of: PublicPresignature,
  digest: Uint8Array,
  party: PartyId,
  share: bigint,
  { r, Gamma, tweak }: SignatureNonce = nonceOf(of),
): boolean {
  const m = scalarOfDigest(digest)
  const expected = secp256k1.msm(
    [mod(m + r * tweak, secp256k1.order), r],
    [of.deltas.get(party)!, of.chis.get(party)!],
  )
  return secp256k1.equals(secp256k1.mul(share, Gamma), expected)
}

export class Presignature implements Disposable {
  readonly public: PublicPresignature
  readonly id: Uint8Array
  readonly self: PartyId
  /** k̃, χ̃ and this signer's entropy. */
  #secrets:
    | {
        readonly k: Secret<Uint8Array>
        readonly chi: Secret<Uint8Array>
        readonly entropy: Uint8Array | undefined
      }
    | undefined

  /** Treats k̃ = k/δ and χ̃ = χ/δ as secret. */
  constructor(
    of: PublicPresignature,
    self: PartyId,
    k: bigint,
    chi: bigint,
    entropy: Uint8Array | undefined,
  ) {
    this.public = of
    this.self = self
    this.id = presignatureId(of)
    this.#secrets = {
      k: new Secret(secp256k1.encodeScalar(k)),
      chi: new Secret(secp256k1.encodeScalar(chi)),
      entropy,
    }
  }

  get isUsed(): boolean {
    return this.#secrets === undefined
  }

  /** This signer's share of the key's signatures is gone from here, and used by whoever has taken it. @throws threshold/presignature-used the second time */
  take(): TakenPresignature {
    const secrets = this.#secrets
    if (secrets === undefined) throw new Fault('threshold/presignature-used')
    this.#secrets = undefined
    return new TakenPresignature(this.public, secrets)
  }

  /**
   * k̃ ‖ χ̃ ‖ the entropy, if there is any, for `receivePresignature` in another thread. Counts as used
   * here. The caller wipes it. @throws threshold/presignature-used
   */
  moveOut(): Secret<Uint8Array> {
    const secrets = this.#secrets
    if (secrets === undefined) throw new Fault('threshold/presignature-used')
    const { k, chi, entropy = new Uint8Array() } = secrets
    const moved = new Secret(concatBytes(k.expose(), chi.expose(), entropy))
    this[Symbol.dispose]()
    return moved
  }

  /** Wipes it; it counts as used. */
  [Symbol.dispose](): void {
    this.#secrets?.k[Symbol.dispose]()
    this.#secrets?.chi[Symbol.dispose]()
    this.#secrets?.entropy?.fill(0)
    this.#secrets = undefined
  }
}

/** A presignature on its way into its one signature. */
export class TakenPresignature implements Disposable {
  readonly public: PublicPresignature
  readonly entropy: Uint8Array | undefined
  readonly #k: Secret<Uint8Array>
  readonly #chi: Secret<Uint8Array>
  #isSpent = false

  constructor(
    of: PublicPresignature,
    secrets: {
      readonly k: Secret<Uint8Array>
      readonly chi: Secret<Uint8Array>
      readonly entropy: Uint8Array | undefined
    },
  ) {
    this.public = of
    this.entropy = secrets.entropy
    this.#k = secrets.k
    this.#chi = secrets.chi
  }

  /** σᵢ = k̃′·m + r′·χ̃′. Treats the presignature as secret and wipes it. @throws threshold/presignature-used the second time */
  sign(digest: Uint8Array, { r, tweak, factor }: SignatureNonce = nonceOf(this.public)): bigint {
    if (this.#isSpent) throw new Fault('threshold/presignature-used')
    const { order } = secp256k1
    const k = secp256k1.decodeScalar(this.#k.expose())
    const chi = secp256k1.decodeScalar(this.#chi.expose())
    this[Symbol.dispose]()
    const scale = factor === 1n ? 1n : inverse(factor, order)
    const m = scalarOfDigest(digest)
    return mod(scale * (k * m + r * (chi + tweak * k)), order)
  }

  [Symbol.dispose](): void {
    this.#isSpent = true
    this.#k[Symbol.dispose]()
    this.#chi[Symbol.dispose]()
  }
}
