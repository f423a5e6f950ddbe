/** The settings of a gateway: one table for flags, environment and file. */
import { Fault } from '@quorate/base'
import { type Config, type Settings, setting, settingType } from '@quorate/platform'
import type { Endpoint } from '@quorate/sdk'

const { boolean, choice, integer, list, path, text } = settingType

const node = text(
  /^(unix:.+|\[?[0-9A-Za-z.:-]+\]?:\d{1,5}(#[0-9a-f]{64})?)$/,
  'unix:PATH, HOST:PORT or, for TLS, HOST:PORT#FINGERPRINT',
)
const chain = text(/^[A-Za-z0-9_-]{1,40}=[a-z0-9-]{1,64}$/, 'OLD-NAME=NETWORK')

export const BRIDGE_PORT = 6000

export const GATEWAY_SETTINGS = {
  environment: setting(choice('development', 'staging', 'production'), {
    description: 'What the gateway may be used for; there is no default.',
  }),
  'listen.host': setting(text(), { description: 'Address of the bridge.', default: '127.0.0.1' }),
  'listen.port': setting(integer(0, 65535), {
    description: 'Port of the bridge.',
    default: BRIDGE_PORT,
  }),
  'listen.names': setting(list(text(/^[0-9A-Za-z.:-]{1,253}$/, 'a host name, with :PORT')), {
    description: 'Values of the Host header that callers may use besides the address.',
  }),
  'listen.allowPlainHttp': setting(boolean, {
    description: 'Whether callers on the network may send their tokens in the clear.',
    default: false,
  }),
  cluster: setting(path, { description: 'File with the signed cluster records, from number 1.' }),
  nodes: setting(list(node), {
    description: 'Where the nodes serve their API, in the order in which they are asked.',
  }),
  clients: setting(list(path), {
    description: 'Key files of the clients that the gateway calls as: an operator and a signer.',
  }),
  tokens: setting(path, {
    description: 'File of callers: a name and the SHA-256 of its token on each line.',
  }),
  chains: setting(list(chain), {
    description: 'Networks that names in chainType stand for, besides the usual ones.',
  }),
  'wallets.policy': setting(text(/^[a-z0-9-]{1,64}$/, 'the name of a template'), {
    description: 'Policy template of wallets that callers make.',
  }),
  'wallets.params': setting(path, {
    description: 'JSON file with the parameters of the template.',
  }),
  'wallets.grants': setting(path, {
    description: 'Directory of blind grants; a wallet whose walletID has one there is made blind.',
  }),
  'limits.ratePerSecond': setting(integer(1, 100_000), {
    description: 'Calls a second that each caller may make.',
    default: 50,
  }),
  'limits.burst': setting(integer(1, 100_000), {
    description: 'Calls that a caller may make at once after a pause.',
    default: 100,
  }),
  'limits.maxConcurrent': setting(integer(1, 100_000), {
    description: 'Calls of all callers that are worked on at once.',
    default: 128,
  }),
} satisfies Settings

export type GatewayConfig = {
  readonly environment: 'development' | 'staging' | 'production'
  readonly listen: {
    readonly host: string
    readonly port: number
    readonly names: readonly string[]
    readonly allowPlainHttp: boolean
  }
  readonly nodes: readonly Endpoint[]
  /** Network by the name that old clients use. */
  readonly chains: ReadonlyMap<string, string>
  readonly limits: {
    readonly ratePerSecond: number
    readonly burst: number
    readonly maxConcurrent: number
  }
}

/**
 * What the settings say together; the files that they name are read by the caller.
 * @throws gateway/no-environment, gateway/loopback-only, gateway/plain-http, platform/missing-setting
 */
export function gatewayConfig(values: Config<typeof GATEWAY_SETTINGS>): GatewayConfig {
  const environment = values.get('environment')
  if (environment === undefined) throw new Fault('gateway/no-environment')
  const config: GatewayConfig = {
    environment,
    listen: {
      host: values.get('listen.host'),
      port: values.get('listen.port'),
      names: values.get('listen.names') ?? [],
      allowPlainHttp: values.get('listen.allowPlainHttp'),
    },
    nodes: values.require('nodes').map(endpointOf),
    chains: new Map(
      (values.get('chains') ?? []).map((each) => {
        const [name = '', network = ''] = each.split('=')
        return [name.toLowerCase(), network]
      }),
    ),
    limits: {
      ratePerSecond: values.get('limits.ratePerSecond'),
      burst: values.get('limits.burst'),
      maxConcurrent: values.get('limits.maxConcurrent'),
    },
  }
  checkListen(config)
  return config
}

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])

export const isLoopback = ({ listen }: Pick<GatewayConfig, 'listen'>): boolean =>
  LOOPBACK.has(listen.host)

/** @throws gateway/loopback-only, gateway/plain-http */
export function checkListen(config: Pick<GatewayConfig, 'environment' | 'listen'>): void {
  if (isLoopback(config)) return
  const { environment, listen } = config
  if (environment === 'development')
    throw new Fault('gateway/loopback-only', { detail: listen.host })
  if (!listen.allowPlainHttp) throw new Fault('gateway/plain-http', { detail: listen.host })
}

function endpointOf(value: string): Endpoint {
  if (value.startsWith('unix:')) return { socketPath: value.slice(5) }
  const [address = '', fingerprint] = value.split('#')
  const colon = address.lastIndexOf(':')
  return {
    host: address.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(address.slice(colon + 1)),
    ...(fingerprint !== undefined && { fingerprint }),
  }
}
