/** One signer's secrets of one presignature in the making, and what it sends because of them. */
import type { Random } from '@quorate/base'
import { mod, randomWithin, secp256k1 } from '@quorate/math'
import type { PartyId } from '../../session/party.ts'
import type { OwnKeys } from '../aux/aux-info.ts'
import { proveAffG } from '../proofs/aff-g.ts'
import { proveElog } from '../proofs/elog.ts'
import { proveEncElg } from '../proofs/enc-elg.ts'
import type { PresignChecks } from './checks.ts'
import type {
  CommitItem,
  CommitProofs,
  DeltaItem,
  Product,
  ProductItem,
  RevealItem,
} from './messages.ts'

/** `k` as the representative of its class with the least absolute value. */
export const centred = (k: bigint): bigint => (k > secp256k1.order >> 1n ? k - secp256k1.order : k)

/** What Π^aff-g* shows about a product later, if there is an alert. */
export type ProductSecret = {
  readonly product: Product
  /** −β. */
  readonly y: bigint
  /** Nonces of D and F. */
  readonly nonce: bigint
  readonly nonceY: bigint
}
type Sent = { readonly gamma: ProductSecret; readonly x: ProductSecret }

export class ItemSigner {
  readonly #checks: PresignChecks
  readonly #item: number
  readonly self: PartyId
  readonly #own: OwnKeys
  readonly #random: Random
  /** xᵢ, weighted and tweaked for this item; centred, like k and γ. */
  readonly x: bigint
  readonly k: bigint
  readonly gamma: bigint
  readonly #nonceK: bigint
  readonly #nonceG: bigint
  readonly #a: bigint
  readonly #b: bigint
  readonly commit: CommitItem
  /** Products for each other signer. */
  readonly sent: Map<PartyId, Sent> = new Map()
  readonly received: Map<PartyId, { readonly gamma: Product; readonly x: Product }> = new Map()

