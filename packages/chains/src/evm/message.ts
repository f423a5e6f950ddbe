/**
 * Personal messages (EIP-191, version 0x45, `personal_sign`):
 *
 *   0x19 ‖ "Ethereum Signed Message:\n" ‖ length in decimal ‖ message
 *
 * The first byte begins no transaction, and the length makes sure that only one message reads so.
 */
import type { TxView } from '@quorate/api'
import { concatBytes, equalBytes, fromUtf8, toHex, utf8 } from '@quorate/base'
import { formatAddress } from './address.ts'
import { refuse } from './fields.ts'
import type { EvmNetwork } from './networks.ts'

export const PERSONAL_PREFIX: Uint8Array = utf8('\x19Ethereum Signed Message:\n')
const MAX_BYTES = 64 * 1024
const HASH_BYTES = 32
/** What is shown of it. */
const MAX_SHOWN = 4096
/** Letters that are not there, or turn the others around. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u

/** What is signed for `message`. */
export const personalMessage = (message: Uint8Array): Uint8Array =>
  concatBytes(PERSONAL_PREFIX, utf8(String(message.length)), message)

/** The message in the bytes to be signed. @throws chains/malformed-transaction, chains/transaction-too-large */
export function readPersonalMessage(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_BYTES)
    refuse(`${bytes.length} bytes, at most ${MAX_BYTES}`, 'chains/transaction-too-large')
  const rest = bytes.subarray(PERSONAL_PREFIX.length)
  // Longer messages have longer lengths, so at most one number of digits fits.
  for (let digits = 1; digits <= 5; digits++) {
    const message = rest.slice(digits)
    if (equalBytes(personalMessage(message), bytes)) return message
  }
  return refuse('a personal message without its length')
}

/** `own` is the 20-byte address of the wallet. */
export function viewOfMessage(message: Uint8Array, network: EvmNetwork, own: Uint8Array): TxView {
  const text = fromUtf8(message)
  const shown = text === undefined ? `0x${toHex(message)}` : JSON.stringify(text)
  const hidden = text !== undefined && INVISIBLE.test(text.replace(/[\n\t]/g, ''))
  return {
    network: network.slug,
    caip2: network.caip2,
    kind: 'message',
    from: [formatAddress(own)],
    outputs: [],
    fee: undefined,
    // What a signed text is good for is up to whoever reads it.
    isComplete: false,
    notes: [
      `signs a message of ${message.length} bytes: ${shown.slice(0, MAX_SHOWN)}${shown.length > MAX_SHOWN ? '…' : ''}`,
    ],
    warnings: [
      'what follows from this signature is up to whoever reads it; it is valid on every chain',
      ...(message.length === HASH_BYTES
        ? ['is as long as a hash: it may stand for anything, such as an order or a user operation']
        : []),
      ...(text === undefined ? ['is no text'] : []),
      ...(hidden ? ['has letters that cannot be seen, or that turn others around'] : []),
    ],
  }
}
