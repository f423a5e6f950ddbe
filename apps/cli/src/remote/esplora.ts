/** What a transfer needs to know of Bitcoin, by the REST API of Esplora. */
import { Fault, fromHex, fromUtf8, toHex } from '@quorate/base'
import type { BitcoinNetwork } from '@quorate/chains'
import type { Endpoint } from './endpoint.ts'
import { valueAt } from './json-rpc.ts'
import { badAnswer, httpRefusal } from './refusals.ts'

/** Blocks within which a transfer is to be mined. */
const TARGET_BLOCKS = '6'

/**
 * The CAIP-2 id names the first block; of Bitcoin Cash a later one, and no other network takes its
 * signatures. @throws cli/other-network, cli/rpc-…
 */
export async function checkChain(
  endpoint: Endpoint,
  { caip2, asset }: BitcoinNetwork,
): Promise<void> {
  if (asset === 'BCH') return
  const genesis = await textAt(endpoint, '/block-height/0')
  if (!`bip122:${genesis}`.startsWith(caip2)) throw new Fault('cli/other-network')
}

export type FoundCoin = { readonly txid: string; readonly vout: number; readonly amount: bigint }

/** The coins of the address that are in a block. */
export async function coinsOf(endpoint: Endpoint, address: string): Promise<readonly FoundCoin[]> {
  const what = 'coins of an address'
  const items = await jsonAt(endpoint, `/address/${encodeURIComponent(address)}/utxo`, what)
  if (!Array.isArray(items)) throw badAnswer(what)
  return items
    .filter((item) => valueAt(item, ['status', 'confirmed']) === true)
    .map((item) => {
      const [txid, vout, value] = ['txid', 'vout', 'value'].map((name) => valueAt(item, [name]))
      if (
        typeof txid !== 'string' ||
        !/^[0-9a-f]{64}$/.test(txid) ||
        !Number.isSafeInteger(vout) ||
        !Number.isSafeInteger(value)
      )
        throw badAnswer(what)
      return { txid, vout: vout as number, amount: BigInt(value as number) }
    })
}

/** A transaction as it is on the network; its id is not checked here. */
export async function transactionOf(endpoint: Endpoint, txid: string): Promise<Uint8Array> {
  const hex = await textAt(endpoint, `/tx/${txid}/hex`)
  try {
    return fromHex(hex)
  } catch {
    throw badAnswer('a transaction')
  }
}

/** Smallest units for each virtual byte. */
export async function feeRateOf(endpoint: Endpoint): Promise<number> {
  const estimates = await jsonAt(endpoint, '/fee-estimates', 'fee estimates')
  const rate = valueAt(estimates, [TARGET_BLOCKS])
  if (typeof rate !== 'number' || !(rate > 0)) throw badAnswer('fee estimates')
  return rate
}

/** Hands the transaction in and returns its id, as the node says it. */
export async function send(endpoint: Endpoint, signed: Uint8Array): Promise<string> {
  const { status, body } = await endpoint.post('/tx', 'text/plain', toHex(signed))
  if (status !== 200) throw httpRefusal('POST /tx', status, body)
  return (fromUtf8(body) ?? '').trim()
}

async function textAt(endpoint: Endpoint, path: string, what = path): Promise<string> {
  const { status, body } = await endpoint.get(path)
  if (status !== 200) throw httpRefusal(what, status, body)
  return (fromUtf8(body) ?? '').trim()
}

async function jsonAt(endpoint: Endpoint, path: string, what: string): Promise<unknown> {
  const text = await textAt(endpoint, path, what)
  try {
    return JSON.parse(text)
  } catch {
    throw badAnswer(what)
  }
}
