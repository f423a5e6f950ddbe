/** kms start: the server in the foreground until it is told to stop. */
import { Fault, isFault, type LogLevel } from '@quorate/base'
import { kmsConfig, type RunningKms, startKms } from '@quorate/kms'
import { createLogger, streamSink, systemClock } from '@quorate/platform'
import type { Given, Run } from '../../command.ts'
import { Leash } from '../../dev/leash.ts'
import { loadKmsConfig } from '../settings.ts'

export const start: Run = async (given, output) => {
  const leash = new Leash()
  const running = await starting(given, leash)
  let stopped: () => void = () => undefined
  const end = new Promise<void>((resolve) => {
    stopped = resolve
  })
  process.once('SIGTERM', stopped).once('SIGINT', stopped)
  leash.ready(process.pid, process.pid, stopped)
  const { port, socketPath, fingerprint } = running
  const url =
    fingerprint === undefined
      ? `http://127.0.0.1:${port}`
      : `https://127.0.0.1:${port}#${fingerprint}`
  output.result({ pid: process.pid, url, socket: socketPath }, () => [
    'The KMS runs; Ctrl-C stops it.',
    `  ${url}`,
    `  unix:${socketPath}`,
  ])
  await end
  await running.stop()
}

async function starting(given: Given, leash: Leash): Promise<RunningKms> {
  try {
    const values = loadKmsConfig(given)
    const logger = createLogger({
      level: values.get('log.level') as LogLevel,
      format: process.stderr.isTTY ? 'pretty' : 'json',
      sink: streamSink(process.stderr),
      clock: systemClock,
    })
    return await startKms(kmsConfig(values), logger)
  } catch (error) {
    const { code, detail } = isFault(error) ? error : new Fault('cli/internal')
    leash.failed(code, detail)
    throw error
  }
}
