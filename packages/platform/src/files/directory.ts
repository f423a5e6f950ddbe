/**
 * The data directory: private to its owner, and used by one process at a time.
 *
 * Each process that wants the directory first puts down a lock file of its own, complete from its
 * first moment, and then looks for others. Whoever comes later sees the earlier one, so two can
 * never both go on; files of processes that are gone are removed. (Two that start in the same
 * instant may both step back.)
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, type Stats, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Fault, fromUtf8, utf8 } from '@quorate/base'
import { fileFault, readFile, writeFileAtomic } from './atomic.ts'
import { isRunning, type ProcessIdentity, thisProcess } from './process-identity.ts'

const LOCK = /^lock\.[0-9a-f]{16}$/

export type DataDirectory = {
  /** Absolute. */
  readonly path: string
  /** The path of a file in it. */
  file(name: string): string
  /** Lets another process in. */
  release(): void
}

/**
 * Takes the directory, making it with mode 0700 where it is missing.
 * @throws platform/directory-in-use, platform/directory-mode, platform/directory-owner,
 *   platform/no-directory, platform/file-unreadable, platform/disk-full
 */
export function openDataDirectory(path: string): DataDirectory {
  const root = resolve(path)
  ensurePrivateDirectory(root)
  const lock = takeLock(root)
  return {
    path: root,
    file: (name) => join(root, name),
    release: () => rmSync(lock, { force: true }),
  }
}

/**
 * Makes the directory with mode 0700, or checks that it is one that only this user can reach.
 * @throws platform/directory-mode, platform/directory-owner, platform/no-directory, platform/file-unreadable
 */
export function ensurePrivateDirectory(path: string): void {
  let stats: Stats
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    stats = statSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw new Fault('platform/no-directory', { detail: path })
    throw fileFault(error, `cannot make ${path}`)
  }
  if (process.getuid !== undefined && stats.uid !== process.getuid())
    throw new Fault('platform/directory-owner', { detail: path })
  const mode = stats.mode & 0o777
  if ((mode & 0o077) !== 0)
    throw new Fault('platform/directory-mode', { detail: `${path} has mode ${mode.toString(8)}` })
}

function takeLock(root: string): string {
  const mine = join(root, `lock.${randomBytes(8).toString('hex')}`)
  writeFileAtomic(mine, utf8(`${JSON.stringify(thisProcess())}\n`))
  for (const name of readdirSync(root)) {
    const other = join(root, name)
    if (!LOCK.test(name) || other === mine) continue
    const holder = readHolder(other)
    if (holder === 'gone') continue
    if (holder === 'unknown' || isRunning(holder)) {
      rmSync(mine, { force: true })
      const who = holder === 'unknown' ? `see ${other}` : `process ${holder.pid}`
      throw new Fault('platform/directory-in-use', { detail: `${root}, ${who}` })
    }
    rmSync(other, { force: true })
  }
  return mine
}

function readHolder(path: string): ProcessIdentity | 'gone' | 'unknown' {
  let text: string | undefined
  try {
    text = fromUtf8(readFile(path, { maxBytes: 4096 }))
  } catch (error) {
    const { code } = ((error as Fault).cause ?? {}) as NodeJS.ErrnoException
    return code === 'ENOENT' ? 'gone' : 'unknown'
  }
  try {
    const { pid, bootId, startTime } = JSON.parse(text ?? '') as Partial<ProcessIdentity>
    if (!Number.isSafeInteger(pid) || typeof bootId !== 'string' || typeof startTime !== 'string')
      return 'unknown'
    return { pid: pid as number, bootId, startTime }
  } catch {
    return 'unknown'
  }
}
