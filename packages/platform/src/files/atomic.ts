/**
 * Files that are either the old or the new one after a crash, readable by their owner only.
 * Small files: everything is held in memory.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault } from '@quorate/base'

/** What a failed system call means to the caller. The path is ours and may be said. */
export function fileFault(error: unknown, doing: string): Fault {
  const { code } = error as NodeJS.ErrnoException
  const isFull = code === 'ENOSPC' || code === 'EDQUOT'
  return new Fault(isFull ? 'platform/disk-full' : 'platform/file-unreadable', {
    detail: `${doing} (${code ?? 'unknown error'})`,
    cause: error,
  })
}

/** Makes what happened to names in a directory survive a loss of power. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/**
 * Puts `bytes` at `path`, mode 0600: written aside, flushed, renamed, directory flushed. Readers see
 * the old or the new content, never a part. @throws platform/disk-full, platform/file-unreadable
 */
export function writeFileAtomic(path: string, bytes: Uint8Array): void {
  const directory = dirname(path)
  const aside = join(directory, `.tmp-${randomBytes(8).toString('hex')}`)
  try {
    const file = openSync(aside, 'wx', 0o600)
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(aside, path)
    syncDirectory(directory)
  } catch (error) {
    rmSync(aside, { force: true })
    throw fileFault(error, `cannot write ${path}`)
  }
}

export type ReadLimits = {
  readonly maxBytes: number
  /** Refuse a file that anybody but the owner can reach; for secrets. */
  readonly isSecret?: boolean
}

/** The bytes of a regular file. @throws platform/file-unreadable, platform/file-too-large */
export function readFile(path: string, { maxBytes, isSecret = false }: ReadLimits): Uint8Array {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    throw fileFault(error, `cannot read ${path}`)
  }
  try {
    // Of the open file, not the path: what is checked is what is read.
    const { mode, size } = fstatSync(file)
    if (isSecret && (mode & 0o077) !== 0)
      throw new Fault('platform/file-unreadable', {
        detail: `${path} holds a secret and is open to others: chmod 600`,
      })
    if (size > maxBytes)
      throw new Fault('platform/file-too-large', {
        detail: `${path}: ${size} bytes, at most ${maxBytes}`,
      })
    // One byte more than allowed, because pipes and /proc report no size.
    const buffer = new Uint8Array(maxBytes + 1)
    let length = 0
    for (let got = -1; got !== 0 && length <= maxBytes; length += got)
      got = readSync(file, buffer, length, buffer.length - length, null)
    if (length > maxBytes)
      throw new Fault('platform/file-too-large', { detail: `${path}: at most ${maxBytes} bytes` })
    const bytes = buffer.slice(0, length)
    buffer.fill(0)
    return bytes
  } catch (error) {
    throw error instanceof Fault ? error : fileFault(error, `cannot read ${path}`)
  } finally {
    closeSync(file)
  }
}
