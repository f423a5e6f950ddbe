/** Public keys as the device exports them, and which curve they are on: the device does not say. */
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes } from '@quorate/base'
import type { EcdsaAlgorithm } from '../ecdsa.ts'

const CURVES = { p256, secp256k1 } as const
const UNCOMPRESSED = Uint8Array.of(4)

/**
 * Curve and compressed form (33 bytes) of x ‖ y, with or without a prefix; `undefined` for what is on neither curve.
 * No point is on both, but for one in 2^256. Variable-time: public inputs only.
 */
export function pointOf(
  exported: Uint8Array,
): { readonly algorithm: EcdsaAlgorithm; readonly publicKey: Uint8Array } | undefined {
  const encoded = exported.length === 64 ? concatBytes(UNCOMPRESSED, exported) : exported
  if (encoded.length !== 65) return undefined
  for (const algorithm of ['p256', 'secp256k1'] as const)
    try {
      return { algorithm, publicKey: CURVES[algorithm].Point.fromBytes(encoded).toBytes(true) }
    } catch {
      // Not on this one.
    }
  return undefined
}
