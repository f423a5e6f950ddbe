/** The group secp256k1 (SEC 2 §2.4.1), and the x-only view of its elements that BIP-340 signs with. */
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { concatBytes, Fault, fromHex } from '@quorate/base'
import { fromBytesBe, toBytesBe } from '../field.ts'
import { type Curve, CurveGroup } from './curve.ts'
import type { Element, Group } from './group.ts'

type Point = InstanceType<typeof noble.Point>

const fieldOrder = noble.Point.Fp.ORDER

const curve: Curve<Point> = {
  name: 'secp256k1',
  elementLength: 33,
  Point: noble.Point,
  scalarOrder: 'big-endian',
  decode: (encoded) => noble.Point.fromBytes(encoded),
  toRaw: (point) => point.toBytes(false),
  fromRaw: (raw) =>
    noble.Point.fromAffine({
      x: fromBytesBe(raw.subarray(1, 33)),
      y: fromBytesBe(raw.subarray(33)),
    }),
  compress: (raw) => concatBytes(Uint8Array.of(2 + (raw[64]! & 1)), raw.subarray(1, 33)),
  negateRaw: (raw) =>
    concatBytes(raw.subarray(0, 33), toBytesBe(fieldOrder - fromBytesBe(raw.subarray(33)))),
  invalid: [
    new Uint8Array(33), // SEC 1's identity, padded
    fromHex(`02${'00'.repeat(31)}05`), // not on the curve: 5³ + 7 is no square
    fromHex('02fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30'), // x = p + 1, and 1 is on the curve
    fromHex('0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'), // unknown form byte
    fromHex('0679be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'), // hybrid form byte
    fromHex('0079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'),
  ],
}

export const secp256k1: Group = new CurveGroup(curve)

/** Whether the y coordinate of an element of secp256k1 is even. @throws math/identity for the identity */
export const hasEvenY = (e: Element): boolean => secp256k1.encode(e)[0] === 2

/** The x coordinate of an element of secp256k1, 32 bytes. @throws math/identity for the identity */
export const encodeX = (e: Element): Uint8Array => secp256k1.encode(e).slice(1)

/** The element with this x coordinate (32 bytes) and an even y: lift_x of BIP-340. @throws math/bad-element */
export function decodeX(bytes: Uint8Array): Element {
  if (bytes.length !== 32) throw new Fault('math/bad-element', { detail: 'wrong length' })
  return secp256k1.decode(concatBytes(Uint8Array.of(2), bytes))
}
