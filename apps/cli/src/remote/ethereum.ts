/** What a transfer needs to know of a network like Ethereum, by its JSON-RPC. */
import { Fault, toHex } from '@quorate/base'
import type { EvmFees, EvmNetwork } from '@quorate/chains'
import type { Endpoint } from './endpoint.ts'
import { callRpc, valueAt } from './json-rpc.ts'
import { badAnswer } from './refusals.ts'

/** @throws cli/other-network, and those of `callRpc` */
export async function checkChain(endpoint: Endpoint, { chainId }: EvmNetwork): Promise<void> {
  const found = await quantity(endpoint, 'eth_chainId')
  if (found !== chainId) throw new Fault('cli/other-network', { detail: `chain id ${found}` })
}

/** How many transactions the address has sent, those that wait among them. */
export const nonceOf = (endpoint: Endpoint, address: string): Promise<bigint> =>
  quantity(endpoint, 'eth_getTransactionCount', [address, 'pending'])

/** What is asked for now, with twice the present base fee so that six full blocks may pass. */
export async function feesOf(endpoint: Endpoint): Promise<EvmFees> {
  const block = await callRpc(endpoint, 'eth_getBlockByNumber', ['latest', false])
  const base = valueAt(block, ['baseFeePerGas'])
  if (base === undefined) return { gasPrice: await quantity(endpoint, 'eth_gasPrice') }
  const maxPriorityFeePerGas = await quantity(endpoint, 'eth_maxPriorityFeePerGas')
  const baseFee = quantityIn(base, 'eth_getBlockByNumber')
  return { maxFeePerGas: 2n * baseFee + maxPriorityFeePerGas, maxPriorityFeePerGas }
}

export type EvmCall = {
  readonly from: string
  readonly to: string
  readonly value: bigint
  /** With 0x. */
  readonly data: string
}

/** What the call takes now, and a fifth on top where it runs a contract. */
export async function gasOf(endpoint: Endpoint, call: EvmCall): Promise<bigint> {
  const value = `0x${call.value.toString(16)}`
  const gas = await quantity(endpoint, 'eth_estimateGas', [{ ...call, value }])
  return call.data === '0x' ? gas : (gas * 6n) / 5n
}

/** Hands the transaction in and returns its id, as the node says it. */
export async function send(endpoint: Endpoint, signed: Uint8Array): Promise<string> {
  const id = await callRpc(endpoint, 'eth_sendRawTransaction', [`0x${toHex(signed)}`])
  return typeof id === 'string' ? id.toLowerCase() : ''
}

async function quantity(
  endpoint: Endpoint,
  method: string,
  params: readonly unknown[] = [],
): Promise<bigint> {
  return quantityIn(await callRpc(endpoint, method, params), method)
}

function quantityIn(value: unknown, method: string): bigint {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) throw badAnswer(method)
  return BigInt(value)
}
