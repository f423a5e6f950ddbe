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
  // RFC 8032, section 7.1, test 2.
  signed: {
    publicKey: fromHex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'),
    message: fromHex('72'),
    signature: fromHex(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ),
  },
}

const group = new CurveGroup(curve)
export const ed25519: Group = group

/**
 * Whether the backend that serves `ed25519` vouches for an Ed25519 signature: true only for one that every
 * verifier of RFC 8032 takes. False says nothing, and whoever gets it verifies by its own rules, so that a
 * backend makes the check faster and never another one. Variable-time: public inputs only.
 */
export const isVouchedFor = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean =>
  publicKey.length === 32 &&
  signature.length === 64 &&
  group.isVouchedFor(publicKey, message, signature)
