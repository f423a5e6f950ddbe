/** A Solana transaction that the wallet may sign, and the same once signed. */

import { ed25519 } from '@noble/curves/ed25519.js'
import { equalBytes, Fault } from '@quorate/base'
import { base58 } from '@scure/base'
import type { SerialisedTx, SignedTx, SignItem, TxFormat, UnsignedTx } from '../adapter.ts'
import type { SolanaNetwork } from '../networks.ts'
import {
  encodeTransaction,
  isEmptySignature,
  readTransaction,
  signerIndex,
  type WireTransaction,
} from './message.ts'
import { viewOf } from './view.ts'

const ITEM = 'message'

/** Whether `signature` (64 bytes) verifies as the network does: strictly, cofactorless (RFC 8032 §5.1.7). Never throws. */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  return ed25519.verify(signature, message, publicKey, { zip215: false })
}

/** @throws chains/not-our-key, chains/already-signed */
export function solanaTransaction(
  transaction: WireTransaction,
  network: SolanaNetwork,
  publicKey: Uint8Array,
): UnsignedTx {
  const { message, signatures } = transaction
  const place = signerIndex(message, publicKey)
  if (place < 0) throw new Fault('chains/not-our-key')
  if (!isEmptySignature(signatures[place]!)) throw new Fault('chains/already-signed')
  const item: SignItem = { id: ITEM, scheme: 'ed25519', publicKey, message: message.bytes }
  return {
    view: () => viewOf(message, network, publicKey),
    prepare: () => [item],
    attach(given) {
      const signature = given.get(ITEM)
      if (signature === undefined) throw new Fault('chains/missing-signature', { detail: ITEM })
      if (!verifyEd25519(publicKey, message.bytes, signature))
        throw new Fault('chains/bad-signature', { detail: ITEM })
      const all = signatures.map((each, i) => (i === place ? signature.slice() : each))
      return signedTransaction({ message, signatures: all })
    },
    verify: (signed) => reasonsAgainst(signed, transaction),
  }
}

const signedTransaction = (transaction: WireTransaction): SignedTx => ({
  serialise(format: TxFormat = 'raw'): SerialisedTx {
    if (format !== 'raw') throw new Fault('chains/unknown-format')
    const [first] = transaction.signatures
    // The payer's signature is the id; until the payer has signed there is none.
    const txid = first === undefined || isEmptySignature(first) ? undefined : base58.encode(first)
    return { bytes: encodeTransaction(transaction), txid }
  },
})

function reasonsAgainst(signed: Uint8Array, { message }: WireTransaction): readonly string[] {
  let transaction: WireTransaction
  try {
    transaction = readTransaction(signed)
  } catch {
    return ['it is not a Solana transaction']
  }
  if (!equalBytes(transaction.message.bytes, message.bytes))
    return ['it is another transaction: its message differs']
  return transaction.signatures.flatMap((signature, i) => {
    const key = message.accounts[i]!
    if (isEmptySignature(signature)) return [`it is not signed by ${base58.encode(key)}`]
    return verifyEd25519(key, message.bytes, signature)
      ? []
      : [`the signature of ${base58.encode(key)} does not verify`]
  })
}
