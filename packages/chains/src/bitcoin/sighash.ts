/**
 * What the signature of an input covers when it leaves nothing open (SIGHASH_ALL, SIGHASH_DEFAULT).
 * ECDSA signers are given the preimage, never a digest; Taproot signs a tagged hash as its message.
 *
 *   legacy   the transaction, with the script code as the only input script, ‖ type
 *   segwit   version ‖ H(outpoints) ‖ H(sequences) ‖ outpoint ‖ script code ‖ amount ‖ sequence
 *            ‖ H(outputs) ‖ lock time ‖ type (BIP-143, H = SHA-256 twice); also Bitcoin Cash
 *   taproot  BIP-341, key path without annex; it alone commits to the amounts and scripts of all coins
 */
import { schnorr } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@quorate/base'
import { compactSize, littleEndian, sized } from './encode.ts'
import { type RawOutput, type RawTx, writeOutput } from './raw-transaction.ts'

/** Of one transaction; `i` is the number of the input, `type` what becomes the last byte of the signature. */
export type Preimages = {
  legacy(i: number, scriptCode: Uint8Array, type: number): Uint8Array
  /** `amount` is that of the coin which input `i` spends. */
  segwit(i: number, scriptCode: Uint8Array, amount: bigint, type: number): Uint8Array
  /** The 32-byte message; `coins` are what all inputs spend. */
  taproot(i: number, coins: readonly RawOutput[], type: number): Uint8Array
}

export function preimagesOf({ version, inputs, outputs, lockTime }: RawTx): Preimages {
  const outpoints = inputs.map(({ outpoint }) => outpoint)
  const sequences = inputs.map(({ sequence }) => littleEndian(sequence, 4))
  const allOutputs = concatBytes(...outputs.map(writeOutput))
  const start = littleEndian(version, 4)
  const end = littleEndian(lockTime, 4)
  const once = (parts: readonly Uint8Array[]): Uint8Array => sha256(concatBytes(...parts))
  // Hashed once: each is shared by all inputs, and the work would grow with their square.
  const [hashedOutpoints, hashedSequences, hashedOutputs] = [
    outpoints,
    sequences,
    [allOutputs],
  ].map(once) as [Uint8Array, Uint8Array, Uint8Array]
  let hashedCoins: Uint8Array | undefined
  return {
    legacy: (i, scriptCode, type) =>
      concatBytes(
        start,
        compactSize(inputs.length),
        ...outpoints.flatMap((outpoint, at) => [
          outpoint,
          at === i ? sized(scriptCode) : compactSize(0),
          sequences[at]!,
        ]),
        compactSize(outputs.length),
        allOutputs,
        end,
        littleEndian(type, 4),
      ),
    segwit: (i, scriptCode, amount, type) =>
      concatBytes(
        start,
        sha256(hashedOutpoints),
        sha256(hashedSequences),
        outpoints[i]!,
        sized(scriptCode),
        littleEndian(amount, 8),
        sequences[i]!,
        sha256(hashedOutputs),
        end,
        littleEndian(type, 4),
      ),
    taproot(i, coins, type) {
      hashedCoins ??= concatBytes(
        once(coins.map(({ amount }) => littleEndian(amount, 8))),
        once(coins.map(({ script }) => sized(script))),
      )
      return schnorr.utils.taggedHash(
        'TapSighash',
        Uint8Array.of(0, type),
        start,
        end,
        hashedOutpoints,
        hashedCoins,
        hashedSequences,
        hashedOutputs,
        Uint8Array.of(0),
        littleEndian(i, 4),
      )
    },
  }
}
