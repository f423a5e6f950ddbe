/**
 * What a document does not say by itself, as people write it: the context in the form of the network's
 * adapter, or JSON that is put into that form here. All of it is only claimed.
 *
 *   Ethereum  {"tokens":[{"address":"0x…","symbol":"XYZ","decimals":6}]}
 *   Solana    {"loaded":{"writable":["…"],"readonly":["…"]},"tokenAccounts":[{"account":"…","owner":"…","mint":"…"}]}
 */
import { Fault, fromHex, fromUtf8, isFault } from '@quorate/base'
import {
  encodeEvmContext,
  encodeSolanaContext,
  type Network,
  type SolanaContext,
} from '@quorate/chains'
import type { Given } from './command.ts'
import { readTransaction } from './files.ts'

/** The context for a network; no bytes unless one was given. */
export type GivenContext = (network: Network) => Uint8Array

/** Reads --context. @throws cli/file-not-found, cli/bad-file, chains/bad-context where it is used */
export function contextOf(given: Given): GivenContext {
  const path = given.text('context')
  if (path === undefined) return () => new Uint8Array(0)
  const bytes = readTransaction(path)
  const text = fromUtf8(bytes)?.trim()
  if (text?.startsWith('{') !== true) return () => bytes
  const json = parse(text, path)
  return (network) => encode(json, network)
}

function parse(text: string, path: string): object {
  try {
    return JSON.parse(text) as object
  } catch (cause) {
    throw new Fault('cli/bad-file', { detail: `${path} is not JSON`, cause })
  }
}

function encode(json: object, { adapter, slug }: Network): Uint8Array {
  try {
    switch (adapter) {
      case 'evm':
        return evmContext(json)
      case 'solana':
        return encodeSolanaContext(json as SolanaContext)
      case 'bitcoin':
        throw new Fault('chains/unexpected-context')
    }
  } catch (cause) {
    if (isFault(cause, 'chains/unexpected-context')) throw cause
    throw new Fault('chains/bad-context', { detail: `not what ${slug} takes`, cause })
  }
}

/** Throws whatever comes of a value of another shape. */
function evmContext(json: object): Uint8Array {
  const { tokens, ...more } = json as { readonly tokens: readonly ClaimedToken[] }
  if (Object.keys(more).length > 0) throw new Fault('chains/bad-context')
  return encodeEvmContext(
    tokens.map(({ address, ...rest }) => ({
      ...rest,
      address: fromHex(address.replace(/^0x/, '').toLowerCase()),
    })),
  )
}

type ClaimedToken = {
  readonly address: string
  readonly symbol: string
  readonly decimals: number
}
