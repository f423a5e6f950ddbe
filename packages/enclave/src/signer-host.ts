/** Starts the signer process and gives the daemon its calls. */
import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type HostCalls, hostCalls, type SignerCalls, signerCalls } from './channel/calls.ts'
import { type Client, type Handlers, openChannel } from './channel/channel.ts'

export type SignerHost = {
  readonly calls: Client<SignerCalls>
  readonly pid: number
  /** Resolves when the process has ended, with how. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** Wipes what the signer holds, then ends it. */
  stop(): Promise<void>
}

export type SignerHostOptions = {
  readonly environment: 'development' | 'staging' | 'production'
  /** What the signer may ask of its daemon. */
  readonly handlers: Handlers<HostCalls>
  /** Where what the process prints goes; nothing of ours prints secrets. */
  readonly output: 'ignore' | number
}

/** Variables that the signer gets: it needs no other, and secrets are never among them. */
const PASSED = ['PATH', 'QUORATE_FAILPOINTS', 'QUORATE_DEBUG', 'NODE_V8_COVERAGE', 'TZ'] as const

/** How long a signer may take to wipe itself before it is ended by force. */
const STOP_MS = 3_000

export function startSigner({ environment, handlers, output }: SignerHostOptions): SignerHost {
  const main = fileURLToPath(new URL('./signer-process/main.js', import.meta.url))
  const env = Object.fromEntries(
    PASSED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  )
  const child = spawn(process.execPath, [...process.execArgv, main], {
    stdio: ['ignore', output, output, 'pipe'],
    env: { ...env, QUORATE_ENVIRONMENT: environment },
  })
  const socket = child.stdio[3] as Socket
  const calls = openChannel(socket, signerCalls, hostCalls, handlers)
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }))
    child.on('error', () => resolve({ code: null, signal: null }))
  })
  return {
    calls,
    pid: child.pid ?? 0,
    ended,
    async stop() {
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await calls.seal({}).catch(() => undefined)
      socket.end()
      await ended
      clearTimeout(force)
    },
  }
}
