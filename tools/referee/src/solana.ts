/** Solana as an outside party sees it: transactions made and judged with @solana/kit and WebCrypto only. */
import { createHash, webcrypto } from 'node:crypto'
import {
  type Address,
  address,
  appendTransactionMessageInstruction,
  assertIsFullySignedTransaction,
  type Blockhash,
  compileTransaction,
  createNoopSigner,
  createTransactionMessage,
  getAddressDecoder,
  getAddressEncoder,
  getBase58Decoder,
  getSignatureFromTransaction,
  getTransactionDecoder,
  getTransactionEncoder,
  lamports,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  verifySignature,
} from '@solana/kit'
import { getTransferSolInstruction } from '@solana-program/system'

export type SolanaTransfer = {
  readonly from: string
  readonly to: string
  /** Decimal. */
  readonly lamports: string
  readonly blockhash: string
}

export type SolanaVerdict = {
  readonly isValid: boolean
  readonly reasons: readonly string[]
  readonly txid: string
  /** Hex: the bytes that the payer's signature covers, and that signature. */
  readonly message: string
  readonly signature: string
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest()

/** A blockhash that never was, always the same for one address. */
export const sampleBlockhash = (from: string): string =>
  getBase58Decoder().decode(digest(`sample blockhash of ${from}`))

/** An address that nobody holds the key of, to pay to in samples. */
export const sampleRecipient = (from: string): string =>
  getAddressDecoder().decode(digest(`sample recipient of ${from}`))

/** An unsigned version 0 transfer of SOL, as wire bytes in hex. */
export function makeSolanaTransfer(transfer: SolanaTransfer): string {
  const payer = address(transfer.from)
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (made) => setTransactionMessageFeePayer(payer, made),
    (made) =>
      setTransactionMessageLifetimeUsingBlockhash(
        { blockhash: transfer.blockhash as Blockhash, lastValidBlockHeight: 0n },
        made,
      ),
    (made) =>
      appendTransactionMessageInstruction(
        getTransferSolInstruction({
          source: createNoopSigner(payer),
          destination: address(transfer.to),
          amount: lamports(BigInt(transfer.lamports)),
        }),
        made,
      ),
  )
  return hex(Uint8Array.from(getTransactionEncoder().encode(compileTransaction(message))))
}

/** Whether `signed` is `unsigned` with a valid signature of every signer. Both are wire bytes in hex. */
export async function checkSolana(given: {
  readonly unsigned: string
  readonly signed: string
}): Promise<SolanaVerdict> {
  const decoder = getTransactionDecoder()
  const unsigned = decoder.decode(unhex(given.unsigned))
  const signed = decoder.decode(unhex(given.signed))
  const reasons: string[] = []
  if (hex(Uint8Array.from(signed.messageBytes)) !== hex(Uint8Array.from(unsigned.messageBytes)))
    reasons.push('its message is another one')
  assertIsFullySignedTransaction(signed)
  for (const [signer, signature] of Object.entries(signed.signatures)) {
    const key = await webcrypto.subtle.importKey(
      'raw',
      Uint8Array.from(getAddressEncoder().encode(signer as Address)),
      'Ed25519',
      true,
      ['verify'],
    )
    const isValid =
      signature !== null && (await verifySignature(key, signature, signed.messageBytes))
    if (!isValid) reasons.push(`the signature of ${signer} does not verify`)
  }
  const first = Object.values(signed.signatures)[0]
  return {
    isValid: reasons.length === 0,
    reasons,
    txid: getSignatureFromTransaction(signed),
    message: hex(Uint8Array.from(signed.messageBytes)),
    signature: first === undefined || first === null ? '' : hex(first),
  }
}
