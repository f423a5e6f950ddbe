import { ACCOUNT_OPTIONS } from '../account-options.ts'
import type { Command, Options } from '../command.ts'
import { CONNECTION_OPTIONS } from '../connection-options.ts'
import { RPC_OPTIONS } from '../remote/endpoint.ts'

const common: Options = {
  wallet: { kind: 'text', value: 'WALLET', about: 'id or name of the wallet that pays' },
  to: { kind: 'text', value: 'ADDRESS', about: 'who is paid' },
  amount: {
    kind: 'text',
    value: 'AMOUNT',
    about: "in the smallest unit, or with the usual one, as '0.05 ETH'",
  },
}
const rest: Options = {
  out: { kind: 'text', value: 'FILE', about: 'write it to this new file' },
  ...RPC_OPTIONS,
  ...ACCOUNT_OPTIONS,
  ...CONNECTION_OPTIONS,
}
const token: Options = {
  token: {
    kind: 'text',
    value: 'TOKEN',
    about: 'address of its contract or mint, or its symbol in our own table',
  },
}

export const transferCommands: readonly Command[] = [
  {
    name: 'tx new transfer',
    summary: 'Make an unsigned transfer of coins; --rpc asks a node for what is not given',
    options: async () => ({
      ...common,
      ...(await import('../transfers/index.ts')).transferOptions('coins'),
      ...rest,
    }),
    examples: [
      "quorate tx new transfer --wallet till --to 0x5aAe… --amount '0.05 ETH' --rpc https://…",
      'quorate tx new transfer --wallet till --to 0x5aAe… --amount 1000 --nonce 7 --max-fee 20gwei --priority-fee 1gwei',
      "quorate tx new transfer --wallet sol --to 9xQe… --amount '1.5 SOL' --blockhash EETu…",
      'quorate tx new transfer --wallet pocket --to tb1q… --amount 20000 --coin 4f…e1:0:50000 --fee-rate 3 --out payment.psbt',
    ],
    load: async () => (await import('../actions/transfer.ts')).transfer,
  },
  {
    name: 'tx new token-transfer',
    summary: 'Make an unsigned transfer of tokens: ERC-20, or tokens of Solana',
    options: async () => ({
      ...common,
      ...token,
      ...(await import('../transfers/index.ts')).transferOptions('tokens'),
      ...rest,
    }),
    examples: [
      "quorate tx new token-transfer --wallet till --token USDC --to 0x5aAe… --amount '25 USDC' --rpc https://…",
      'quorate tx new token-transfer --wallet sol --token 4zMM… --decimals 6 --to 9xQe… --amount 2500000 --blockhash EETu…',
    ],
    load: async () => (await import('../actions/transfer.ts')).tokenTransfer,
  },
  {
    name: 'tx send',
    summary: 'Hand a signed transaction to a node of its network',
    arguments: [
      {
        name: 'TX',
        about: 'file, - for standard input, or the signed transaction itself in hex or base64',
      },
    ],
    options: {
      ...RPC_OPTIONS,
      mainnet: {
        kind: 'flag',
        about: 'send it on a network where coins have value, though no wallet says so',
      },
      wallet: { kind: 'text', value: 'WALLET', about: 'id or name of the wallet that signed' },
      ...ACCOUNT_OPTIONS,
      ...CONNECTION_OPTIONS,
    },
    examples: [
      'quorate tx send signed.hex --network ethereum-sepolia --rpc https://…',
      'quorate tx send signed.hex --wallet pocket --rpc https://mempool.space/testnet4/api',
    ],
    load: async () => (await import('../actions/transfer.ts')).send,
  },
]
