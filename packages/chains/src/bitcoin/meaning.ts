/** What an output is for, in words, and when it is too small. */
import { toHex } from '@quorate/base'
import { addressOf } from './address.ts'
import type { BitcoinNetwork, BitcoinRules } from './networks.ts'
import { isWitnessProgram } from './script.ts'

const OP_RETURN = 0x6a

export type ScriptMeaning = {
  /** The address, else `op_return:<hex>` for data, else `script:<hex>`. */
  readonly to: string
  readonly kind: 'address' | 'data' | 'unknown'
}

/** Who can spend `script`. Only the exact standard forms have an address. */
export function meaningOf(script: Uint8Array, { params }: BitcoinNetwork): ScriptMeaning {
  if (script[0] === OP_RETURN) return { to: `op_return:${toHex(script.subarray(1))}`, kind: 'data' }
  const address = addressOf(script, params)
  return address === undefined
    ? { to: `script:${toHex(script)}`, kind: 'unknown' }
    : { to: address, kind: 'address' }
}

/**
 * The amount below which nodes refuse to relay an output with an address: what the output and the
 * input that spends it later cost at the network's dust rate, or the least that it allows.
 */
export function dustLimit(script: Uint8Array, rules: BitcoinRules): bigint {
  const output = 8 + 1 + script.length
  const spend = isWitnessProgram(script) ? 67 : 148
  const limit = rules.dustRate * BigInt(output + spend)
  return limit > rules.leastOutput ? limit : rules.leastOutput
}
