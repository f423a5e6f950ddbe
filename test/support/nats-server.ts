/** The nats-server of the system, one process with JetStream on a free port of loopback. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const BINARY = process.env['NATS_SERVER'] ?? 'nats-server'
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin`
/** Why tests with a server are skipped; false where there is one. */
export const noNatsServer: string | false =
  spawnSync(BINARY, ['--version'], { env: { PATH } }).status === 0
    ? false
    : 'nats-server is not installed'

export class NatsServer {
  readonly url: string
  readonly #port: number
  readonly #directory = mkdtempSync(join(tmpdir(), 'qn-'))
  #child: ChildProcess | undefined

  private constructor(port: number) {
    this.#port = port
    this.url = `nats://127.0.0.1:${port}`
  }

  static async start(): Promise<NatsServer> {
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as { port: number }
    probe.close()
    await once(probe, 'close')
    const server = new NatsServer(port)
    await server.start()
    return server
  }

  /** Starts it again after `kill`, with what it had on disk. */
  async start(): Promise<void> {
    const options = ['-a', '127.0.0.1', '-p', String(this.#port), '-js', '-sd', this.#directory]
    const child = spawn(BINARY, options, { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH } })
    this.#child = child
    let log = ''
    await new Promise<void>((resolve, reject) => {
      child.stderr.on('data', (part: Buffer) => {
        log += part.toString()
        if (log.includes('Server is ready')) resolve()
      })
      child.once('exit', () => reject(new Error(log)))
    })
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  async close(): Promise<void> {
    await this.kill()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
