/** Wallets whose keys the tests know whole, and samples made with them. */

import { ed25519 } from '@noble/curves/ed25519.js'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes, fromHex } from '@quorate/base'
import type { KeyRef, SignItem, UnsignedTx } from '@quorate/chains'
import { base58 } from '@scure/base'
import { OutScript, Transaction, utils } from '@scure/btc-signer'
import type { TransactionInputUpdate } from '@scure/btc-signer/psbt.js'

const { Fn } = secp256k1.Point

export type Wallet = {
  readonly key: KeyRef
  sign(item: SignItem): Uint8Array
}

/** Signs with one plain secp256k1 key, tweaked as the item says (BIP-341). */
export function taprootWallet(secretKey: Uint8Array): Wallet {
  const publicKey = secp256k1.getPublicKey(secretKey, true)
  return {
    key: { scheme: 'bip340-secp256k1', publicKey },
    sign({ message, tweak }) {
      const root = tweak?.merkleRoot ?? new Uint8Array(0)
      const t = schnorr.utils.taggedHash('TapTweak', publicKey.slice(1), root)
      const d = Fn.fromBytes(secretKey)
      const even = publicKey[0] === 2 ? d : Fn.neg(d)
      const tweaked = Fn.toBytes(Fn.create(even + BigInt(`0x${Buffer.from(t).toString('hex')}`)))
      return schnorr.sign(message, tweaked, new Uint8Array(32))
    },
  }
}

export function ed25519Wallet(secretKey: Uint8Array): Wallet {
  return {
    key: { scheme: 'ed25519', publicKey: ed25519.getPublicKey(secretKey) },
    sign: ({ message }) => ed25519.sign(message, secretKey),
  }
}

/** Both parities of the y coordinate occur, since Taproot drops it. */
export const alice: Wallet = taprootWallet(new Uint8Array(32).fill(9))
export const bob: Wallet = taprootWallet(new Uint8Array(32).fill(4))
export const carol: Wallet = ed25519Wallet(new Uint8Array(32).fill(7))
export const dave: Wallet = ed25519Wallet(new Uint8Array(32).fill(8))

export const signaturesFor = (tx: UnsignedTx, wallet: Wallet): Map<string, Uint8Array> =>
  new Map(tx.prepare().map((item) => [item.id, wallet.sign(item)]))

export const xOnly = ({ key }: Wallet): Uint8Array => key.publicKey.slice(1)

export const taprootOutput = (wallet: Wallet, merkleRoot?: Uint8Array): Uint8Array =>
  OutScript.encode({
    type: 'tr',
    pubkey: utils.taprootTweakPubkey(xOnly(wallet), merkleRoot ?? new Uint8Array(0))[0],
  })

export const NO_CONTEXT: Uint8Array = new Uint8Array(0)
export const PAYEE_SCRIPT: Uint8Array = fromHex(`0014${'5a'.repeat(20)}`)

/** Input number `i` of `wallet`, worth `amount`. */
export const coinOf = (
  wallet: Wallet,
  i: number,
  amount: bigint,
  more: TransactionInputUpdate = {},
): TransactionInputUpdate => ({
  txid: (i + 1).toString(16).padStart(2, '0').repeat(32),
  index: i,
  witnessUtxo: { script: taprootOutput(wallet), amount },
  tapInternalKey: xOnly(wallet),
  ...more,
})

export type PsbtParts = {
  readonly inputs: readonly TransactionInputUpdate[]
  readonly outputs: readonly { readonly script: Uint8Array; readonly amount: bigint }[]
  readonly lockTime?: number
  readonly version?: 0 | 2
}

export function psbtOf({ inputs, outputs, lockTime = 0, version = 0 }: PsbtParts): Uint8Array {
  const tx = new Transaction({
    lockTime,
    PSBTVersion: version,
    disableScriptCheck: true,
    allowUnknownOutputs: true,
    unknown: 'ignore',
  })
  for (const input of inputs) tx.addInput(input, true)
  for (const output of outputs) tx.addOutput(output, true)
  return tx.toPSBT()
}

/** Two coins of alice, a payee and change: 100 000 in, 60 000 out, 39 700 back, 300 fee. */
export const SAMPLE: PsbtParts = {
  inputs: [coinOf(alice, 0, 70_000n), coinOf(alice, 1, 30_000n)],
  outputs: [
    { script: PAYEE_SCRIPT, amount: 60_000n },
    { script: taprootOutput(alice), amount: 39_700n },
  ],
}

const SYSTEM = new Uint8Array(32)
export const BUDGET: Uint8Array = base58.decode('ComputeBudget111111111111111111111111111111')
export const RECIPIENT: Uint8Array = new Uint8Array(32).fill(0x42)
export const RECENT_BLOCKHASHES: Uint8Array = base58.decode(
  'SysvarRecentB1ockHashes11111111111111111111',
)

export type Call = {
  readonly program: number
  readonly accounts: readonly number[]
  readonly data: Uint8Array
}

export const littleEndian = (value: bigint, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))

export const transferData = (lamports: bigint): Uint8Array =>
  concatBytes(littleEndian(2n, 4), littleEndian(lamports, 8))

export type MessageParts = {
  readonly header: readonly [number, number, number]
  readonly accounts: readonly Uint8Array[]
  readonly calls: readonly Call[]
  readonly lookups?: readonly Uint8Array[]
  readonly isLegacy?: boolean
}

/** A message by hand, right or wrong: all counts below 128. */
export const messageOf = ({
  header,
  accounts,
  calls,
  lookups = [],
  isLegacy,
}: MessageParts): Uint8Array =>
  concatBytes(
    Uint8Array.from(isLegacy === true ? header : [0x80, ...header]),
    Uint8Array.of(accounts.length),
    ...accounts,
    new Uint8Array(32).fill(0x77),
    Uint8Array.of(calls.length),
    ...calls.map(({ program, accounts: used, data }) =>
      concatBytes(Uint8Array.of(program, used.length, ...used, data.length), data),
    ),
    ...(isLegacy === true ? [] : [Uint8Array.of(lookups.length), ...lookups]),
  )

export const wireOf = (message: Uint8Array, signers = 1): Uint8Array =>
  concatBytes(Uint8Array.of(signers), new Uint8Array(64 * signers), message)

/** carol sends 1.5 SOL to a recipient. */
export const TRANSFER: MessageParts = {
  header: [1, 0, 1],
  accounts: [carol.key.publicKey, RECIPIENT, SYSTEM],
  calls: [{ program: 2, accounts: [0, 1], data: transferData(1_500_000_000n) }],
}
