/** Sample transactions: the referee makes them, the cluster signs them, the referee checks them. */
import type { WalletJson } from '@quorate/api'
import { Fault, fromHex, toHex } from '@quorate/base'
import { describeView } from '@quorate/chains'
import type { Connection } from '../connection.ts'
import type { Referee } from '../referee.ts'
import { readTx, type SignedTx, signTx } from '../signing.ts'

type Coin = { readonly txid: string; readonly vout: number; readonly amount: string }

export type BitcoinChoice = {
  readonly coins: readonly Coin[]
  readonly to: string | undefined
  /** Satoshi. */
  readonly amount: number | undefined
  readonly feeRate: number | undefined
}

/** A PSBT in hex that spends the coins, or three that do not exist, and sends the change back. */
export function makeBitcoinSample(
  referee: Referee,
  { address, groupKey }: WalletJson,
  choice: Partial<BitcoinChoice>,
): string {
  const { coins = [], to, amount, feeRate } = choice
  return referee.makeBitcoinPsbt({
    address,
    // The compressed key without its first byte.
    xOnlyInternalKey: groupKey.slice(2),
    coins: coins.length > 0 ? coins : referee.sampleCoins(address),
    to: to ?? referee.samplePayee(address),
    amount: String(amount ?? 15_000),
    feeRate: feeRate ?? 2,
    change: address,
  }).psbt
}

export type SolanaChoice = {
  readonly to: string | undefined
  readonly lamports: number | undefined
  readonly blockhash: string | undefined
}

/** An unsigned version 0 transfer in hex. */
export function makeSolanaSample(
  referee: Referee,
  { address }: WalletJson,
  { to, lamports, blockhash }: Partial<SolanaChoice>,
): string {
  return referee.makeSolanaTransfer({
    from: address,
    to: to ?? referee.sampleRecipient(address),
    lamports: String(lamports ?? 1_000_000),
    blockhash: blockhash ?? referee.sampleBlockhash(address),
  })
}

export type Sample = {
  /** Hex. */
  readonly unsigned: string
  /** What it does, in plain words. */
  readonly words: readonly string[]
  readonly made: SignedTx
  /** Of the libraries that judged it. */
  readonly judge: string
}

/** @throws cli/does-not-verify where the referee does not agree */
export async function signSample(
  referee: Referee,
  connection: Connection,
  wallet: WalletJson,
  onProgress: (text: string) => void,
): Promise<Sample> {
  const isBitcoin = wallet.scheme === 'bip340-secp256k1'
  const unsigned = isBitcoin
    ? makeBitcoinSample(referee, wallet, {})
    : makeSolanaSample(referee, wallet, {})
  const bytes = fromHex(unsigned)
  const words = describeView(readTx(wallet, bytes).view)
  const made = await signTx(connection, wallet, bytes, { onProgress })
  onProgress('having it checked')
  const signed = toHex(made.signed)
  const reasons = isBitcoin
    ? bitcoinReasons(referee, unsigned, signed, made)
    : await solanaReasons(referee, unsigned, signed, made)
  if (reasons.length > 0)
    throw new Fault('cli/does-not-verify', { detail: `the referee says: ${reasons.join('; ')}` })
  return { unsigned, words, made, judge: isBitcoin ? 'bitcoinjs-lib' : '@solana/kit' }
}

function bitcoinReasons(
  referee: Referee,
  psbtUnsigned: string,
  signedRaw: string,
  made: SignedTx,
): readonly string[] {
  const { reasons, txid, inputs } = referee.checkBitcoin({ psbtUnsigned, signedRaw })
  const isSame =
    txid === made.txid &&
    inputs.length === made.items.length &&
    inputs.every(
      ({ message, signature }, i) =>
        message === toHex(made.items[i]!.message) && signature === toHex(made.items[i]!.signature),
    )
  return isSame ? reasons : [...reasons, 'it sees other messages or signatures']
}

async function solanaReasons(
  referee: Referee,
  unsigned: string,
  signed: string,
  made: SignedTx,
): Promise<readonly string[]> {
  const { reasons, txid, message, signature } = await referee.checkSolana({ unsigned, signed })
  const [item] = made.items
  const isSame =
    txid === made.txid &&
    item !== undefined &&
    message === toHex(item.message) &&
    signature === toHex(item.signature)
  return isSame ? reasons : [...reasons, 'it sees another message or signature']
}
