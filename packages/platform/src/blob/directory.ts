/** Blobs as files of mode 0600 in a directory of mode 0700, such as a mounted network share. */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Fault } from '@quorate/base'
import { fileFault, readFile, syncDirectory, writeFileAtomic } from '../files/atomic.ts'
import { ensurePrivateDirectory } from '../files/directory.ts'
import { BLOB_KEY, type BlobInfo, type BlobStore } from './port.ts'

/** Makes the directory where it is missing. @throws platform/directory-mode, platform/directory-owner, platform/no-directory */
export function openBlobDirectory(path: string): BlobStore {
  const root = resolve(path)
  ensurePrivateDirectory(root)
  return new BlobDirectory(root)
}

class BlobDirectory implements BlobStore {
  readonly place: string

  constructor(root: string) {
    this.place = root
  }

  #fileOf(key: string): string {
    if (!BLOB_KEY.test(key)) throw new Fault('platform/bad-blob-key')
    return join(this.place, key)
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const file = this.#fileOf(key)
    ensurePrivateDirectory(dirname(file))
    writeFileAtomic(file, bytes)
    // The directories above are names, too.
    for (let at = dirname(file); at.startsWith(this.place); at = dirname(at)) syncDirectory(at)
  }

  async get(key: string, { maxBytes }: { readonly maxBytes: number }): Promise<Uint8Array> {
    try {
      return readFile(this.#fileOf(key), { maxBytes })
    } catch (error) {
      throw isMissing((error as Fault).cause)
        ? new Fault('platform/no-blob', { detail: key })
        : error
    }
  }

  async list(prefix: string): Promise<readonly BlobInfo[]> {
    const keys: BlobInfo[] = []
    const walk = (directory: string, above: string): void => {
      for (const entry of readdirSync(directory, { withFileTypes: true })) {
        const key = above + entry.name
        if (entry.isDirectory()) walk(join(directory, entry.name), `${key}/`)
        else if (key.startsWith(prefix) && BLOB_KEY.test(key))
          keys.push({ key, size: statSync(join(directory, entry.name)).size })
      }
    }
    try {
      walk(this.place, '')
    } catch (error) {
      throw fileFault(error, `cannot list ${this.place}`)
    }
    return keys.sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  async delete(key: string): Promise<void> {
    const file = this.#fileOf(key)
    try {
      rmSync(file)
      syncDirectory(dirname(file))
    } catch (error) {
      if (!isMissing(error)) throw fileFault(error, `cannot delete ${file}`)
    }
  }
}

const isMissing = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
