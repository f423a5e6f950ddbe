/**
 * The Bitcoin family: PSBT version 0 or 2 in, PSBT or raw transaction out (BIP-174, BIP-370, BIP-371),
 * for wallets with Taproot addresses and for wallets whose key signs with ECDSA. A PSBT does not say
 * which network it is for; addresses are shown as those of this one, and its coins exist on one
 * network only.
 */
import { Fault } from '@quorate/base'
import type { ChainAdapter } from '../adapter.ts'
import { addressOf, scriptOfAddress } from './address.ts'
import { ECDSA } from './ecdsa.ts'
import type { FormScript, WalletKind } from './form.ts'
import type { BitcoinNetwork } from './networks.ts'
import { parsePsbt } from './psbt.ts'
import { TAPROOT } from './taproot.ts'
import { bitcoinTransaction } from './transaction.ts'

export const bitcoinAdapters = (
  network: BitcoinNetwork,
): readonly [ChainAdapter, ...ChainAdapter[]] =>
  network.rules.hasTaproot
    ? [adapterFor(network, TAPROOT), adapterFor(network, ECDSA)]
    : [adapterFor(network, ECDSA)]

function adapterFor(network: BitcoinNetwork, kind: WalletKind): ChainAdapter {
  const { params, rules } = network
  const written = ({ form, script }: FormScript) => ({ form, address: addressOf(script, params)! })
  return {
    network,
    scheme: kind.scheme,
    suites: kind.suites,
    suite: kind.suites[0],
    formats: ['raw', 'psbt'],
    address: (key) => written(kind.spender(key, rules).scripts[0]).address,
    addresses: (key) => kind.spender(key, rules).scripts.map(written),
    parseAddress: (text) => addressOf(scriptOfAddress(network, text), params)!,
    addressKey: (address) => kind.addressKey(scriptOfAddress(network, address)),
    addressVerifier: (address) => kind.addressVerifier(scriptOfAddress(network, address), rules),
    addressItem: (key, message) => kind.addressItem(key, message, rules),
    verifySignature: kind.verifySignature,
    parse({ unsigned, context, key }) {
      if (context.length > 0) throw new Fault('chains/unexpected-context')
      const psbt = parsePsbt(unsigned.slice(), kind.spender(key, rules), rules)
      return bitcoinTransaction(psbt, network)
    },
  }
}
