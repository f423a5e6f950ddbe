/** Looks for values in the memory of running processes and in files (Linux: /proc/PID/mem). */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '@quorate/base'

const CHUNK_BYTES = 16 * 1024 * 1024
/** Longest form of a value: hex. Chunks overlap by it. */
const OVERLAP_BYTES = 64
const EMPTY_PAGE = Buffer.alloc(4096)

/** Every form in which 32 bytes may lie about: as they are, reversed (BigInt words), and as hex text. */
export const formsOf = (value: Uint8Array): readonly Buffer[] => {
  const reversed = value.toReversed()
  return [value, reversed, toHex(value), toHex(reversed)].map((each) =>
    typeof each === 'string' ? Buffer.from(each, 'latin1') : Buffer.from(each),
  )
}

export type Sought = { readonly name: string; readonly forms: readonly Buffer[] }

/** What lies in a chunk, without its empty pages: that is half of what a process has. */
function* filledOf(chunk: Buffer): Generator<Buffer> {
  let from: number | undefined
  for (let at = 0; ; at += EMPTY_PAGE.length) {
    const page = chunk.subarray(at, at + EMPTY_PAGE.length)
    if (!page.equals(EMPTY_PAGE.subarray(0, page.length))) {
      from ??= at
      continue
    }
    if (from !== undefined)
      yield chunk.subarray(Math.max(0, from - OVERLAP_BYTES), at + OVERLAP_BYTES)
    if (page.length === 0) return
    from = undefined
  }
}

/** Copies of what the readable, writable memory of a process holds, in overlapping pieces. */
export function* memoryOf(pid: number): Generator<Buffer> {
  const regions = readFileSync(`/proc/${pid}/maps`, 'latin1')
    .split('\n')
    .flatMap((line) => {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
      return from === undefined || to === undefined
        ? []
        : [{ from: Number.parseInt(from, 16), to: Number.parseInt(to, 16) }]
    })
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  try {
    for (const { from, to } of regions)
      for (let at = from; at < to; at += CHUNK_BYTES) {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES + OVERLAP_BYTES, to - at))
        try {
          const read = readSync(memory, chunk, 0, chunk.length, at)
          yield* filledOf(chunk.subarray(0, read))
        } catch {
          // Reserved but unmapped pages cannot be read; nothing lies there.
        }
      }
  } finally {
    closeSync(memory)
  }
}

/** Names of what `chunks` hold. */
export function found(chunks: Iterable<Buffer>, sought: readonly Sought[]): ReadonlySet<string> {
  const names = new Set<string>()
  for (const chunk of chunks)
    for (const { name, forms } of sought)
      if (!names.has(name) && forms.some((form) => chunk.includes(form))) names.add(name)
  return names
}

/** The contents of all files below a directory. */
export function* filesBelow(directory: string): Generator<Buffer> {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    const stats = statSync(path)
    if (stats.isDirectory()) yield* filesBelow(path)
    else if (stats.isFile()) yield readFileSync(path)
  }
}

/** Whether this process may look into others of its user. */
export function canReadMemory(pid: number): boolean {
  try {
    closeSync(openSync(`/proc/${pid}/mem`, 'r'))
    return true
  } catch {
    return false
  }
}
