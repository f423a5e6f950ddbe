/**
 * Between a daemon and the program that starts it, over Node's channel between parent and child:
 * the daemon says once that it serves, or why not. Until it is let go it ends with its starter, so
 * that a starter which is interrupted leaves nothing behind that nobody knows of.
 */
import type { ChildProcess } from 'node:child_process'

export type StartReport =
  | { readonly kind: 'ready'; readonly pid: number; readonly signerPid: number }
  | { readonly kind: 'failed'; readonly code: string; readonly detail?: string }

const START_MS = 60_000

/** What the daemon says; nothing if it ends or hangs before that. */
export function firstWord(child: ChildProcess): Promise<StartReport | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      end(undefined)
    }, START_MS)
    const end = (report: StartReport | undefined): void => {
      clearTimeout(timer)
      resolve(report)
    }
    child.once('message', (message) => end(message as StartReport))
    child.once('exit', () => end(undefined))
    child.once('error', () => end(undefined))
  })
}

/** Lets the daemon outlive this program. */
export function letGo(child: ChildProcess): void {
  child.unref()
  if (child.connected) child.send('go', () => child.connected && child.disconnect())
}

/** The daemon's end. Without a starter that listens, as in a terminal, it does nothing. */
export class Leash {
  /** What to do when the starter is gone. */
  #onLost: () => void = () => process.exit(1)
  readonly #lost = (): void => this.#onLost()

  constructor() {
    if (process.send === undefined) return
    // Lost already, while the program was loading: no event will come any more.
    if (!process.connected) this.#lost()
    process.once('disconnect', this.#lost)
    process.once('message', () => {
      process.off('disconnect', this.#lost)
      process.disconnect()
    })
  }

  ready(pid: number, signerPid: number, stop: () => void): void {
    this.#onLost = stop
    this.#tell({ kind: 'ready', pid, signerPid })
  }

  failed(code: string, detail: string | undefined): void {
    process.off('disconnect', this.#lost)
    this.#tell({ kind: 'failed', code, ...(detail !== undefined && { detail }) })
    if (process.connected) process.disconnect()
  }

  #tell(report: StartReport): void {
    if (process.connected) process.send?.(report)
  }
}
