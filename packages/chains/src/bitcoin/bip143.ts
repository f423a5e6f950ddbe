/**
 * What an ECDSA signature of segwit version 0 covers with SIGHASH_ALL (BIP-143), before it is
 * hashed: signers are given the preimage, never a digest.
 *
 *   version ‖ H(outpoints) ‖ H(sequences) ‖ outpoint ‖ script code ‖ amount ‖ sequence ‖ H(outputs) ‖ lock time ‖ type
 *
 * with H = SHA-256 twice, and all integers little-endian. Of the amounts it holds that of its own
 * input only.
 */
import { concatBytes, utf8 } from '@quorate/base'
import { SigHash, type Transaction } from '@scure/btc-signer'
import { RawOldTx, RawOutput } from '@scure/btc-signer/script.js'
import { digestOf } from '../ecdsa.ts'

/** What the coder gives for a transaction without witnesses; its own types leave the inputs open. */
type OldTransaction = {
  readonly version: number
  readonly inputs: readonly {
    readonly txid: Uint8Array
    readonly index: number
    readonly sequence: number
  }[]
  readonly outputs: readonly Parameters<typeof RawOutput.encode>[0][]
  readonly lockTime: number
}

/** The preimage for input `i`, of which `scriptCode` and `amount` (satoshi) are those of its coin. */
export type Preimages = (i: number, scriptCode: Uint8Array, amount: bigint) => Uint8Array

export function preimagesOf({ unsignedTx }: Pick<Transaction, 'unsignedTx'>): Preimages {
  const { version, inputs, outputs, lockTime } = RawOldTx.decode(unsignedTx) as OldTransaction
  const outpoints = inputs.map(({ txid, index }) =>
    concatBytes(txid.toReversed(), littleEndian(index, 4)),
  )
  const sequences = inputs.map(({ sequence }) => littleEndian(sequence, 4))
  const before = concatBytes(littleEndian(version, 4), hashAll(outpoints), hashAll(sequences))
  const after = concatBytes(
    hashAll(outputs.map((output) => RawOutput.encode(output))),
    littleEndian(lockTime, 4),
    littleEndian(SigHash.ALL, 4),
  )
  return (i, scriptCode, amount) =>
    concatBytes(
      before,
      outpoints[i]!,
      Uint8Array.of(scriptCode.length),
      scriptCode,
      littleEndian(amount, 8),
      sequences[i]!,
      after,
    )
}

/** What wallets sign to show that an address is theirs ("signmessage"). `message` is shorter than 253 bytes. */
export const signedMessage = (message: Uint8Array): Uint8Array =>
  concatBytes(utf8('\x18Bitcoin Signed Message:\n'), Uint8Array.of(message.length), message)

const hashAll = (parts: readonly Uint8Array[]): Uint8Array =>
  digestOf('sha256d', concatBytes(...parts))

/** The low `length` bytes of `value`, which may be negative as a transaction's version may. */
const littleEndian = (value: number | bigint, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 0xffn))
