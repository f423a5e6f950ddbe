/**
 * Bitcoin, Taproot key path: PSBT version 0 or 2 in, PSBT or raw transaction out
 * (BIP-340, BIP-341, BIP-86, BIP-174, BIP-370, BIP-371). A PSBT does not say which network it is
 * for; addresses are shown as those of this one, and its coins exist on one network only.
 */
import { Fault } from '@quorate/base'
import { Address } from '@scure/btc-signer'
import type { ChainAdapter } from '../adapter.ts'
import type { BitcoinNetwork } from '../networks.ts'
import { decodeAddress, taprootAddress, taprootKey } from './address.ts'
import { parsePsbt } from './psbt.ts'
import { bitcoinTransaction, verifySchnorr } from './transaction.ts'

const SCHEME = 'bip340-secp256k1'

export const bitcoinAdapter = (network: BitcoinNetwork): ChainAdapter => ({
  network,
  scheme: SCHEME,
  suite: 'FROST-secp256k1-SHA256-TR-v1',
  formats: ['raw', 'psbt'],
  address: (key) => taprootAddress(network, taprootKey(key)),
  parseAddress: (text) => Address(network.params).encode(decodeAddress(network, text)),
  addressKey(address) {
    const decoded = decodeAddress(network, address)
    if (decoded.type !== 'tr') throw new Fault('chains/no-key-in-address')
    return decoded.pubkey
  },
  addressItem: (key, message) => ({
    id: 'address',
    scheme: SCHEME,
    publicKey: taprootKey(key).outputKey,
    message,
    tweak: { kind: 'taproot' },
  }),
  verifySignature: verifySchnorr,
  parse({ unsigned, context, key }) {
    if (context.length > 0) throw new Fault('chains/unexpected-context')
    return bitcoinTransaction(parsePsbt(unsigned.slice(), taprootKey(key)), network)
  },
})
