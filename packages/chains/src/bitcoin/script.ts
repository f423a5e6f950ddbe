/** Output scripts: what each means in words, and the Taproot output of a key (BIP-341, BIP-86). */
import { concatBytes, equalBytes, Fault, type FaultCode, toHex } from '@quorate/base'
import { Address, OutScript, utils } from '@scure/btc-signer'
import type { BitcoinParams } from '../networks.ts'

const OP_RETURN = 0x6a
const NO_ROOT = new Uint8Array(0)

export function refuse(code: FaultCode, detail: string): never {
  throw new Fault(code, { detail })
}

/** The x-only output key (32 bytes) of an internal key, with or without a script root. */
export const tweakedKey = (xOnly: Uint8Array, merkleRoot: Uint8Array = NO_ROOT): Uint8Array =>
  utils.taprootTweakPubkey(xOnly, merkleRoot)[0]

/** OP_1 and a push of the 32-byte output key. */
export const taprootScript = (outputKey: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(0x51, 0x20), outputKey)

export type ScriptMeaning = {
  /** The address, else `op_return:<hex>` for data, else `script:<hex>`. */
  readonly to: string
  readonly kind: 'address' | 'data' | 'unknown'
}

/** Who can spend `script`. Only the exact standard forms have an address. */
export function meaningOf(script: Uint8Array, params: BitcoinParams): ScriptMeaning {
  if (script[0] === OP_RETURN) return { to: `op_return:${toHex(script.subarray(1))}`, kind: 'data' }
  const address = addressOf(script, params)
  return address === undefined
    ? { to: `script:${toHex(script)}`, kind: 'unknown' }
    : { to: address, kind: 'address' }
}

function addressOf(script: Uint8Array, params: BitcoinParams): string | undefined {
  try {
    const decoded = OutScript.decode(script)
    // The library reads longer pushes of the same bytes alike; the network does not.
    if (decoded === undefined || !equalBytes(OutScript.encode(decoded), script)) return undefined
    return Address(params).encode(decoded)
  } catch {
    return undefined
  }
}

/** Whether `script` is a witness program, so that spending it never touches the txid (BIP-141). */
export const isWitnessProgram = (script: Uint8Array): boolean =>
  script.length >= 4 &&
  script.length <= 42 &&
  (script[0] === 0 || (script[0]! >= 0x51 && script[0]! <= 0x60)) &&
  script[1] === script.length - 2

/**
 * The amount in satoshi below which nodes refuse to relay an output, at Bitcoin Core's default dust
 * relay fee of 3 sat/vB: what the output and the input that spends it later take up.
 */
export function dustLimit(script: Uint8Array): bigint {
  if (script[0] === OP_RETURN) return 0n
  const output = 8 + (script.length < 0xfd ? 1 : 3) + script.length
  const spend = isWitnessProgram(script) ? 67 : 148
  return BigInt(3 * (output + spend))
}
