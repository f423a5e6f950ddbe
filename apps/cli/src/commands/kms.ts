import type { Command, Options } from '../command.ts'
import { KMS_OPTIONS, PLACE_OPTIONS, PROJECT_OPTIONS } from '../kms/options.ts'

const reading: Options = {
  'no-imports': { kind: 'flag', about: 'leave out what is imported from other folders' },
  'no-expand': { kind: 'flag', about: 'show references as they are written' },
  'no-personal': { kind: 'flag', about: 'leave out your personal overrides' },
}
const personal: Options = {
  personal: { kind: 'flag', about: 'your personal override, which counts for you only' },
}
const format: Options = {
  format: {
    kind: 'text',
    value: 'FORMAT',
    about: 'env, json or yaml (default: by the name of the file, else env)',
  },
}
const literal: Options = {
  literal: {
    kind: 'flag',
    about: 'nothing in it is a reference, whatever dollars and braces it holds',
  },
}
const NAME = { name: 'NAME', about: 'name of the secret' }
const NAME_OR_ID = {
  name: 'NAME',
  about: 'name of the secret, or its id, by which a deleted one is found, too',
}
const VERSION = { name: 'VERSION', about: 'number of the version, as history shows it' }
const secrets = () => import('../kms/actions/secrets.ts')
const files = () => import('../kms/actions/files.ts')

