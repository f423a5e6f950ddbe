/** A document that the wallet may sign, and the same once signed. */
import { equalBytes, Fault } from '@quorate/base'
import type { SignedTx, SignItem, TxFormat, UnsignedTx } from '../adapter.ts'
import { recoveryIdOf } from '../ecdsa.ts'
import { addressOf } from './address.ts'
import type { Claim, Document } from './document.ts'

const HASH = 'keccak256'

/** `publicKey` is compressed. */
export function evmTransaction(document: Document, publicKey: Uint8Array): UnsignedTx {
  const { id, preimage } = document
  const item: SignItem = {
    id,
    scheme: 'ecdsa-secp256k1',
    publicKey,
    message: preimage,
    hash: HASH,
  }
  return {
    view: () => document.view(addressOf(publicKey)),
    prepare: () => [item],
    attach(signatures) {
      const signature = signatures.get(id)
      if (signature === undefined) throw new Fault('chains/missing-signature', { detail: id })
      return signedDocument(document, yParityOf(preimage, publicKey, signature), signature)
    },
    verify: (signed) => reasonsAgainst(signed, document, publicKey),
  }
}

/** 0 or 1. @throws chains/bad-signature */
function yParityOf(preimage: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): number {
  const id = recoveryIdOf(publicKey, HASH, preimage, signature)
  if (typeof id === 'string') throw new Fault('chains/bad-signature', { detail: id })
  // Once in 2^127 the x of the nonce point is above the group order, which yParity cannot say.
  if (id > 1) throw new Fault('chains/bad-signature', { detail: 'sign again, with another nonce' })
  return id
}

function signedDocument(document: Document, yParity: number, signature: Uint8Array): SignedTx {
  const { bytes, txid } = document.encode(yParity, signature)
  return {
    serialise(format: TxFormat = 'raw') {
      if (format !== 'raw') throw new Fault('chains/unknown-format')
      return { bytes: bytes.slice(), txid }
    },
  }
}

function reasonsAgainst(
  signed: Uint8Array,
  document: Document,
  publicKey: Uint8Array,
): readonly string[] {
  let read: Claim
  try {
    read = document.read(signed)
  } catch {
    return [`it is not a signed ${document.noun}`]
  }
  if (!equalBytes(read.preimage, document.preimage))
    return ['it is another transaction: its fields differ']
  const id = recoveryIdOf(publicKey, HASH, document.preimage, read.signature)
  if (typeof id === 'string') return [`the signature does not verify: ${id}`]
  return BigInt(id) === read.yParity ? [] : ['its yParity leads to another key']
}
