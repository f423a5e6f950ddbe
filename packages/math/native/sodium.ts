/**
 * edwards25519 by libsodium, through the optional add-on `sodium-native`.
 * libsodium's multiplications are constant-time and themselves refuse points outside the
 * prime-order subgroup.
 */
import type { PointBackend } from '../src/index.ts'

/** The backend. @throws where the add-on is not installed or does not load */
export async function loadSodium(): Promise<PointBackend> {
  const { default: sodium } = await import('sodium-native')
  const mul = (scalar: Uint8Array, point: Uint8Array): Uint8Array => {
    const out = new Uint8Array(32)
    sodium.crypto_scalarmult_ed25519_noclamp(out, scalar, point)
    return out
  }
  return {
    name: 'sodium-native',
    mulBase(scalar) {
      const out = new Uint8Array(32)
      sodium.crypto_scalarmult_ed25519_base_noclamp(out, scalar)
      return out
    },
    mulSecret: mul,
    mul,
    add(a, b) {
      const out = new Uint8Array(32)
      sodium.crypto_core_ed25519_add(out, a, b)
      return isIdentity(out) ? undefined : out
    },
    decode: (encoded) =>
      sodium.crypto_core_ed25519_is_valid_point(encoded) ? encoded.slice() : undefined,
    // Without cofactor, and stricter than RFC 8032: no point of small order, no encoding but the canonical one.
    verifies: (publicKey, message, signature) =>
      sodium.crypto_sign_verify_detached(signature, message, publicKey),
  }
}

const isIdentity = (point: Uint8Array): boolean =>
  point.every((byte, i) => byte === (i === 0 ? 1 : 0))
