/** The settings of a node: one table for flags, environment and file. */
import { join } from 'node:path'
import { Fault, fromUtf8, Secret } from '@quorate/base'
import { DEFAULT_LIMITS, type Limits } from '@quorate/enclave'
import { checkHsmEnvironment, HSM_SETTINGS, type PinFrom, resolveHsm } from '@quorate/hsm'
import { type Address, type Config, type Settings, setting, settingType } from '@quorate/platform'
import { parseBackupUrl, type ShareBackupStore } from '@quorate/sdk/kms'
import { API_LIMITS, type ApiLimits } from './http/limits.ts'
import { DEFAULT_STOP_MS } from './lifecycle.ts'
import type { NodeHsmConfig } from './local.ts'
import { TRANSPORT_SETTINGS, type TransportConfig, transportConfig } from './transport-config.ts'

const { boolean, choice, duration, integer, list, path, secret, text } = settingType

const address = text(/^(unix:.+|\[?[0-9A-Za-z.:-]+\]?:\d{1,5})$/, 'unix:PATH or HOST:PORT')
const peer = text(
  /^\d{1,2}=(unix:.+|\[?[0-9A-Za-z.:-]+\]?:\d{1,5})$/,
  'INDEX=unix:PATH or INDEX=HOST:PORT',
)

export const DEFAULT_PRIMES_AHEAD = 1
export const DEFAULT_POOLED_NONCES = 256
export const DEFAULT_POOLED_PRESIGNATURES = 64
export const DEFAULT_BACKUP_SECONDS = 300
export const DEFAULT_METRICS_PREFIX = 'quorate_'

/** Opens the store of shares in another product; here, keys in files. */
const PASSPHRASE = 'BADGER_PASSWORD'

