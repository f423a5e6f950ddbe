import { ACCOUNT_OPTIONS } from '../account-options.ts'
import type { Command, Options } from '../command.ts'
import { CONNECTION_OPTIONS } from '../connection-options.ts'
import { CONTEXT_OPTION } from '../tx-context-option.ts'
import { WAIT_OPTION } from '../wait-option.ts'

const options: Options = {
  wallet: { kind: 'text', value: 'WALLET', about: 'id or name of the wallet that signs' },
  out: { kind: 'text', value: 'FILE', about: 'write it to this new file' },
  ...WAIT_OPTION,
  ...ACCOUNT_OPTIONS,
  ...CONNECTION_OPTIONS,
}

export const messageCommands: readonly Command[] = [
  {
    name: 'message sign',
    summary: 'Have a message signed: EIP-191 on Ethereum, an off-chain message on Solana',
    arguments: [{ name: 'TEXT', about: 'the message itself', isOptional: true }],
    options: {
      file: { kind: 'text', value: 'FILE', about: 'a file that holds it; - for standard input' },
      ...options,
    },
    examples: [
      "quorate message sign 'I am the owner of this address' --wallet till",
      'quorate message sign --file login.txt --wallet sol --network solana-devnet',
    ],
    load: async () => (await import('../actions/message.ts')).signMessage,
  },
  {
    name: 'typed-data sign',
    summary: 'Have typed data signed (EIP-712, eth_signTypedData_v4)',
    arguments: [{ name: 'FILE', about: 'JSON with types, primaryType, domain and message' }],
    options: { context: CONTEXT_OPTION, ...options },
    examples: ['quorate typed-data sign order.json --wallet till'],
    load: async () => (await import('../actions/message.ts')).signTypedData,
  },
]
