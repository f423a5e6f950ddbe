/** What an Ethereum transaction does, in the words of the one who pays. */
import type { TxOutput, TxView } from '@quorate/api'
import { equalBytes, toHex } from '@quorate/base'
import { formatAmount, formatDecimal } from '../amount.ts'
import { contractAddress, formatAddress } from './address.ts'
import { type Authorization, authorityOf } from './authorization.ts'
import { effectsOfCall } from './calls.ts'
import { claimWarnings, type TokenClaims } from './context.ts'
import { type Call, type Effects, isZero, type Scope, understoodInPart } from './effects.ts'
import { type EvmTx, maxFee } from './envelope.ts'
import { intrinsicGas } from './gas.ts'
import type { EvmNetwork } from './networks.ts'

const GWEI_DECIMALS = 9
/** A fee of more than this part of what is paid is called out, unless it is a hundredth of a high fee. */
const HIGH_FEE_PERCENT = 10n

/** `own` is the 20-byte address of the wallet. */
export function viewOf(
  tx: EvmTx,
  network: EvmNetwork,
  own: Uint8Array,
  claims: TokenClaims,
): TxView {
  const scope: Scope = { network, own, claims }
  const effects = effectsOf(tx, scope)
  const delegations = tx.authorizations.map((each) => ({
    ...each,
    authority: authorityOf(each),
  }))
  const delegates = delegations.some(({ authority }) => authority !== undefined)
  return {
    ...viewOfEffects(effects, scope, [own]),
    fee: { asset: network.asset, amount: maxFee(tx), isClaimed: false },
    // Whoever an account is handed over to has every right over it.
    allowances: delegates ? undefined : effects.allowances,
    isComplete: effects.isComplete && !delegates,
    notes: [...effects.notes, ...costNotes(tx, network), ...blobNotes(tx)],
    warnings: [
      ...delegations.map((each) => delegationWarning(each, each.authority, scope)),
      ...effects.warnings,
      ...foreignWarnings(effects, [own]),
      ...claimWarnings(network, claims),
      ...costWarnings(tx, network, effects.outputs),
    ],
  }
}

/** The view of an authorization that the wallet (`own`) is asked to sign. */
export function viewOfAuthorization(
  authorization: Authorization,
  network: EvmNetwork,
  own: Uint8Array,
): TxView {
  const scope: Scope = { network, own, claims: new Map() }
  return {
    network: network.slug,
    caip2: network.caip2,
    kind: 'opaque',
    from: [formatAddress(own)],
    outputs: [],
    fee: undefined,
    isComplete: false,
    notes: ['signs a delegation of its account (EIP-7702), which anybody can then publish'],
    warnings: [delegationWarning(authorization, own, scope)],
  }
}

/** A view of the effects, paid for by `accounts` first of all, without a fee and notes on it. */
export const viewOfEffects = (
  effects: Effects,
  { network }: Scope,
  accounts: readonly Uint8Array[],
): Omit<TxView, 'fee'> => ({
  ...effects,
  network: network.slug,
  caip2: network.caip2,
  from: [...new Set([...accounts.map(formatAddress), ...effects.from])],
})

/** Whose money moves beside that of `accounts`. */
export const foreignWarnings = (
  { from }: Effects,
  accounts: readonly Uint8Array[],
): readonly string[] =>
  [...new Set(from)]
    .filter((each) => !accounts.some((account) => formatAddress(account) === each))
    .map((each) => `moves money of ${each}, which is not this wallet`)

/** What an authorization lets happen; `authority` is whose account it is, if anybody signed it. */
export function delegationWarning(
  { chainId, delegate, nonce }: Authorization,
  authority: Uint8Array | undefined,
  { own, network }: Scope,
): string {
  if (authority === undefined)
    return `holds an authorization for ${formatAddress(delegate)} that nobody signed, which has no effect`
  const isOwn = equalBytes(authority, own)
  const account = isOwn ? 'THIS WALLET' : formatAddress(authority)
  const where =
    chainId === 0n
      ? 'on EVERY chain'
      : chainId === network.chainId
        ? 'on this network'
        : `on the chain with id ${chainId}`
  const what = isZero(delegate)
    ? `ends the delegation of ${account}`
    : `hands ${account} over to the code of ${formatAddress(delegate)}, which can then take everything that the account has or will have`
  return `${what}, ${where}, from its nonce ${nonce} on`
}

function effectsOf(tx: EvmTx, scope: Scope): Effects {
  const { to, value, data, nonce } = tx
  const call = (address: Uint8Array): Call => ({
    caller: scope.own,
    payer: scope.own,
    to: address,
    value,
    data,
  })
  if (to !== undefined) return effectsOfCall(call(to), scope)
  return understoodInPart('opaque', call(contractAddress(scope.own, nonce)), scope, {
    warnings: [`creates a contract from ${data.length} bytes of code that is not understood`],
  })
}

const gwei = (wei: bigint): string => `${formatDecimal(wei, GWEI_DECIMALS)} gwei`

function costNotes(tx: EvmTx, { hasDataFee }: EvmNetwork): readonly string[] {
  const { nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas, accessList } = tx
  const rate =
    maxPriorityFeePerGas === undefined
      ? `at ${gwei(maxFeePerGas)}`
      : `at up to ${gwei(maxFeePerGas)}, of it up to ${gwei(maxPriorityFeePerGas)} as priority fee`
  return [
    `nonce ${nonce}`,
    `the fee is at most that: up to ${gasLimit} gas ${rate}`,
    ...(hasDataFee
      ? ['this network also takes a fee for data on Ethereum, which is not included']
      : []),
    ...(accessList.length === 0
      ? []
      : [`announces access to ${accessList.length} address${accessList.length === 1 ? '' : 'es'}`]),
  ]
}

const blobNotes = ({ blobs }: EvmTx): readonly string[] =>
  blobs === undefined
    ? []
    : [
        `the fee includes blobs at up to ${gwei(blobs.maxFeePerGas)}; they are published beside the transaction, by hash:`,
        ...blobs.hashes.map((hash) => `blob 0x${toHex(hash)}`),
      ]

function costWarnings(
  tx: EvmTx,
  network: EvmNetwork,
  outputs: readonly TxOutput[],
): readonly string[] {
  const { asset, highFee, maxGas } = network
  const needed = intrinsicGas(tx, network)
  const fee = maxFee(tx)
  const paid = outputs.reduce((sum, each) => sum + (each.asset === asset ? each.amount : 0n), 0n)
  const isHighPart = paid > 0n && fee * 100n > highFee && fee * 100n > paid * HIGH_FEE_PERCENT
  return [
    ...(fee > highFee ? [`the fee of up to ${formatAmount(fee, asset)} is unusually high`] : []),
    ...(isHighPart
      ? [
          `the fee can be ${fee > paid ? 'more than' : `${(fee * 100n) / paid} % of`} the ${formatAmount(paid, asset)} that are paid`,
        ]
      : []),
    ...(tx.gasLimit < needed
      ? [`the gas limit of ${tx.gasLimit} is too low: ${needed} are charged before anything runs`]
      : []),
    ...(maxGas !== undefined && tx.gasLimit > maxGas
      ? [`the gas limit of ${tx.gasLimit} is more than the ${maxGas} that the network allows`]
      : []),
    ...(tx.chainId === undefined
      ? ['names no chain: once signed it is valid on every chain where this account has the nonce']
      : []),
  ]
}
