import type { Options } from './command.ts'

/** Options of commands that open a backup. */
export const RECOVERY_OPTIONS: Options = {
  'secret-file': {
    kind: 'text',
    value: 'FILE',
    about: 'secret of a recipient of kind file, mode 0600',
  },
  'share-file': {
    kind: 'list',
    value: 'FILE',
    about: 'SLIP-39 share of a recipient of kind words, mode 0600: as many as are needed',
  },
  'recovery-hsm': {
    kind: 'text',
    value: 'URI',
    about: 'the HSM of a recipient of kind hsm',
  },
  'recovery-pin-file': { kind: 'text', value: 'FILE', about: 'its PIN, mode 0600' },
  recipient: {
    kind: 'text',
    value: 'NAME',
    about: 'which recipient of kind hsm (default: the only one)',
  },
}
