/** Which daemons of the development cluster run, and where they listen. */
import { existsSync, readFileSync } from 'node:fs'
import { Fault, utf8 } from '@quorate/base'
import { readJson } from '../files.ts'
import { type Home, requireCluster } from './home.ts'

export type DevNode = {
  readonly index: number
  readonly directory: string
  readonly socket: string
  readonly mesh: string
  /** Of the API on 127.0.0.1; null where it has only its socket. */
  readonly port: number | null
  /** Of the daemon and of its signer; null while it does not run. */
  readonly pid: number | null
  readonly signerPid: number | null
}

export type DevState = {
  readonly v: 1
  /** Signers that a new wallet needs unless told. */
  readonly threshold: number
  /** The NATS server through which the nodes reach each other, instead of the mesh. */
  readonly nats?: string
  readonly nodes: readonly DevNode[]
}

/** @throws cli/no-cluster, cli/bad-file */
export function readState(home: Home): DevState {
  requireCluster(home)
  if (!existsSync(home.stateFile)) return { v: 1, threshold: 2, nodes: [] }
  const state = readJson(home.stateFile) as Partial<DevState> | null
  if (state?.v !== 1 || !Array.isArray(state.nodes))
    throw new Fault('cli/bad-file', { detail: home.stateFile })
  return state as DevState
}

export async function writeState(home: Home, state: DevState): Promise<void> {
  const { writeFileAtomic } = await import('@quorate/platform')
  writeFileAtomic(home.stateFile, utf8(`${JSON.stringify(state, null, 2)}\n`))
}

/** Whether the daemon of this node runs. A pid that meanwhile belongs to another program does not count. */
export function isRunning({ pid, directory }: DevNode): boolean {
  if (pid === null || !isAlive(pid)) return false
  // Without /proc the pid is all there is to go by.
  if (!existsSync('/proc/self/cmdline')) return true
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${directory}/`)
  } catch {
    return false
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
