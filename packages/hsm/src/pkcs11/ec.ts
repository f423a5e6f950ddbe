/**
 * Curves in the forms that tokens use: CKA_EC_PARAMS (SEC 1 OIDs; for Ed25519 the OID of RFC 8410,
 * the PrintableString of PKCS#11 3.0 or GnuPG's OID), CKA_EC_POINT (raw, DER OCTET STRING, or the BIT
 * STRING of PKCS#11 3.0 drafts), and ECDSA signatures (raw or DER).
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes, equalBytes, Fault, fromHex } from '@quorate/base'
import type { EcdsaAlgorithm } from '../ecdsa.ts'
import { DeviceFault } from '../errors.ts'
import type { SigningAlgorithm } from '../provider.ts'

/** `printable`: the string "edwards25519"; `gnu`: 1.3.6.1.4.1.11591.15.1. Only Ed25519 has more than `oid`. */
export type ParamsForm = 'oid' | 'printable' | 'gnu'

const PARAMS: { readonly [A in SigningAlgorithm]: { readonly [F in ParamsForm]?: Uint8Array } } = {
  p256: { oid: fromHex('06082a8648ce3d030107') },
  secp256k1: { oid: fromHex('06052b8104000a') },
  ed25519: {
    oid: fromHex('06032b6570'),
    printable: fromHex('130c656477617264733235353139'),
    gnu: fromHex('06092b06010401da470f01'),
  },
}

/** CKA_EC_PARAMS of the algorithm's curve in each of the forms that it has, in the order of `forms`. */
export function ecParams(
  algorithm: SigningAlgorithm,
  forms: readonly ParamsForm[],
): readonly Uint8Array[] {
  const { oid, ...others } = PARAMS[algorithm]
  if (algorithm !== 'ed25519') return oid === undefined ? [] : [oid]
  return forms.flatMap((form) => (form === 'oid' ? oid : others[form]) ?? [])
}

/** The algorithm whose curve these CKA_EC_PARAMS name; undefined for other curves. */
export function algorithmOfParams(params: Uint8Array): SigningAlgorithm | undefined {
  const found = Object.entries(PARAMS).find(([, forms]) =>
    Object.values(forms).some((each) => equalBytes(each, params)),
  )
  return found?.[0] as SigningAlgorithm | undefined
}

const ECDSA = { p256, secp256k1 } as const

type Curve = {
  /** Lengths that a raw point may have. */
  readonly lengths: readonly number[]
  /** Compressed, after checking that it lies on the curve and is not neutral. Throws otherwise. */
  compress(point: Uint8Array): Uint8Array
}

const weierstrass = (curve: typeof p256): Curve => ({
  lengths: [33, 65],
  compress(bytes) {
    const point = curve.Point.fromBytes(bytes)
    point.assertValidity()
    return point.toBytes(true)
  },
})

const CURVES: { readonly [A in SigningAlgorithm]: Curve } = {
  p256: weierstrass(p256),
  secp256k1: weierstrass(secp256k1),
  ed25519: {
    lengths: [32],
    compress(bytes) {
      const point = ed25519.Point.fromBytes(bytes)
      if (point.isSmallOrder() || !point.isTorsionFree()) throw new Error('not of prime order')
      return point.toBytes()
    },
  },
}

/**
 * The public key of CKA_EC_POINT in the form of `KeyInfo.publicKey`, checked to be a point of
 * the curve. The form is told by length, which no two of them share.
 * @throws hsm/object-damaged
 */
export function publicKeyOfPoint(algorithm: SigningAlgorithm, ecPoint: Uint8Array): Uint8Array {
  const { lengths, compress } = CURVES[algorithm]
  const raw = lengths
    .map((length) => contentOf(ecPoint, length))
    .find((found) => found !== undefined)
  try {
    if (raw !== undefined) return compress(raw)
  } catch {
    // The reason is of no use to anybody: the token gave a point that is none.
  }
  throw new DeviceFault('hsm/object-damaged', { detail: 'CKA_EC_POINT is no point of the curve' })
}

function contentOf(value: Uint8Array, length: number): Uint8Array | undefined {
  if (value.length === length) return value
  for (const prefix of [Uint8Array.of(0x04, length), Uint8Array.of(0x03, length + 1, 0)])
    if (
      value.length === prefix.length + length &&
      equalBytes(value.subarray(0, prefix.length), prefix)
    )
      return value.subarray(prefix.length)
  return undefined
}

/** CKA_EC_POINT of a public key, as PKCS#11 2.40 demands it: uncompressed, in a DER OCTET STRING. */
export function pointOfPublicKey(algorithm: SigningAlgorithm, publicKey: Uint8Array): Uint8Array {
  const raw =
    algorithm === 'ed25519' ? publicKey : ECDSA[algorithm].Point.fromBytes(publicKey).toBytes(false)
  return concatBytes(Uint8Array.of(0x04, raw.length), raw)
}

/** The public key of a seed or scalar of 32 bytes. Treats `secret` as secret. @throws hsm/bad-argument */
export function publicKeyOfSecret(algorithm: SigningAlgorithm, secret: Uint8Array): Uint8Array {
  try {
    if (algorithm === 'ed25519') return ed25519.getPublicKey(secret)
    return ECDSA[algorithm].getPublicKey(secret, true)
  } catch {
    throw new Fault('hsm/bad-argument', { detail: 'that is no private key of this algorithm' })
  }
}

/** r ‖ s, 32 bytes each, of what CKM_ECDSA gave: raw, or DER as some tokens do. @throws hsm/object-damaged */
export function rawSignature(algorithm: EcdsaAlgorithm, signature: Uint8Array): Uint8Array {
  if (signature.length === 64) return signature
  try {
    return ECDSA[algorithm].Signature.fromBytes(signature, 'der').toBytes('compact')
  } catch {
    throw new DeviceFault('hsm/object-damaged', {
      detail: `a signature of ${signature.length} bytes in no known form`,
    })
  }
}
