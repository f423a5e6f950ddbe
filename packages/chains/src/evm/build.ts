/** Unsigned transactions from plain parameters, in the form that `parse` takes. */
import { Fault } from '@quorate/base'
import { type AbiValue, encodeCall } from './abi.ts'
import { decodeAddress } from './address.ts'
import { encodeUnsigned } from './envelope.ts'
import { refuse } from './fields.ts'
import { EVM_NETWORKS, type EvmNetwork } from './networks.ts'
import { minimalBytes, type Rlp } from './rlp.ts'
import { tokensOf } from './tokens.ts'

/** Wei per gas: what EIP-1559 asks for, or one price in a legacy transaction. */
export type EvmFees =
  | { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }
  | { readonly gasPrice: bigint }

export type EvmTransfer = {
  /** Slug or CAIP-2 id. */
  readonly network: string
  readonly to: string
  /** In the smallest unit. */
  readonly amount: bigint
  /** How many transactions the account has sent. */
  readonly nonce: bigint
  readonly fees: EvmFees
  /** 21 000 for coins and 100 000 for tokens unless told. */
  readonly gasLimit?: bigint
}

export type EvmTokenTransfer = EvmTransfer & {
  /** The address of the contract, or a symbol of the node's own table. */
  readonly token: string
}

/** What `parse` takes. */
export type BuiltEvmTransfer = { readonly unsigned: Uint8Array; readonly context: Uint8Array }

const TRANSFER_GAS = 21_000n
const TOKEN_GAS = 100_000n

/** A payment in the coin of the network. @throws chains/unknown-network, chains/bad-address, chains/bad-amount */
export const buildEvmTransfer = (transfer: EvmTransfer): BuiltEvmTransfer =>
  build(transfer, networkOf(transfer), {
    to: decodeAddress(transfer.to),
    value: transfer.amount,
    data: new Uint8Array(0),
    gasLimit: transfer.gasLimit ?? TRANSFER_GAS,
  })

/** A transfer of ERC-20 tokens. @throws chains/unknown-network, chains/bad-address, chains/bad-amount, chains/unknown-token */
export function buildEvmTokenTransfer(transfer: EvmTokenTransfer): BuiltEvmTransfer {
  const network = networkOf(transfer)
  const args: readonly AbiValue[] = [decodeAddress(transfer.to), numberOf(transfer.amount)]
  return build(transfer, network, {
    to: tokenContract(transfer.token, network),
    value: 0n,
    data: encodeCall('transfer(address,uint256)', args),
    gasLimit: transfer.gasLimit ?? TOKEN_GAS,
  })
}

function networkOf({ network }: EvmTransfer): EvmNetwork {
  const found = EVM_NETWORKS.find(({ slug, caip2 }) => slug === network || caip2 === network)
  if (found === undefined) throw new Fault('chains/unknown-network')
  return found
}

function tokenContract(token: string, network: EvmNetwork): Uint8Array {
  if (token.startsWith('0x')) return decodeAddress(token)
  const known = tokensOf(network).find(({ symbol }) => symbol === token)
  if (known === undefined) throw new Fault('chains/unknown-token')
  return decodeAddress(known.address)
}

type Body = {
  readonly to: Uint8Array
  readonly value: bigint
  readonly data: Uint8Array
  readonly gasLimit: bigint
}

function build(
  { nonce, fees }: EvmTransfer,
  { chainId }: EvmNetwork,
  { to, value, data, gasLimit }: Body,
): BuiltEvmTransfer {
  const rest: readonly Rlp[] = [number(gasLimit), to, number(value), data]
  const context = new Uint8Array(0)
  if ('gasPrice' in fees)
    return {
      unsigned: encodeUnsigned('legacy', [number(nonce), number(fees.gasPrice), ...rest], chainId),
      context,
    }
  const rates = [number(fees.maxPriorityFeePerGas), number(fees.maxFeePerGas)]
  return {
    unsigned: encodeUnsigned(
      'eip1559',
      [number(chainId), number(nonce), ...rates, ...rest, []],
      chainId,
    ),
    context,
  }
}

/** @throws chains/bad-amount */
function numberOf(value: bigint): bigint {
  return value < 0n || value >= 2n ** 256n
    ? refuse('a number below 0 or above 2^256', 'chains/bad-amount')
    : value
}

const number = (value: bigint): Uint8Array => minimalBytes(numberOf(value))
