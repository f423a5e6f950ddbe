/**
 * Main thread of a provider host. It makes no call of the vendor's library, so it is awake whatever
 * the sessions in its threads hang in: it starts them, and ends the process when the parent's
 * descriptor closes. A fault that nobody expected in one of them ends it too; the parent starts anew.
 *
 *   descriptor 3        from the parent: the greeting, then one byte for each thread to start
 *   descriptor 4 + i    the connection of thread i
 */
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { wipe } from '@quorate/base'
import { hardenProcess } from '@quorate/platform/process'
import type { DeviceSettings } from '../device.ts'
import { confineProcess } from './confine.ts'
import { CONTROL_FD, FIRST_SESSION_FD, readGreeting } from './greeting.ts'

/** `workerData` of a thread. */
export type ThreadData = {
  readonly settings: DeviceSettings
  readonly pin: SharedArrayBuffer | undefined
  readonly gate: SharedArrayBuffer
  readonly fd: number
}

/** How long sessions may take to close once the parent has gone or let go. */
const GRACE_MS = 1_000

/** Runs the host until its parent closes the descriptor. `entry`: what each thread runs. */
export function runHost(entry: URL): void {
  hardenProcess()
  confineProcess()
  // Signals of a terminal go to the whole group; the parent decides when its host ends.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => undefined)
  const { settings, pin } = readGreeting(CONTROL_FD)
  const gate = new SharedArrayBuffer(8)
  const threads = new Set<Worker>()
  let isLeaving = false

  const end = (): void => {
    if (pin !== undefined) wipe(new Uint8Array(pin))
    // Not `exit`, which waits for threads and runs what the vendor's library left to be run at the end.
    process.kill(process.pid, 'SIGKILL')
  }
  const start = (place: number): void => {
    const workerData: ThreadData = { settings, pin, gate, fd: FIRST_SESSION_FD + place }
    const thread = new Worker(entry, { workerData, env: {}, execArgv: [] })
    threads.add(thread)
    thread.on('error', (error) => {
      writeSync(process.stderr.fd, `provider host: ${error.name} in a session\n`)
      end()
    })
    thread.on('exit', () => {
      threads.delete(thread)
      if (isLeaving && threads.size === 0) end()
    })
  }
  const leave = (): void => {
    if (isLeaving) return
    isLeaving = true
    if (threads.size === 0) end()
    else setTimeout(end, GRACE_MS)
  }

  const control = new Socket({ fd: CONTROL_FD, readable: true, writable: true })
  control.on('data', (places: Uint8Array) => {
    for (const place of places) start(place)
  })
  control.on('end', leave)
  control.on('error', leave)
  control.on('close', leave)
}
