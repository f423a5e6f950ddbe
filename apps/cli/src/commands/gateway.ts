import type { Command, Options } from '../command.ts'

/** The settings of a gateway as options; loading them loads the gateway. */
const settings = async (): Promise<Options> => ({
  config: {
    kind: 'text',
    value: 'FILE',
    about: 'configuration file (default: gateway.yaml here, if it is there)',
  },
  ...(await import('../gateway-settings.ts')).gatewayOptions(),
})

export const gatewayCommands: readonly Command[] = [
  {
    name: 'gateway start',
    summary: 'Serve the bridge for old clients in the foreground until it is told to stop',
    options: settings,
    examples: [
      'quorate gateway start --config /etc/quorate/gateway.yaml',
      'quorate gateway start --environment staging --cluster cluster.cbor --node 127.0.0.1:7600 --node 127.0.0.1:7601 --client operator.json --client signer.json --tokens callers.txt --policy allow-list --params shop.json',
    ],
    load: async () => (await import('../actions/gateway.ts')).start,
  },
  {
    name: 'gateway check',
    summary: 'Check the configuration of a gateway and ask its nodes, without serving',
    options: settings,
    examples: ['quorate gateway check --config gateway.yaml'],
    load: async () => (await import('../actions/gateway.ts')).check,
  },
  {
    name: 'gateway token',
    summary: 'Make the token of a caller, and the line by which the gateway knows it',
    arguments: [{ name: 'NAME', about: 'what the caller is called' }],
    examples: ['quorate gateway token shop'],
    load: async () => (await import('../actions/gateway-token.ts')).token,
  },
  {
    name: 'gateway grant',
    summary: 'Let one new wallet sign digests that nobody can read, as an admin of the cluster',
    options: {
      cluster: { kind: 'text', value: 'FILE', about: 'the signed cluster records' },
      wallet: { kind: 'text', value: 'NAME', about: 'label of the wallet that is to be made' },
      project: { kind: 'text', value: 'ID', about: 'its project' },
      network: { kind: 'text', value: 'NETWORK', about: 'its network' },
      suite: { kind: 'text', value: 'NAME', about: "its suite (default: the network's first)" },
      threshold: {
        kind: 'integer',
        value: 'N',
        about: 'signers that it needs (default: a majority)',
      },
      initiator: {
        kind: 'list',
        value: 'ID',
        about: 'a client that may have digests signed, by its id',
      },
      days: {
        kind: 'integer',
        value: 'N',
        about: 'until when it can be made (default: 7, at most 30)',
      },
      grant: {
        kind: 'text',
        value: 'FILE',
        about: 'a grant of another admin to sign too, in the place of all of that',
      },
      admin: { kind: 'text', value: 'FILE', about: 'key file of the admin who signs' },
      out: { kind: 'text', value: 'FILE', about: 'write it to this new file' },
    },
    examples: [
      'quorate gateway grant --cluster cluster.cbor --wallet till --project prj_01… --network ethereum --initiator cli_01… --admin alice.json --out till.alice.grant',
      'quorate gateway grant --grant till.alice.grant --admin bob.json --out till.grant',
    ],
    load: async () => (await import('../actions/gateway-grant.ts')).grant,
  },
]
