/** The public side of a shared key, and the key that a list of tweaks makes of it. */
import { Fault, toHex } from '@quorate/base'
import { type Element, mod } from '@quorate/math'
import type { PartyId } from '../../session/party.ts'
import type { FrostSuite } from '../suite.ts'
import type { Tweak } from '../tweak.ts'

/** What all parties know of a shared key. Nothing here is tweaked. */
export type GroupKey = {
  readonly suite: FrostSuite
  readonly threshold: number
  /** P = s·G. */
  readonly groupKey: Element
  /** Yᵢ = sᵢ·G. */
  readonly verifyingShares: ReadonlyMap<PartyId, Element>
}

/**
 * The key Q that signatures verify under: P moved by each tweak in turn, on the side that the
 * scheme signs with. All in all Q = a·P + b·G with a = ±1, and because Lagrange coefficients add
 * up to 1, the shares move alike: a·sᵢ + b.
 */
export class SigningKey {
  readonly group: GroupKey
  readonly suite: FrostSuite
  /** Q, with `usesNegative(Q)` false. */
  readonly element: Element
  /** Q as the scheme encodes it, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly #isNegated: boolean
  /** b and b·G. */
  readonly #offset: bigint
  readonly #offsetElement: Element
  readonly #verifyingShares = new Map<PartyId, Element>()

  /** @throws threshold/unsupported-tweak, threshold/bad-tweak; math/identity for a key that no scheme allows */
  constructor(key: GroupKey, tweaks: readonly Tweak[] = []) {
    const { suite, groupKey } = key
    const { group } = suite
    let [element, isNegated, offset, offsetElement] = [groupKey, false, 0n, group.identity]
    const normalize = (): void => {
      if (!suite.usesNegative(element)) return
      element = group.negate(element)
      isNegated = !isNegated
      offset = mod(-offset, group.order)
      offsetElement = group.negate(offsetElement)
    }
    normalize()
    for (const tweak of tweaks) {
      const t = suite.tweakScalar(element, tweak)
      const moved = group.mulBase(t)
      element = group.add(element, moved)
      offset = mod(offset + t, group.order)
      offsetElement = group.add(offsetElement, moved)
      normalize()
    }
    this.group = key
    this.suite = suite
    this.element = element
    this.publicKey = suite.encodePublic(element)
    this.#isNegated = isNegated
    this.#offset = offset
    this.#offsetElement = offsetElement
  }

  /** a·sᵢ + b for a share sᵢ of the untweaked key. Treats the share as secret. */
  secretShare(share: bigint): bigint {
    const { order } = this.suite.group
    return mod((this.#isNegated ? order - share : share) + this.#offset, order)
  }

  /** a·Yᵢ + b·G. @throws threshold/bad-parameters for a party that has no share */
  verifyingShare(party: PartyId): Element {
    const known = this.#verifyingShares.get(party)
    if (known !== undefined) return known
    const { group } = this.suite
    const share = this.group.verifyingShares.get(party)
    if (share === undefined)
      throw new Fault('threshold/bad-parameters', {
        detail: `party ${party} holds no share of this key`,
      })
    const moved = group.add(this.#isNegated ? group.negate(share) : share, this.#offsetElement)
    this.#verifyingShares.set(party, moved)
    return moved
  }
}

/** Most forms of one key that are kept; a wallet rarely has more than one. */
const KEPT = 8
const NO_ROOT = new Uint8Array()
const kept = new WeakMap<GroupKey, Map<string, SigningKey>>()

/** The `SigningKey` of `key` under `tweaks`, computed once while `key` is in use. Throws as the constructor does. */
export function signingKey(key: GroupKey, tweaks: readonly Tweak[] = []): SigningKey {
  const forms = kept.get(key) ?? new Map<string, SigningKey>()
  kept.set(key, forms)
  const name = tweaks
    .map(({ kind, merkleRoot }) => `${kind}:${toHex(merkleRoot ?? NO_ROOT)}`)
    .join()
  const known = forms.get(name)
  if (known !== undefined) return known
  const made = new SigningKey(key, tweaks)
  const [oldest] = forms.keys()
  if (forms.size === KEPT && oldest !== undefined) forms.delete(oldest)
  forms.set(name, made)
  return made
}
