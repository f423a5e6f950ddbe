/** What the wallet may sign on Solana, a transaction or an off-chain message, and the same once signed. */

import type { TxView } from '@quorate/api'
import { equalBytes, Fault } from '@quorate/base'
import { base58 } from '@scure/base'
import type { SerialisedTx, SignedTx, SignItem, TxFormat, UnsignedTx } from '../adapter.ts'
import { verifyEd25519 } from '../ed25519.ts'
import { isEmptySignature, joinEnvelope, splitEnvelope } from './message.ts'

const ITEM = 'message'

export type Signable = {
  /** What every signature covers. */
  readonly message: Uint8Array
  /** 32-byte keys in the order of the signatures; the first one's signature is the id. */
  readonly signers: readonly Uint8Array[]
  /** Zeros where one is missing. */
  readonly signatures: readonly Uint8Array[]
  view(): TxView
}

/** @throws chains/not-our-key, chains/already-signed */
export function solanaTransaction(signable: Signable, publicKey: Uint8Array): UnsignedTx {
  const { message, signers, signatures } = signable
  const place = signers.findIndex((each) => equalBytes(each, publicKey))
  if (place < 0) throw new Fault('chains/not-our-key')
  if (!isEmptySignature(signatures[place]!)) throw new Fault('chains/already-signed')
  const item: SignItem = { id: ITEM, scheme: 'ed25519', publicKey, message }
  return {
    view: () => signable.view(),
    prepare: () => [item],
    attach(given) {
      const signature = given.get(ITEM)
      if (signature === undefined) throw new Fault('chains/missing-signature', { detail: ITEM })
      if (!verifyEd25519(publicKey, message, signature))
        throw new Fault('chains/bad-signature', { detail: ITEM })
      const all = signatures.map((each, i) => (i === place ? signature.slice() : each))
      return signedTransaction(all, message)
    },
    verify: (signed) => reasonsAgainst(signed, signable),
  }
}

const signedTransaction = (signatures: readonly Uint8Array[], message: Uint8Array): SignedTx => ({
  serialise(format: TxFormat = 'raw'): SerialisedTx {
    if (format !== 'raw') throw new Fault('chains/unknown-format')
    const [first] = signatures
    // The payer's signature is the id; until the payer has signed there is none.
    const txid = first === undefined || isEmptySignature(first) ? undefined : base58.encode(first)
    return { bytes: joinEnvelope(signatures, message), txid }
  },
})

function reasonsAgainst(signed: Uint8Array, { message, signers }: Signable): readonly string[] {
  let found: ReturnType<typeof splitEnvelope>
  try {
    found = splitEnvelope(signed)
  } catch {
    return ['it is not a Solana transaction']
  }
  if (!equalBytes(found.message, message)) return ['it is another transaction: its message differs']
  if (found.signatures !== undefined && found.signatures.length !== signers.length)
    return ['it has not as many signatures as signers']
  return signers.flatMap((key, i) => {
    const signature = found.signatures?.[i]
    if (signature === undefined || isEmptySignature(signature))
      return [`it is not signed by ${base58.encode(key)}`]
    return verifyEd25519(key, message, signature)
      ? []
      : [`the signature of ${base58.encode(key)} does not verify`]
  })
}
