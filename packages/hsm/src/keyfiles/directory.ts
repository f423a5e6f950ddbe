/**
 * The directory of a provider that keeps its keys in files: small files, each written whole or not
 * at all, private to one user.
 *
 * A new file is written under a temporary name, synced, and linked into place; a link never replaces
 * a file, so of two processes that create one name exactly one succeeds. What a killed process
 * leaves behind has a temporary name and is never read; the next start removes it.
 */
import { randomBytes } from 'node:crypto'
import { link, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '@quorate/base'
import { ensurePrivateDirectory } from '@quorate/platform'
import { DeviceFault } from '../errors.ts'

const errno = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'unknown'

/** What `action` gives, with every system error as a fault of the device; a full disk is the machine's. */
async function onDisk<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (errno(error) === 'ENOSPC' || errno(error) === 'EDQUOT')
      throw new Fault('platform/disk-full', { detail: 'while writing a key', cause: error })
    throw new DeviceFault('hsm/unavailable', {
      detail: `system error ${errno(error)}`,
      cause: error,
    })
  }
}

/** What `action` gives, or `undefined` where it fails with the system error `code`. */
async function unless<T>(code: string, action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action()
  } catch (error) {
    if (errno(error) === code) return undefined
    throw error
  }
}

/** A view of what was read, not a copy, so that wiping it leaves nothing behind. */
async function readPlain(path: string): Promise<Uint8Array> {
  const { buffer, byteOffset, length } = await readFile(path)
  return new Uint8Array(buffer, byteOffset, length)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errno(error) !== 'ESRCH'
  }
}

export class PrivateDirectory {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** The directory at `path`, made where missing. @throws platform/directory-mode, platform/directory-owner, platform/no-directory, hsm/unavailable */
  static async open(path: string): Promise<PrivateDirectory> {
    ensurePrivateDirectory(path)
    const directory = new PrivateDirectory(path)
    await directory.#removeLeftovers()
    return directory
  }

  /** The content of a file, or `undefined` where there is none. @throws hsm/unavailable */
  read(name: string): Promise<Uint8Array | undefined> {
    return onDisk(() => unless('ENOENT', () => readPlain(join(this.#path, name))))
  }

  /** Refuses a file that other users may read or write. @throws hsm/loose-permissions, hsm/unavailable */
  async checkPrivate(name: string): Promise<void> {
    const { mode } = await onDisk(() => stat(join(this.#path, name)))
    if ((mode & 0o077) !== 0)
      throw new Fault('hsm/loose-permissions', {
        detail: `${name} has mode ${(mode & 0o777).toString(8)}`,
      })
  }

  /** Names of all finished files. @throws hsm/unavailable */
  async names(): Promise<readonly string[]> {
    const all = await onDisk(() => readdir(this.#path))
    return all.filter((name) => !name.startsWith('.'))
  }

  /** Writes a new file and returns true, or returns false where the name is taken. @throws hsm/unavailable */
  create(name: string, content: Uint8Array): Promise<boolean> {
    return onDisk(async () => {
      const temporary = await this.#writeTemporary(content)
      try {
        const linked = await unless('EEXIST', async () => {
          await link(temporary, join(this.#path, name))
          return true
        })
        if (linked) await this.#sync()
        return linked ?? false
      } finally {
        await unlink(temporary)
      }
    })
  }

  /** Writes a file in the place of the one of that name. @throws hsm/unavailable */
  replace(name: string, content: Uint8Array): Promise<void> {
    return onDisk(async () => {
      await rename(await this.#writeTemporary(content), join(this.#path, name))
      await this.#sync()
    })
  }

  /** Whether there was such a file, which is now gone. @throws hsm/unavailable */
  remove(name: string): Promise<boolean> {
    return onDisk(async () => {
      const removed = await unless('ENOENT', async () => {
        await unlink(join(this.#path, name))
        return true
      })
      await this.#sync()
      return removed ?? false
    })
  }

  async #writeTemporary(content: Uint8Array): Promise<string> {
    const path = join(this.#path, `.${process.pid}-${randomBytes(8).toString('hex')}`)
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } catch (error) {
      await unlink(path)
      throw error
    } finally {
      await file.close()
    }
    return path
  }

  /** Makes the names themselves durable. */
  async #sync(): Promise<void> {
    const directory = await open(this.#path, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  }

  async #removeLeftovers(): Promise<void> {
    await onDisk(async () => {
      for (const name of await readdir(this.#path)) {
        const pid = /^\.([0-9]+)-[0-9a-f]{16}$/.exec(name)?.[1]
        if (pid !== undefined && !isAlive(Number(pid)))
          await unless('ENOENT', () => unlink(join(this.#path, name)))
      }
    })
  }
}
