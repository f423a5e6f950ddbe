/**
 * Repair of one lost share by t or more others, none of whom learns it or shows its own
 * (Laing–Stinson 2018, eprint 2017/1155, section 4: the "relative" scheme with t helpers).
 *
 *   1  broadcast  Δᵢⱼ = δᵢⱼ·G for all helpers j       every helper i
 *      direct     δᵢⱼ, with Σⱼ δᵢⱼ = λᵢ·sᵢ            every helper i to every other helper j
 *   2  direct     σⱼ = Σᵢ δᵢⱼ                          every helper j to the repaired party r
 *
 * where λᵢ interpolates at r, so s_r = Σⱼ σⱼ. The paper has no commitments Δ; with them every wrong value
 * names its sender: Σⱼ Δᵢⱼ = λᵢ·Yᵢ shows that i deals its own share, δᵢⱼ·G = Δᵢⱼ that it sends what it
 * dealt, σⱼ·G = Σᵢ Δᵢⱼ that j adds up rightly. A repaired share is accepted only if it fits its verifying share.
 */
import {
  array,
  bytes,
  type Codec,
  Fault,
  isFault,
  mapped,
  type Random,
  Secret,
} from '@quorate/base'
import { type Element, type Group, lagrangeCoefficients, mod } from '@quorate/math'
import { Abort } from '../session/abort.ts'
import { MAX_PARTIES, type PartyId } from '../session/party.ts'
import {
  done,
  type Inlet,
  inlet,
  next,
  type Round,
  type Step,
  toAll,
  toEach,
} from '../session/round.ts'
import type { GroupKey } from './sign/key.ts'

export type RepairSession = {
  readonly key: GroupKey
  /** At least t parties with shares, ascending. */
  readonly helpers: readonly PartyId[]
  /** The party whose share is lost; not among the helpers. */
  readonly repaired: PartyId
}

/** λ of each helper at the repaired party's index. @throws threshold/bad-parameters */
function coefficientsOf({ key, helpers, repaired }: RepairSession): readonly bigint[] {
  const isAscending = helpers.every((each, i) => i === 0 || helpers[i - 1]! < each)
  const areKnown = [...helpers, repaired].every((each) => key.verifyingShares.has(each))
  if (!isAscending || !areKnown || helpers.includes(repaired) || helpers.length < key.threshold)
    throw new Fault('threshold/bad-parameters', {
      detail: 'a repair needs t helpers with shares, without the repaired party',
    })
  return lagrangeCoefficients(helpers.map(BigInt), key.suite.group.order, BigInt(repaired))
}

/** `total` as a sum of `count` scalars, all but the last of which are random. Treats all as secret. */
export function splitAdditively(
  group: Group,
  total: bigint,
  count: number,
  random: Random,
): readonly bigint[] {
  const parts = Array.from({ length: count - 1 }, () => group.randomScalar(random))
  return [...parts, mod(total - addScalars(group, parts), group.order)]
}

/** Treats the scalars as secret. */
export const addScalars = (group: Group, scalars: readonly bigint[]): bigint =>
  scalars.reduce((sum, each) => mod(sum + each, group.order), 0n)

const scalarCodec = (group: Group): Codec<bigint> =>
  mapped(
    bytes(32),
    (b) => refusing(() => group.decodeScalar(b)),
    (k) => group.encodeScalar(k),
  )
const elementsCodec = (group: Group, count: number): Codec<readonly Element[]> =>
  array(
    mapped(
      bytes(group.elementLength),
      (b) => refusing(() => group.decode(b)),
      (e) => group.encode(e),
    ),
    { min: count, max: count },
  )

/** A value outside the group is malformed like any other. */
function refusing<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isFault(cause)) throw cause
    throw new Fault('base/malformed', { detail: 'not a value of the group', cause })
  }
}

const MAX_SCALAR_BYTES = 40
const MAX_ELEMENTS_BYTES: number = MAX_PARTIES * 35 + 8

const wrong = (from: PartyId, detail: string): Abort =>
  new Abort('threshold/invalid-share', { culprits: [from], detail })

/** Collects Δ of every helper and checks that each deals λᵢ·sᵢ. */
class DealtCommitments {
  readonly #session: RepairSession
  readonly #lambda: readonly bigint[]
  readonly #byHelper = new Map<PartyId, readonly Element[]>()
  readonly inlet: Inlet

  constructor(session: RepairSession) {
    this.#session = session
    this.#lambda = coefficientsOf(session)
    const codec = elementsCodec(session.key.suite.group, session.helpers.length)
    this.inlet = inlet(
      codec,
      MAX_ELEMENTS_BYTES,
      (from, elements) => this.add(from, elements),
      session.helpers,
    )
  }

