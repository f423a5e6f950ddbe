/** One node in a process of its own: its configuration comes as JSON in the first argument. */
import { type NodeConfig, startNode } from '@quorate/node'
import { createLogger, streamSink, systemClock } from '@quorate/platform'

const config = JSON.parse(process.argv[2] ?? '{}') as NodeConfig
const logger = createLogger({
  sink: streamSink(process.stderr),
  clock: systemClock,
  level: 'info',
  format: 'json',
})
const node = await startNode(config, logger)
process.on('SIGTERM', () => void node.stop())
process.stdout.write(`${JSON.stringify({ pid: node.pid, signerPid: node.signerPid })}\n`)
process.exitCode = (await node.ended) === undefined ? 0 : 1
