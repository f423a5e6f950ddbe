/** Addresses of Solana: 32 bytes in base 58. Those of programs are no keys, so that is not asked. */
import { Fault } from '@quorate/base'
import { base58 } from '@scure/base'
import { guarded } from '../encoding/guard.ts'

const BYTES = 32
const MAX_LENGTH = 44

/** The 32 bytes of an address. @throws chains/bad-address */
export function decodeAddress(text: string): Uint8Array {
  if (text.length > MAX_LENGTH) throw new Fault('chains/bad-address')
  const bytes = guarded('chains/bad-address', 'not base 58', () => base58.decode(text))
  if (bytes.length !== BYTES) throw new Fault('chains/bad-address', { detail: 'not 32 bytes' })
  return bytes
}
