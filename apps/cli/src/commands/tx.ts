import { ACCOUNT_OPTIONS } from '../account-options.ts'
import type { Argument, Command, Options } from '../command.ts'
import { CONNECTION_OPTIONS } from '../connection-options.ts'
import { CONTEXT_OPTION } from '../tx-context-option.ts'
import { WAIT_OPTION } from '../wait-option.ts'
import { transferCommands } from './transfer.ts'

const tx: Argument = {
  name: 'TX',
  about: 'file, - for standard input, or the unsigned transaction itself in hex or base64',
}
const options: Options = {
  wallet: { kind: 'text', value: 'WALLET', about: 'id or name of the wallet' },
  ...ACCOUNT_OPTIONS,
  ...CONNECTION_OPTIONS,
}
const documentOptions: Options = { context: CONTEXT_OPTION, ...options }
const out: Options = {
  out: { kind: 'text', value: 'FILE', about: 'write it to this new file' },
}

export const txCommands: readonly Command[] = [
  {
    name: 'tx new',
    summary: 'Make an example transaction for a wallet, with libraries other than our own',
    options: {
      coin: {
        kind: 'list',
        value: 'TXID:VOUT:AMOUNT',
        about: 'Bitcoin: a coin to spend (default: three that do not exist)',
      },
      previous: {
        kind: 'list',
        value: 'TX',
        about: 'Bitcoin, ECDSA wallets: the transaction that made the coin, one for each --coin',
      },
      to: {
        kind: 'text',
        value: 'ADDRESS',
        about: 'who is paid (default: an address that nobody holds the key of)',
      },
      amount: { kind: 'integer', value: 'SATOSHI', about: 'Bitcoin: how much (default 15000)' },
      'fee-rate': {
        kind: 'integer',
        value: 'RATE',
        about: 'Bitcoin: satoshi per virtual byte (default 2)',
      },
      lamports: { kind: 'integer', value: 'LAMPORTS', about: 'Solana: how much (default 1000000)' },
      blockhash: {
        kind: 'text',
        value: 'HASH',
        about: 'Solana: a recent blockhash (default: one that never was)',
      },
      wei: { kind: 'text', value: 'WEI', about: 'Ethereum: how much (default 10^15)' },
      nonce: {
        kind: 'text',
        value: 'NONCE',
        about: 'Ethereum: transactions that the address has sent before (default 0)',
      },
      'max-fee': {
        kind: 'text',
        value: 'WEI',
        about: 'Ethereum: the most to pay for each gas (default 20 gwei)',
      },
      'priority-fee': {
        kind: 'text',
        value: 'WEI',
        about: 'Ethereum: of it, the most to give to the validator (default 1 gwei)',
      },
      ...out,
      ...options,
    },
    examples: [
      'quorate tx new --wallet pocket --out payment.psbt',
      'quorate tx new --wallet till --wei 1000000000000000 --nonce 7',
      'quorate tx new --wallet till --network bitcoin-testnet4 --path m/0/5 --out payment.psbt',
      'quorate tx new --wallet pocket --coin 4f…e1:0:50000 --to tb1q… --amount 20000 --fee-rate 3',
    ],
    load: async () => (await import('../actions/tx-new.ts')).make,
  },
  ...transferCommands,
  {
    name: 'tx show',
    summary: 'Say in plain words what a transaction does, and what policy decides',
    arguments: [tx],
    options: documentOptions,
    examples: [
      'quorate tx show payment.psbt --wallet pocket',
      'quorate tx show payment.psbt --wallet till --network bitcoin-testnet4 --path m/0/5',
    ],
    load: async () => (await import('../actions/tx.ts')).show,
  },
  {
    name: 'tx sign',
    summary: 'Have a transaction signed by enough nodes, and verify what comes back',
    arguments: [tx],
    options: {
      format: {
        kind: 'text',
        value: 'raw|psbt',
        about: 'what to give out (default raw: ready to be broadcast)',
      },
      ...out,
      ...WAIT_OPTION,
      ...documentOptions,
    },
    examples: [
      'quorate tx sign payment.psbt --wallet pocket',
      'quorate tx sign payment.psbt --wallet till --network bitcoin-testnet4',
      'quorate tx sign payment.psbt --wallet pocket --format psbt --out signed.psbt',
    ],
    load: async () => (await import('../actions/tx.ts')).sign,
  },
  {
    name: 'tx verify',
    summary: 'Check that a signed transaction is the unsigned one with valid signatures',
    options: {
      unsigned: { kind: 'text', value: 'TX', about: 'what was to be signed' },
      signed: { kind: 'text', value: 'TX', about: 'what came back' },
      ...documentOptions,
    },
    examples: ['quorate tx verify --unsigned payment.psbt --signed signed.psbt --wallet pocket'],
    load: async () => (await import('../actions/tx.ts')).verify,
  },
]
