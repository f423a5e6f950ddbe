/** The development KMS of this machine: one process, its data below the home, its first administrator you. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Fault, isFaultCode, utf8 } from '@quorate/base'
import { writeFileAtomic } from '@quorate/platform'
import { KmsClient } from '@quorate/sdk/kms'
import type { Home } from '../dev/home.ts'
import { firstWord, letGo } from '../dev/leash.ts'
import { isAlive } from '../dev/state.ts'
import { readJson } from '../files.ts'

const LAUNCHER = fileURLToPath(new URL('../../../bin/quorate.mjs', import.meta.url))
/** Variables that the server gets: settings come from its flags alone, whatever the user has set. */
const PASSED =
  /^(PATH|HOME|TMPDIR|TZ|LANG|LC_.*|NODE_OPTIONS|NODE_V8_COVERAGE|QUORATE_FAILPOINTS|QUORATE_DEBUG)$/

/** How the first administrator signs in again, once its token has ended. Development only. */
type DevSignIn = { readonly clientId: string; readonly clientSecret: string }
type DevState = { readonly v: 1; readonly pid: number; readonly port: number }

export class DevServer {
  readonly directory: string
  readonly socketPath: string
  readonly #stateFile: string
  readonly #signInFile: string

  constructor(home: Home) {
    // Beside each other: the server refuses files that it does not know in its data.
    const base = join(home.path, 'kms-dev')
    this.directory = join(base, 'data')
    this.socketPath = join(base, 'kms.sock')
    this.#stateFile = join(base, 'state.json')
    this.#signInFile = join(base, 'sign-in.json')
    mkdirSync(base, { recursive: true, mode: 0o700 })
  }

  get address(): string {
    return `unix:${this.socketPath}`
  }

  /** The running server; `undefined` where there is none. */
  running(): DevState | undefined {
    if (!existsSync(this.#stateFile)) return undefined
    const state = readJson(this.#stateFile) as DevState
    if (!isAlive(state.pid)) return undefined
    // A pid that meanwhile belongs to another program does not count.
    const command = `/proc/${state.pid}/cmdline`
    const isOurs = !existsSync(command) || readFileSync(command, 'utf8').includes(this.directory)
    return isOurs ? state : undefined
  }

  /** What `kms start` has to be told. */
  flags(port: number): readonly string[] {
    const flags = ['--environment', 'development', '--data', this.directory]
    return [...flags, '--http-socket', this.socketPath, '--http-port', String(port)]
  }

  /** Starts it in the background; resolves once it serves. @throws the fault it failed with */
  async start(port: number): Promise<void> {
    const log = openSync(join(this.directory, '..', 'kms.log'), 'a', 0o600)
    const child = this.#spawn(port, { detached: true, stdio: ['ignore', log, log, 'ipc'] })
    closeSync(log)
    await this.#serves(child, port)
    letGo(child)
  }

  /**
   * Starts it as a part of this program, which it ends with; its log goes to standard error. Resolves once it serves, with
   * what resolves once it has stopped. @throws the fault it failed with
   */
  async startHere(port: number): Promise<{ readonly ended: Promise<void> }> {
    const child = this.#spawn(port, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    await this.#serves(child, port)
    return { ended }
  }

  #spawn(port: number, options: Pick<SpawnOptions, 'detached' | 'stdio'>): ChildProcess {
    const command = ['-c', 'ulimit -c 0; exec "$0" "$@"', process.execPath, LAUNCHER]
    return spawn('/bin/sh', [...command, 'kms', 'start', '--json', ...this.flags(port)], {
      cwd: '/',
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED.test(name))),
      ...options,
    })
  }

  async #serves(child: ChildProcess, port: number): Promise<void> {
    const report = await firstWord(child)
    if (report?.kind === 'ready') {
      this.#write(this.#stateFile, { v: 1, pid: report.pid, port })
      return
    }
    letGo(child)
    if (report?.kind === 'failed' && isFaultCode(report.code))
      throw new Fault(report.code, {
        ...(report.detail !== undefined && { detail: report.detail }),
      })
    throw new Fault('cli/kms-not-running', {
      detail: `see ${join(this.directory, '..', 'kms.log')}`,
    })
  }

  /** Stops it; whether it ran. */
  async stop(): Promise<boolean> {
    const state = this.running()
    if (state === undefined) return false
    process.kill(state.pid, 'SIGTERM')
    const end = performance.now() + STOP_MS
    while (isAlive(state.pid) && performance.now() < end) await sleep(POLL_MS)
    if (isAlive(state.pid)) process.kill(state.pid, 'SIGKILL')
    return true
  }

  /** A token of the administrator, who is made where there is none. @throws kms/unauthenticated */
  async signIn(): Promise<string> {
    const client = new KmsClient({ endpoint: { socketPath: this.socketPath } })
    const post = async <T>(target: string, body: unknown): Promise<T> =>
      (await client.call<T>({ method: 'POST', target, body })).body
    if (existsSync(this.#signInFile)) {
      const { clientId, clientSecret } = readJson(this.#signInFile) as DevSignIn
      const { accessToken } = await post<{ readonly accessToken: string }>(
        '/api/v1/auth/universal/login',
        { clientId, clientSecret },
      )
      return accessToken
    }
    const secret = readFileSync(join(this.directory, 'bootstrap-secret'), 'utf8').trim()
    const made = await post<DevSignIn & { readonly accessToken: string }>('/api/v1/sys/init', {
      secret,
      name: 'developer',
    })
    const { clientId, clientSecret } = made
    this.#write(this.#signInFile, { clientId, clientSecret })
    return made.accessToken
  }

  #write(path: string, content: object): void {
    writeFileAtomic(path, utf8(`${JSON.stringify(content, null, 2)}\n`))
  }
}

const STOP_MS = 15_000
const POLL_MS = 40
