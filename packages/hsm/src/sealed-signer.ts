/**
 * An Ed25519 key for devices that have none: made and used in this process, at rest only as a seal of
 * the device. It is as safe as what a device seals, never as what lives in one.
 */
import { type Random, type Sealer, type Signer, wipe } from '@quorate/base'
import { ed25519PublicKey, privateKeyOf, signWith } from './ed25519.ts'

/** A new key, sealed in `context`. */
export async function makeSealedKey(
  sealer: Sealer,
  context: Uint8Array,
  random: Random,
): Promise<{ readonly sealed: Uint8Array; readonly publicKey: Uint8Array }> {
  const seed = random.bytes(32)
  try {
    return { sealed: await sealer.seal(seed, context), publicKey: ed25519PublicKey(seed) }
  } finally {
    wipe(seed)
  }
}

/** Signs with the key of `makeSealedKey`. @throws hsm/cannot-open, and faults of the device */
export async function openSealedKey(
  sealer: Sealer,
  context: Uint8Array,
  sealed: Uint8Array,
): Promise<Signer> {
  const seed = await sealer.open(sealed, context)
  try {
    const [key, publicKey] = [privateKeyOf(seed), ed25519PublicKey(seed)]
    return {
      scheme: 'ed25519',
      publicKey,
      sign: (message) => Promise.resolve(signWith(key, message)),
    }
  } finally {
    wipe(seed)
  }
}
