/**
 * One FROST signature (RFC 9591, section 5) once the commitments of all signers are known.
 *
 *   ρᵢ = H1(Q ‖ H4(m) ‖ H5(commitments) ‖ i)    Rᵢ = Dᵢ + ρᵢ·Eᵢ    R = Σ Rᵢ
 *   c  = H2(R ‖ Q ‖ m)                          zᵢ = ±(dᵢ + ρᵢ·eᵢ) + c·λᵢ·sᵢ
 *
 * where the sign is − if the scheme uses −R. Everything that does not depend on a secret is
 * computed once, whoever asks: this object serves the signer and the aggregator.
 */
import {
  bug,
  concatBytes,
  equalBytes,
  Fault,
  isFault,
  type Secret,
  TAGS,
  taggedHash,
  utf8,
} from '@quorate/base'
import { type Element, mod } from '@quorate/math'
import { Abort } from '../../session/abort.ts'
import type { PartyId } from '../../session/party.ts'
import type { NonceCommitment, SigningNonces } from '../nonces.ts'
import { challenge, normalized } from '../suite.ts'
import type { SigningKey } from './key.ts'
import type { SignerSet } from './signer-set.ts'

export type SigningSessionOptions = {
  readonly key: SigningKey
  readonly signers: SignerSet
  readonly message: Uint8Array
  /** One of each signer. */
  readonly commitments: ReadonlyMap<PartyId, NonceCommitment>
  /** Of whoever signs here, where they are unused: what they make is computed by them. */
  readonly own?: { readonly party: PartyId; readonly nonces: SigningNonces } | undefined
}

type Contribution = {
  readonly commitment: NonceCommitment
  /** ρᵢ. */
  readonly bindingFactor: bigint
  /** Rᵢ. */
  readonly element: Element
}

export class SigningSession {
  readonly #key: SigningKey
  readonly #signers: SignerSet
  readonly #message: Uint8Array
  readonly #contributions: ReadonlyMap<PartyId, Contribution>
  /** R or −R, whichever the signature shows. */
  readonly #groupCommitment: Element
  readonly #usesNegative: boolean
  readonly #challenge: bigint
  readonly #validShares = new Map<PartyId, Uint8Array>()
  /**
   * 32 bytes that fix key, message, signers and commitments. A signer says them beside its share,
   * so that its signed message convicts it, whoever supplies the commitments.
   */
  readonly context: Uint8Array

  /** @throws threshold/bad-parameters where commitments and signers do not match; math/identity where R is the identity */
  constructor({ key, signers, message, commitments, own }: SigningSessionOptions) {
    const { suite } = key
    const { group } = suite
    const inOrder = signers.parties.map((party) => {
      const commitment = commitments.get(party)
      if (commitment === undefined)
        throw new Fault('threshold/bad-parameters', { detail: `no commitment of party ${party}` })
      return { party, commitment, identifier: group.encodeScalar(BigInt(party)) }
    })
    if (commitments.size !== inOrder.length)
      throw new Fault('threshold/bad-parameters', {
        detail: 'a commitment of a party that does not sign',
      })
    const list = concatBytes(
      ...inOrder.flatMap(({ identifier, commitment }) => [identifier, commitment.encoded]),
    )
    const prefix = concatBytes(group.encode(key.element), suite.H4(message), suite.H5(list))
    this.context = taggedHash(TAGS.frostContext, utf8(suite.id), prefix)
    const contributions = inOrder.map(
      ({ party, commitment, identifier }): [PartyId, Contribution] => {
        const bindingFactor = suite.H1(concatBytes(prefix, identifier))
        const isOwn =
          party === own?.party && equalBytes(commitment.encoded, own.nonces.commitment.encoded)
        const element = isOwn
          ? own.nonces.boundBy(bindingFactor)
          : group.add(commitment.hiding, group.mul(bindingFactor, commitment.binding))
        return [party, { commitment, bindingFactor, element }]
      },
    )
    const sum = group.sum(contributions.map(([, { element }]) => element))
    this.#key = key
    this.#signers = signers
    this.#message = message
    this.#contributions = new Map(contributions)
    this.#usesNegative = suite.usesNegative(sum)
    this.#groupCommitment = normalized(suite, sum)
    this.#challenge = challenge(suite, this.#groupCommitment, key.element, message)
  }

