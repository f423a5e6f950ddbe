/** Transfers on Bitcoin and networks like it. */
import { Fault, isFault } from '@quorate/base'
import {
  type BuiltBitcoinTransfer,
  buildBitcoinTransfer,
  transactionId,
  type Utxo,
  unitOf,
} from '@quorate/chains'
import type { Account } from '../account.ts'
import type { Given } from '../command.ts'
import { readTransaction } from '../files.ts'
import type { Endpoint } from '../remote/endpoint.ts'
import { coinsOf, feeRateOf, transactionOf } from '../remote/esplora.ts'
import { amountOf, type Family, orAsk } from './family.ts'

const MAX_LOCK_TIME = 0xffffffff
/** Coins whose previous transactions are fetched. */
const MAX_FETCHED = 100

export const bitcoin: Family = {
  options: {
    coin: {
      kind: 'list',
      value: 'TXID:VOUT[:AMOUNT]',
      about: 'Bitcoin: a coin to spend; AMOUNT, in satoshi, unless --previous has its transaction',
    },
    previous: {
      kind: 'list',
      value: 'TX',
      about: 'Bitcoin: the transaction that made a coin, which ECDSA wallets cannot do without',
    },
    'fee-rate': { kind: 'text', value: 'RATE', about: 'Bitcoin: satoshi per virtual byte' },
    'lock-time': {
      kind: 'integer',
      value: 'TIME',
      about: 'Bitcoin: block height or Unix time before which it cannot be mined',
    },
  },
  async transfer(task) {
    const { given, account } = task
    const { network, key, adapter } = account
    const amount = amountOf(given, unitOf(adapter.network.asset))
    const to = [{ address: given.required('to'), amount }]
    const feeRate = await orAsk(feeRateIn(given), task, 'fee-rate', feeRateOf)
    const lockTime = given.integer('lock-time', 0, MAX_LOCK_TIME)
    const build = (coins: readonly Utxo[]): BuiltBitcoinTransfer =>
      buildBitcoinTransfer({
        network,
        key,
        coins,
        to,
        feeRate,
        ...(lockTime !== undefined && { lockTime }),
      })
    const coins = given.list('coin').length === 0 ? undefined : givenCoins(given, network)
    if (coins !== undefined) return build(coins)
    return orAsk<BuiltBitcoinTransfer>(undefined, task, 'coin', (endpoint) =>
      withCoinsOf(endpoint, account, build),
    )
  },
}

/** @throws cli/bad-value */
function feeRateIn(given: Given): number | undefined {
  const text = given.text('fee-rate')
  if (text === undefined) return undefined
  const rate = /^\d{1,7}(\.\d{1,3})?$/.test(text) ? Number(text) : 0
  if (rate > 0) return rate
  throw new Fault('cli/bad-value', { detail: '--fee-rate takes satoshi per virtual byte' })
}

/** @throws cli/bad-value, cli/file-not-found, cli/bad-file, chains/malformed-transaction */
function givenCoins(given: Given, network: string): readonly Utxo[] {
  const previous = new Map(
    given.list('previous').map((each) => {
      const transaction = readTransaction(each)
      return [transactionId(network, transaction), transaction] as const
    }),
  )
  return given.list('coin').map((text) => {
    const [, hex, vout, amount] = /^([0-9a-fA-F]{64}):(\d{1,9})(?::(\d{1,16}))?$/.exec(text) ?? []
    if (hex === undefined)
      throw new Fault('cli/bad-value', { detail: '--coin takes TXID:VOUT or TXID:VOUT:AMOUNT' })
    const txid = hex.toLowerCase()
    const previousTx = previous.get(txid)
    return {
      txid,
      vout: Number(vout),
      ...(amount !== undefined && { amount: BigInt(amount) }),
      ...(previousTx !== undefined && { previousTx }),
    }
  })
}

/**
 * The transfer with coins that the node knows of, the largest first. Wallets of ECDSA keys need the
 * transactions that made them; those are fetched one by one, until the coins suffice.
 */
async function withCoinsOf(
  endpoint: Endpoint,
  { adapter, key }: Account,
  build: (coins: readonly Utxo[]) => BuiltBitcoinTransfer,
): Promise<BuiltBitcoinTransfer> {
  const addresses = adapter.addresses?.(key) ?? []
  const found = await Promise.all(addresses.map(({ address }) => coinsOf(endpoint, address)))
  const sorted = found.flat().sort((a, b) => Number(b.amount - a.amount))
  if (key.scheme === 'bip340-secp256k1') return build(sorted)
  const coins: Utxo[] = []
  for (const coin of sorted.slice(0, MAX_FETCHED)) {
    coins.push({ ...coin, previousTx: await transactionOf(endpoint, coin.txid) })
    try {
      return build(coins)
    } catch (error) {
      if (!isFault(error, 'chains/insufficient-funds')) throw error
    }
  }
  throw new Fault('chains/insufficient-funds')
}
