import type { Command, Options } from '../command.ts'

const file: Options = {
  config: {
    kind: 'text',
    value: 'FILE',
    about: 'configuration file (default: quorate.yaml here, if it is there)',
  },
}

/** The settings of a node as options; loading them loads the node. */
const settings = async (): Promise<Options> => ({
  ...file,
  ...(await import('../node-settings.ts')).settingOptions(),
})

export const nodeCommands: readonly Command[] = [
  {
    name: 'node start',
    summary: 'Run one node in the foreground until it is told to stop',
    options: settings,
    examples: [
      'quorate node start --config /etc/quorate/quorate.yaml',
      'quorate node start --environment staging --data /var/lib/quorate --mesh-listen 10.0.0.1:7700 --mesh-peer 2=10.0.0.2:7700 --mesh-peer 3=10.0.0.3:7700 --http-port 7600',
    ],
    load: async () => (await import('../actions/node.ts')).start,
  },
  {
    name: 'config check',
    summary: 'Check the configuration of a node without starting it',
    options: settings,
    examples: ['quorate config check --config quorate.yaml'],
    load: async () => (await import('../actions/node.ts')).check,
  },
  {
    name: 'config show',
    summary: 'Show every setting of a node with its value',
    options: async () => ({
      ...(await settings()),
      origin: { kind: 'flag', about: 'say where each value comes from' },
    }),
    examples: ['quorate config show --origin'],
    load: async () => (await import('../actions/node.ts')).showConfig,
  },
]
