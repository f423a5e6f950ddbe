import type { Command, Options } from '../command.ts'
import { CONNECTION_OPTIONS } from '../connection-options.ts'
import { HSM_OPTIONS } from '../hsm-options.ts'
import { RECOVERY_OPTIONS } from '../recovery-options.ts'

const CLUSTER: Options = {
  cluster: {
    kind: 'text',
    value: 'FILE',
    about: 'the cluster file that quorate cluster join wrote, its words compared',
  },
}
const local: Options = {
  environment: {
    kind: 'text',
    value: 'NAME',
    about: 'development, staging or production; no default',
  },
  data: {
    kind: 'text',
    value: 'DIR',
    about: 'the data directory of the node; it must not be running',
  },
  ...HSM_OPTIONS,
}
const out: Options = { out: { kind: 'text', value: 'FILE', about: 'write it to this new file' } }

export const backupCommands: readonly Command[] = [
  {
    name: 'backup recipients',
    summary: 'Make somebody who can open backups: by shares of words, by a second HSM or by a file',
    options: {
      name: { kind: 'text', value: 'NAME', about: 'what the cluster record calls it' },
      kind: { kind: 'text', value: 'KIND', about: 'words (SLIP-39), hsm or file' },
      shares: { kind: 'integer', value: 'N', about: 'shares of words to make (default 3)' },
      threshold: {
        kind: 'integer',
        value: 'T',
        about: 'shares that are needed (default: a majority)',
      },
      'secret-file': { kind: 'text', value: 'FILE', about: 'new file for the secret (kind file)' },
      node: {
        kind: 'list',
        value: 'INDEX',
        about: 'a node whose backups it opens (default: all); give each node another',
      },
      environment: {
        kind: 'text',
        value: 'NAME',
        about: 'by whose rules the HSM is opened (default development)',
      },
      ...HSM_OPTIONS,
      ...out,
    },
    examples: [
      'quorate backup recipients --name vault --kind words --shares 3 --threshold 2 --out vault.json',
      'quorate backup recipients --name safe --kind file --secret-file safe.secret --out safe.json',
    ],
    load: async () => (await import('../actions/backup.ts')).recipients,
  },
  {
    name: 'backup now',
    summary: 'Make a backup now: have a running node make one, or of a stopped one with --data',
    options: {
      ...CONNECTION_OPTIONS,
      ...local,
      'backup-dir': {
        kind: 'text',
        value: 'PLACE',
        about: 'with --data: a directory, or s3://BUCKET/PREFIX',
      },
    },
    examples: [
      'quorate backup now --node 2',
      'quorate backup now --url https://node-1:7600 --cluster cluster.cbor --client ops.json',
      'quorate backup now --environment staging --data /var/lib/quorate --backup-dir /mnt/backups/alpha',
    ],
    load: async () => (await import('../actions/backup.ts')).now,
  },
  {
    name: 'backup verify',
    summary: 'Restore drill: open a backup and check every share in it, without installing it',
    arguments: [{ name: 'BACKUP', about: 'a backup file, a directory or s3://… of backups' }],
    options: { ...CLUSTER, ...RECOVERY_OPTIONS },
    examples: [
      'quorate backup verify latest.enc --cluster cluster.cbor --share-file one.words --share-file two.words',
      'quorate backup verify /mnt/backups/alpha --cluster cluster.cbor --secret-file safe.secret',
    ],
    load: async () => (await import('../actions/backup.ts')).verify,
  },
  {
    name: 'node restore',
    summary: 'Open the backup of a lost node on a fresh machine, and make the card of the new one',
    options: {
      backup: {
        kind: 'text',
        value: 'BACKUP',
        about: 'a backup file, a directory or s3://… of backups',
      },
      name: { kind: 'text', value: 'NAME', about: 'what operators call the new machine' },
      ...CLUSTER,
      ...RECOVERY_OPTIONS,
      ...local,
      ...out,
    },
    examples: [
      'quorate node restore --backup latest.enc --cluster cluster.cbor --secret-file safe.secret --name alpha-2 --environment staging --data /var/lib/quorate --out alpha-2.card',
    ],
    load: async () => (await import('../actions/backup.ts')).restore,
  },
]
