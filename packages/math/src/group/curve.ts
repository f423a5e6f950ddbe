/**
 * A `Group` over a curve of @noble/curves, with room for one faster `PointBackend`.
 *
 * An element holds its raw encoding, its noble point, or both, and makes the missing one when an
 * operation needs it. So no element depends on the backend that made it, and installing a backend
 * changes the speed of later operations and nothing else.
 */
import { type CurvePoint, type CurvePointCons, mulAddUnsafe } from '@noble/curves/abstract/curve.js'
import { bug, equalBytes, Fault, type Random, wipe } from '@quorate/base'
import { fromBytesBe, fromBytesLe, mod, toBytesBe } from '../field.ts'
import type { Element, Group, PointBackend, SignedSample } from './group.ts'

/** What differs between the curves. Raw encodings are those of `PointBackend`, never of the identity. */
export type Curve<P extends CurvePoint<bigint, P>> = {
  readonly name: Group['name']
  readonly elementLength: Group['elementLength']
  readonly Point: CurvePointCons<P>
  readonly scalarOrder: 'big-endian' | 'little-endian'
  /** The point of a compressed encoding, with every check of `Group.decode` but that for the identity. Throws anything. */
  decode(encoded: Uint8Array): P
  toRaw(point: P): Uint8Array
  /** Trusts its argument. */
  fromRaw(raw: Uint8Array): P
  compress(raw: Uint8Array): Uint8Array
  /** The raw encoding of −P. */
  negateRaw(raw: Uint8Array): Uint8Array
  /** Encodings that `Group.decode` must refuse, one for each of its reasons. */
  readonly invalid: readonly Uint8Array[]
  /** Where a backend may verify signatures. */
  readonly signed?: SignedSample
}

class CurveElement<P> {
  readonly owner: object
  /** Never set for the identity. */
  raw: Uint8Array | undefined
  point: P | undefined

  constructor(owner: object, raw: Uint8Array | undefined, point: P | undefined) {
    this.owner = owner
    this.raw = raw
    this.point = point
  }
}

/** Multipliers up to this one, such as party indices, are cheapest by plain doubling and adding. */
const SMALL = 255n

/** k·P for k ≥ 1. Variable-time: public inputs only. */
function doubleAndAdd<P extends CurvePoint<bigint, P>>(point: P, k: bigint): P {
  let result = point
  for (const bit of k.toString(2).slice(1)) {
    result = result.double()
    if (bit === '1') result = result.add(point)
  }
  return result
}

/** The backend that supplies nothing, so that noble does everything. */
export const NOBLE: PointBackend = { name: 'noble' }

export class CurveGroup<P extends CurvePoint<bigint, P>> implements Group {
  readonly name: Group['name']
  readonly order: bigint
  readonly scalarLength = 32
  readonly elementLength: Group['elementLength']
  readonly generator: Element
  readonly identity: Element
  readonly #curve: Curve<P>
  #backend: PointBackend = NOBLE

  constructor(curve: Curve<P>) {
    this.#curve = curve
    this.name = curve.name
    this.order = curve.Point.Fn.ORDER
    this.elementLength = curve.elementLength
    this.generator = this.#fromPoint(curve.Point.BASE)
    this.identity = this.#fromPoint(curve.Point.ZERO)
  }

  get backendName(): string {
    return this.#backend.name
  }

  /** Uses `backend` from now on, unchecked: `installBackend` checks first. */
  useBackend(backend: PointBackend): void {
    this.#backend = backend
  }

