import type { Command } from '../command.ts'
import { KMS_OPTIONS } from '../kms/options.ts'

const keys = () => import('../kms/actions/keys.ts')

/** Who can open the store of a KMS, and under which keys. */
export const kmsKeyCommands: readonly Command[] = [
  {
    name: 'kms recipients list',
    summary: 'List who can open the instance key',
    options: KMS_OPTIONS,
    examples: ['quorate kms recipients list'],
    load: async () => (await keys()).listRecipients,
  },
  {
    name: 'kms recipients create',
    summary: 'Make SLIP-39 shares that unseal together, each in a file of its own',
    options: {
      ...KMS_OPTIONS,
      group: { kind: 'list', value: 'T/N', about: 'T of N people, such as 2/3' },
      'groups-needed': {
        kind: 'integer',
        value: 'N',
        about: 'how many of the groups it takes (default 1)',
      },
      output: { kind: 'text', value: 'PATH', about: 'what the names of the new files begin with' },
    },
    examples: ['quorate kms recipients create --group 2/3 --output share'],
    load: async () => (await keys()).addRecipients,
  },
  {
    name: 'kms recipients delete',
    summary: 'Take a recipient away; rotate the instance key afterwards',
    arguments: [{ name: 'RECIPIENT', about: 'as the list shows it' }],
    options: KMS_OPTIONS,
    examples: ['quorate kms recipients delete recovery-1'],
    load: async () => (await keys()).removeRecipient,
  },
  {
    name: 'kms rotate',
    summary: 'Make a new instance key, or with --project a new key for its values',
    options: {
      ...KMS_OPTIONS,
      project: { kind: 'text', value: 'NAME', about: 'the key of this project' },
    },
    examples: ['quorate kms rotate', 'quorate kms rotate --project shop'],
    load: async () => (await keys()).rotate,
  },
  {
    name: 'kms rotate status',
    summary: 'Show how many values are not yet under the newest keys',
    options: KMS_OPTIONS,
    examples: ['quorate kms rotate status'],
    load: async () => (await keys()).rotationStatus,
  },
  {
    name: 'kms backup',
    summary: 'Have the server write a backup of this moment, sealed to the recovery recipients',
    arguments: [{ name: 'NAME', about: 'name of the file (default: the time)', isOptional: true }],
    options: KMS_OPTIONS,
    examples: ['quorate kms backup', 'quorate kms backup before-upgrade'],
    load: async () => (await keys()).backUp,
  },
]
