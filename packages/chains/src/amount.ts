/** Amounts as people write them. */

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
