/** The settings of the KMS: one table for flags, environment and file. */
import { join } from 'node:path'
import { Fault, type Secret } from '@quorate/base'
import { checkHsmEnvironment, type DeviceConfig, HSM_SETTINGS, resolveHsm } from '@quorate/hsm'
import { type Address, type Config, type Settings, setting, settingType } from '@quorate/platform'
import type { KmsEnvironment } from './context.ts'
import { ACCESS_DEFAULTS, type AccessSettings } from './domains/access/service.ts'

const { boolean, choice, integer, list, path, secret, text } = settingType

export const KMS_PORT = 8200
const DEFAULT_KEY_LABEL = 'quorate-kms-root'
const DEFAULT_MAC_LABEL = 'quorate-kms-root-hmac'

const url = text(/^https?:\/\/[^\s?#]+$/, 'a URL that begins with http:// or https://')

export const KMS_SETTINGS = {
  environment: setting(choice('development', 'staging', 'production'), {
    description: 'What the store may be used for; there is no default.',
  }),
  data: setting(path, { description: 'The data directory, mode 0700.' }),
  'site.url': setting(url, {
    description: 'How people and programs reach the server, where that is not its own address.',
    aliases: ['SITE_URL'],
  }),
  'http.host': setting(text(), { description: 'Address of the API.', default: '127.0.0.1' }),
  'http.port': setting(integer(0, 65535), {
    description: 'Port of the API.',
    default: KMS_PORT,
    aliases: ['PORT'],
  }),
  'http.socket': setting(path, {
    description: 'Unix socket of the API; kms.sock in the data directory unless given.',
  }),
  'http.tls': setting(boolean, {
    description: 'TLS on the port; on by default outside development.',
  }),
  'http.hosts': setting(list(text()), {
    description: 'Names with port, besides the own address, under which clients may call.',
  }),
  'db.uri': setting(secret, {
    description: 'PostgreSQL as postgresql://…; SQLite in the data directory unless given.',
    aliases: ['DB_CONNECTION_URI'],
  }),
  'redis.uri': setting(secret, {
    description: 'Accepted and unused: nothing here needs Redis.',
    aliases: ['REDIS_URL'],
  }),
  'auth.secret': setting(secret, {
    description: 'Accepted and unused: tokens hang on a key of the store.',
    aliases: ['AUTH_SECRET'],
  }),
  'encryption.key': setting(secret, {
    description: 'A further, software recipient of the instance key; 32 characters at least.',
    aliases: ['ENCRYPTION_KEY'],
  }),
  'telemetry.enabled': setting(boolean, {
    description: 'There is no telemetry; setting it changes nothing.',
    default: false,
    aliases: ['TELEMETRY_ENABLED'],
  }),
  ...HSM_SETTINGS,
  'hsm.hmacLabel': setting(
    text(/^[\x21-\x7e]([\x20-\x7e]{0,62}[\x21-\x7e])?$/, 'a label of at most 64 characters'),
    {
      description: 'Label of the integrity key; made where missing.',
      aliases: ['HSM_KEY_LABEL_HMAC'],
    },
  ),
  'hsm.second': setting(text(), {
    description: 'URI of a second HSM that can open the store as well.',
    aliases: ['HSM_SECOND_URI'],
  }),
  'anchor.file': setting(path, {
    description:
      'Where the newest checkpoint is kept, outside the data directory: makes a rollback show.',
  }),
  'audit.file': setting(path, { description: 'A file that every audit record is sent to.' }),
  'audit.syslog': setting(
    text(/^(unix:\/.+|(udp|tcp):\/\/[^\s/]+:\d{1,5})$/, 'unix:PATH, udp://… or tcp://HOST:PORT'),
    { description: 'A syslog server that every audit record is sent to (RFC 5424).' },
  ),
  'audit.http': setting(url, {
    description: 'A URL that audit records are posted to, as JSON lines.',
  }),
  'audit.backlog': setting(integer(100, 10_000_000), {
    description: 'Records that may wait for a sink; over it the server refuses to work.',
    default: 100_000,
  }),
  'access.identityRate': setting(integer(1, 1_000_000), {
    description: 'Requests a second that each identity may make for good.',
    default: ACCESS_DEFAULTS.identityRate.perSecond,
  }),
  'access.identityBurst': setting(integer(1, 10_000_000), {
    description: 'Requests that each identity may make at once.',
    default: ACCESS_DEFAULTS.identityRate.burst,
  }),
  'access.addressRate': setting(integer(1, 1_000_000), {
    description: 'Requests a second of each address that shows no valid token; sign-ins are such.',
    default: ACCESS_DEFAULTS.addressRate.perSecond,
  }),
  'access.addressBurst': setting(integer(1, 10_000_000), {
    description: 'Such requests that each address may make at once.',
    default: ACCESS_DEFAULTS.addressRate.burst,
  }),
  'log.level': setting(choice('debug', 'info', 'warn', 'error'), {
    description: 'Least level that is logged.',
    default: 'info',
  }),
} satisfies Settings

export type AuditSinks = {
  readonly file?: string | undefined
  readonly syslog?: string | undefined
  readonly http?: string | undefined
  /** Records that may wait for one of them. */
  readonly backlog: number
}

export type KmsConfig = {
  readonly environment: KmsEnvironment
  /** The data directory, absolute. */
  readonly directory: string
  readonly siteUrl: string | undefined
  readonly http: {
    readonly socketPath: string
    readonly address: Extract<Address, { host: string }>
    readonly isTls: boolean
    readonly hosts: readonly string[]
  }
  readonly databaseUri: Secret<Uint8Array> | undefined
  readonly encryptionKey: Secret<Uint8Array> | undefined
  readonly hsm: DeviceConfig
  readonly keyLabels: { readonly key: string; readonly mac: string }
  readonly secondHsm: string | undefined
  readonly anchorFile: string | undefined
  readonly sinks: AuditSinks
  /** Who may ask how often. */
  readonly access: AccessSettings
  /** What was set and means nothing: one sentence each. */
  readonly notes: readonly string[]
}

const MIN_ENCRYPTION_KEY = 32
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])