  /** A separate group over the same curve, served by `backend`. */
  withBackend(backend: PointBackend): CurveGroup<P> {
    const group = new CurveGroup(this.#curve)
    group.useBackend(backend)
    return group
  }

  /** Encodings that `decode` must refuse, one for each of its reasons. */
  get invalidEncodings(): readonly Uint8Array[] {
    return this.#curve.invalid
  }

  get signedSample(): SignedSample | undefined {
    return this.#curve.signed
  }

  /** Whether the backend vouches for a signature; false where it does not, or verifies none. */
  isVouchedFor(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    return this.#backend.verifies?.(publicKey, message, signature) === true
  }

  encodeScalar(k: bigint): Uint8Array {
    const bytes = toBytesBe(mod(k, this.order))
    return this.#curve.scalarOrder === 'big-endian' ? bytes : bytes.reverse()
  }

  decodeScalar(bytes: Uint8Array): bigint {
    const k = bytes.length === 32 ? this.#toNumber(bytes) : this.order
    if (k >= this.order) throw new Fault('math/bad-scalar')
    return k
  }

  randomScalar(random: Random): bigint {
    // Candidates have as many bits as q, so that at least half of them are accepted.
    const excess = 256n - BigInt(this.order.toString(2).length)
    for (;;) {
      const bytes = random.bytes(32)
      const k = fromBytesBe(bytes) >> excess
      wipe(bytes)
      if (k !== 0n && k < this.order) return k
    }
  }

  mulBase(k: bigint): Element {
    const scalar = mod(k, this.order)
    if (scalar === 0n) return this.identity
    const { mulBase } = this.#backend
    if (mulBase === undefined) return this.#fromPoint(this.#curve.Point.BASE.multiply(scalar))
    return this.#withBytes(scalar, (bytes) => this.#fromRaw(mulBase(bytes)))
  }

  mulSecret(k: bigint, e: Element): Element {
    const scalar = mod(k, this.order)
    if (scalar === 0n || this.isIdentity(e)) return this.identity
    const { mulSecret } = this.#backend
    if (mulSecret === undefined) return this.#fromPoint(this.#pointOf(e).multiply(scalar))
    return this.#withBytes(scalar, (bytes) => this.#fromRaw(mulSecret(bytes, this.#rawOf(e))))
  }

  mul(k: bigint, e: Element): Element {
    const scalar = mod(k, this.order)
    if (scalar === 0n || this.isIdentity(e)) return this.identity
    if (scalar === 1n) return e
    if (scalar <= SMALL) return this.#fromPoint(doubleAndAdd(this.#pointOf(e), scalar))
    const { mul } = this.#backend
    if (mul === undefined) return this.#fromPoint(this.#pointOf(e).multiplyUnsafe(scalar))
    return this.#fromRaw(mul(this.encodeScalar(scalar), this.#rawOf(e)))
  }

  msm(scalars: readonly bigint[], elements: readonly Element[]): Element {
    if (scalars.length !== elements.length) throw new Fault('math/bad-length')
    if (this.#backend.mul !== undefined)
      return this.sum(elements.map((e, i) => this.mul(scalars[i]!, e)))
    const reduced = scalars.map((k) => mod(k, this.order))
    const points = elements.map((e) => this.#pointOf(e))
    return this.#fromPoint(mulAddUnsafe(this.#curve.Point, points, reduced))
  }

  add(a: Element, b: Element): Element {
    if (this.isIdentity(a)) return b
    if (this.isIdentity(b)) return a
    const [x, y] = [this.#own(a), this.#own(b)]
    const { add } = this.#backend
    // Between two points that noble already has, its addition is the fastest of all.
    if (add === undefined || (x.point !== undefined && y.point !== undefined))
      return this.#fromPoint(this.#pointOf(a).add(this.#pointOf(b)))
    const raw = add(this.#rawOf(a), this.#rawOf(b))
    return raw === undefined ? this.identity : this.#fromRaw(raw)
  }

  negate(e: Element): Element {
    const { raw, point } = this.#own(e)
    if (point !== undefined) return this.#fromPoint(point.negate())
    return this.#fromRaw(this.#curve.negateRaw(raw ?? bug('an element without a value')))
  }

  sum(elements: readonly Element[]): Element {
    return elements.reduce((total, e) => this.add(total, e), this.identity)
  }

  equals(a: Element, b: Element): boolean {
    const [x, y] = [this.#own(a), this.#own(b)]
    if (x.point !== undefined && y.point !== undefined) return x.point.equals(y.point)
    if (this.isIdentity(a) || this.isIdentity(b)) return this.isIdentity(a) && this.isIdentity(b)
    return equalBytes(this.#rawOf(a), this.#rawOf(b))
  }

  isIdentity(e: Element): boolean {
    const { raw, point } = this.#own(e)
    return raw === undefined && point !== undefined && point.is0()
  }

  encode(e: Element): Uint8Array {
    if (this.isIdentity(e)) throw new Fault('math/identity')
    return this.#curve.compress(this.#rawOf(e))
  }

  /** The raw encoding of the curve, a fresh array. @throws math/identity for the identity */
  encodeRaw(e: Element): Uint8Array {
    if (this.isIdentity(e)) throw new Fault('math/identity')
    return this.#rawOf(e).slice()
  }

  decode(bytes: Uint8Array): Element {
    if (bytes.length !== this.elementLength)
      throw new Fault('math/bad-element', { detail: 'wrong length' })
    const { decode } = this.#backend
    if (decode !== undefined) {
      const raw = decode(bytes)
      if (raw === undefined) throw new Fault('math/bad-element')
      return this.#fromRaw(raw)
    }
    const point = this.#decodeByNoble(bytes)
    if (point === undefined || point.is0()) throw new Fault('math/bad-element')
    return this.#fromPoint(point)
  }

  #decodeByNoble(bytes: Uint8Array): P | undefined {
    try {
      return this.#curve.decode(bytes)
    } catch {
      // noble's message may quote the bytes, which a peer chose.
      return undefined
    }
  }

  #withBytes(scalar: bigint, use: (bytes: Uint8Array) => Element): Element {
    const bytes = this.encodeScalar(scalar)
    try {
      return use(bytes)
    } finally {
      wipe(bytes)
    }
  }

  #toNumber(bytes: Uint8Array): bigint {
    return this.#curve.scalarOrder === 'big-endian' ? fromBytesBe(bytes) : fromBytesLe(bytes)
  }

  #fromPoint(point: P): Element {
    return new CurveElement<P>(this, undefined, point) as object as Element
  }

  #fromRaw(raw: Uint8Array): Element {
    return new CurveElement<P>(this, raw, undefined) as object as Element
  }

  #own(e: Element): CurveElement<P> {
    const own = e as object
    if (!(own instanceof CurveElement) || own.owner !== this)
      throw new Fault('math/bad-element', { detail: 'it belongs to another group' })
    return own as CurveElement<P>
  }

  #pointOf(e: Element): P {
    const own = this.#own(e)
    own.point ??= this.#curve.fromRaw(own.raw ?? bug('an element without a value'))
    return own.point
  }

  #rawOf(e: Element): Uint8Array {
    const own = this.#own(e)
    own.raw ??= this.#curve.toRaw(own.point ?? bug('an element without a value'))
    return own.raw
  }
}
