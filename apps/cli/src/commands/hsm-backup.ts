import type { Command, Options } from '../command.ts'
import { STATE_OPTIONS } from '../hsm-state-options.ts'
import { DEVICE_OPTIONS } from './hsm.ts'

const options: Options = {
  ...DEVICE_OPTIONS,
  ...STATE_OPTIONS,
  location: {
    kind: 'text',
    value: 'PLACE',
    about: 'a directory, or s3://BUCKET/PREFIX?region=… (default: rotation.backupLocation)',
  },
}
const backup: Options = {
  backup: {
    kind: 'text',
    value: 'NAME',
    about: 'which one, as hsm backup list shows it (default: the newest)',
  },
}
const AT = '--hsm-config hsm.yaml --location /mnt/backups/hsm'

export const hsmBackupCommands: readonly Command[] = [
  {
    name: 'hsm backup init',
    summary: 'Give an HSM a backup key, under which its other keys can leave; or the one of shares',
    options: {
      ...DEVICE_OPTIONS,
      shares: { kind: 'integer', value: 'N', about: 'shares of words to make (default 3)' },
      threshold: {
        kind: 'integer',
        value: 'T',
        about: 'shares that are needed (default: a majority)',
      },
      'share-file': {
        kind: 'list',
        value: 'FILE',
        about: 'SLIP-39 share of a backup key that there is, mode 0600: as many as are needed',
      },
      'in-device': {
        kind: 'flag',
        about: 'let the HSM make the key, without shares: for devices whose vendor clones it',
      },
    },
    examples: [
      'quorate hsm backup init --hsm-config hsm.yaml --shares 5 --threshold 3',
      'quorate hsm backup init --hsm-config spare.yaml --share-file one.words --share-file two.words',
    ],
    load: async () => (await import('../actions/hsm-backup.ts')).init,
  },
  {
    name: 'hsm backup now',
    summary: 'Back up every key of an HSM that may leave it, wrapped; and name those that may not',
    options,
    examples: [`quorate hsm backup now ${AT}`],
    load: async () => (await import('../actions/hsm-backup.ts')).now,
  },
  {
    name: 'hsm backup list',
    summary: 'List the backups of an HSM, and check each',
    options,
    examples: [`quorate hsm backup list ${AT}`],
    load: async () => (await import('../actions/hsm-backup.ts')).list,
  },
  {
    name: 'hsm backup drill',
    summary: 'Restore every key of a backup for trial, compare it, and destroy it again',
    options: { ...options, ...backup },
    examples: [`quorate hsm backup drill ${AT}`],
    load: async () => (await import('../actions/hsm-backup.ts')).drill,
  },
  {
    name: 'hsm restore',
    summary: 'Bring the keys of a backup into an HSM that holds the same backup key',
    options: { ...options, ...backup },
    examples: ['quorate hsm restore --hsm-config spare.yaml --location /mnt/backups/hsm'],
    load: async () => (await import('../actions/hsm-backup.ts')).restore,
  },
]
