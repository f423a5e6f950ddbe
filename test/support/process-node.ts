/** A node in a process of its own, and its life: started, ended one way or the other, put back to an earlier state. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ProcessConfig } from './node-config.ts'
import { until } from './until.ts'

const MAIN = fileURLToPath(new URL('./node-main.js', import.meta.url))

export type ProcessNode = {
  readonly index: number
  readonly directory: string
  config: ProcessConfig
  child: ChildProcess | undefined
  pid: number
  signerPid: number
  /** Lines that it logged since it was started. */
  log: string[]
}

/**
 * Starts a node's process and waits until it serves. `nodeOptions` reach its signer process too.
 * Throws with the code it printed if it does not.
 */
export async function launchNode(
  node: ProcessNode,
  env: { readonly [name: string]: string } = {},
  nodeOptions: readonly string[] = [],
): Promise<void> {
  const child = spawn(process.execPath, [...nodeOptions, MAIN, JSON.stringify(node.config)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  node.child = child
  node.log = []
  createInterface({ input: child.stderr! }).on('line', (line) => node.log.push(line))
  const first = await Promise.race([
    once(createInterface({ input: child.stdout! }), 'line').then(([line]) => String(line)),
    once(child, 'exit').then(() => '{"code":"ended"}'),
  ])
  const ready = JSON.parse(first) as {
    pid?: number
    signerPid?: number
    code?: string
    message?: string
  }
  if (ready.pid === undefined)
    throw new Error(`node ${node.index}: ${ready.code} ${ready.message ?? ''}`)
  node.pid = ready.pid
  node.signerPid = ready.signerPid ?? 0
}

/** Ends the daemon, and its signer with it. */
export async function endNode(node: ProcessNode, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const { child } = node
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
  // A signer ends with its daemon; one that is halted has to be ended by hand.
  if (signal === 'SIGKILL') killIfThere(node.signerPid)
  await untilGone(node.signerPid)
  node.child = undefined
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

/** Until the process has ended, whether or not its new parent has taken notice (Linux: /proc). */
async function untilGone(pid: number): Promise<void> {
  await until(async () => {
    try {
      return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
    } catch {
      return true
    }
  })
}

/** Copies a directory, and tells how to put it back. */
export function copyOf(directory: string, copy: string): () => void {
  cpSync(directory, copy, { recursive: true, preserveTimestamps: true })
  return () => {
    rmSync(directory, { recursive: true })
    cpSync(copy, directory, { recursive: true, preserveTimestamps: true })
  }
}
