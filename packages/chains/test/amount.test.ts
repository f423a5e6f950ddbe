import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import fc from 'fast-check'
import { formatAmount, formatDecimal, parseAmount, unitOf } from '#src/amount.js'

const ETH = unitOf('ETH')!
const GWEI = { symbol: 'gwei', decimals: 9 }

test('an amount is whole smallest units, or a decimal number with its unit', () => {
  const cases: readonly (readonly [string, bigint])[] = [
    ['0', 0n],
    ['1000', 1000n],
    ['1 ETH', 10n ** 18n],
    ['0.05ETH', 5n * 10n ** 16n],
    ['0.000000000000000001 eth', 1n],
    ['2.5 gwei', 2_500_000_000n],
  ]
  for (const [text, amount] of cases) assert.equal(parseAmount(text, [ETH, GWEI]), amount, text)
})

test('anything else is refused, and nothing is rounded', () => {
  const bad = [
    '',
    '-1',
    '1e18',
    '0.5',
    '.5 ETH',
    '1. ETH',
    '1 BTC',
    '1  ETH',
    ' 1',
    '0x10',
    '1,000',
  ]
  for (const text of [...bad, '0.0000000000000000001 ETH', '2.5000000001 gwei'])
    assert.throws(
      () => parseAmount(text, [ETH, GWEI]),
      (error) => isFault(error, 'chains/bad-amount'),
      text,
    )
  assert.throws(
    () => parseAmount('1 ETH', []),
    (error) => isFault(error, 'chains/bad-amount'),
  )
})

test('what is written can be read again', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n }), (amount) => {
      assert.equal(parseAmount(formatAmount(amount, 'ETH'), [ETH]), amount)
      assert.equal(parseAmount(`${formatDecimal(amount, 9)} gwei`, [GWEI]), amount)
    }),
  )
})

test('assets that are not known have no unit', () => {
  assert.deepEqual(
    [unitOf('BTC')?.decimals, unitOf('USDC'), unitOf('toString')],
    [8, undefined, undefined],
  )
})
