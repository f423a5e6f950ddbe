import type { Command, Options } from '../command.ts'
import { KMS_OPTIONS, PROJECT_OPTIONS } from '../kms/options.ts'

/** The settings of a KMS as options; loading them loads the KMS. */
const settings = async (): Promise<Options> => ({
  config: {
    kind: 'text',
    value: 'FILE',
    about: 'configuration file (default: quorate-kms.yaml here, if it is there)',
  },
  ...(await import('../kms/settings.ts')).kmsSettingOptions(),
})
const account = () => import('../kms/actions/account.ts')
const server = () => import('../kms/actions/server.ts')
const audit = () => import('../kms/actions/audit.ts')

/** The server, signing in, and looking after it. */
export const kmsServerCommands: readonly Command[] = [
  {
    name: 'kms dev',
    summary: 'Start a KMS for development and sign in to it',
    options: {
      port: {
        kind: 'integer',
        value: 'PORT',
        about: 'on 127.0.0.1 besides the unix socket; 0 for any that is free (default 8200)',
      },
      foreground: { kind: 'flag', about: 'run until Ctrl-C, with the log on standard error' },
      stop: { kind: 'flag', about: 'stop it; its data stay' },
    },
    examples: ['quorate kms dev', 'quorate kms dev --foreground', 'quorate kms dev --stop'],
    load: async () => (await import('../kms/actions/dev.ts')).dev,
  },
  {
    name: 'kms start',
    summary: 'Run a KMS in the foreground until it is told to stop',
    options: settings,
    examples: ['quorate kms start --environment production --config /etc/quorate/kms.yaml'],
    load: async () => (await import('../kms/actions/start.ts')).start,
  },
  {
    name: 'kms config check',
    summary: 'Check the configuration of a KMS without starting it',
    options: settings,
    examples: ['quorate kms config check --config /etc/quorate/kms.yaml'],
    load: async () => (await import('../kms/actions/config.ts')).check,
  },
  {
    name: 'kms config show',
    summary: 'Show every setting of a KMS with its value',
    options: async () => ({
      ...(await settings()),
      origin: { kind: 'flag', about: 'say where each value comes from' },
    }),
    examples: ['quorate kms config show --origin'],
    load: async () => (await import('../kms/actions/config.ts')).show,
  },
  {
    name: 'kms restore',
    summary: 'Restore a lost store out of its backup, on the machine that is to serve it',
    arguments: [{ name: 'BACKUP', about: 'file of quorate kms backup' }],
    options: async () => ({
      ...(await settings()),
      'share-file': {
        kind: 'list',
        value: 'FILE',
        about: 'a file with recovery shares, one a line; none where the HSM opens it',
      },
      'accept-checkpoint': {
        kind: 'integer',
        value: 'N',
        about: 'accept that the store goes back to that checkpoint, which --dry-run shows',
      },
      'dry-run': { kind: 'flag', about: 'read the whole backup and show what it is' },
    }),
    examples: [
      'quorate kms restore first.qkb --config kms.yaml --share-file a --share-file b --dry-run',
      'quorate kms restore first.qkb --config kms.yaml --share-file a --share-file b --accept-checkpoint 417',
    ],
    load: async () => (await import('../kms/actions/restore.ts')).restore,
  },
  {
    name: 'kms init',
    summary: 'Make the first administrator with the secret on the machine of the server',
    arguments: [{ name: 'NAME', about: 'of the administrator' }],
    options: {
      ...KMS_OPTIONS,
      'secret-file': {
        kind: 'text',
        value: 'FILE',
        about: 'bootstrap-secret in the data directory; - for standard input',
      },
      output: {
        kind: 'text',
        value: 'FILE',
        about: 'a new file for the client secret, by which the administrator signs in again',
      },
    },
    examples: [
      'quorate kms init ada --url unix:/var/lib/quorate/kms/kms.sock --secret-file /var/lib/quorate/kms/bootstrap-secret --output ada.secret',
    ],
    load: async () => (await account()).init,
  },
  {
    name: 'kms login',
    summary:
      'Sign in: approved where you are signed in already, by a token, or by client id and secret',
    options: {
      ...PROJECT_OPTIONS,
      env: { kind: 'text', value: 'SLUG', about: 'environment that commands mean unless told' },
      'token-file': { kind: 'text', value: 'FILE', about: 'a token; - for standard input' },
      'client-id': { kind: 'text', value: 'ID', about: 'of an identity with a client secret' },
      'secret-file': {
        kind: 'text',
        value: 'FILE',
        about: 'its client secret; - for standard input',
      },
    },
    examples: [
      'quorate kms login --url https://kms.example:8200',
      'quorate kms login --url https://kms.example:8200 --token-file -',
    ],
    load: async () => (await account()).login,
  },
  {
    name: 'kms login approve',
    summary: 'Let a device sign in as you, by the code that it shows',
    arguments: [{ name: 'CODE', about: 'eight letters' }],
    options: KMS_OPTIONS,
    examples: ['quorate kms login approve BCDFGHJK'],
    load: async () => (await account()).approve,
  },
  {
    name: 'kms logout',
    summary: 'Revoke the token and forget it',
    options: KMS_OPTIONS,
    examples: ['quorate kms logout'],
    load: async () => (await account()).logout,
  },
  {
    name: 'kms whoami',
    summary: 'Show who you are signed in as, and until when',
    options: KMS_OPTIONS,
    examples: ['quorate kms whoami'],
    load: async () => (await account()).whoami,
  },
  {
    name: 'kms seal',
    summary: 'Drop every key from the memory of the server now',
    options: KMS_OPTIONS,
    examples: ['quorate kms seal'],
    load: async () => (await server()).seal,
  },
  {
    name: 'kms unseal',
    summary: 'Open the server again: with its HSM over the unix socket, or with recovery shares',
    options: {
      ...KMS_OPTIONS,
      'share-file': {
        kind: 'list',
        value: 'FILE',
        about: 'a file with recovery shares, one a line',
      },
      'accept-checkpoint': {
        kind: 'integer',
        value: 'N',
        about: 'of a restored store: accept that it goes back to that checkpoint',
      },
    },
    examples: ['quorate kms unseal', 'quorate kms unseal --share-file first --share-file second'],
    load: async () => (await server()).unseal,
  },
  {
    name: 'kms doctor',
    summary: 'Look for what is wrong or weak with the server and your sign-in',
    options: KMS_OPTIONS,
    examples: ['quorate kms doctor'],
    load: async () => (await server()).doctor,
  },
  {
    name: 'kms audit list',
    summary: 'Show the newest audit records',
    options: {
      ...PROJECT_OPTIONS,
      action: { kind: 'text', value: 'ACTION', about: 'only of this, such as secret.read' },
      actor: { kind: 'text', value: 'ID', about: 'only by this identity' },
      resource: { kind: 'text', value: 'ID', about: 'only about this' },
      limit: { kind: 'integer', value: 'N', about: 'how many (default 50)' },
    },
    examples: ['quorate kms audit list --action secret.read'],
    load: async () => (await audit()).auditList,
  },
  {
    name: 'kms audit verify',
    summary:
      'Have the audit log verified against its signed checkpoints, or verify segments in files',
    arguments: [
      {
        name: 'SEGMENT',
        about: 'files of kms audit seal; none for the log of the server',
        isOptional: true,
        isMany: true,
      },
    ],
    options: {
      ...KMS_OPTIONS,
      key: {
        kind: 'text',
        value: 'HEX',
        about: 'of the checkpoints, as kms audit segments shows it',
      },
    },
    examples: [
      'quorate kms audit verify',
      'quorate kms audit verify segment-0000000001-0000004711.jsonl',
    ],
    load: async () => (await audit()).auditVerify,
  },
  {
    name: 'kms audit export',
    summary: 'Write the audit log to a file, as the bytes that its chain hashes',
    options: {
      ...KMS_OPTIONS,
      output: { kind: 'text', value: 'FILE', about: 'a new file that only you can read' },
    },
    examples: ['quorate kms audit export --output audit.jsonl'],
    load: async () => (await audit()).auditExport,
  },
  {
    name: 'kms audit seal',
    summary: 'Have what came since the last segment sealed into a file that verifies alone',
    options: KMS_OPTIONS,
    examples: ['quorate kms audit seal'],
    load: async () => (await audit()).auditSeal,
  },
  {
    name: 'kms audit segments',
    summary: 'List the sealed segments of the audit log',
    options: KMS_OPTIONS,
    examples: ['quorate kms audit segments'],
    load: async () => (await audit()).auditSegments,
  },
  {
    name: 'kms audit prune',
    summary: 'Remove from the database what is in sealed segments and older than a time',
    options: {
      ...KMS_OPTIONS,
      before: { kind: 'text', value: 'TIME', about: 'such as 2026-01-31T14:05Z' },
    },
    examples: ['quorate kms audit prune --before 2026-01-31T00:00Z'],
    load: async () => (await audit()).auditPrune,
  },
]