  /**
   * The signature share zᵢ of `party`, 32 bytes. Uses up `nonces`. Treats `share` (the encoded,
   * untweaked share) and the nonces as secret.
   * @throws threshold/nonce-used; threshold/nonce-mismatch where the session holds another
   * commitment of this party, before the nonces are touched
   */
  sign(party: PartyId, share: Secret<Uint8Array>, nonces: SigningNonces): Uint8Array {
    const { group } = this.#key.suite
    const { commitment, bindingFactor } = this.#contribution(party)
    if (!equalBytes(commitment.encoded, nonces.commitment.encoded))
      throw new Fault('threshold/nonce-mismatch')
    const secret = this.#key.secretShare(group.decodeScalar(share.expose()))
    const { hiding, binding } = nonces.take()
    const nonce = mod(hiding + bindingFactor * binding, group.order)
    const factor = mod(this.#challenge * this.#signers.lambda(party), group.order)
    const z = group.encodeScalar(
      (this.#usesNegative ? group.order - nonce : nonce) + factor * secret,
    )
    this.#validShares.set(party, z.slice())
    return z
  }

  /**
   * Whether these bytes are the signature share of `party`: zᵢ·G = ±Rᵢ + c·λᵢ·Yᵢ. One that `sign` of
   * this very object made is taken to be right, unless `aggregate` finds that the signature is not.
   */
  isValidShare(party: PartyId, share: Uint8Array): boolean {
    const known = this.#validShares.get(party)
    if (known !== undefined && equalBytes(known, share)) return true
    const isValid = this.#fits(party, share)
    if (isValid) this.#validShares.set(party, share.slice())
    return isValid
  }

  #fits(party: PartyId, share: Uint8Array): boolean {
    const { group } = this.#key.suite
    const z = this.#parseShare(share)
    if (z === undefined) return false
    const { element } = this.#contribution(party)
    const factor = mod(this.#challenge * this.#signers.lambda(party), group.order)
    const fromKey = group.mul(factor, this.#key.verifyingShare(party))
    const fromNonce = this.#usesNegative ? group.negate(element) : element
    return group.equals(group.mulBase(z), group.add(fromNonce, fromKey))
  }

  /** Every party whose share is wrong, in ascending order. @throws threshold/bad-parameters where one is missing */
  cheaters(shares: ReadonlyMap<PartyId, Uint8Array>): readonly PartyId[] {
    return this.#signers.parties.filter(
      (party) => !this.isValidShare(party, shareOf(shares, party)),
    )
  }

  /**
   * The signature, 64 bytes, from one share of each signer. Checks every share, and the signature
   * before it is returned. @throws Abort threshold/invalid-share that names everyone whose share is
   * wrong; threshold/bad-parameters where one is missing
   */
  aggregate(shares: ReadonlyMap<PartyId, Uint8Array>): Uint8Array {
    this.#refuseCheaters(shares)
    const signature = this.sumUp(shares)
    if (signature !== undefined) return signature
    this.#refuseCheaters(shares)
    return bug('valid shares gave a signature that does not verify')
  }

  /**
   * The same without a look at single shares: `undefined` where what they add up to does not verify, and
   * from then on no share is taken to be right unseen. @throws threshold/bad-parameters where one is missing
   */
  sumUp(shares: ReadonlyMap<PartyId, Uint8Array>): Uint8Array | undefined {
    const { suite } = this.#key
    const { group } = suite
    let z = 0n
    for (const party of this.#signers.parties) {
      const share = this.#parseShare(shareOf(shares, party))
      if (share === undefined) return undefined
      z += share
    }
    const signature = concatBytes(suite.encodePublic(this.#groupCommitment), group.encodeScalar(z))
    if (isSignature(this.#key, this.#message, signature)) return signature
    // This party's own was not looked at yet.
    this.#validShares.clear()
    return undefined
  }

  #refuseCheaters(shares: ReadonlyMap<PartyId, Uint8Array>): void {
    const culprits = this.cheaters(shares)
    if (culprits.length > 0) throw new Abort('threshold/invalid-share', { culprits })
  }

  #contribution(party: PartyId): Contribution {
    const contribution = this.#contributions.get(party)
    if (contribution === undefined)
      throw new Fault('threshold/bad-parameters', {
        detail: `party ${party} does not sign in this session`,
      })
    return contribution
  }

  #parseShare(share: Uint8Array): bigint | undefined {
    try {
      return this.#key.suite.group.decodeScalar(share)
    } catch (error) {
      if (isFault(error, 'math/bad-scalar')) return undefined
      throw error
    }
  }
}

function shareOf(shares: ReadonlyMap<PartyId, Uint8Array>, party: PartyId): Uint8Array {
  const share = shares.get(party)
  if (share === undefined)
    throw new Fault('threshold/bad-parameters', { detail: `no signature share of party ${party}` })
  return share
}

/** z·G = R + c·Q, from the bytes alone. The key's group does the work, so a fast backend serves here too. */
function isSignature(
  { suite, element }: SigningKey,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { group } = suite
  if (suite.isVouchedFor?.(suite.encodePublic(element), message, signature)) return true
  const R = suite.decodePublic(signature.subarray(0, 32))
  const z = group.decodeScalar(signature.subarray(32))
  const c = challenge(suite, R, element, message)
  return group.equals(group.mulBase(z), group.add(R, group.mul(c, element)))
}
