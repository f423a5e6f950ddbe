/** A nats-server of the system for one test: its own port, directory and process, ended with the test. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Logger } from '@quorate/base'
import {
  type Broker,
  type BrokerOptions,
  openBroker,
  systemRandom,
  systemTimers,
} from '@quorate/platform'
import { scratch } from '../../scratch.js'

const PATHS = ['/usr/sbin/nats-server', '/usr/local/bin/nats-server', '/usr/bin/nats-server']
const binary = process.env['NATS_SERVER'] ?? PATHS.find((path) => existsSync(path))
/** Why tests with a server are skipped; false where there is one. */
export const noServer: string | false =
  binary !== undefined && spawnSync(binary, ['--version']).status === 0
    ? false
    : 'nats-server is not installed'

export const silent: Logger = { log: () => {}, with: () => silent }

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export type TestServer = {
  readonly url: string
  readonly directory: string
  start(): Promise<void>
  /** Kills the process as a crash would. */
  kill(): Promise<void>
  broker(change?: Partial<BrokerOptions>): Promise<Broker>
}

/** A server with JetStream; `configuration` is added to what it is started with. */
export async function natsServer(
  t: Pick<TestContext, 'after'>,
  configuration = '',
): Promise<TestServer> {
  const directory = scratch(t)
  const port = await freePort()
  const file = join(directory, 'nats.conf')
  writeFileSync(
    file,
    `listen: 127.0.0.1:${port}\njetstream { store_dir: "${directory}/js", max_file_store: 2147483648, max_memory_store: 67108864 }\n${configuration}\n`,
  )
  let child: ChildProcess | undefined
  const brokers: Broker[] = []
  const kill = async (): Promise<void> => {
    if (child === undefined) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    child = undefined
  }
  const start = async (): Promise<void> => {
    const started = spawn(binary!, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
    child = started
    let log = ''
    await new Promise<void>((resolve, reject) => {
      started.stderr.on('data', (chunk: Buffer) => {
        log += chunk.toString()
        if (log.includes('Server is ready')) resolve()
      })
      started.once('exit', () => reject(new Error(`nats-server ended: ${log}`)))
    })
  }
  // After hooks run in order, and brokers are closed before the server is.
  t.after(async () => {
    for (const broker of brokers) await broker.close()
    await kill()
  })
  await start()
  return {
    url: `nats://127.0.0.1:${port}`,
    directory,
    start,
    kill,
    broker: async (change = {}) => {
      const broker = await openBroker({
        servers: [`nats://127.0.0.1:${port}`],
        name: 'test',
        timers: systemTimers,
        random: systemRandom,
        logger: silent,
        times: { backoffMinMs: 5, backoffMaxMs: 50 },
        ...change,
      })
      brokers.push(broker)
      return broker
    },
  }
}
