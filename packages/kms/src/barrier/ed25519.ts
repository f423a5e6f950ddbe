/** Ed25519 (RFC 8032) by the platform's library, raw keys in and out (RFC 8410 around them). */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { type Signer, wipe } from '@quorate/base'

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/** Signs with the key of a seed (32 bytes), which it wipes. */
export function signerOf(seed: Uint8Array): Signer {
  const key = Buffer.concat([PKCS8, seed])
  wipe(seed)
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  wipe(key)
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return {
    scheme: 'ed25519',
    publicKey: new Uint8Array(spki.subarray(SPKI.length)),
    sign: (message) => Promise.resolve(new Uint8Array(sign(null, message, privateKey))),
  }
}

/** Never throws: a key that is no point verifies nothing. Variable-time: public inputs only. */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  try {
    const key = createPublicKey({
      key: Buffer.concat([SPKI, publicKey]),
      format: 'der',
      type: 'spki',
    })
    return verify(null, message, key, signature)
  } catch {
    return false
  }
}
