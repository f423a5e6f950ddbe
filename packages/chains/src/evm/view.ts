/** What an Ethereum transaction does, in the words of the one who pays. */
import type { TxKind, TxOutput, TxView } from '@quorate/api'
import { equalBytes } from '@quorate/base'
import { formatAmount, formatDecimal } from '../amount.ts'
import type { EvmNetwork } from '../networks.ts'
import { contractAddress, formatAddress } from './address.ts'
import { type Call, readCall } from './calldata.ts'
import { type FeeMarketTx, maxFee } from './fee-market.ts'
import { intrinsicGas, MAX_GAS } from './gas.ts'

/** 0.05 ETH: a hundred times what a plain transfer costs in a busy hour. */
const HIGH_FEE_WEI = 50_000_000_000_000_000n
/** An allowance from here on outlasts any token's supply; wallets write "unlimited" as 2^256 − 1. */
const UNLIMITED = 2n ** 255n
const GWEI_DECIMALS = 9

/** The part of the view that depends on whether it pays, calls or creates. */
type Effects = Pick<TxView, 'kind' | 'outputs' | 'isComplete' | 'notes' | 'warnings'>

/** `own` is the 20-byte address of the wallet. */
export function viewOf(tx: FeeMarketTx, network: EvmNetwork, own: Uint8Array): TxView {
  const effects = effectsOf(tx, network, own)
  return {
    network: network.slug,
    caip2: network.caip2,
    from: [formatAddress(own)],
    fee: { asset: network.asset, amount: maxFee(tx), isClaimed: false },
    ...effects,
    notes: [...effects.notes, ...costNotes(tx)],
    warnings: [...effects.warnings, ...costWarnings(tx, network)],
  }
}

function effectsOf(tx: FeeMarketTx, network: EvmNetwork, own: Uint8Array): Effects {
  const { to, value, data } = tx
  const pay = (address: Uint8Array): TxOutput => ({
    to: formatAddress(address),
    asset: network.asset,
    amount: value,
    isChange: equalBytes(address, own),
    isClaimed: false,
  })
  if (to === undefined) {
    const created = contractAddress(own, tx.nonce)
    return understoodInPart('opaque', [pay(created)], {
      warnings: [`creates a contract from ${data.length} bytes of code that is not understood`],
    })
  }
  const lost = to.every((byte) => byte === 0) ? ['pays the zero address, whose key nobody has'] : []
  if (data.length === 0)
    return {
      kind: 'transfer',
      outputs: [pay(to)],
      isComplete: true,
      notes: [],
      warnings: lost,
    }
  const call = readCall(data)
  if (call.kind !== 'transfer') return callEffects(call, to, data, pay(to))
  return tokenEffects(call, to, value > 0n ? pay(to) : undefined, network, own)
}

/** An exact ERC-20 transfer. Its amount is in units of the contract that the asset names. */
function tokenEffects(
  { to, amount }: Extract<Call, { readonly kind: 'transfer' }>,
  contract: Uint8Array,
  payment: TxOutput | undefined,
  { caip2 }: EvmNetwork,
  own: Uint8Array,
): Effects {
  const token: TxOutput = {
    to: formatAddress(to),
    asset: `${caip2}/erc20:${formatAddress(contract)}`,
    amount,
    isChange: equalBytes(to, own),
    isClaimed: false,
  }
  return {
    kind: 'token',
    outputs: payment === undefined ? [token] : [token, payment],
    isComplete: true,
    notes: [`calls transfer(address,uint256), 0xa9059cbb, of ${formatAddress(contract)}`],
    warnings: [
      ...(payment === undefined
        ? []
        : ['also pays the contract, which a token transfer has no use for']),
      ...(equalBytes(to, contract) ? ['sends the tokens to their own contract'] : []),
    ],
  }
}

function callEffects(
  call: Exclude<Call, { readonly kind: 'transfer' }>,
  contract: Uint8Array,
  data: Uint8Array,
  payment: TxOutput,
): Effects {
  const where = formatAddress(contract)
  if (call.kind === 'unknown') {
    const name =
      call.selector === undefined ? 'data without a selector' : `selector 0x${call.selector}`
    return understoodInPart('call', [payment], {
      notes: [`calls ${where} with ${name}, ${data.length} bytes`],
      warnings: [`calls ${where}, with effects that are not understood`],
    })
  }
  const amount =
    call.amount >= UNLIMITED ? 'any amount' : `up to ${call.amount} of the smallest unit`
  return understoodInPart('call', [payment], {
    notes: [`calls approve(address,uint256), 0x095ea7b3, of ${where}`],
    warnings: [
      `lets ${formatAddress(call.spender)} take ${amount} of the token ${where} out of this wallet, at any later time`,
    ],
  })
}

/** What more it does than pay cannot be put into outputs, so limits on them must not be relied upon. */
const understoodInPart = (
  kind: TxKind,
  outputs: readonly TxOutput[],
  {
    notes = [],
    warnings,
  }: { readonly notes?: readonly string[]; readonly warnings: readonly string[] },
): Effects => ({ kind, outputs, isComplete: false, notes, warnings })

const gwei = (wei: bigint): string => `${formatDecimal(wei, GWEI_DECIMALS)} gwei`

function costNotes(tx: FeeMarketTx): readonly string[] {
  const { nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas, accessList } = tx
  return [
    `nonce ${nonce}`,
    `the fee is at most that: up to ${gasLimit} gas at up to ${gwei(maxFeePerGas)}, of it up to ${gwei(maxPriorityFeePerGas)} as priority fee`,
    ...(accessList.length === 0
      ? []
      : [`announces access to ${accessList.length} address${accessList.length === 1 ? '' : 'es'}`]),
  ]
}

function costWarnings(tx: FeeMarketTx, { asset }: EvmNetwork): readonly string[] {
  const needed = intrinsicGas(tx)
  const fee = maxFee(tx)
  return [
    ...(fee > HIGH_FEE_WEI
      ? [`the fee of up to ${formatAmount(fee, asset)} is unusually high`]
      : []),
    ...(tx.gasLimit < needed
      ? [`the gas limit of ${tx.gasLimit} is too low: ${needed} are charged before anything runs`]
      : []),
    ...(tx.gasLimit > MAX_GAS
      ? [`the gas limit of ${tx.gasLimit} is more than the ${MAX_GAS} that the network allows`]
      : []),
  ]
}
