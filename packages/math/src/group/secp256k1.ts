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
  // ECDSA over a digest: RFC 6979 with the key 1 over SHA-256 of "Satoshi Nakamoto" (trezor-crypto, test_rfc6979).
  signed: {
    publicKey: fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'),
    message: fromHex('a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e'),
    signature: fromHex(
      '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8' +
        '2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
    ),
  },
}

const group = new CurveGroup(curve)
export const secp256k1: Group = group

/**
 * Whether the backend that serves `secp256k1` vouches for an ECDSA signature r ‖ s over a digest of 32 bytes: true
 * only where it verifies under the compressed key and s is in the lower half of the order. False says nothing,
 * and whoever gets it verifies for itself. Variable-time: public inputs only.
 */
export const isEcdsaVouchedFor = (
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean =>
  publicKey.length === 33 &&
  digest.length === 32 &&
  signature.length === 64 &&
  group.isVouchedFor(publicKey, digest, signature)

/** The uncompressed encoding, 65 bytes (SEC 1, §2.3.3). @throws math/identity for the identity */
export const encodeUncompressed = (e: Element): Uint8Array => group.encodeRaw(e)

/** Whether the y coordinate of an element of secp256k1 is even. @throws math/identity for the identity */
export const hasEvenY = (e: Element): boolean => secp256k1.encode(e)[0] === 2

/** The x coordinate of an element of secp256k1, 32 bytes. @throws math/identity for the identity */
export const encodeX = (e: Element): Uint8Array => secp256k1.encode(e).slice(1)

/** The element with this x coordinate (32 bytes) and an even y: lift_x of BIP-340. @throws math/bad-element */
export function decodeX(bytes: Uint8Array): Element {
  if (bytes.length !== 32) throw new Fault('math/bad-element', { detail: 'wrong length' })
  return secp256k1.decode(concatBytes(Uint8Array.of(2), bytes))
}
