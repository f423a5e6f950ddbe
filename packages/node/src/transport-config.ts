/** The settings that say how a node reaches the others and its clients reach it: mesh or NATS, and discovery. */
import { Fault, type Secret } from '@quorate/base'
import {
  type Config,
  DEFAULT_PREFIX,
  PREFIX_PATTERN,
  type Settings,
  setting,
  settingType,
} from '@quorate/platform'

const { boolean, choice, integer, list, path, secret, text } = settingType

// No user and password in it: credentials have a file.
const brokerUrl = text(
  /^(nats|tls):\/\/(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+)(:\d{1,5})?$/,
  'nats://HOST:PORT or tls://HOST:PORT',
)
const consulAddress = text(
  /^(https?:\/\/)?(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+)(:\d{1,5})?$/,
  'HOST:PORT, or a URL without a path',
)
const hostPort = text(/^\[?[0-9A-Za-z.:-]+\]?:\d{1,5}$/, 'HOST:PORT')

export const TRANSPORT_SETTINGS = {
  bus: setting(choice('mesh', 'nats'), {
    description: 'How the nodes reach each other: directly, or through a NATS server.',
    default: 'mesh',
  }),
  'mesh.advertise': setting(list(hostPort), {
    description: 'Where the others reach this node, for discovery; mesh.listen unless given.',
  }),
  'nats.url': setting(list(brokerUrl), {
    description:
      'NATS servers, with tls:// by a name of their certificate; one after another is tried.',
    aliases: ['NATS_URL'],
  }),
  'nats.credentials': setting(path, {
    description:
      'A file, mode 0600, with the nkey seed or the JWT of this node on the NATS server.',
  }),
  'nats.ca': setting(path, {
    description: 'Certificates in PEM by which the NATS server is known.',
  }),
  'nats.prefix': setting(text(PREFIX_PATTERN, 'words of letters, digits, - and _, with dots'), {
    description: 'What the names of subjects begin with.',
    default: DEFAULT_PREFIX,
  }),
  'nats.queue': setting(boolean, {
    description:
      'Whether requests are taken from the queue on the NATS server, where there is one.',
    default: true,
  }),
  'nats.maxKeygen': setting(integer(1, 64), {
    description: 'Key generations and refreshes that this node takes from the queue at once.',
    default: 2,
  }),
  'nats.maxSign': setting(integer(1, 256), {
    description: 'Signatures that this node takes from the queue at once.',
    default: 20,
  }),
  discovery: setting(choice('static', 'nats', 'consul'), {
    description: 'Where the addresses of the other nodes come from, besides mesh.peers.',
    default: 'static',
  }),
  'consul.address': setting(consulAddress, {
    description: 'The HTTP API of Consul.',
    aliases: ['CONSUL_ADDRESS'],
  }),
  'consul.token': setting(secret, {
    description: 'What Consul asks for in X-Consul-Token.',
    aliases: ['CONSUL_HTTP_TOKEN'],
  }),
  'consul.ca': setting(path, {
    description: 'Certificates in PEM by which Consul is known.',
  }),
} satisfies Settings

export type TransportConfig = {
  readonly bus: 'mesh' | 'nats'
  readonly nats?:
    | {
        readonly urls: readonly string[]
        readonly credentialsFile?: string | undefined
        readonly caFile?: string | undefined
        readonly prefix: string
        /** Requests taken from the queue at once; none are without it. */
        readonly queue?: { readonly keygen: number; readonly sign: number } | undefined
      }
    | undefined
  readonly discovery: 'static' | 'nats' | 'consul'
  readonly consul?:
    | {
        /** A URL. */
        readonly address: string
        readonly token?: Secret<Uint8Array> | undefined
        readonly caFile?: string | undefined
      }
    | undefined
  /** `HOST:PORT` where the others reach this node. */
  readonly advertise?: readonly string[] | undefined
}

/** What the settings say together. @throws platform/missing-setting */
export function transportConfig(values: Config<typeof TRANSPORT_SETTINGS>): TransportConfig {
  const urls = values.get('nats.url')
  const consul = values.get('consul.address')
  const config: TransportConfig = {
    bus: values.get('bus') === 'nats' ? 'nats' : 'mesh',
    ...(urls !== undefined && {
      nats: {
        urls,
        credentialsFile: values.get('nats.credentials'),
        caFile: values.get('nats.ca'),
        prefix: values.get('nats.prefix'),
        ...(values.get('nats.queue') && {
          queue: { keygen: values.get('nats.maxKeygen'), sign: values.get('nats.maxSign') },
        }),
      },
    }),
    discovery: values.get('discovery') as TransportConfig['discovery'],
    ...(consul !== undefined && {
      consul: {
        address: consul.includes('://') ? consul : `http://${consul}`,
        token: values.get('consul.token'),
        caFile: values.get('consul.ca'),
      },
    }),
    advertise: values.get('mesh.advertise'),
  }
  checkTransport(config)
  return config
}

/** @throws platform/missing-setting */
export function checkTransport({ bus, nats, discovery, consul }: TransportConfig): void {
  if ((bus === 'nats' || discovery === 'nats') && nats === undefined)
    throw new Fault('platform/missing-setting', { detail: 'nats.url' })
  if (discovery === 'consul' && consul === undefined)
    throw new Fault('platform/missing-setting', { detail: 'consul.address' })
}
