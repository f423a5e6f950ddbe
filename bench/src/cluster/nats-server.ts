/** The nats-server of the system for as long as a bench lasts: with JetStream, on a port of loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

const BINARY = process.env['NATS_SERVER'] ?? 'nats-server'
/** Debian puts it where only root looks. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin`

export type NatsServer = {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

/** Starts one with its data in `directory`. @throws where there is none, or its port is taken */
export async function startNats(port: number, directory: string): Promise<NatsServer> {
  const options = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', directory]
  const child = spawn(BINARY, options, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH },
  })
  await untilReady(child)
  return {
    url: `nats://127.0.0.1:${port}`,
    pid: child.pid!,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

async function untilReady(child: ChildProcess): Promise<void> {
  let log = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr!.on('data', (part: Buffer) => {
      if (log.includes('Server is ready')) return
      log += part.toString()
      if (log.includes('Server is ready')) resolve()
    })
    child.once('error', (cause) => reject(new Error(`${BINARY} does not start`, { cause })))
    child.once('exit', () => reject(new Error(`${BINARY} ended: ${log}`)))
  })
}
