/** One provider host as its parent holds it: the process, and a connection for each of its sessions. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Fault, isFault, type Logger, wipe } from '@quorate/base'
import type { DeviceSettings } from '../device.ts'
import { FrameAssembler } from './frames.ts'
import { CONTROL_FD, greetingBytes } from './greeting.ts'

/** Why a host has ended. */
export type HostEnd =
  /** By itself, or by what it loaded. */
  | 'crash'
  /** Killed: it took longer than a call may. */
  | 'hang'
  /** Killed: it sent what is no answer. */
  | 'malformed'
  /** Killed: its device reports errors that another process may not see. */
  | 'device'
  /** Ended because nobody needs it any more. */
  | 'closed'

export type HostListener = {
  /** A whole frame of session `place`. It is wiped when this returns. @throws base/malformed, which ends the host */
  response(place: number, frame: Uint8Array): void
  /** It is being killed: nothing it still says is heard, and nothing may be sent to it. */
  condemned(): void
  /** Called once, as the last. `signal` or exit code, for people. */
  ended(reason: HostEnd, how: string): void
}

export type HostOptions = {
  readonly settings: DeviceSettings
  /** Wiped once it has been sent. */
  readonly pin: Uint8Array | undefined
  /** How many sessions it can have. */
  readonly sessions: number
  readonly logger: Logger
  /** The module that the process runs. */
  readonly entry: URL
}

/** Of what the vendor's library prints, from each process. */
const MAX_OUTPUT_BYTES = 65_536
const MAX_OUTPUT_LINE = 1_000
/** A killed process that hangs in the kernel itself is not waited for any longer. */
const KILL_MS = 2_000
/** How long a host may take to close its sessions before it is ended by force. */
const CLOSE_MS = 3_000

export class HostProcess {
  readonly #child: ChildProcess
  readonly #control: Socket
  readonly #sessions: readonly Socket[]
  readonly #listener: HostListener
  /** Resolves when the process is gone and the listener has heard of it. */
  readonly ended: Promise<void>
  #reason: HostEnd = 'crash'
  #isCondemned = false
  #isOver = false
  #endedBy: (how: string) => void = () => undefined

  /** @throws hsm/bad-argument for settings that would change how Node runs, or a PIN that is too long */
  constructor(options: HostOptions, listener: HostListener) {
    const { settings, pin, sessions, entry } = options
    this.#listener = listener
    const env = hostEnvironment(settings)
    const greeting = greetingBytes(settings, pin)
    wipe(pin)
    const pipes = Array.from({ length: 1 + sessions }, () => 'pipe' as const)
    this.#child = spawn(process.execPath, [fileURLToPath(entry)], {
      stdio: ['ignore', 'pipe', 'pipe', ...pipes],
      env,
    })
    const [control, ...connections] = this.#child.stdio.slice(CONTROL_FD) as Socket[]
    this.#control = control as Socket
    this.#sessions = connections
    // What goes wrong here is that the process has ended, which is heard of below.
    for (const socket of [this.#control, ...connections]) socket.on('error', () => undefined)
    this.#control.write(greeting, () => wipe(greeting))
    connections.forEach((socket, place) => {
      const assembler = new FrameAssembler()
      socket.on('data', (chunk: Uint8Array) => this.#receive(place, assembler, chunk))
    })
    this.#capture(options.logger)
    this.ended = new Promise((resolve) => {
      const over = (how: string): void => {
        if (this.#isOver) return
        this.#isOver = true
        for (const socket of [this.#control, ...connections]) socket.destroy()
        listener.ended(this.#reason, how)
        resolve()
      }
      this.#endedBy = over
      this.#child.once('exit', (code, signal) => over(signal ?? `exit code ${code ?? 'unknown'}`))
      this.#child.once('error', () => over('it could not be started'))
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Starts session `place`, whose first response says whether it is open. */
  start(place: number): void {
    this.#control.write(Uint8Array.of(place))
  }

  send(place: number, frame: Uint8Array): void {
    this.#sessions[place]?.write(frame)
  }

  /** Ends the process at once. */
  kill(reason: Exclude<HostEnd, 'crash'>): void {
    if (this.#isOver || this.#isCondemned) return
    this.#isCondemned = true
    this.#reason = reason
    this.#child.kill('SIGKILL')
    const gone = setTimeout(() => this.#endedBy('it does not die'), KILL_MS)
    void this.ended.then(() => clearTimeout(gone))
    this.#listener.condemned()
  }

  /** Lets the sessions close, and resolves when the process has ended. */
  async close(): Promise<void> {
    this.#reason = 'closed'
    const force = setTimeout(() => this.kill('closed'), CLOSE_MS)
    for (const socket of [...this.#sessions, this.#control]) socket.end()
    await this.ended
    clearTimeout(force)
  }

  #receive(place: number, assembler: FrameAssembler, chunk: Uint8Array): void {
    if (this.#isOver || this.#isCondemned) return
    let frame: Uint8Array | undefined
    try {
      frame = assembler.push(chunk)
      if (frame !== undefined) this.#listener.response(place, frame)
    } catch (error) {
      if (!isFault(error)) throw error
      this.kill('malformed')
    } finally {
      wipe(chunk, frame)
    }
  }

  /** Vendors' libraries print to where a daemon's logs go. None of it is believed, and not much of it is kept. */
  #capture(logger: Logger): void {
    let left = MAX_OUTPUT_BYTES
    const take = (chunk: Buffer): void => {
      const kept = chunk.subarray(0, left)
      left -= kept.length
      for (const line of kept.toString('utf8').split('\n'))
        if (line.trim() !== '')
          logger.log('debug', 'hsm/host-output', { text: line.slice(0, MAX_OUTPUT_LINE) })
    }
    this.#child.stdout?.on('data', take)
    this.#child.stderr?.on('data', take)
  }
}

/** Only what the settings name: a host inherits nothing of its parent's environment. */
function hostEnvironment({ env }: DeviceSettings): NodeJS.ProcessEnv {
  for (const name of Object.keys(env))
    if (/^NODE_|[=\0]/.test(name))
      throw new Fault('hsm/bad-argument', {
        detail: 'a variable of the device may not be one of Node',
      })
  return { ...env }
}
