/** What a transfer needs to know of Solana, by its JSON-RPC. */
import { Fault, toBase64 } from '@quorate/base'
import type { SolanaNetwork } from '@quorate/chains'
import type { Endpoint } from './endpoint.ts'
import { callRpc, valueAt } from './json-rpc.ts'
import { badAnswer } from './refusals.ts'

/** The CAIP-2 id names the genesis block. @throws cli/other-network, and those of `callRpc` */
export async function checkChain(endpoint: Endpoint, { caip2 }: SolanaNetwork): Promise<void> {
  const genesis = await callRpc(endpoint, 'getGenesisHash')
  if (typeof genesis !== 'string' || !`solana:${genesis}`.startsWith(caip2))
    throw new Fault('cli/other-network')
}

export async function latestBlockhash(endpoint: Endpoint): Promise<string> {
  const answer = await callRpc(endpoint, 'getLatestBlockhash', [{ commitment: 'confirmed' }])
  return textOf(valueAt(answer, ['value', 'blockhash']), 'getLatestBlockhash')
}

export type Mint = {
  /** The program that keeps the token. */
  readonly program: string
  readonly decimals: number
}

/** Of both token programs: authority, supply, decimals, … */
const DECIMALS_AT = 44

/** @throws cli/rpc-bad-answer for what is no mint, and those of `callRpc` */
export async function mintOf(endpoint: Endpoint, mint: string): Promise<Mint> {
  const method = 'getAccountInfo'
  const answer = await callRpc(endpoint, method, [mint, { encoding: 'base64' }])
  const program = textOf(valueAt(answer, ['value', 'owner']), method)
  const data = Buffer.from(textOf(valueAt(answer, ['value', 'data', 0]), method), 'base64')
  const decimals = data[DECIMALS_AT]
  if (decimals === undefined) throw badAnswer(method)
  return { program, decimals }
}

/** Hands the transaction in and returns its id, as the node says it. */
export async function send(endpoint: Endpoint, signed: Uint8Array): Promise<string> {
  const options = { encoding: 'base64', preflightCommitment: 'confirmed' }
  return textOf(
    await callRpc(endpoint, 'sendTransaction', [toBase64(signed), options]),
    'sendTransaction',
  )
}

function textOf(value: unknown, method: string): string {
  if (typeof value !== 'string') throw badAnswer(method)
  return value
}
