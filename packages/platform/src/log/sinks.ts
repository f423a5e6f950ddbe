/** Where log lines go: a stream, or files that are turned over by size. */
import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { fileFault } from '../files/atomic.ts'
import type { LogSink } from './logger.ts'

export const streamSink = (stream: Writable): LogSink => ({
  write: (line) => {
    stream.write(line)
  },
})

export type FileSinkOptions = {
  /** Where a file is turned over. */
  readonly maxBytes: number
  /** Older files kept, as `<path>.1` (newest) and so on. */
  readonly keep: number
}

export type FileSink = LogSink & {
  /** Lines that could not be written, as on a full disk. */
  readonly lost: number
  close(): void
}

const CLOSED = -1

/**
 * Appends to `path`, mode 0600. A line that cannot be written is counted and dropped: what must not
 * be lost goes to the audit log. @throws platform/file-unreadable, platform/disk-full when opening
 */
export function fileSink(path: string, { maxBytes, keep }: FileSinkOptions): FileSink {
  let lost = 0
  let size = 0
  const open = (): number => {
    const file = openSync(path, 'a', 0o600)
    size = fstatSync(file).size
    return file
  }
  const turnOver = (): void => {
    closeSync(file)
    // Should opening fail: the number may soon belong to another file, the database for one.
    file = CLOSED
    for (let number = keep; number >= 1; number--) {
      const from = number === 1 ? path : `${path}.${number - 1}`
      try {
        renameSync(from, `${path}.${number}`)
      } catch {
        // There are not that many files yet.
      }
    }
    if (keep === 0) rmSync(path, { force: true })
    file = open()
  }
  let file: number
  try {
    file = open()
  } catch (error) {
    throw fileFault(error, `cannot open ${path}`)
  }
  return {
    write(line) {
      try {
        const bytes = Buffer.from(line)
        if (file === CLOSED) file = open()
        else if (size > 0 && size + bytes.length > maxBytes) turnOver()
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
        size += bytes.length
      } catch {
        lost++
      }
    },
    get lost() {
      return lost
    },
    close: () => {
      if (file !== CLOSED) closeSync(file)
    },
  }
}
