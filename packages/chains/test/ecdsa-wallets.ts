/** Wallets that sign with ECDSA, whose keys the tests know whole, and samples made with them. */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes } from '@quorate/base'
import type { TransactionInputUpdate } from '@scure/btc-signer/psbt.js'
import { RawOldTx } from '@scure/btc-signer/script.js'
import { encodeRlp, minimalBytes, type Rlp } from '#src/evm/rlp.js'
import { PAYEE_SCRIPT, type PsbtParts, type Wallet } from './wallets.js'

export const SUITE = 'CGGMP24-secp256k1-SHA256-128-v1'

/** Signs the hash that the item asks for with one plain key: r ‖ s, low s. */
export function ecdsaWallet(secretKey: Uint8Array): Wallet {
  return {
    key: { scheme: 'ecdsa-secp256k1', publicKey: secp256k1.getPublicKey(secretKey, true) },
    sign({ message, hash }) {
      const digest = hash === 'keccak256' ? keccak_256(message) : sha256(sha256(message))
      return secp256k1.sign(digest, secretKey, { prehash: false })
    },
  }
}

export const erin: Wallet = ecdsaWallet(new Uint8Array(32).fill(5))
export const frank: Wallet = ecdsaWallet(new Uint8Array(32).fill(6))

export const keyHash = ({ key }: Wallet): Uint8Array => ripemd160(sha256(key.publicKey))

export const p2wpkhOutput = (wallet: Wallet): Uint8Array =>
  concatBytes(Uint8Array.of(0, 20), keyHash(wallet))

/** A transaction that never was, of which output `i` pays `amount` to `script`. */
export function previousTx(script: Uint8Array, i: number, amount: bigint): Uint8Array {
  return RawOldTx.encode({
    version: 2,
    inputs: [
      {
        txid: new Uint8Array(32).fill(i + 1),
        index: 0,
        finalScriptSig: new Uint8Array(0),
        sequence: 0xffffffff,
      },
    ],
    outputs: Array.from({ length: i + 1 }, (_, at) => ({
      script,
      amount: at === i ? amount : 1_000n,
    })),
    lockTime: 0,
  })
}

/** As explorers show it. */
export const txidOf = (tx: Uint8Array): string =>
  Buffer.from(sha256(sha256(tx)))
    .reverse()
    .toString('hex')

/** Input number `i` of `wallet`, worth `amount`, with the whole transaction that it spends. */
export function paidCoin(
  wallet: Wallet,
  i: number,
  amount: bigint,
  more: TransactionInputUpdate = {},
): TransactionInputUpdate {
  const script = p2wpkhOutput(wallet)
  const previous = previousTx(script, i, amount)
  return {
    txid: txidOf(previous),
    index: i,
    witnessUtxo: { script, amount },
    nonWitnessUtxo: previous,
    ...more,
  }
}

/** Two coins of erin, a payee and change: 100 000 in, 60 000 out, 39 700 back, 300 fee. */
export const PAID_SAMPLE: PsbtParts = {
  inputs: [paidCoin(erin, 0, 70_000n), paidCoin(erin, 1, 30_000n)],
  outputs: [
    { script: PAYEE_SCRIPT, amount: 60_000n },
    { script: p2wpkhOutput(erin), amount: 39_700n },
  ],
}

export type TxFields = {
  readonly chainId: bigint
  readonly nonce: bigint
  readonly priorityFee: bigint
  readonly maxFee: bigint
  readonly gasLimit: bigint
  readonly to: Uint8Array
  readonly value: bigint
  readonly data: Uint8Array
  readonly accessList: Rlp
}

export const RECEIVER: Uint8Array = new Uint8Array(20).fill(0xab)

/** 1.5 ETH on Sepolia, at up to 30 gwei. */
export const TRANSFER_FIELDS: TxFields = {
  chainId: 11_155_111n,
  nonce: 7n,
  priorityFee: 1_000_000_000n,
  maxFee: 30_000_000_000n,
  gasLimit: 21_000n,
  to: RECEIVER,
  value: 1_500_000_000_000_000_000n,
  data: new Uint8Array(0),
  accessList: [],
}

export const fieldsOf = (fields: TxFields): readonly Rlp[] => [
  minimalBytes(fields.chainId),
  minimalBytes(fields.nonce),
  minimalBytes(fields.priorityFee),
  minimalBytes(fields.maxFee),
  minimalBytes(fields.gasLimit),
  fields.to,
  minimalBytes(fields.value),
  fields.data,
  fields.accessList,
]

export const typedTx = (fields: readonly Rlp[]): Uint8Array =>
  concatBytes(Uint8Array.of(2), encodeRlp(fields))

export const unsignedTx = (fields: TxFields): Uint8Array => typedTx(fieldsOf(fields))
