/** The part of sodium-native that we use: libsodium's edwards25519 functions, output first. */
declare module 'sodium-native' {
  export function crypto_scalarmult_ed25519_base_noclamp(out: Uint8Array, scalar: Uint8Array): void
  export function crypto_scalarmult_ed25519_noclamp(
    out: Uint8Array,
    scalar: Uint8Array,
    point: Uint8Array,
  ): void
  export function crypto_core_ed25519_add(out: Uint8Array, a: Uint8Array, b: Uint8Array): void
  export function crypto_core_ed25519_is_valid_point(point: Uint8Array): boolean
  export function crypto_sign_verify_detached(
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
  ): boolean
}
