/** How samples are made and judged, for each kind of account. */
import { createHash } from 'node:crypto'
import { bug, toHex } from '@quorate/base'
import type { Account } from '../account.ts'
import type { Referee } from '../referee.ts'
import type { SignedTx } from '../signing.ts'

type Coin = { readonly txid: string; readonly vout: number; readonly amount: string }

/** What people may choose about a sample; a kind takes those that it names. */
export type SampleChoice = {
  readonly to?: string | undefined
  readonly coins?: readonly Coin[]
  /** The transactions that made the coins, in hex and in their order. */
  readonly previous?: readonly string[]
  /** Satoshi. */
  readonly amount?: number | undefined
  readonly feeRate?: number | undefined
  readonly lamports?: number | undefined
  readonly blockhash?: string | undefined
  /** Decimal, here and in the next three. */
  readonly wei?: string | undefined
  readonly nonce?: string | undefined
  readonly maxFee?: string | undefined
  readonly priorityFee?: string | undefined
}

type Judged = {
  readonly account: Account
  readonly unsigned: string
  readonly signed: string
  readonly made: SignedTx
}

type SampleKind = {
  /** The options of `tx new` that are for this kind only. */
  readonly options: readonly string[]
  /** Whether a file of it holds its bytes, and not hex. */
  readonly isBinary: boolean
  /** The libraries that judge it. */
  readonly judge: string
  /** Hex. */
  make(referee: Referee, account: Account, choice: SampleChoice): string
  /** Why it is not the sample with valid signatures of the account; empty if it is. */
  check(referee: Referee, judged: Judged): readonly string[] | Promise<readonly string[]>
}

/** Who is paid by a sample that spends coins, how much, and where the rest goes. */
const payment = (referee: Referee, { address }: Account, choice: SampleChoice) => ({
  to: choice.to ?? referee.samplePayee(address),
  amount: String(choice.amount ?? 15_000),
  feeRate: choice.feeRate ?? 2,
  change: address,
})

/** Hashes what the wallet signs as the network does; the referee names digests. */
const checkInputs =
  (digestOf: (message: Uint8Array) => Uint8Array): SampleKind['check'] =>
  (referee, { unsigned, signed, made }) => {
    const { reasons, txid, inputs } = referee.checkBitcoin({
      psbtUnsigned: unsigned,
      signedRaw: signed,
    })
    const isSame =
      txid === made.txid &&
      inputs.length === made.items.length &&
      inputs.every(
        ({ message, signature }, i) =>
          message === toHex(digestOf(made.items[i]!.message)) &&
          signature === toHex(made.items[i]!.signature),
      )
    return isSame ? reasons : [...reasons, 'it sees other messages or signatures']
  }

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

const TAPROOT: SampleKind = {
  options: ['coin', 'amount', 'fee-rate'],
  isBinary: true,
  judge: 'bitcoinjs-lib',
  make(referee, account, choice) {
    const { coins = [] } = choice
    return referee.makeBitcoinPsbt({
      address: account.address,
      // The compressed key without its first byte.
      xOnlyInternalKey: toHex(account.key.publicKey.subarray(1)),
      coins: coins.length > 0 ? coins : referee.sampleCoins(account.address),
      ...payment(referee, account, choice),
    }).psbt
  },
  check: checkInputs((message) => message),
}

const P2WPKH: SampleKind = {
  options: ['coin', 'previous', 'amount', 'fee-rate'],
  isBinary: true,
  judge: 'bitcoinjs-lib',
  make(referee, account, choice) {
    const { coins = [], previous = [] } = choice
    if (previous.length !== coins.length)
      throw new Error('each --coin goes with the transaction that made it, in --previous')
    const paid = coins.map((coin, i) => ({ ...coin, previousTx: previous[i]! }))
    return referee.makeP2wpkhPsbt({
      address: account.address,
      publicKey: toHex(account.key.publicKey),
      coins: paid.length > 0 ? paid : referee.samplePaidCoins(account.address),
      ...payment(referee, account, choice),
    }).psbt
  },
  check: checkInputs((message) => sha256(sha256(message))),
}

const SOLANA: SampleKind = {
  options: ['lamports', 'blockhash'],
  isBinary: false,
  judge: '@solana/kit',
  make: (referee, { address }, { to, lamports, blockhash }) =>
    referee.makeSolanaTransfer({
      from: address,
      to: to ?? referee.sampleRecipient(address),
      lamports: String(lamports ?? 1_000_000),
      blockhash: blockhash ?? referee.sampleBlockhash(address),
    }),
  async check(referee, { unsigned, signed, made }) {
    const { reasons, ...seen } = await referee.checkSolana({ unsigned, signed })
    return sameOne(made, seen) ? reasons : [...reasons, 'it sees another message or signature']
  },
}

const ETHEREUM: SampleKind = {
  options: ['wei', 'nonce', 'max-fee', 'priority-fee'],
  isBinary: false,
  judge: '@ethereumjs/tx',
  make: (referee, account, choice) =>
    referee.makeEthereumTransfer({
      chainId: chainIdOf(account),
      to: choice.to ?? referee.sampleEthereumPayee(account.address),
      wei: choice.wei ?? '1000000000000000',
      nonce: choice.nonce ?? '0',
      maxFeePerGas: choice.maxFee ?? '20000000000',
      maxPriorityFeePerGas: choice.priorityFee ?? '1000000000',
    }),
  check(referee, { account, unsigned, signed, made }) {
    const { reasons, ...seen } = referee.checkEthereum({
      chainId: chainIdOf(account),
      from: account.address,
      unsigned,
      signed,
    })
    return sameOne(made, seen) ? reasons : [...reasons, 'it sees another message or signature']
  },
}

function chainIdOf({ adapter: { network } }: Account): number {
  return network.adapter === 'evm' ? Number(network.chainId) : bug('not an EVM network')
}

type Seen = { readonly txid: string; readonly message: string; readonly signature: string }

const sameOne = ({ txid, items: [item, ...more] }: SignedTx, seen: Seen): boolean =>
  more.length === 0 &&
  item !== undefined &&
  seen.txid === txid &&
  seen.message === toHex(item.message) &&
  seen.signature === toHex(item.signature)

/** The options of `tx new` that are for some kinds only. */
export const KIND_OPTIONS: readonly string[] = [
  ...new Set([TAPROOT, P2WPKH, SOLANA, ETHEREUM].flatMap(({ options }) => options)),
]

/** What samples of an account are like. */
export function kindOf({ adapter: { network, scheme } }: Account): SampleKind {
  switch (network.adapter) {
    case 'bitcoin':
      return scheme === 'ecdsa-secp256k1' ? P2WPKH : TAPROOT
    case 'solana':
      return SOLANA
    case 'evm':
      return ETHEREUM
  }
}
