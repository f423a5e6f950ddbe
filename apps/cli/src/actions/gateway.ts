/** gateway start and check. */
import type { Logger } from '@quorate/base'
import {
  checkGateway,
  type GatewayOptions,
  gatewayConfig,
  grantsIn,
  readCallers,
  startGateway,
} from '@quorate/gateway'
import { createLogger, hardenProcess, readFile, streamSink, systemClock } from '@quorate/platform'
import { chooseTemplate } from '@quorate/policy'
import { type Endpoint, hostOf, QuorateClient } from '@quorate/sdk'
import type { Given, Run } from '../command.ts'
import { readCredential } from '../credentials.ts'
import { readJson } from '../files.ts'
import { loadGatewayConfig } from '../gateway-settings.ts'
import { table } from '../output.ts'
import { readCluster } from '../records.ts'

const MAX_TOKENS_BYTES = 256 * 1024

export const start: Run = async (given, output) => {
  const findings = hardenProcess()
  const logger = createLogger({
    level: 'info',
    format: process.stderr.isTTY ? 'pretty' : 'json',
    sink: streamSink(process.stderr),
    clock: systemClock,
  })
  for (const { what, detail } of findings) logger.log('warn', 'process.open', { what, detail })
  const options = optionsOf(given, logger)
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve).once('SIGINT', resolve)
  })
  const gateway = await startGateway(options)
  const { environment } = options.config
  output.result(
    { address: gateway.address, port: gateway.port, environment, pid: process.pid },
    () => [
      `The bridge serves a ${environment} cluster at http://${gateway.address}; Ctrl-C stops it.`,
    ],
  )
  await stopped
  await gateway.stop()
}

/** What the settings and the files that they name say. @throws gateway/…, cli/…, platform/…, auth/…, policy/… */
function optionsOf(given: Given, logger: Logger): GatewayOptions {
  const values = loadGatewayConfig(given)
  const config = gatewayConfig(values)
  const cluster = readCluster(values.require('cluster'))
  const tokens = values.get('tokens')
  const params = values.get('wallets.params')
  return {
    config,
    cluster,
    credentials: values.require('clients').map((path) => readCredential(path)),
    callers:
      tokens === undefined
        ? []
        : readCallers(
            Buffer.from(readFile(tokens, { maxBytes: MAX_TOKENS_BYTES })).toString('utf8'),
          ),
    policy: chooseTemplate(
      values.get('wallets.policy') ?? cluster.record.defaultPolicy,
      params === undefined ? {} : readJson(params),
    ),
    grantFor: grantsIn(values.get('wallets.grants')),
    logger,
  }
}

const SILENT: Logger = { log: () => {}, with: () => SILENT }

const textOf = (endpoint: Endpoint): string =>
  'socketPath' in endpoint ? `unix:${endpoint.socketPath}` : hostOf(endpoint)

export const check: Run = async (given, output) => {
  const options = optionsOf(given, SILENT)
  checkGateway(options)
  const { config, cluster, credentials, callers } = options
  const nodes = await Promise.all(
    config.nodes.map(async (endpoint) => {
      const client = new QuorateClient({
        endpoints: [endpoint],
        cluster,
        credentials,
        retry: { attempts: 1, firstMs: 0, maxMs: 0 },
      })
      const state = await client.node.call('getStatus', {}).then(
        ({ node }) => `node ${node.index} serves`,
        (error: unknown) => (error instanceof Error ? error.message : 'no answer'),
      )
      return { at: textOf(endpoint), state }
    }),
  )
  const { environment, listen } = config
  output.result({ isOk: true, environment, listen, callers: callers.length, nodes }, () => [
    `The configuration is in order: a ${environment} gateway at ${listen.host}:${listen.port} for ${callers.length} callers.`,
    ...table(nodes.map(({ at, state }) => [`  ${at}`, state])),
  ])
}