/**
 * What the settings say together. `env`: what a vendor's module reads from it is passed on.
 * @throws kms/no-environment, kms/loopback-only, platform/missing-setting, platform/bad-setting, and what
 *   `resolveHsm` throws
 */
export function kmsConfig(
  values: Config<typeof KMS_SETTINGS>,
  env: { readonly [name: string]: string | undefined } = process.env,
): KmsConfig {
  const environment = values.get('environment')
  if (environment === undefined) throw new Fault('kms/no-environment')
  checkHsmEnvironment(env)
  const directory = values.require('data')
  const host = values.get('http.host') ?? '127.0.0.1'
  if (environment === 'development' && !LOOPBACK.has(host))
    throw new Fault('kms/loopback-only', { detail: host })
  const encryptionKey = values.get('encryption.key')
  if (encryptionKey !== undefined && encryptionKey.expose().length < MIN_ENCRYPTION_KEY)
    throw new Fault('platform/bad-setting', {
      detail: `encryption.key has ${MIN_ENCRYPTION_KEY} characters at least`,
    })
  const hsm = resolveHsm(values, { environment, directory: join(directory, 'hsm'), env })
  return {
    environment,
    directory,
    siteUrl: values.get('site.url')?.replace(/\/+$/, ''),
    http: {
      socketPath: values.get('http.socket') ?? join(directory, 'kms.sock'),
      address: { host, port: values.get('http.port') ?? KMS_PORT },
      isTls: values.get('http.tls') ?? environment !== 'development',
      hosts: values.get('http.hosts') ?? [],
    },
    databaseUri: values.get('db.uri'),
    encryptionKey,
    hsm,
    keyLabels: {
      key: hsm.keyLabel ?? DEFAULT_KEY_LABEL,
      mac: values.get('hsm.hmacLabel') ?? DEFAULT_MAC_LABEL,
    },
    secondHsm: values.get('hsm.second'),
    anchorFile: values.get('anchor.file'),
    sinks: {
      file: values.get('audit.file'),
      syslog: values.get('audit.syslog'),
      http: values.get('audit.http'),
      backlog: values.get('audit.backlog') ?? 100_000,
    },
    access: {
      identityRate: {
        perSecond: values.get('access.identityRate'),
        burst: values.get('access.identityBurst'),
      },
      addressRate: {
        perSecond: values.get('access.addressRate'),
        burst: values.get('access.addressBurst'),
      },
    },
    notes: notesOf(values),
  }
}

function notesOf(values: Config<typeof KMS_SETTINGS>): readonly string[] {
  const notes: string[] = []
  if (values.get('redis.uri') !== undefined)
    notes.push('REDIS_URL is set and unused: nothing here needs Redis.')
  if (values.get('auth.secret') !== undefined)
    notes.push('AUTH_SECRET is set and unused: tokens hang on a key of the store.')
  if (values.get('telemetry.enabled') === true)
    notes.push('TELEMETRY_ENABLED is set: there is no telemetry.')
  return notes
}
