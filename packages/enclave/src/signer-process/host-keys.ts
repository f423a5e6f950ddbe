/**
 * Host keys of distributed key generation, one for each group: shares are encrypted to them and
 * results signed with them. Derived from the node's host seed, so that a share can be recovered from
 * public recovery data as long as the seed is there.
 */
import { Secret, wipe } from '@quorate/base'
import { fromBytesBe, mod } from '@quorate/math'
import { dkgSuite, hostPublicKey } from '@quorate/threshold'
import type { Vault } from './vault.ts'

/** The host secret key of a suite: an encoded scalar, 32 bytes. The caller disposes of it. */
export function hostSecretFor(vault: Vault, suite: string): Secret<Uint8Array> {
  const { group } = dkgSuite(suite)
  const material = vault.hostKeyMaterial(suite)
  try {
    // 64 uniform bytes modulo the order: the bias is below 2⁻²⁵⁰.
    return new Secret(group.encodeScalar(mod(fromBytesBe(material), group.order)))
  } finally {
    wipe(material)
  }
}

/** The public host keys, as the epoch record carries them. */
export function hostKeysOf(vault: Vault): { secp256k1: Uint8Array; ed25519: Uint8Array } {
  const publicOf = (suite: string): Uint8Array => {
    using secret = hostSecretFor(vault, suite)
    return hostPublicKey(dkgSuite(suite), secret.expose())
  }
  return {
    secp256k1: publicOf('FROST-secp256k1-SHA256-TR-v1'),
    ed25519: publicOf('FROST-ED25519-SHA512-v1'),
  }
}
