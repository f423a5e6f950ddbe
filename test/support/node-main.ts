/** One node in a process of its own: its configuration comes as JSON in the first argument. */

import { isFault } from '@quorate/base'
import { startNode } from '@quorate/node'
import { armFailpoints, createLogger, streamSink, systemClock } from '@quorate/platform'
import { nodeConfigOf, type ProcessConfig } from './node-config.ts'

const config = JSON.parse(process.argv[2] ?? '{}') as ProcessConfig
armFailpoints(process.env, { isDevelopment: config.environment === 'development' })
const logger = createLogger({
  sink: streamSink(process.stderr),
  clock: systemClock,
  level: 'debug',
  format: 'json',
})
try {
  const node = await startNode(nodeConfigOf(config), logger)
  process.on('SIGTERM', () => void node.stop())
  process.stdout.write(
    `${JSON.stringify({ pid: node.pid, signerPid: node.signerPid, index: node.index, port: node.port })}\n`,
  )
  const fault = await node.ended
  process.exit(fault === undefined ? 0 : 1)
} catch (error) {
  process.stdout.write(
    `${JSON.stringify({ code: isFault(error) ? error.code : 'unknown', message: String(error) })}\n`,
  )
  process.exit(2)
}
