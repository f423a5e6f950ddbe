/**
 * A key in this process's memory, for development and tests: whoever reads the memory has it.
 * Treats the key as secret; signing is variable-time in the way of @noble/curves.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import type { Scheme } from '@quorate/api'
import { bug, Secret, wipe } from '@quorate/base'
import { digestOf, type SignItem } from '@quorate/chains'
import type { ItemKey } from './wallet-signer.ts'

const { Fn } = secp256k1.Point

type Maker = {
  publicKey(secret: Uint8Array): Uint8Array
  sign(secret: Uint8Array, item: SignItem): Uint8Array
}

const MAKERS: { readonly [S in Scheme]: Maker } = {
  ed25519: {
    publicKey: (secret) => ed25519.getPublicKey(secret),
    sign: (secret, { message }) => ed25519.sign(message, secret),
  },
  'ecdsa-secp256k1': {
    publicKey: (secret) => secp256k1.getPublicKey(secret, true),
    sign(secret, item) {
      if (item.scheme !== 'ecdsa-secp256k1') return bug('an item of another scheme')
      return secp256k1.sign(digestOf(item.hash, item.message), secret, { prehash: false })
    },
  },
  'bip340-secp256k1': {
    publicKey: (secret) => secp256k1.getPublicKey(secret, true),
    sign(secret, { message, tweak }) {
      if (tweak === undefined) return schnorr.sign(message, secret)
      const tweaked = tweakedKey(secret, tweak.merkleRoot ?? new Uint8Array(0))
      const signature = schnorr.sign(message, tweaked)
      wipe(tweaked)
      return signature
    },
  },
}

/** BIP-341: d′ = d + H(TapTweak, x(P) ‖ root), with d negated where P has an odd y. */
function tweakedKey(secret: Uint8Array, merkleRoot: Uint8Array): Uint8Array {
  const publicKey = secp256k1.getPublicKey(secret, true)
  const t = Fn.fromBytes(schnorr.utils.taggedHash('TapTweak', publicKey.subarray(1), merkleRoot))
  const d = Fn.fromBytes(secret)
  return Fn.toBytes(Fn.add(publicKey[0] === 2 ? d : Fn.neg(d), t))
}

/** A key from its 32 secret bytes, which are copied. The caller wipes its own. */
export function localKey(scheme: Scheme, secretKey: Uint8Array): ItemKey {
  const secret = new Secret(secretKey.slice())
  const maker = MAKERS[scheme]
  return {
    scheme,
    publicKey: maker.publicKey(secret.expose()),
    signItem: (item) => Promise.resolve(maker.sign(secret.expose(), item)),
  }
}
