/** The prime-order subgroup of edwards25519 (RFC 8032 §5.1), with canonical encodings only. */
import { ed25519 as noble } from '@noble/curves/ed25519.js'
import { fromHex } from '@quorate/base'
import { type Curve, CurveGroup } from './curve.ts'
import type { Group } from './group.ts'

type Point = InstanceType<typeof noble.Point>

const curve: Curve<Point> = {
  name: 'ed25519',
  elementLength: 32,
  Point: noble.Point,
  scalarOrder: 'little-endian',
  decode(encoded) {
    const point = noble.Point.fromBytes(encoded)
    if (!point.isTorsionFree()) throw new Error('outside the prime-order subgroup')
    return point
  },
  toRaw: (point) => point.toBytes(),
  fromRaw: (raw) => noble.Point.fromBytes(raw),
  compress: (raw) => raw.slice(),
  negateRaw(raw) {
    // The sign bit of x; x ≠ 0 for every element but the identity.
    const negated = raw.slice()
    negated[31]! ^= 0x80
    return negated
  },
  invalid: [
    fromHex(`01${'00'.repeat(31)}`), // the identity
    fromHex(`01${'00'.repeat(30)}80`), // the identity with a sign bit
    fromHex(`ec${'ff'.repeat(30)}7f`), // order 2
    fromHex('00'.repeat(32)), // order 4
    fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'), // order 8
    fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'), // order 8
    noble.Point.BASE.add(
      noble.Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
    ).toBytes(), // order 8q
    fromHex(`02${'00'.repeat(31)}`), // not on the curve
    fromHex(`f0${'ff'.repeat(30)}7f`), // y = p + 3, and 3 is on the curve
  ],
}

export const ed25519: Group = new CurveGroup(curve)
