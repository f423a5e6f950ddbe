/**
 * Which process is meant by a pid, across reboots and reuse of pids. On Linux from /proc; elsewhere
 * only the pid is known, and a reused pid counts as alive.
 */
import { readFileSync } from 'node:fs'

export type ProcessIdentity = {
  readonly pid: number
  /** Random per boot of the machine; empty where unknown. */
  readonly bootId: string
  /** Clock ticks between that boot and the start of the process; empty where unknown. */
  readonly startTime: string
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

/** Field 22 of /proc/<pid>/stat; counted from the last `)`, because a program's name may hold anything. */
function startTime(pid: number): string {
  const stat = read(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

const bootId = (): string => read('/proc/sys/kernel/random/boot_id')

export const thisProcess = (): ProcessIdentity => ({
  pid: process.pid,
  bootId: bootId(),
  startTime: startTime(process.pid),
})

/** Whether that very process still runs. In doubt, yes. */
export function isRunning(identity: ProcessIdentity): boolean {
  if (identity.bootId !== '' && identity.bootId !== bootId()) return false
  try {
    process.kill(identity.pid, 0)
  } catch (error) {
    // EPERM: it runs, as another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = startTime(identity.pid)
  return identity.startTime === '' || now === '' || now === identity.startTime
}
