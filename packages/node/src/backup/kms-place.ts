/**
 * A KMS as a place for backups. A file is kept in parts, each a secret with a name that holds a part of the file's hash, and
 * under its own name what puts them together:
 *
 *   latest.enc               {"v": 1, "size": 700000, "sha256": "1f3c…", "parts": 2}
 *   latest.enc.1f3c….0, .1   the bytes
 *
 * What the name says changes at once and whole; parts that it no longer names are then destroyed, every version of them.
 */
import { createHash } from 'node:crypto'
import { concatBytes, Fault, fromUtf8, isFault, type Secret, utf8 } from '@quorate/base'
import { BLOB_KEY, type BlobInfo, type BlobStore } from '@quorate/platform'
import {
  destroyNodeBackup,
  getNodeBackup,
  listNodeBackups,
  MAX_BACKUP_BYTES,
  parseBackupUrl,
  putNodeBackup,
  type ShareBackupStore,
} from '@quorate/sdk/kms'

const DIGEST_HEX = 16
const PART = new RegExp(`\\.[0-9a-f]{${DIGEST_HEX}}\\.\\d{1,4}$`)

type Whole = { readonly size: number; readonly sha256: string; readonly parts: number }

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const partName = (key: string, { sha256: hash }: Pick<Whole, 'sha256'>, i: number): string =>
  `${key}.${hash.slice(0, DIGEST_HEX)}.${i}`

/** What the KMS did, as a fault of the place. */
async function asked<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!isFault(error) || error.code === 'kms/no-secret') throw error
    throw new Fault('platform/blob-store-failed', { detail: error.code, cause: error })
  }
}

class KmsPlace implements BlobStore {
  readonly place: string
  readonly #store: ShareBackupStore
  readonly #node: string

  constructor(store: ShareBackupStore, node: string) {
    this.place = `${node}@${store.backupUrl}`
    this.#store = store
    this.#node = node
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    checkKey(key)
    const parts = Math.ceil(bytes.length / MAX_BACKUP_BYTES)
    const whole: Whole = { size: bytes.length, sha256: sha256(bytes), parts }
    for (let i = 0; i < parts; i++) {
      const part = bytes.subarray(i * MAX_BACKUP_BYTES, (i + 1) * MAX_BACKUP_BYTES)
      await asked(putNodeBackup(this.#store, this.#node, partName(key, whole, i), part))
    }
    const text = JSON.stringify({ v: 1, ...whole })
    await asked(putNodeBackup(this.#store, this.#node, key, utf8(text)))
    await this.#destroyParts(key, (name) => !name.startsWith(partName(key, whole, 0).slice(0, -1)))
  }

  async get(key: string, { maxBytes }: { readonly maxBytes: number }): Promise<Uint8Array> {
    const whole = await this.#whole(key)
    if (whole.size > maxBytes) throw new Fault('platform/file-too-large', { detail: key })
    const parts: Uint8Array[] = []
    for (let i = 0; i < whole.parts; i++)
      parts.push(
        await asked(getNodeBackup(this.#store, this.#node, partName(key, whole, i))).catch(broken),
      )
    const bytes = concatBytes(...parts)
    return sha256(bytes) === whole.sha256 ? bytes : broken()
  }

  async #whole(key: string): Promise<Whole> {
    checkKey(key)
    try {
      const bytes = await asked(getNodeBackup(this.#store, this.#node, key))
      const { size, sha256: hash, parts } = JSON.parse(fromUtf8(bytes) ?? '') as Partial<Whole>
      if (typeof size !== 'number' || typeof hash !== 'string' || typeof parts !== 'number')
        return broken()
      return { size, sha256: hash, parts }
    } catch (error) {
      if (isFault(error, 'kms/no-secret')) throw new Fault('platform/no-blob', { detail: key })
      if (error instanceof SyntaxError) return broken()
      throw error
    }
  }

  async list(prefix: string): Promise<readonly BlobInfo[]> {
    const names = await asked(listNodeBackups(this.#store, this.#node, prefix))
    const found: BlobInfo[] = []
    for (const key of names)
      if (!PART.test(key)) found.push({ key, size: (await this.#whole(key)).size })
    return found
  }

  async delete(key: string): Promise<void> {
    checkKey(key)
    await this.#destroy(key)
    await this.#destroyParts(key, () => true)
  }

  async #destroyParts(key: string, isOld: (name: string) => boolean): Promise<void> {
    const names = await asked(listNodeBackups(this.#store, this.#node, `${key}.`))
    for (const name of names)
      if (PART.test(name) && name.replace(PART, '') === key && isOld(name))
        await this.#destroy(name)
  }

  async #destroy(name: string): Promise<void> {
    try {
      await asked(destroyNodeBackup(this.#store, this.#node, name))
    } catch (error) {
      if (!isFault(error, 'kms/no-secret')) throw error
    }
  }
}

/** A name of a blob, without folders. */
function checkKey(key: string): void {
  if (!BLOB_KEY.test(key) || key.includes('/')) throw new Fault('platform/bad-blob-key')
}

function broken(cause?: unknown): never {
  throw new Fault('platform/blob-store-failed', { detail: 'a part of the file is missing', cause })
}

/** @throws sdk/bad-address */
export function openKmsPlace(store: ShareBackupStore, node: string): BlobStore {
  parseBackupUrl(store.backupUrl)
  return new KmsPlace(store, node)
}

/**
 * The place that an address such as `nod_…@https://host:8200/api/v1/projects/…` means, as a node's status shows it; `undefined`
 * for an address of another kind. @throws sdk/bad-address
 */
export function kmsPlaceAt(
  address: string,
  token: Secret<string> | undefined,
): BlobStore | undefined {
  const [, node, url] = /^(nod_[0-9a-z]{26})@(.+)$/s.exec(address) ?? []
  if (node === undefined || url === undefined) return undefined
  if (token === undefined)
    throw new Fault('platform/missing-setting', { detail: 'BACKUP_AUTH_TOKEN or its _FILE' })
  return openKmsPlace({ backupUrl: url, backupAuthToken: token }, node)
}
