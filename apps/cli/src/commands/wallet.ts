import { ACCOUNT_OPTIONS } from '../account-options.ts'
import type { Argument, Command } from '../command.ts'
import { CONNECTION_OPTIONS } from '../connection-options.ts'

const wallet: Argument = { name: 'WALLET', about: 'its id or its name' }

export const walletCommands: readonly Command[] = [
  {
    name: 'wallet create',
    summary: 'Make a wallet: a key that exists only as shares, one at each node',
    options: {
      name: {
        kind: 'text',
        value: 'NAME',
        about: 'what people call it (default: made of the network)',
      },
      network: {
        kind: 'text',
        value: 'NETWORK',
        about: 'slug or CAIP-2 id, see quorate networks (default bitcoin-testnet4)',
      },
      protocol: {
        kind: 'text',
        value: 'NAME',
        about: 'frost, or cggmp24 (also cggmp21) for ECDSA (default: the first of the network)',
      },
      suite: {
        kind: 'text',
        value: 'SUITE',
        about: 'the exact suite instead, see quorate networks',
      },
      threshold: { kind: 'integer', value: 'T', about: 'number of signers needed' },
      policy: {
        kind: 'text',
        value: 'NAME',
        about: 'policy template (default: that of the cluster)',
      },
      params: {
        kind: 'list',
        value: 'KEY=VALUE',
        about: 'parameter of the template; the value may be JSON',
      },
      'unsafe-threshold': { kind: 'flag', about: 'accept a threshold below a majority' },
      ...CONNECTION_OPTIONS,
    },
    examples: [
      'quorate wallet create --network solana-devnet --name pocket',
      'quorate wallet create --protocol cggmp24 --network ethereum-sepolia --name till',
      `quorate wallet create --policy allow-list --params networks='["bitcoin-testnet4"]' --params recipients='["tb1q…"]' --params maxAmount='{"BTC":"50000"}' --params maxFee='{"BTC":"5000"}'`,
    ],
    load: async () => (await import('../actions/wallet.ts')).create,
  },
  {
    name: 'wallet list',
    summary: 'List the wallets of the project',
    options: {
      protocol: { kind: 'text', value: 'NAME', about: 'only those of this protocol' },
      ...CONNECTION_OPTIONS,
    },
    examples: ['quorate wallet list', 'quorate wallet list --protocol cggmp24 --json'],
    load: async () => (await import('../actions/wallet.ts')).list,
  },
  {
    name: 'wallet show',
    summary: 'Show one wallet: address, keys, threshold',
    arguments: [wallet],
    options: {
      path: {
        kind: 'text',
        value: 'PATH',
        about: 'show this key derived from that of an ECDSA wallet, too, e.g. m/0/5',
      },
      ...CONNECTION_OPTIONS,
    },
    examples: ['quorate wallet show pocket', 'quorate wallet show till --path m/0/5'],
    load: async () => (await import('../actions/wallet.ts')).show,
  },
  {
    name: 'wallet refresh',
    summary: 'Give all nodes new shares of the same key; stolen old ones become worthless',
    arguments: [wallet],
    options: CONNECTION_OPTIONS,
    examples: ['quorate wallet refresh pocket'],
    load: async () => (await import('../actions/wallet.ts')).refresh,
  },
  {
    name: 'policy show',
    summary: 'Show the policy in force for a wallet',
    arguments: [wallet],
    options: CONNECTION_OPTIONS,
    examples: ['quorate policy show pocket'],
    load: async () => (await import('../actions/policy.ts')).show,
  },
  {
    name: 'policy why',
    summary: 'Say what policy decides about a transaction, rule by rule, without signing',
    arguments: [
      { name: 'TX', about: 'file, - for standard input, or the transaction in hex or base64' },
    ],
    options: {
      wallet: { kind: 'text', value: 'WALLET', about: 'id or name' },
      ...ACCOUNT_OPTIONS,
      ...CONNECTION_OPTIONS,
    },
    examples: ['quorate policy why payment.psbt --wallet pocket'],
    load: async () => (await import('../actions/policy.ts')).why,
  },
  {
    name: 'policy templates',
    summary: 'List the policy templates that a wallet can be made with',
    examples: ['quorate policy templates'],
    load: async () => (await import('../actions/policy.ts')).templates,
  },
]
