/**
 * Which of our keys lies in which slot: id, label and purpose, of which the device keeps nothing. One file for each
 * device, sealed under a key that the device has locked, so that it opens nowhere else.
 *
 * A key that was made and is not in the file yet when its process ends is not lost: whoever lists the device
 * finds it by its slot. So there is nothing to repair, and a file that is damaged is never taken for an empty one.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  array,
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  field,
  int,
  isFault,
  oneOf,
  record,
  Secret,
  TAGS,
  tagged,
  text,
  utf8,
} from '@quorate/base'
import { readFile, writeFileAtomic } from '@quorate/platform'
import koffi from 'koffi'
import { DeviceFault } from '../errors.ts'
import { IV_BYTES, openGcm, sealGcm } from '../keyfiles/gcm.ts'
import { type KeyId, parseKeyId } from '../provider.ts'
import type { ZymbitContext } from './context.ts'
import { unlockData } from './unlock.ts'

const keyId: Codec<KeyId> = {
  toCbor: (id) => id,
  fromCbor: (cbor, path) => parseKeyId(text(64).fromCbor(cbor, path)),
}

export type IndexedKey = {
  readonly id: KeyId
  readonly slot: number
  readonly label: string
  readonly algorithm: 'p256' | 'secp256k1' | 'aes-256' | 'hmac-sha256'
  /** Compressed: of secret keys too, for they come out of a key pair. */
  readonly publicKey: Uint8Array
  readonly createdAt: number
}
const index: Codec<readonly IndexedKey[]> = array(
  record({
    id: field(0, keyId),
    slot: field(1, int(0, 0xffff)),
    label: field(2, text(128)),
    algorithm: field(3, oneOf('p256', 'secp256k1', 'aes-256', 'hmac-sha256')),
    publicKey: field(4, bytes(33)),
    createdAt: field(5, int()),
  }),
  { max: 4096 },
)

type SealedFile = {
  readonly v: 1
  /** What the device unlocks to the key of the file. */
  readonly lockedKey: Uint8Array
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
}
const sealedFile: Codec<SealedFile> = record({
  v: field(0, oneOf(1)),
  lockedKey: field(1, bytes({ max: 4096 })),
  iv: field(2, bytes(IV_BYTES)),
  ciphertext: field(3, bytes({ max: 1 << 20 })),
})

const MAX_FILE_BYTES = 1 << 21
const KEY_BYTES = 32
const LOCK_EXCLUSIVE = 2

export class LabelIndex {
  readonly #context: ZymbitContext
  readonly #path: string
  readonly #aad: Uint8Array
  #fileKey: { readonly locked: Uint8Array; readonly key: Secret<Uint8Array> } | undefined
  #known: { readonly version: string; readonly keys: readonly IndexedKey[] } | undefined

  /** `directory` is private to the user. */
  constructor(context: ZymbitContext, directory: string, serial: string) {
    this.#context = context
    this.#path = join(directory, `zymbit-${serial}.labels`)
    this.#aad = tagged(TAGS.hsmZymbitLabels, utf8(serial))
  }

  /** What the file says now. @throws hsm/object-damaged, hsm/unavailable */
  keys(): readonly IndexedKey[] {
    const version = this.#version()
    if (version === undefined) return []
    if (this.#known?.version !== version) this.#known = { version, keys: this.#read() }
    return this.#known.keys
  }

  /** What `use` gives, while no other process changes the device's keys or the file. */
  exclusively<T>(use: () => T): T {
    const file = onDisk(() => openSync(`${this.#path}.lock`, 'a', 0o600))
    try {
      if (flock()(file, LOCK_EXCLUSIVE) !== 0)
        throw new DeviceFault('hsm/unavailable', { detail: 'the labels cannot be locked' })
      return use()
    } finally {
      // Closing it also ends the lock.
      closeSync(file)
    }
  }

  /** Survives a crash once this returns. For use inside of `exclusively`. @throws hsm/unavailable */
  write(keys: readonly IndexedKey[]): void {
    this.#fileKey ??= this.#newFileKey()
    const { locked, key } = this.#fileKey
    const plaintext = encode(index, keys)
    const content = encode(sealedFile, {
      v: 1,
      lockedKey: locked,
      ...sealGcm(key.expose(), plaintext, this.#aad),
    })
    onDisk(() => writeFileAtomic(this.#path, content))
    this.#known = undefined
  }

  close(): void {
    this.#fileKey?.key[Symbol.dispose]()
    this.#fileKey = undefined
  }

  /** Changes with every writing, for each makes a new file. */
  #version(): string | undefined {
    const stats = onDisk(() => statSync(this.#path, { bigint: true, throwIfNoEntry: false }))
    return stats && `${stats.ino} ${stats.mtimeNs} ${stats.size}`
  }

  #read(): readonly IndexedKey[] {
    const content = onDisk(() => readFile(this.#path, { maxBytes: MAX_FILE_BYTES, isSecret: true }))
    try {
      const { lockedKey, iv, ciphertext } = decode(sealedFile, content, {
        maxBytes: MAX_FILE_BYTES,
      })
      const plaintext = openGcm(this.#keyIn(lockedKey), iv, ciphertext, this.#aad)
      if (plaintext !== undefined) return decode(index, plaintext, { maxBytes: MAX_FILE_BYTES })
    } catch (cause) {
      if (!isFault(cause, 'base/malformed') && !isFault(cause, 'hsm/cannot-open')) throw cause
    }
    throw new DeviceFault('hsm/object-damaged', { detail: this.#path })
  }

  #keyIn(locked: Uint8Array): Uint8Array {
    if (this.#fileKey === undefined || !equalBytes(this.#fileKey.locked, locked)) {
      const key = unlockData(this.#context, locked)
      this.close()
      this.#fileKey = { locked: locked.slice(), key: new Secret(key) }
    }
    return this.#fileKey.key.expose()
  }

  #newFileKey(): { locked: Uint8Array; key: Secret<Uint8Array> } {
    const key = new Uint8Array(randomBytes(KEY_BYTES))
    return { locked: this.#context.lock(key), key: new Secret(key) }
  }
}

let flockOfLibc: ((file: number, operation: number) => number) | undefined

/** flock(2): unlike a file that is there or not, it ends with the process that holds it. */
function flock(): (file: number, operation: number) => number {
  flockOfLibc ??= koffi.load('libc.so.6').func('int flock(int file, int operation)')
  return flockOfLibc as (file: number, operation: number) => number
}

/** Faults of files are those of the device here: its host knows no others. */
function onDisk<T>(action: () => T): T {
  try {
    return action()
  } catch (cause) {
    const detail = isFault(cause) ? cause.message : String((cause as NodeJS.ErrnoException).code)
    throw new DeviceFault('hsm/unavailable', { detail: `the labels: ${detail}`, cause })
  }
}
