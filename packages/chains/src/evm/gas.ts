/** What the network charges for a transaction before it runs any code. */
import type { EvmTx } from './envelope.ts'
import type { EvmNetwork } from './networks.ts'

const BASE = 21_000n
const CREATION = 32_000n
const INIT_WORD = 2n
const TOKEN = 4n
const FLOOR_TOKEN = 10n
const ACCESS_ADDRESS = 2_400n
const ACCESS_KEY = 1_900n
const AUTHORIZATION = 25_000n

/** In gas: EIP-2028, EIP-2930, EIP-3860, EIP-7702, and the floor of EIP-7623 where that is more. */
export function intrinsicGas(
  { to, data, accessList, authorizations }: EvmTx,
  { hasDataFloor }: EvmNetwork,
): bigint {
  const zeros = data.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0)
  const tokens = BigInt(zeros + 4 * (data.length - zeros))
  const creation =
    to === undefined ? CREATION + INIT_WORD * BigInt(Math.ceil(data.length / 32)) : 0n
  const access = accessList.reduce(
    (sum, { keys }) => sum + ACCESS_ADDRESS + ACCESS_KEY * BigInt(keys.length),
    0n,
  )
  const delegation = AUTHORIZATION * BigInt(authorizations.length)
  const usual = BASE + TOKEN * tokens + creation + access + delegation
  const floor = hasDataFloor ? BASE + FLOOR_TOKEN * tokens : 0n
  return usual > floor ? usual : floor
}
