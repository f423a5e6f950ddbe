/** How an approver's key signs. Each scheme is one entry: passkeys will be another. */
import { createPublicKey, verify } from 'node:crypto'
import { fromHex } from '@quorate/base'
import type { ApproverKey } from '../identities/model.ts'

type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

/** SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410). */
const ED25519_SPKI = fromHex('302a300506032b6570032100')

const SCHEMES: { readonly [S in ApproverKey['scheme']]: Verify } = {
  ed25519(publicKey, message, signature) {
    try {
      const key = createPublicKey({
        key: Buffer.concat([ED25519_SPKI, publicKey]),
        format: 'der',
        type: 'spki',
      })
      return signature.length === 64 && verify(null, message, key, signature)
    } catch {
      return false
    }
  },
}

/** Whether the key signed the message. Variable-time: public inputs only. */
export const isSigned = (
  { scheme, publicKey }: Pick<ApproverKey, 'scheme' | 'publicKey'>,
  message: Uint8Array,
  signature: Uint8Array,
): boolean => SCHEMES[scheme](fromHex(publicKey), message, signature)
