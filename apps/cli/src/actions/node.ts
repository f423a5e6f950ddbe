/** node start, config check and config show. */
import { Fault, isFault, type LogLevel } from '@quorate/base'
import { checkCustody } from '@quorate/hsm'
import { type NodeConfig, nodeConfig, type RunningNode, startNode } from '@quorate/node'
import { createLogger, hardenProcess, streamSink, systemClock } from '@quorate/platform'
import type { Given, Run } from '../command.ts'
import { Leash } from '../dev/leash.ts'
import { withPin } from '../hsm-device.ts'
import { loadNodeConfig } from '../node-settings.ts'
import { showSettings } from '../show-settings.ts'

export const start: Run = async (given, output) => {
  const findings = hardenProcess()
  const leash = new Leash()
  const { node, config } = await starting(given, findings, leash)
  let isAsked = false
  const stop = (): void => {
    // Who asks twice does not want to wait for what still runs. The signer ends with its daemon.
    if (isAsked) process.exit(1)
    isAsked = true
    void node.stop()
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
  leash.ready(node.pid, node.signerPid, stop)
  output.result(
    {
      index: node.index,
      nodeId: node.nodeId,
      pid: node.pid,
      signerPid: node.signerPid,
      port: node.port ?? null,
    },
    () => [
      `Node ${node.index} of a ${config.environment} cluster runs; Ctrl-C stops it, twice at once.`,
      ...(config.http.socketPath === undefined ? [] : [`  ${config.http.socketPath}`]),
      ...(node.port === undefined
        ? []
        : [`  http://${config.http.host ?? '127.0.0.1'}:${node.port}`]),
    ],
  )
  const fault = await node.ended
  if (fault !== undefined) throw fault
}

type Finding = ReturnType<typeof hardenProcess>[number]

async function starting(
  given: Given,
  findings: readonly Finding[],
  leash: Leash,
): Promise<{ readonly node: RunningNode; readonly config: NodeConfig }> {
  try {
    const values = loadNodeConfig(given)
    const config = await withNodePin(nodeConfig(values))
    const logger = createLogger({
      level: values.get('log.level') as LogLevel,
      format: process.stderr.isTTY ? 'pretty' : 'json',
      sink: streamSink(process.stderr),
      clock: systemClock,
    })
    for (const { what, detail } of findings) logger.log('warn', 'process.open', { what, detail })
    if (config.hsm.pinFrom?.origin === 'environment' && config.environment !== 'development')
      logger.log('warn', 'hsm.pin-in-environment', {
        detail: 'others of this user could read it; use HSM_PIN_FILE',
      })
    if (values.get('telemetry.enabled'))
      logger.log('info', 'telemetry.none', { detail: 'there is no telemetry' })
    return { node: await startNode(config, logger), config }
  } catch (error) {
    const { code, detail } = isFault(error) ? error : new Fault('cli/internal')
    leash.failed(code, detail)
    throw error
  }
}

/** A daemon in a terminal may ask; any other has its PIN from elsewhere. */
async function withNodePin(config: NodeConfig): Promise<NodeConfig> {
  return { ...config, hsm: await withPin(config.hsm) }
}

export const check: Run = async (given, output) => {
  const { environment, directory, hsm } = nodeConfig(loadNodeConfig(given))
  hsm.pin?.[Symbol.dispose]()
  const { type } = hsm.config
  const custody = checkCustody({ ...hsm.config, environment })
  output.result({ isOk: true, environment, data: directory, hsm: { type, custody } }, () => [
    `The configuration is in order: a ${environment} node with its data in ${directory},`,
    `and its keys in a ${type} HSM (custody ${custody}).`,
  ])
}

export const showConfig: Run = async (given, output) =>
  showSettings(given, output, loadNodeConfig(given))
