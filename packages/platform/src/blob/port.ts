/**
 * Whole objects under keys, outside the data directory: where backups go. An object is written once and
 * read whole. What is kept here is sealed by whoever puts it; the store is trusted with availability only.
 */
export type BlobInfo = {
  readonly key: string
  /** Bytes. */
  readonly size: number
}

export type BlobStore = {
  /**
   * Keeps `bytes` under `key`; resolves once they would survive a loss of power there. An object that is there already is
   * replaced, at once and whole. @throws platform/bad-blob-key, platform/disk-full, platform/blob-store-failed
   */
  put(key: string, bytes: Uint8Array): Promise<void>
  /** @throws platform/no-blob, platform/file-too-large beyond `maxBytes`, platform/blob-store-failed */
  get(key: string, limits: { readonly maxBytes: number }): Promise<Uint8Array>
  /** All whose key begins with `prefix`, in the order of their keys. @throws platform/blob-store-failed */
  list(prefix: string): Promise<readonly BlobInfo[]>
  /** Harmless where there is none. @throws platform/blob-store-failed */
  delete(key: string): Promise<void>
  /** For people: where this is, without credentials. */
  readonly place: string
}

/** Parts of letters, digits, `.`, `_`, `-`, joined by `/`; none begins with a dot. 1 to 512 characters. */
export const BLOB_KEY: RegExp =
  /^(?=.{1,512}$)[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/
