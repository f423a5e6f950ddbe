/** Signed transactions as they are broadcast, and the ids by which networks know them. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { Fault, toHex } from '@quorate/base'
import { base58 } from '@scure/base'
import { hashOf, readTx } from './bitcoin/raw-transaction.ts'
import { readSigned } from './evm/envelope.ts'
import { findNetwork } from './networks.ts'
import { isEmptySignature, readTransaction } from './solana/message.ts'

/**
 * The id of a transaction that is ready to be broadcast, as explorers of the network show it. It is
 * made of the bytes alone; whether the signatures verify is not looked at here.
 * @throws chains/unknown-network, chains/malformed-transaction, chains/missing-signature,
 *   chains/other-chain, and what else the network's format is refused with
 */
export function transactionId(slugOrCaip2: string, signed: Uint8Array): string {
  const network = findNetwork(slugOrCaip2)
  switch (network.adapter) {
    case 'bitcoin':
      return bitcoinId(signed)
    case 'solana':
      return solanaId(signed)
    case 'evm': {
      const { chainId } = readSigned(signed).tx
      if (chainId !== undefined && chainId !== network.chainId)
        throw new Fault('chains/other-chain', { detail: `chain id ${chainId}` })
      return `0x${toHex(keccak_256(signed))}`
    }
  }
}

/** How every PSBT begins. */
const PSBT_MAGIC = '70736274ff'

function bitcoinId(signed: Uint8Array): string {
  if (toHex(signed.subarray(0, 5)) === PSBT_MAGIC)
    throw new Fault('chains/malformed-transaction', {
      detail: 'a PSBT, which the network does not take: it has to be finished first',
    })
  const { stripped, inputs } = readTx(signed)
  inputs.forEach(({ scriptSig, witness }, i) => {
    if (scriptSig.length + witness.length === 0)
      throw new Fault('chains/missing-signature', { detail: `input ${i}` })
  })
  return toHex(hashOf(stripped).toReversed())
}

function solanaId(signed: Uint8Array): string {
  const { signatures } = readTransaction(signed)
  signatures.forEach((signature, i) => {
    if (isEmptySignature(signature))
      throw new Fault('chains/missing-signature', { detail: `signature ${i}` })
  })
  return base58.encode(signatures[0]!)
}
