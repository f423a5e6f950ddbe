/** Several places for backups as one: a backup counts once all of them have it, and any of them gives it back. */
import { equalBytes, Fault, isFault } from '@quorate/base'
import type { BlobInfo, BlobStore } from '@quorate/platform'

class Places implements BlobStore {
  readonly place: string
  readonly #all: readonly BlobStore[]

  constructor(all: readonly BlobStore[]) {
    this.#all = all
    this.place = all.map(({ place }) => place).join(' and ')
  }

  /** Each is read back here, for `get` asks only until one answers. */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    for (const each of this.#all) {
      await each.put(key, bytes)
      const back = await each.get(key, { maxBytes: bytes.length })
      if (!equalBytes(back, bytes))
        throw new Fault('platform/blob-store-failed', { detail: `${each.place} gives other bytes` })
    }
  }

  async get(key: string, limits: { readonly maxBytes: number }): Promise<Uint8Array> {
    let missing: unknown
    for (const each of this.#all)
      try {
        return await each.get(key, limits)
      } catch (error) {
        if (!isFault(error, 'platform/no-blob') && !isFault(error, 'platform/blob-store-failed'))
          throw error
        missing ??= error
      }
    throw missing
  }

  async list(prefix: string): Promise<readonly BlobInfo[]> {
    const found = new Map<string, BlobInfo>()
    for (const each of this.#all)
      for (const info of await each.list(prefix)) found.set(info.key, info)
    return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  async delete(key: string): Promise<void> {
    for (const each of this.#all) await each.delete(key)
  }
}

/** `undefined` for none. */
export const allOf = (places: readonly BlobStore[]): BlobStore | undefined =>
  places.length > 1 ? new Places(places) : places[0]
