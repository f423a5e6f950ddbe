/** Amounts as people write them. */
import { Fault } from '@quorate/base'

/** Decimal places of each native asset's usual unit. */
const DECIMALS: { readonly [asset: string]: number } = {
  BTC: 8,
  LTC: 8,
  DOGE: 8,
  BCH: 8,
  ETH: 18,
  BNB: 18,
  POL: 18,
  AVAX: 18,
  LUX: 18,
  xDAI: 18,
  SOL: 9,
}

/**
 * `amount` smallest units of `asset` in its usual unit, exactly and without trailing zeros:
 * `0.00012345 BTC`. An asset whose decimals we do not know stays in smallest units, and says so.
 */
export function formatAmount(amount: bigint, asset: string): string {
  const decimals = Object.hasOwn(DECIMALS, asset) ? DECIMALS[asset] : undefined
  if (decimals === undefined) return `${amount} of the smallest unit of ${asset}`
  return `${formatDecimal(amount, decimals)} ${asset}`
}

/** `value`·10^−decimals without trailing zeros. */
export function formatDecimal(value: bigint, decimals: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return `${value < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

/** What people count an asset in. */
export type Unit = { readonly symbol: string; readonly decimals: number }

/** The usual unit of a native asset. */
export const unitOf = (asset: string): Unit | undefined =>
  Object.hasOwn(DECIMALS, asset) ? { symbol: asset, decimals: DECIMALS[asset]! } : undefined

/**
 * Smallest units in `text`: a whole number of them, or a decimal number with the symbol of one of
 * `units`, such as `0.05 ETH`. There is no rounding: more places than the unit has are refused.
 * @throws chains/bad-amount
 */
export function parseAmount(text: string, units: readonly Unit[]): bigint {
  const [, whole, fraction = '', symbol] =
    /^(\d{1,60})(?:\.(\d{1,40}))? ?([A-Za-z][A-Za-z0-9.]{0,11})?$/.exec(text) ?? []
  const refuse = (detail: string): never => {
    throw new Fault('chains/bad-amount', { detail })
  }
  if (whole === undefined) return refuse('not a number')
  if (symbol === undefined)
    return fraction === '' ? BigInt(whole) : refuse('a fraction of the smallest unit')
  const unit = units.find((each) => each.symbol.toLowerCase() === symbol.toLowerCase())
  if (unit === undefined)
    return refuse(`the unit is none of ${units.map((each) => each.symbol).join(', ')}`)
  if (fraction.length > unit.decimals) return refuse(`at most ${unit.decimals} decimal places`)
  return BigInt(whole + fraction.padEnd(unit.decimals, '0'))
}