export const NODE_SETTINGS = {
  environment: setting(choice('development', 'staging', 'production'), {
    description: 'What the node may be used for; there is no default.',
  }),
  data: setting(path, { description: 'The data directory, mode 0700.', aliases: ['DB_PATH'] }),
  'http.host': setting(text(), { description: 'Address of the API.', default: '127.0.0.1' }),
  'http.port': setting(integer(0, 65535), {
    description: 'Port of the API on TCP; none unless given.',
  }),
  'http.socket': setting(path, { description: 'Unix socket of the API.' }),
  'http.tls': setting(boolean, {
    description:
      'Whether the API on TCP speaks TLS; it does by itself where it is not on loopback.',
  }),
  'http.ratePerSecond': setting(integer(1, 100_000), {
    description: 'Calls a second that each client may make.',
    default: API_LIMITS.ratePerSecond,
  }),
  'http.burst': setting(integer(1, 100_000), {
    description: 'Calls that a client may make at once after a pause.',
    default: API_LIMITS.burst,
  }),
  'http.maxConcurrent': setting(integer(1, 100_000), {
    description: 'Calls of all clients that are worked on at once.',
    default: API_LIMITS.maxConcurrent,
  }),
  'http.maxStreams': setting(integer(1, 1_000), {
    description: 'Event streams that a client may hold open.',
    default: API_LIMITS.maxStreams,
  }),
  'mesh.listen': setting(address, { description: 'Where the other nodes reach this one.' }),
  'mesh.peers': setting(list(peer), {
    description: 'Where this node reaches each of the others, by its index in the cluster record.',
  }),
  ...TRANSPORT_SETTINGS,
  ...HSM_SETTINGS,
  'hsm.pin': setting(secret, {
    description: HSM_SETTINGS['hsm.pin'].description,
    aliases: [...HSM_SETTINGS['hsm.pin'].aliases, PASSPHRASE],
  }),
  'points.backend': setting(choice('fastest', 'noble'), {
    description:
      'Point arithmetic: the fastest that is installed and agrees with noble, or noble itself.',
    default: 'fastest',
  }),
  'primes.ahead': setting(integer(0, 16), {
    description:
      'Sets of safe primes that are made ahead for CGGMP24, once a wallet of it has been asked for.',
    default: DEFAULT_PRIMES_AHEAD,
  }),
  'limits.concurrentKeygen': setting(integer(1, 1000), {
    description: 'Key generations and refreshes that the node runs at once.',
    default: DEFAULT_LIMITS.maxConcurrentKeygen,
    aliases: ['MAX_CONCURRENT_KEYGEN'],
  }),
  'limits.concurrentSigning': setting(integer(1, 10_000), {
    description: 'Signing requests that the node leads at once; more wait for their turn.',
    default: DEFAULT_LIMITS.maxConcurrentSigning,
    aliases: ['MAX_CONCURRENT_SIGNING'],
  }),
  'limits.signingSessions': setting(integer(1, 100_000), {
    description: 'Signing sessions that the node takes part in at once, whoever leads.',
    default: DEFAULT_LIMITS.maxSigningSessions,
  }),
  'limits.queued': setting(integer(1, 1_000_000), {
    description: 'Requests that wait for their turn; more are answered with 429.',
    default: DEFAULT_LIMITS.maxQueued,
  }),
  'limits.perClient': setting(integer(1, 1_000_000), {
    description: 'Requests of one client that run or wait for their turn.',
    default: DEFAULT_LIMITS.maxPerClient,
  }),
  'limits.waiting': setting(integer(1, 1_000_000), {
    description: 'Requests that wait for approvals or for a delay to pass.',
    default: DEFAULT_LIMITS.maxWaiting,
  }),
  'limits.signPatienceMs': setting(integer(100, 60_000), {
    description:
      'How long a signing may stand still, in milliseconds, before others are asked in place of those it waits for.',
    default: DEFAULT_LIMITS.signPatienceMs,
  }),
  'pool.nonces': setting(integer(0, 4096), {
    description:
      'FROST nonces that are made ahead for each wallet in use and each set of signers; 0 for none.',
    default: DEFAULT_POOLED_NONCES,
  }),
  'pool.presignatures': setting(integer(0, 1024), {
    description:
      'The same of CGGMP24 presignatures, each of which takes every signer a second or more to make.',
    default: DEFAULT_POOLED_PRESIGNATURES,
  }),
  'metrics.prefix': setting(
    text(
      /^[A-Za-z_][A-Za-z0-9_]{0,63}$/,
      '1 to 64 letters, digits and underscores, no digit first',
    ),
    {
      description: 'What the names of metrics begin with.',
      default: DEFAULT_METRICS_PREFIX,
    },
  ),
  'tracing.endpoint': setting(
    text(/^https?:\/\/[^\s?#@]{1,500}$/, 'http://HOST:PORT or https://HOST:PORT'),
    {
      description: 'An OpenTelemetry collector (OTLP/HTTP) that gets traces; none unless given.',
      aliases: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
    },
  ),
  'tracing.service': setting(text(/^[\x21-\x7e]{1,64}$/, '1 to 64 printable characters'), {
    description: 'Name of this service in traces.',
    default: 'quorate-node',
    aliases: ['OTEL_SERVICE_NAME'],
  }),
  'tracing.headers': setting(secret, {
    description: 'Headers that the collector wants: name=value,name=value.',
    aliases: ['OTEL_EXPORTER_OTLP_HEADERS'],
  }),
  'stop.patience': setting(duration(0, 300_000), {
    description: 'How long a node that stops lets what it has begun come to its end.',
    default: DEFAULT_STOP_MS,
  }),
  'log.level': setting(choice('debug', 'info', 'warn', 'error'), {
    description: 'Least level that is logged.',
    default: 'info',
  }),
  'backup.enabled': setting(boolean, {
    description: 'Whether backups are made; they are where backup.dir or backup.url is given.',
    aliases: ['BACKUP_ENABLED'],
  }),
  'backup.dir': setting(text(), {
    description:
      'Where backups go: a directory, or s3://BUCKET/PREFIX?region=REGION with credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    aliases: ['BACKUP_DIR'],
  }),
  'backup.url': setting(text(), {
    description:
      'A KMS that keeps backups as well: https://HOST:8200/api/v1/projects/ID/environments/SLUG#FINGERPRINT.',
    aliases: ['BACKUP_URL'],
  }),
  'backup.authToken': setting(secret, {
    description: 'Token of a machine with the role mpc-backup in that project of the KMS.',
    aliases: ['BACKUP_AUTH_TOKEN'],
  }),
  'backup.periodSeconds': setting(integer(1, 86_400), {
    description: 'Seconds between backups while anything happens.',
    default: DEFAULT_BACKUP_SECONDS,
    aliases: ['BACKUP_PERIOD_SECONDS'],
  }),
  threshold: setting(integer(2, 50), {
    description:
      'Signers that a wallet needs, where a guide for another product asks for it. Refused if the wallets say otherwise.',
    aliases: ['MPC_THRESHOLD'],
  }),
  'node.id': setting(text(/^[\x21-\x7e]{1,64}$/, 'the id or the number of a node'), {
    description: 'Which node this is, by id or by number. Refused if the data say otherwise.',
    aliases: ['NODE_ID'],
  }),
  'initiator.key': setting(text(/^[0-9a-fA-F]{64}$/, 'an Ed25519 public key in hex'), {
    description:
      'Key of the client that asks for signatures, where a guide for another product has it. It enrols nobody: refused if the cluster record has no client with it.',
    aliases: ['EVENT_INITIATOR_PUBKEY'],
  }),
  'initiator.algorithm': setting(choice('ed25519'), {
    description: 'What that key is for; there is no other.',
    default: 'ed25519',
    aliases: ['EVENT_INITIATOR_ALGORITHM'],
  }),
  'telemetry.enabled': setting(boolean, {
    description: 'There is no telemetry; setting it changes nothing.',
    default: false,
    aliases: ['TELEMETRY_ENABLED'],
  }),
} satisfies Settings

export type NodeConfig = {
  readonly environment: 'development' | 'staging' | 'production'
  /** The data directory. */
  readonly directory: string
  readonly http: {
    readonly socketPath?: string | undefined
    readonly host?: string | undefined
    /** No TCP without it; 0 = any free one. */
    readonly port?: number | undefined
    /** On TCP; unless given, where it is not on loopback. */
    readonly tls?: boolean | undefined
    /** Those of `API_LIMITS` unless given. */
    readonly limits?: Partial<ApiLimits> | undefined
  }
  readonly mesh: {
    readonly listen: Address
    readonly peers: readonly { readonly index: number; readonly address: Address }[]
  }
  /** The mesh alone, with the peers above, unless given. */
  readonly transport?: TransportConfig | undefined
  /** None are made without it. */
  readonly backup?:
    | {
        /** A directory or s3://…. */
        readonly place?: string | undefined
        readonly kms?: ShareBackupStore | undefined
        readonly periodMs: number
      }
    | undefined
  readonly hsm: NodeHsmConfig & {
    readonly pinFrom?: PinFrom | undefined
  }
  readonly backend: 'fastest' | 'noble'
  readonly primesAhead?: number | undefined
  /** Those of `DEFAULT_LIMITS` unless given. */
  readonly limits?: Partial<Limits> | undefined
  readonly nonces?: number | undefined
  readonly presignatures?: number | undefined
  readonly metricsPrefix?: string | undefined
  /** Traces are made only where it is given. */
  readonly tracing?:
    | {
        readonly endpoint: string
        readonly service: string
        readonly headers?: Secret<Uint8Array> | undefined
      }
    | undefined
  /** How long what runs may take to end when the node stops. */
  readonly stopMs?: number | undefined
  /** What MPC_THRESHOLD says, for comparison. */
  readonly threshold?: number | undefined
  /** What NODE_ID and EVENT_INITIATOR_PUBKEY say, for comparison. */
  readonly nodeId?: string | undefined
  readonly initiatorKey?: string | undefined
}

/** `unix:PATH` or `HOST:PORT` as an address. */
export function parseAddress(value: string): Address {
  if (value.startsWith('unix:')) return { path: value.slice(5) }
  const colon = value.lastIndexOf(':')
  return {
    host: value.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(value.slice(colon + 1)),
  }
}

/**
 * What the settings say together. `env`: what a vendor's module reads from it is passed on.
 * @throws platform/missing-setting, node/no-environment, node/loopback-only, and what `resolveHsm` throws
 */
export function nodeConfig(
  values: Config<typeof NODE_SETTINGS>,
  env: { readonly [name: string]: string | undefined } = process.env,
): NodeConfig {
  const environment = values.get('environment')
  if (environment === undefined) throw new Fault('node/no-environment')
  checkHsmEnvironment(env)
  const directory = values.require('data')
  checkPassphrase(values)
  const hsm = resolveHsm(values, { environment, directory: join(directory, 'hsm'), env })
  const config: NodeConfig = {
    environment,
    directory,
    http: {
      socketPath: values.get('http.socket'),
      host: values.get('http.host'),
      port: values.get('http.port'),
      tls: values.get('http.tls'),
      limits: {
        ratePerSecond: values.get('http.ratePerSecond'),
        burst: values.get('http.burst'),
        maxConcurrent: values.get('http.maxConcurrent'),
        maxStreams: values.get('http.maxStreams'),
      },
    },
    mesh: {
      // Behind a broker nothing listens there.
      listen:
        values.get('bus') === 'nats' && values.get('mesh.listen') === undefined
          ? { path: join(directory, 'mesh.sock') }
          : parseAddress(values.require('mesh.listen')),
      peers: (values.get('mesh.peers') ?? []).map((each) => {
        const [index = '', ...rest] = each.split('=')
        return { index: Number(index), address: parseAddress(rest.join('=')) }
      }),
    },
    transport: transportConfig(values),
    backup: backupConfig(values),
    hsm,
    backend: values.get('points.backend') === 'noble' ? 'noble' : 'fastest',
    primesAhead: values.get('primes.ahead'),
    limits: {
      maxConcurrentKeygen: values.require('limits.concurrentKeygen'),
      maxConcurrentSigning: values.require('limits.concurrentSigning'),
      maxSigningSessions: values.require('limits.signingSessions'),
      maxQueued: values.require('limits.queued'),
      maxPerClient: values.require('limits.perClient'),
      maxWaiting: values.require('limits.waiting'),
      signPatienceMs: values.require('limits.signPatienceMs'),
    },
    nonces: values.get('pool.nonces'),
    presignatures: values.get('pool.presignatures'),
    metricsPrefix: values.get('metrics.prefix'),
    tracing: tracingConfig(values),
    stopMs: values.get('stop.patience'),
    threshold: values.get('threshold'),
    nodeId: values.get('node.id'),
    initiatorKey: values.get('initiator.key')?.toLowerCase(),
  }
  checkLoopback(config)
  return config
}

/** A passphrase must not be tried as the PIN of a token, which locks itself after a few. @throws node/no-software-hsm */
function checkPassphrase(values: Config<typeof NODE_SETTINGS>): void {
  const where = values.origin('hsm.pin')?.where ?? ''
  if (where.startsWith(PASSPHRASE) && !isSoftware(values)) throw new Fault('node/no-software-hsm')
}

const isSoftware = (values: Config<typeof NODE_SETTINGS>): boolean =>
  values.get('hsm.type') === 'software' || values.get('hsm.uri')?.startsWith('software:') === true

function tracingConfig(values: Config<typeof NODE_SETTINGS>): NodeConfig['tracing'] {
  const endpoint = values.get('tracing.endpoint')
  return endpoint === undefined
    ? undefined
    : {
        endpoint,
        service: values.get('tracing.service'),
        headers: values.get('tracing.headers'),
      }
}

/** @throws platform/missing-setting where backups are wanted, and no place is given */
function backupConfig(values: Config<typeof NODE_SETTINGS>): NodeConfig['backup'] {
  const kms = kmsBackup(values)
  const place = values.get('backup.dir')
  const isEnabled = values.get('backup.enabled') ?? (place ?? kms) !== undefined
  if (!isEnabled) return undefined
  const periodMs = values.require('backup.periodSeconds') * 1000
  return { place: kms === undefined ? values.require('backup.dir') : place, kms, periodMs }
}

/** @throws platform/missing-setting for an address without a token, sdk/bad-address */
function kmsBackup(values: Config<typeof NODE_SETTINGS>): ShareBackupStore | undefined {
  const backupUrl = values.get('backup.url')
  if (backupUrl === undefined) return undefined
  parseBackupUrl(backupUrl)
  const text = fromUtf8(values.require('backup.authToken').expose())?.trim() ?? ''
  return { backupUrl, backupAuthToken: new Secret(text) }
}

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])

/** Whether only programs of this machine reach that address. */
export const isLoopback = (address: Address): boolean =>
  'path' in address || LOOPBACK.has(address.host)

/** A development node is reachable from its own machine only. @throws node/loopback-only */
export function checkLoopback({ environment, http, mesh, transport }: NodeConfig): void {
  if (environment !== 'development') return
  const hosts = [
    ...(http.port === undefined ? [] : [http.host ?? '127.0.0.1']),
    ...('host' in mesh.listen ? [mesh.listen.host] : []),
    // Through a server elsewhere others would reach it all the same.
    ...(transport?.nats?.urls ?? []).map((url) => new URL(url).hostname.replace(/^\[|\]$/g, '')),
  ]
  for (const host of hosts)
    if (!LOOPBACK.has(host)) throw new Fault('node/loopback-only', { detail: host })
}
