/**
 * The two nonces of a signer and the commitment to them (RFC 9591, sections 4.1 and 5.1).
 * Two signatures with one pair of nonces give the share away, so a pair can be taken once.
 */
import { concatBytes, Fault, type Random, Secret, wipe } from '@quorate/base'
import { type Element, mod } from '@quorate/math'
import type { FrostSuite } from './suite.ts'

export type NonceCommitment = {
  /** D = d·G. */
  readonly hiding: Element
  /** E = e·G. */
  readonly binding: Element
  /** encode(D) ‖ encode(E). */
  readonly encoded: Uint8Array
}

export const nonceCommitmentLength = ({ group }: FrostSuite): number => 2 * group.elementLength

/** The commitment of exactly these bytes. @throws math/bad-element for anything but two valid elements */
export function decodeNonceCommitment(suite: FrostSuite, bytes: Uint8Array): NonceCommitment {
  const { group } = suite
  return {
    hiding: group.decode(bytes.subarray(0, group.elementLength)),
    binding: group.decode(bytes.subarray(group.elementLength)),
    encoded: bytes.slice(),
  }
}

export class SigningNonces {
  readonly commitment: NonceCommitment
  /** encode(d) ‖ encode(e). */
  readonly #scalars: Secret<Uint8Array>
  readonly #suite: FrostSuite

  /** Takes over `scalars` (64 bytes) and wipes them later. */
  constructor(suite: FrostSuite, scalars: Uint8Array) {
    const { group } = suite
    const hiding = group.mulBase(group.decodeScalar(scalars.subarray(0, 32)))
    const binding = group.mulBase(group.decodeScalar(scalars.subarray(32)))
    this.commitment = {
      hiding,
      binding,
      encoded: concatBytes(group.encode(hiding), group.encode(binding)),
    }
    this.#scalars = new Secret(scalars)
    this.#suite = suite
  }

  get isUsed(): boolean {
    return this.#scalars.isWiped
  }

  /** d and e, once: they are wiped here. @throws threshold/nonce-used */
  take(): { readonly hiding: bigint; readonly binding: bigint } {
    if (this.isUsed) throw new Fault('threshold/nonce-used')
    const { group } = this.#suite
    const scalars = this.#scalars.expose()
    const hiding = group.decodeScalar(scalars.subarray(0, 32))
    const binding = group.decodeScalar(scalars.subarray(32))
    this[Symbol.dispose]()
    return { hiding, binding }
  }

  /**
   * D + ρ·E, as (d + ρ·e)·G: the same element that everybody computes from the commitment, at a quarter of
   * the cost. Treats the nonces as secret. @throws threshold/nonce-used
   */
  boundBy(bindingFactor: bigint): Element {
    if (this.isUsed) throw new Fault('threshold/nonce-used')
    const { group } = this.#suite
    const scalars = this.#scalars.expose()
    const hiding = group.decodeScalar(scalars.subarray(0, 32))
    const binding = group.decodeScalar(scalars.subarray(32))
    return group.mulBase(mod(hiding + bindingFactor * binding, group.order))
  }

  [Symbol.dispose](): void {
    this.#scalars[Symbol.dispose]()
  }
}

/**
 * Fresh nonces for the holder of `share` (32 bytes, encoded scalar), by nonce_generate of RFC 9591:
 * H3(random ‖ share), so that a weak source of randomness alone does not repeat them.
 * Treats the share as secret.
 */
export function commit(
  suite: FrostSuite,
  share: Secret<Uint8Array>,
  random: Random,
): SigningNonces {
  const draw = (): Uint8Array => {
    const fresh = random.bytes(32)
    const input = concatBytes(fresh, share.expose())
    const nonce = suite.group.encodeScalar(suite.H3(input))
    wipe(fresh, input)
    return nonce
  }
  const [hiding, binding] = [draw(), draw()]
  const scalars = concatBytes(hiding, binding)
  wipe(hiding, binding)
  return new SigningNonces(suite, scalars)
}
