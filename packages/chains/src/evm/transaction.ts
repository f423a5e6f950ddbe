/** An EIP-1559 transaction that the wallet may sign, and the same once signed. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { equalBytes, Fault, toHex } from '@quorate/base'
import type { SerialisedTx, SignedTx, SignItem, TxFormat, UnsignedTx } from '../adapter.ts'
import { recoveryIdOf } from '../ecdsa.ts'
import type { EvmNetwork } from '../networks.ts'
import { addressOf } from './address.ts'
import { encodeSigned, type FeeMarketTx, readSigned, type SignedFeeMarketTx } from './fee-market.ts'
import { viewOf } from './view.ts'

const ITEM = 'transaction'
const HASH = 'keccak256'

/** `publicKey` is compressed. */
export function evmTransaction(
  tx: FeeMarketTx,
  network: EvmNetwork,
  publicKey: Uint8Array,
): UnsignedTx {
  const item: SignItem = {
    id: ITEM,
    scheme: 'ecdsa-secp256k1',
    publicKey,
    message: tx.unsigned,
    hash: HASH,
  }
  return {
    view: () => viewOf(tx, network, addressOf(publicKey)),
    prepare: () => [item],
    attach(signatures) {
      const signature = signatures.get(ITEM)
      if (signature === undefined) throw new Fault('chains/missing-signature', { detail: ITEM })
      return signedTransaction(encodeSigned(tx, yParityOf(tx, publicKey, signature), signature))
    },
    verify: (signed) => reasonsAgainst(signed, tx, publicKey),
  }
}

/** 0 or 1. @throws chains/bad-signature */
function yParityOf(tx: FeeMarketTx, publicKey: Uint8Array, signature: Uint8Array): number {
  const id = recoveryIdOf(publicKey, HASH, tx.unsigned, signature)
  if (typeof id === 'string') throw new Fault('chains/bad-signature', { detail: id })
  // Once in 2^127 the x of the nonce point is above the group order, which yParity cannot say.
  if (id > 1) throw new Fault('chains/bad-signature', { detail: 'sign again, with another nonce' })
  return id
}

const signedTransaction = (bytes: Uint8Array): SignedTx => ({
  serialise(format: TxFormat = 'raw'): SerialisedTx {
    if (format !== 'raw') throw new Fault('chains/unknown-format')
    return { bytes: bytes.slice(), txid: `0x${toHex(keccak_256(bytes))}` }
  },
})

function reasonsAgainst(
  signed: Uint8Array,
  { unsigned }: FeeMarketTx,
  publicKey: Uint8Array,
): readonly string[] {
  let read: SignedFeeMarketTx
  try {
    read = readSigned(signed)
  } catch {
    return ['it is not a signed EIP-1559 transaction']
  }
  if (!equalBytes(read.tx.unsigned, unsigned))
    return ['it is another transaction: its fields differ']
  const id = recoveryIdOf(publicKey, HASH, unsigned, read.signature)
  if (typeof id === 'string') return [`the signature does not verify: ${id}`]
  return BigInt(id) === read.yParity ? [] : ['its yParity leads to another key']
}
