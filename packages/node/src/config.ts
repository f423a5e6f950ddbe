/** The settings of a node: one table for flags, environment and file. */
import { join } from 'node:path'
import { Fault } from '@quorate/base'
import { checkHsmEnvironment, HSM_SETTINGS, type PinFrom, resolveHsm } from '@quorate/hsm'
import { type Address, type Config, type Settings, setting, settingType } from '@quorate/platform'
import type { NodeHsmConfig } from './local.ts'

const { boolean, choice, integer, list, path, text } = settingType

const address = text(/^(unix:.+|\[?[0-9A-Za-z.:-]+\]?:\d{1,5})$/, 'unix:PATH or HOST:PORT')
const peer = text(
  /^\d{1,2}=(unix:.+|\[?[0-9A-Za-z.:-]+\]?:\d{1,5})$/,
  'INDEX=unix:PATH or INDEX=HOST:PORT',
)

export const DEFAULT_PRIMES_AHEAD = 1
export const DEFAULT_METRICS_PREFIX = 'quorate_'

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
  'mesh.listen': setting(address, { description: 'Where the other nodes reach this one.' }),
  'mesh.peers': setting(list(peer), {
    description: 'Where this node reaches each of the others, by its index in the cluster record.',
  }),
  ...HSM_SETTINGS,
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
  'log.level': setting(choice('debug', 'info', 'warn', 'error'), {
    description: 'Least level that is logged.',
    default: 'info',
  }),
  threshold: setting(integer(2, 50), {
    description:
      'Signers that a wallet needs, where a guide for another product asks for it. Refused if the wallets say otherwise.',
    aliases: ['MPC_THRESHOLD'],
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
  }
  readonly mesh: {
    readonly listen: Address
    readonly peers: readonly { readonly index: number; readonly address: Address }[]
  }
  readonly hsm: NodeHsmConfig & {
    readonly pinFrom?: PinFrom | undefined
  }
  readonly backend: 'fastest' | 'noble'
  readonly primesAhead?: number | undefined
  readonly metricsPrefix?: string | undefined
  /** What MPC_THRESHOLD says, for comparison. */
  readonly threshold?: number | undefined
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
  const hsm = resolveHsm(values, { environment, directory: join(directory, 'hsm'), env })
  const config: NodeConfig = {
    environment,
    directory,
    http: {
      socketPath: values.get('http.socket'),
      host: values.get('http.host'),
      port: values.get('http.port'),
    },
    mesh: {
      listen: parseAddress(values.require('mesh.listen')),
      peers: (values.get('mesh.peers') ?? []).map((each) => {
        const [index = '', ...rest] = each.split('=')
        return { index: Number(index), address: parseAddress(rest.join('=')) }
      }),
    },
    hsm,
    backend: values.get('points.backend') === 'noble' ? 'noble' : 'fastest',
    primesAhead: values.get('primes.ahead'),
    metricsPrefix: values.get('metrics.prefix'),
    threshold: values.get('threshold'),
  }
  checkLoopback(config)
  return config
}

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])

/** A development node is reachable from its own machine only. @throws node/loopback-only */
export function checkLoopback({ environment, http, mesh }: NodeConfig): void {
  if (environment !== 'development') return
  const hosts = [
    ...(http.port === undefined ? [] : [http.host ?? '127.0.0.1']),
    ...('host' in mesh.listen ? [mesh.listen.host] : []),
  ]
  for (const host of hosts)
    if (!LOOPBACK.has(host)) throw new Fault('node/loopback-only', { detail: host })
}