  /** Treats `x` as secret. */
  constructor(
    checks: PresignChecks,
    item: number,
    self: PartyId,
    own: OwnKeys,
    x: bigint,
    random: Random,
  ) {
    this.#checks = checks
    this.#item = item
    this.self = self
    this.#own = own
    this.#random = random
    this.x = centred(x)
    const scalar = (): bigint => secp256k1.randomScalar(random)
    this.k = centred(scalar())
    this.gamma = centred(scalar())
    this.#a = scalar()
    this.#b = scalar()
    this.#nonceK = own.paillier.randomNonce(random)
    this.#nonceG = own.paillier.randomNonce(random)
    const Y = secp256k1.mulBase(scalar())
    const under = (secret: bigint, value: bigint) =>
      secp256k1.add(secp256k1.mulSecret(secret, Y), secp256k1.mulBase(value))
    this.commit = {
      K: own.paillier.encrypt(this.k, this.#nonceK),
      G: own.paillier.encrypt(this.gamma, this.#nonceG),
      Y,
      A1: secp256k1.mulBase(this.#a),
      A2: under(this.#a, this.k),
      B1: secp256k1.mulBase(this.#b),
      B2: under(this.#b, this.gamma),
    }
  }

  /** For round 1, to one other signer. */
  commitProofs(to: PartyId): CommitProofs[number] {
    const setup = { ...this.#checks.setupOf(this.self), verifier: to }
    const { K, G, Y, A1, A2, B1, B2 } = this.commit
    const of = {
      verifierParameters: this.#checks.facts.aux.get(to)!.parameters,
      key: this.#own.paillier,
      A: Y,
    }
    const random = this.#random
    const forK = { ...of, instance: 0, C: K, B: A1, X: A2 } as const
    const forGamma = { ...of, instance: 1, C: G, B: B1, X: B2 } as const
    return {
      k: proveEncElg(setup, forK, { x: this.k, nonce: this.#nonceK, b: this.#a }, random),
      gamma: proveEncElg(
        setup,
        forGamma,
        { x: this.gamma, nonce: this.#nonceG, b: this.#b },
        random,
      ),
    }
  }

  /** For round 2: makes the products with every other signer's K, and what binds this one to them. */
  reveal(): RevealItem {
    const Gamma = secp256k1.mulBase(this.gamma)
    const links = this.#checks.othersOf(this.self).flatMap((to) => {
      const sent = { gamma: this.#multiply(to, this.gamma), x: this.#multiply(to, this.x) }
      this.sent.set(to, sent)
      return ([sent.gamma, sent.x] as const).map(({ product }, kind) =>
        this.#checks.linkOf(this.#item, kind as 0 | 1, this.self, to, product),
      )
    })
    const { B1: L, B2: M, Y: X } = this.commit
    const statement = { instance: 0, L, M, X, Y: Gamma, H: secp256k1.generator } as const
    const witness = { y: mod(this.gamma, secp256k1.order), lambda: this.#b }
    const proof = proveElog(this.#checks.setupOf(this.self), statement, witness, this.#random)
    const all = new Uint8Array(32 * links.length)
    for (const [i, link] of links.entries()) all.set(link, 32 * i)
    return { Gamma, proof, links: all }
  }

  /** D = K_j^factor·enc_j(−β), F = enc_i(−β). */
  #multiply(to: PartyId, factor: bigint): ProductSecret {
    const { facts } = this.#checks
    const receiver = facts.aux.get(to)!.paillier
    const own = this.#own.paillier
    const { K } = this.#checks.commitOf(to).items[this.#item]!
    const y = randomWithin(facts.level.ellPrime, this.#random)
    const nonce = receiver.randomNonce(this.#random)
    const nonceY = own.randomNonce(this.#random)
    const D = receiver.add(receiver.multiply(K, factor), receiver.encrypt(y, nonce))
    return { product: { D, F: own.encrypt(y, nonceY) }, y, nonce, nonceY }
  }

  /** For round 2, to one other signer. */
  products(to: PartyId, Gamma: RevealItem['Gamma']): ProductItem {
    const { gamma, x } = this.sent.get(to)!
    return {
      gamma: gamma.product,
      gammaProof: this.#proveProduct(to, 0, gamma, this.gamma, Gamma),
      x: x.product,
      xProof: this.#proveProduct(
        to,
        1,
        x,
        this.x,
        this.#checks.itemKeys[this.#item]!.shares.get(this.self)!,
      ),
    }
  }

  #proveProduct(
    to: PartyId,
    instance: 0 | 1,
    { product, y, nonce, nonceY }: ProductSecret,
    x: bigint,
    X: RevealItem['Gamma'],
  ) {
    const { facts } = this.#checks
    const { paillier: receiverKey, parameters: verifierParameters } = facts.aux.get(to)!
    const { K: C } = this.#checks.commitOf(to).items[this.#item]!
    const keys = { verifierParameters, receiverKey, proverKey: this.#own.paillier }
    return proveAffG(
      { ...this.#checks.setupOf(this.self), verifier: to },
      { ...keys, instance, C, D: product.D, Y: product.F, X },
      { x, y, nonce, nonceY },
      this.#random,
    )
  }

  /** For round 3. δᵢ = γᵢkᵢ + Σ(αᵢⱼ + βᵢⱼ), and χᵢ likewise with xᵢ. */
  delta(entropy: Uint8Array | undefined): DeltaItem & { readonly chi: bigint } {
    const { order } = secp256k1
    const delta = mod(this.#collect(this.gamma, 'gamma'), order)
    const chi = mod(this.#collect(this.x, 'x'), order)
    const Gamma = this.#checks.gammaOf(this.#item)
    const Delta = secp256k1.mulSecret(mod(this.k, order), Gamma)
    const { A1: L, A2: M, Y: X } = this.commit
    const proof = proveElog(
      this.#checks.setupOf(this.self),
      { instance: 1, L, M, X, Y: Delta, H: Gamma },
      { y: mod(this.k, order), lambda: this.#a },
      this.#random,
    )
    const S = secp256k1.mulSecret(chi, Gamma)
    return { delta, S, Delta, proof, chi, ...(entropy !== undefined && { entropy }) }
  }

  #collect(factor: bigint, which: 'gamma' | 'x'): bigint {
    const { paillier } = this.#own
    let sum = factor * this.k
    for (const received of this.received.values()) sum += paillier.decrypt(received[which].D)
    // The −β of what was sent comes back with the opposite sign.
    for (const sent of this.sent.values()) sum -= sent[which].y
    return sum
  }
}
