import type { Options } from './command.ts'

/** Options of every command that talks to a node. */
export const CONNECTION_OPTIONS: Options = {
  node: { kind: 'integer', value: 'N', about: 'the node of the development cluster to ask' },
  url: {
    kind: 'text',
    value: 'URL',
    about: 'another node, as http://host:port, https://host:port#FINGERPRINT or unix:PATH',
  },
  cluster: { kind: 'text', value: 'FILE', about: 'its signed cluster record' },
  client: { kind: 'list', value: 'FILE', about: 'key file of a client enrolled there' },
}
