/** What the network charges for a transaction before it runs any code. */
import type { FeeMarketTx } from './fee-market.ts'

const BASE = 21_000n
const CREATION = 32_000n
const INIT_WORD = 2n
const TOKEN = 4n
const FLOOR_TOKEN = 10n
const ACCESS_ADDRESS = 2_400n
const ACCESS_KEY = 1_900n

/** EIP-7825: no transaction may ask for more. */
export const MAX_GAS = 16_777_216n

/** In gas: EIP-2028, EIP-2930, EIP-3860, and the floor of EIP-7623 where that is more. */
export function intrinsicGas({ to, data, accessList }: FeeMarketTx): bigint {
  const zeros = data.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0)
  const tokens = BigInt(zeros + 4 * (data.length - zeros))
  const creation =
    to === undefined ? CREATION + INIT_WORD * BigInt(Math.ceil(data.length / 32)) : 0n
  const access = accessList.reduce(
    (sum, { keys }) => sum + ACCESS_ADDRESS + ACCESS_KEY * BigInt(keys.length),
    0n,
  )
  const usual = BASE + TOKEN * tokens + creation + access
  const floor = BASE + FLOOR_TOKEN * tokens
  return usual > floor ? usual : floor
}
