/** What processes spent of the processor, from Linux's books, thread by thread. */
import { readdirSync, readFileSync } from 'node:fs'

/** A hundredth of a second, the unit of those books on every Linux of today. */
const TICK_MS = 10

/** Milliseconds of processor time so far, by what a thread does. */
export type CpuBook = { readonly [thread: string]: number }

function ticksOf(path: string): number {
  // The name of a thread may hold spaces, but it ends at the last parenthesis.
  const fields = readFileSync(path, 'utf8').split(') ').at(-1)!.split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** Of the process `pid`: its first thread, and all others, which are workers and the runtime's own. */
export function cpuOf(pid: number): CpuBook {
  const book: { [thread: string]: number } = {}
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const place = `/proc/${pid}/task/${tid}`
    try {
      const kind = Number(tid) === pid ? 'main' : 'others'
      book[kind] = (book[kind] ?? 0) + ticksOf(`${place}/stat`) * TICK_MS
    } catch {
      // A thread that has just ended.
    }
  }
  return book
}

export const spentSince = (before: CpuBook, after: CpuBook): CpuBook =>
  Object.fromEntries(
    Object.entries(after).map(([thread, ms]) => [thread, ms - (before[thread] ?? 0)]),
  )

export const totalOf = (book: CpuBook): number => Object.values(book).reduce((a, b) => a + b, 0)

/** Mebibytes of memory that the process holds now. */
export function memoryOf(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Math.round(Number(line?.[1] ?? 0) / 1024)
}
