/**
 * Ethereum and networks like it as an outside party sees them: transactions made and read with
 * @ethereumjs/tx, senders recovered with libsecp256k1. Nothing of the product is imported here.
 */
import { createHash } from 'node:crypto'
import { type Common, createCustomCommon, Mainnet } from '@ethereumjs/common'
import {
  createFeeMarket1559Tx,
  createTxFromRLP,
  isLegacyTx,
  type TypedTransaction,
} from '@ethereumjs/tx'
import {
  createAddressFromString,
  type KZG,
  pubToAddress,
  toChecksumAddress,
} from '@ethereumjs/util'
import * as secp256k1 from 'tiny-secp256k1'
import { toRlp } from 'viem'

export type EthereumTransfer = {
  readonly chainId: number
  readonly to: string
  /** Decimal, here and in the next three. */
  readonly wei: string
  readonly nonce: string
  /** In wei per gas. */
  readonly maxFeePerGas: string
  readonly maxPriorityFeePerGas: string
}

export type EthereumVerdict = {
  readonly isValid: boolean
  readonly reasons: readonly string[]
  readonly txid: string
  /** Who signed it, with the checksum of EIP-55. */
  readonly sender: string
  /** Hex: what the signature covers, before it is hashed; and r ‖ s, 64 bytes. */
  readonly message: string
  readonly signature: string
}

const TRANSFER_GAS = 21_000n

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
/** The library wants KZG for every type 3 transaction, and calls none of it where there are no blobs. */
const NO_BLOBS = {} as KZG
const commonOf = (chainId: number): Common =>
  createCustomCommon({ chainId }, Mainnet, { customCrypto: { kzg: NO_BLOBS } })

/** An address that nobody holds the key of, to pay to in samples. */
export const sampleEthereumPayee = (from: string): string =>
  checksummed(createHash('sha256').update(`sample payee of ${from}`).digest().subarray(0, 20))

const checksummed = (address: Uint8Array): string => toChecksumAddress(`0x${hex(address)}`)

/** An unsigned EIP-1559 transfer, in hex. */
export function makeEthereumTransfer(transfer: EthereumTransfer): string {
  const { chainId, to, wei, nonce, maxFeePerGas, maxPriorityFeePerGas } = transfer
  const tx = createFeeMarket1559Tx(
    {
      chainId: BigInt(chainId),
      nonce: BigInt(nonce),
      maxFeePerGas: BigInt(maxFeePerGas),
      maxPriorityFeePerGas: BigInt(maxPriorityFeePerGas),
      gasLimit: TRANSFER_GAS,
      to: createAddressFromString(to),
      value: BigInt(wei),
    },
    { common: commonOf(chainId) },
  )
  return hex(tx.getMessageToSign())
}

/** Whether `signed`, of any type, is `unsigned` with a signature, low s, of the key of `from`. Both are bytes in hex. */
export function checkEthereum(given: {
  readonly chainId: number
  readonly from: string
  readonly unsigned: string
  readonly signed: string
}): EthereumVerdict {
  const bytes = unhex(given.signed)
  const tx = createTxFromRLP(bytes, { common: commonOf(given.chainId) })
  const message = hex(messageOf(tx))
  const signature = Uint8Array.from([...word(tx.r), ...word(tx.s)])
  const sender = senderOf(tx, signature)
  const reasons = [
    ...(message === given.unsigned ? [] : ['it is another transaction']),
    ...(hex(tx.serialize()) === given.signed ? [] : ['it is not written canonically']),
    ...(sender === given.from ? [] : ['its signature does not lead to the sender']),
  ]
  return {
    isValid: reasons.length === 0,
    reasons,
    txid: `0x${hex(tx.hash())}`,
    sender: sender ?? '',
    message,
    signature: hex(signature),
  }
}

const word = (value: bigint | undefined): Uint8Array =>
  unhex((value ?? 0n).toString(16).padStart(64, '0'))

/** Legacy transactions come as their fields, not encoded yet. */
function messageOf(tx: TypedTransaction): Uint8Array {
  const message: Uint8Array | Uint8Array[] = tx.getMessageToSign()
  return Array.isArray(message) ? toRlp(message, 'bytes') : message
}

/** By libsecp256k1; `undefined` for what is no strict signature. */
function senderOf(tx: TypedTransaction, signature: Uint8Array): string | undefined {
  const hash = tx.getHashedMessageToSign()
  // A legacy v is 35 + 2·chainId + parity, so an odd one has parity 0 (EIP-155).
  const isOdd = isLegacyTx(tx) ? tx.v! % 2n === 0n : tx.v === 1n
  const key = secp256k1.recover(hash, signature, isOdd ? 1 : 0, false)
  // Strict means low s.
  if (key === null || !secp256k1.verify(hash, key, signature, true)) return undefined
  return checksummed(pubToAddress(key.slice(1)))
}
