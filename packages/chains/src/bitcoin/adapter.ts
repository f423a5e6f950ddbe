/**
 * Bitcoin: PSBT version 0 or 2 in, PSBT or raw transaction out (BIP-174, BIP-370, BIP-371), for
 * wallets with Taproot addresses and for wallets with P2WPKH addresses. A PSBT does not say which
 * network it is for; addresses are shown as those of this one, and its coins exist on one network only.
 */
import { Fault } from '@quorate/base'
import { Address } from '@scure/btc-signer'
import type { ChainAdapter } from '../adapter.ts'
import type { BitcoinNetwork } from '../networks.ts'
import { decodeAddress } from './address.ts'
import type { AddressForm } from './form.ts'
import { P2WPKH } from './p2wpkh.ts'
import { parsePsbt } from './psbt.ts'
import { meaningOf } from './script.ts'
import { TAPROOT } from './taproot.ts'
import { bitcoinTransaction } from './transaction.ts'

export const bitcoinAdapters = (
  network: BitcoinNetwork,
): readonly [ChainAdapter, ...ChainAdapter[]] => [
  adapterFor(network, TAPROOT),
  adapterFor(network, P2WPKH),
]

const adapterFor = (network: BitcoinNetwork, form: AddressForm): ChainAdapter => ({
  network,
  scheme: form.scheme,
  suites: form.suites,
  suite: form.suites[0],
  formats: ['raw', 'psbt'],
  address: (key) => meaningOf(form.spender(key).script, network.params).to,
  parseAddress: (text) => Address(network.params).encode(decodeAddress(network, text)),
  addressKey: (address) => form.addressKey(decodeAddress(network, address)),
  addressVerifier: (address) => form.addressVerifier(decodeAddress(network, address)),
  addressItem: form.addressItem,
  verifySignature: form.verifySignature,
  parse({ unsigned, context, key }) {
    if (context.length > 0) throw new Fault('chains/unexpected-context')
    return bitcoinTransaction(parsePsbt(unsigned.slice(), form.spender(key)), network)
  },
})
