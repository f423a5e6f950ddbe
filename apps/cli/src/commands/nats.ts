import type { Command, Options } from '../command.ts'

const prefix: Options = {
  prefix: { kind: 'text', value: 'WORDS', about: 'what the names of subjects begin with' },
}

export const natsCommands: readonly Command[] = [
  {
    name: 'nats permissions',
    summary: 'Print what each node and client may do on a NATS server, for its configuration',
    options: {
      cluster: { kind: 'text', value: 'FILE', about: 'the signed records of the cluster' },
      node: {
        kind: 'list',
        value: 'INDEX=NKEY',
        about: 'public nkey (U…) of the node with that number in the cluster record',
      },
      client: {
        kind: 'list',
        value: 'NAME=NKEY',
        about: 'public nkey of a client that uses the queue; one word names its inbox',
      },
      setup: {
        kind: 'text',
        value: 'NKEY',
        about: 'public nkey that makes streams and bucket, once: quorate nats setup',
      },
      ...prefix,
    },
    examples: [
      'quorate nats permissions --cluster cluster.cbor --node 1=UD5V… --node 2=UAFP… --node 3=UCBR… --client payments=UDFG… --setup UARA… > permissions.conf',
    ],
    load: async () => (await import('../actions/nats.ts')).permissions,
  },
  {
    name: 'nats setup',
    summary: 'Make the streams and the bucket on a NATS server, where they are missing',
    options: {
      'nats-url': {
        kind: 'list',
        value: 'URL',
        about: 'nats://HOST:PORT, or tls://HOST:PORT by a name of its certificate',
      },
      credentials: {
        kind: 'text',
        value: 'FILE',
        about: 'the nkey seed (SU…) that may make them, mode 0600',
      },
      ca: {
        kind: 'text',
        value: 'FILE',
        about: 'certificates in PEM by which the server is known',
      },
      ...prefix,
    },
    examples: ['quorate nats setup --nats-url tls://nats.example:4222 --credentials setup.nk'],
    load: async () => (await import('../actions/nats.ts')).setup,
  },
]
