import type { Options } from './command.ts'

/** Options of every command that is about one key of a wallet on one network. */
export const ACCOUNT_OPTIONS: Options = {
  network: {
    kind: 'text',
    value: 'NETWORK',
    about: 'one of the networks that the wallet can sign on (default: the one it was made for)',
  },
  path: {
    kind: 'text',
    value: 'PATH',
    about: 'a key derived from that of an ECDSA wallet, e.g. m/0/5 (default: the key itself)',
  },
}