/** Secrets and the places where they are. */
export const kmsSecretCommands: readonly Command[] = [
  {
    name: 'kms secrets list',
    summary: 'List secrets without their values',
    options: { ...PLACE_OPTIONS, ...reading },
    examples: ['quorate kms secrets list', 'quorate kms secrets list --env production --path /app'],
    load: async () => (await secrets()).list,
  },
  {
    name: 'kms secrets get',
    summary: 'Print the value of a secret, and nothing else',
    arguments: [NAME],
    options: { ...PLACE_OPTIONS, ...reading },
    examples: ['quorate kms secrets get DATABASE_URL', 'quorate kms secrets get tls.crt > tls.crt'],
    load: async () => (await secrets()).get,
  },
  {
    name: 'kms secrets set',
    summary: 'Store a secret: asked for, from standard input, from a file, or NAME=value',
    arguments: [
      {
        name: 'NAME',
        about: 'its name; with =value behind it the value, which your shell then keeps',
      },
    ],
    options: {
      ...PLACE_OPTIONS,
      file: {
        kind: 'text',
        value: 'FILE',
        about: 'take the value from there; - for standard input',
      },
      binary: { kind: 'flag', about: 'the value is bytes and no text' },
      ...literal,
      ...personal,
      comment: { kind: 'text', value: 'TEXT', about: 'what it is for' },
      tag: { kind: 'list', value: 'TAG', about: 'a word to find it by' },
      'if-version': {
        kind: 'integer',
        value: 'N',
        about: 'only if that is still the newest version',
      },
    },
    examples: [
      'quorate kms secrets set API_KEY',
      'quorate kms secrets set tls.crt --file tls.crt',
      'quorate kms secrets set SESSION_KEY --env production --file -',
    ],
    load: async () => (await secrets()).set,
  },
  {
    name: 'kms secrets delete',
    summary: 'Delete a secret; its versions stay',
    arguments: [NAME],
    options: { ...PLACE_OPTIONS, ...personal },
    examples: ['quorate kms secrets delete API_KEY'],
    load: async () => (await secrets()).remove,
  },
  {
    name: 'kms secrets history',
    summary: 'Who changed a secret, when and how',
    arguments: [NAME_OR_ID],
    options: PLACE_OPTIONS,
    examples: ['quorate kms secrets history API_KEY'],
    load: async () => (await secrets()).history,
  },
  {
    name: 'kms secrets diff',
    summary: 'Show what changed between two versions, values included',
    arguments: [NAME_OR_ID],
    options: {
      ...PLACE_OPTIONS,
      from: { kind: 'integer', value: 'N', about: 'version (default: the one before the newest)' },
      to: { kind: 'integer', value: 'N', about: 'version (default: the newest)' },
    },
    examples: [
      'quorate kms secrets diff API_KEY',
      'quorate kms secrets diff API_KEY --from 1 --to 3',
    ],
    load: async () => (await secrets()).diff,
  },
  {
    name: 'kms secrets rollback',
    summary: 'Make an earlier version the newest again; brings a deleted secret back',
    arguments: [NAME_OR_ID, VERSION],
    options: PLACE_OPTIONS,
    examples: ['quorate kms secrets rollback API_KEY 2'],
    load: async () => (await secrets()).rollback,
  },
  {
    name: 'kms secrets undo',
    summary: 'Undo the newest change of a secret',
    arguments: [NAME_OR_ID],
    options: PLACE_OPTIONS,
    examples: ['quorate kms secrets undo API_KEY'],
    load: async () => (await secrets()).undo,
  },
  {
    name: 'kms secrets destroy',
    summary: 'Remove the value of an earlier version for ever',
    arguments: [NAME_OR_ID, VERSION],
    options: {
      ...PLACE_OPTIONS,
      confirm: { kind: 'text', value: 'destroy', about: 'the word that confirms it' },
    },
    examples: ['quorate kms secrets destroy API_KEY 1 --confirm destroy'],
    load: async () => (await secrets()).destroy,
  },
  {
    name: 'kms secrets search',
    summary: 'Find secrets by a part of their name, tag or comment',
    arguments: [{ name: 'TEXT', about: 'what to look for; case does not count' }],
    options: {
      ...PLACE_OPTIONS,
      prefix: { kind: 'flag', about: 'only where it stands at the beginning' },
    },
    examples: ['quorate kms secrets search stripe'],
    load: async () => (await secrets()).search,
  },
  {
    name: 'kms secrets restore',
    summary: 'Make a folder, with all below it, what it was at a time',
    options: {
      ...PLACE_OPTIONS,
      at: {
        kind: 'text',
        value: 'TIME',
        about: 'a time such as 2026-01-31T14:05Z, or how long ago: 30s, 10m, 2h, 1d',
      },
      'dry-run': { kind: 'flag', about: 'show what would change' },
    },
    examples: [
      'quorate kms secrets restore --at 10m --dry-run',
      'quorate kms secrets restore --at 2026-01-31T14:05Z --path /app',
    ],
    load: async () => (await files()).restore,
  },
  {
    name: 'kms run',
    summary: 'Run a program with the secrets in its environment',
    arguments: [
      { name: 'COMMAND', about: 'the program and its arguments, after --', isMany: true },
    ],
    options: {
      ...PLACE_OPTIONS,
      allow: {
        kind: 'list',
        value: 'NAME',
        about: 'also a name that changes what a program runs, such as PATH',
      },
    },
    examples: [
      'quorate kms run -- node app.js',
      'quorate kms run --env production -- ./server --port 80',
    ],
    load: async () => (await import('../kms/actions/run.ts')).run,
  },
  {
    name: 'kms export',
    summary: 'Write the secrets of a folder as .env, JSON or YAML',
    options: {
      ...PLACE_OPTIONS,
      ...format,
      'no-imports': { kind: 'flag', about: 'leave out what is imported from other folders' },
      'no-expand': { kind: 'flag', about: 'keep references as they are written' },
      output: {
        kind: 'text',
        value: 'FILE',
        about: 'a new file that only you can read (default: standard output)',
      },
    },
    examples: [
      'quorate kms export --format json',
      'quorate kms export --env production --output .env',
    ],
    load: async () => (await files()).exportFile,
  },
  {
    name: 'kms import',
    summary: 'Store all secrets of a .env, JSON or YAML file, or none',
    arguments: [{ name: 'FILE', about: 'the file; - for standard input' }],
    options: {
      ...PLACE_OPTIONS,
      ...format,
      ...literal,
      overwrite: { kind: 'flag', about: 'where a name is there already, make a new version' },
      keep: { kind: 'flag', about: 'where a name is there already, leave it' },
      'dry-run': { kind: 'flag', about: 'show what would be stored' },
    },
    examples: ['quorate kms import .env', 'quorate kms import secrets.yaml --overwrite --dry-run'],
    load: async () => (await files()).importFile,
  },
  {
    name: 'kms folders list',
    summary: 'List folders, with what they import',
    options: PLACE_OPTIONS,
    examples: ['quorate kms folders list --env production'],
    load: async () => (await files()).folders,
  },
  {
    name: 'kms folders create',
    summary: 'Make a folder, and those above it',
    arguments: [{ name: 'PATH', about: 'such as /app/db' }],
    options: PLACE_OPTIONS,
    examples: ['quorate kms folders create /app/db'],
    load: async () => (await files()).createFolder,
  },
  {
    name: 'kms folders rename',
    summary: 'Give a folder another name',
    arguments: [
      { name: 'PATH', about: 'where it is' },
      { name: 'NAME', about: 'its new name' },
    ],
    options: PLACE_OPTIONS,
    examples: ['quorate kms folders rename /app/db database'],
    load: async () => (await files()).renameFolder,
  },
  {
    name: 'kms folders delete',
    summary: 'Delete a folder',
    arguments: [{ name: 'PATH', about: 'where it is' }],
    options: {
      ...PLACE_OPTIONS,
      recursive: { kind: 'flag', about: 'with all that is in it' },
    },
    examples: ['quorate kms folders delete /app/db --recursive'],
    load: async () => (await files()).deleteFolder,
  },
  {
    name: 'kms folders import',
    summary: 'Say which folders a folder imports: the first that has a name gives it',
    arguments: [
      {
        name: 'PLACE',
        about: 'such as staging:/shared; none to import nothing',
        isOptional: true,
        isMany: true,
      },
    ],
    options: PLACE_OPTIONS,
    examples: ['quorate kms folders import development:/shared staging:/base --path /app'],
    load: async () => (await files()).setImports,
  },
  {
    name: 'kms projects list',
    summary: 'List your projects',
    options: KMS_OPTIONS,
    examples: ['quorate kms projects list'],
    load: async () => (await import('../kms/actions/structure.ts')).listProjects,
  },
  {
    name: 'kms projects create',
    summary: 'Make a project with its environments',
    arguments: [{ name: 'NAME', about: 'its name' }],
    options: {
      ...KMS_OPTIONS,
      env: {
        kind: 'list',
        value: 'SLUG',
        about: 'an environment (default: development, staging and production)',
      },
    },
    examples: ['quorate kms projects create shop'],
    load: async () => (await import('../kms/actions/structure.ts')).createProject,
  },
  {
    name: 'kms env list',
    summary: 'List the environments of a project',
    options: PROJECT_OPTIONS,
    examples: ['quorate kms env list'],
    load: async () => (await import('../kms/actions/structure.ts')).listEnvironments,
  },
  {
    name: 'kms env create',
    summary: 'Add an environment to a project',
    arguments: [{ name: 'SLUG', about: 'such as qa' }],
    options: {
      ...PROJECT_OPTIONS,
      name: { kind: 'text', value: 'TEXT', about: 'for people (default: the slug)' },
    },
    examples: ["quorate kms env create qa --name 'Quality assurance'"],
    load: async () => (await import('../kms/actions/structure.ts')).createEnvironment,
  },
  {
    name: 'kms env delete',
    summary: 'Remove an environment that holds nothing',
    arguments: [{ name: 'SLUG', about: 'which' }],
    options: PROJECT_OPTIONS,
    examples: ['quorate kms env delete qa'],
    load: async () => (await import('../kms/actions/structure.ts')).deleteEnvironment,
  },
]