  add(from: PartyId, elements: readonly Element[]): void {
    const { key, helpers } = this.#session
    const { group } = key.suite
    const dealt = group.mul(this.#lambda[helpers.indexOf(from)]!, key.verifyingShares.get(from)!)
    if (!group.equals(group.sum(elements), dealt))
      throw wrong(from, 'it deals another value than its share')
    this.#byHelper.set(from, elements)
  }

  /** Δᵢⱼ. Commitments come before direct messages, so it is there. */
  to(from: PartyId, to: PartyId): Element {
    return this.#byHelper.get(from)![this.#session.helpers.indexOf(to)]!
  }

  /** Σᵢ Δᵢⱼ */
  sumTo(helper: PartyId): Element {
    return this.#session.key.suite.group.sum(
      this.#session.helpers.map((from) => this.to(from, helper)),
    )
  }
}

/** The first step of a helper. Treats its share as secret. @throws threshold/bad-parameters; threshold/inconsistent-share for a share that is not its own */
export function beginHelping(
  session: RepairSession,
  self: PartyId,
  share: Secret<Uint8Array>,
  random: Random,
): Step<undefined> {
  const { key, helpers } = session
  const { group } = key.suite
  const lambda = coefficientsOf(session)[helpers.indexOf(self)]
  if (lambda === undefined)
    throw new Fault('threshold/bad-parameters', { detail: `party ${self} is no helper` })
  const secret = group.decodeScalar(share.expose())
  if (!group.equals(group.mulBase(secret), key.verifyingShares.get(self)!))
    throw new Fault('threshold/inconsistent-share')
  const parts = splitAdditively(group, lambda * secret, helpers.length, random)
  const commitments = parts.map((part) => group.mulBase(part))
  const others = helpers.filter((each) => each !== self)
  return next(
    new HelperRound(session, self, parts[helpers.indexOf(self)]!, commitments),
    toAll(elementsCodec(group, helpers.length), commitments),
    ...toEach(others, scalarCodec(group), (to) => parts[helpers.indexOf(to)]!),
  )
}

class HelperRound implements Round<undefined> {
  readonly number = 1
  readonly broadcast: Inlet
  readonly direct: Inlet
  readonly #session: RepairSession
  /** σ of this helper, as far as it is known. */
  #sum: bigint

  constructor(
    session: RepairSession,
    self: PartyId,
    ownPart: bigint,
    commitments: readonly Element[],
  ) {
    const { key, helpers } = session
    const { group } = key.suite
    const dealt = new DealtCommitments(session)
    dealt.add(self, commitments)
    this.#session = session
    this.#sum = ownPart
    this.broadcast = dealt.inlet
    this.direct = inlet(
      scalarCodec(group),
      MAX_SCALAR_BYTES,
      (from, part) => {
        if (!group.equals(group.mulBase(part), dealt.to(from, self)))
          throw wrong(from, 'it sent another value than it dealt')
        this.#sum = mod(this.#sum + part, group.order)
      },
      helpers,
    )
  }

  advance(): Step<undefined> {
    const { key, repaired } = this.#session
    return done(undefined, ...toEach([repaired], scalarCodec(key.suite.group), () => this.#sum))
  }

  [Symbol.dispose](): void {
    this.#sum = 0n
  }
}

/** The first step of the party whose share is repaired; the result is its share (encoded, 32 bytes). @throws threshold/bad-parameters */
export function beginRepair(session: RepairSession): Step<Secret<Uint8Array>> {
  const dealt = new DealtCommitments(session)
  return next({
    number: 1,
    broadcast: dealt.inlet,
    advance: () => next(new RepairedRound(session, dealt)),
  })
}

class RepairedRound implements Round<Secret<Uint8Array>> {
  readonly number = 2
  readonly direct: Inlet
  readonly #session: RepairSession
  #share = 0n

  constructor(session: RepairSession, dealt: DealtCommitments) {
    this.#session = session
    const { group } = session.key.suite
    this.direct = inlet(
      scalarCodec(group),
      MAX_SCALAR_BYTES,
      (from, sum) => {
        if (!group.equals(group.mulBase(sum), dealt.sumTo(from)))
          throw wrong(from, 'it did not add up what it got')
        this.#share = mod(this.#share + sum, group.order)
      },
      session.helpers,
    )
  }

  advance(): Step<Secret<Uint8Array>> {
    const { key, repaired } = this.#session
    const { group } = key.suite
    // Follows from the checks before, unless the public key material itself is wrong.
    if (!group.equals(group.mulBase(this.#share), key.verifyingShares.get(repaired)!))
      throw new Abort('threshold/invalid-share', {
        detail: 'the repaired share does not fit its verifying share',
      })
    return done(new Secret(group.encodeScalar(this.#share)))
  }

  [Symbol.dispose](): void {
    this.#share = 0n
  }
}
