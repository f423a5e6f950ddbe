/** Accounts with short names, and transactions of carol made of instructions that name them. */
import type { TxView } from '@quorate/api'
import { fromHex } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import { base58 } from '@scure/base'
import { compileMessage, type Instruction } from '#src/solana/compile.js'
import { encodeContext, type SolanaContext } from '#src/solana/context.js'
import { carol, wireOf } from '../wallets.js'

const filled = (byte: number): string => base58.encode(new Uint8Array(32).fill(byte))

export const OWN: string = base58.encode(carol.key.publicKey)
export const SOURCE: string = filled(0x51)
export const TARGET: string = filled(0x52)
export const MINT: string = filled(0x53)
export const OTHER: string = filled(0x54)
export const SECOND: string = filled(0x55)
export const BLOCKHASH: string = filled(0x77)

const NAMES: { readonly [name: string]: string } = {
  own: OWN,
  source: SOURCE,
  target: TARGET,
  mint: MINT,
  other: OTHER,
  second: SECOND,
}

/** Of `mint 0`, `own 3`: a name or an address, and the number that @solana/kit gives its role. */
export const call = (program: string, data: string, accounts: readonly string[]): Instruction => ({
  program,
  data: fromHex(data),
  accounts: accounts.map((text) => {
    const [name, role] = text.split(' ') as [string, string]
    return {
      address: NAMES[name] ?? name,
      isSigner: Number(role) >= 2,
      isWritable: Number(role) % 2 === 1,
    }
  }),
})

export const unsignedOf = (
  instructions: readonly Instruction[],
  version: 'legacy' | 0 = 0,
): Uint8Array => {
  const message = compileMessage(version, OWN, BLOCKHASH, instructions)
  return wireOf(message, version === 0 ? message[1] : message[0])
}

export const viewOfBytes = (
  unsigned: Uint8Array,
  context: SolanaContext = {},
  network = 'solana',
): TxView =>
  findAdapter(network)
    .parse({ unsigned, context: encodeContext(context), key: carol.key })
    .view()

export const viewOf = (
  instructions: readonly Instruction[],
  context: SolanaContext = {},
  network = 'solana',
): TxView => viewOfBytes(unsignedOf(instructions), context, network)

export const has = (lines: readonly string[], text: string): boolean =>
  lines.some((line) => line.includes(text))
