/** Ed25519 of clients and admins, through Node's OpenSSL. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import type { VerifySignature } from '@quorate/api'
import { concatBytes, fromHex, type Signer } from '@quorate/base'

/** RFC 8410: what stands before the 32 bytes of a key in DER. */
const PKCS8 = fromHex('302e020100300506032b657004220420')
const SPKI = fromHex('302a300506032b6570032100')

/** The key that `seed` (32 bytes, RFC 8032) makes. Treats the seed as secret; the caller wipes it. */
export function signerOf(seed: Uint8Array): Signer {
  const der = concatBytes(PKCS8, seed)
  const key = createPrivateKey({ key: Buffer.from(der.buffer), format: 'der', type: 'pkcs8' })
  der.fill(0)
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return {
    scheme: 'ed25519',
    publicKey: new Uint8Array(spki.subarray(-32)),
    sign: (message) => Promise.resolve(new Uint8Array(sign(null, message, key))),
  }
}

/** Whether `signature` is one of RFC 8032 over `message`. Never throws. Variable-time: public inputs only. */
export const verifyEd25519: VerifySignature = (publicKey, message, signature) => {
  try {
    return signature.length === 64 && verify(null, message, publicKeyOf(publicKey), signature)
  } catch {
    return false
  }
}

const publicKeyOf = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.from(concatBytes(SPKI, raw)), format: 'der', type: 'spki' })
