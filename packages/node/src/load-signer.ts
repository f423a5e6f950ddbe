/** What the store holds, handed to the signer in parts that each fit into one call. */
import type { Client, SignerCalls, WalletRow } from '@quorate/enclave'
import { systemClock } from '@quorate/platform'
import type { Store } from './store.ts'

type Load = Parameters<Client<SignerCalls>['load']>[0]
type Lists = Omit<Load, 'highWater'>

const NOTHING: Lists = {
  rows: [],
  burnt: [],
  aux: [],
  primes: [],
  requests: [],
  ledger: [],
  highWaters: [],
  waiting: [],
  policies: [],
}
/** Rows of each kind in one call: of the longest kind that is some megabytes. */
const AT_ONCE: { readonly [Kind in keyof Lists]: number } = {
  rows: 100,
  burnt: 100_000,
  aux: 10,
  primes: 64,
  requests: 20_000,
  ledger: 5_000,
  highWaters: 50_000,
  waiting: 5,
  policies: 5,
}

/** Loads the signer with all that its store holds. `wallets` are the store's. */
export async function loadSigner(
  calls: Client<SignerCalls>,
  store: Store,
  wallets: readonly WalletRow[],
): Promise<void> {
  const highWater = await store.highWater()
  const all: Lists = {
    rows: wallets,
    burnt: await store.burnt(systemClock.now()),
    aux: await store.aux(),
    primes: await store.primes(),
    requests: await store.seenRequests(),
    ledger: await store.ledger(),
    highWaters: await store.ledgerTimes(),
    waiting: await store.waiting(),
    policies: await store.policies(),
  }
  for (const kind of Object.keys(all) as (keyof Lists)[])
    for (let from = 0; from < all[kind].length; from += AT_ONCE[kind])
      await calls.load({
        ...NOTHING,
        [kind]: all[kind].slice(from, from + AT_ONCE[kind]),
        highWater,
      })
  await calls.load({ ...NOTHING, highWater })
}
