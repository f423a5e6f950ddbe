/**
 * The keys that are in memory while the store is unsealed: instance keys by term, and for each project that
 * was asked for its data keys by version and its fixed key, which no rotation changes. All are KeyObjects:
 * no byte of them lies in JavaScript's memory.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { encodeCbor, Fault, type Random, TAGS, wipe } from '@quorate/base'
import type { SqlRow } from '@quorate/platform'
import { type Context, keyVersionOf, Nonces, openBlob, sealBlob } from './blob.ts'

/** The version of the key of a project that is never rotated: blind indexes and audit hashes hang on it. */
export const FIXED = 0

export type ProjectKeys = {
  readonly fixed: KeyObject
  readonly versions: ReadonlyMap<number, KeyObject>
  readonly newest: number
  /** Values sealed under the newest version, counted high rather than low. */
  seals: number
}

/** Added to the stored count when a key is loaded: what was sealed and not yet counted before a crash. */
const UNCOUNTED: number = 2 ** 20

const KEY_BYTES = 32

export const hmac = (key: KeyObject, ...parts: readonly Uint8Array[]): Uint8Array => {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

/**
 * The key as an object of OpenSSL; `key` is wiped. Small arrays lie in the heap of JavaScript, and what is given
 * to OpenSSL from there leaves a copy behind: so it goes by way of memory outside of the heap.
 */
function keyObjectOf(key: Uint8Array): KeyObject {
  const outside = new Uint8Array(new ArrayBuffer(key.length))
  outside.set(key)
  wipe(key)
  try {
    return createSecretKey(outside)
  } finally {
    wipe(outside)
  }
}

export class Keyring {
  readonly storeId: string
  readonly nonces: Nonces
  readonly #random: Random
  readonly #terms = new Map<number, KeyObject>()
  readonly #projects = new Map<string, ProjectKeys>()

  constructor(storeId: string, random: Random) {
    this.storeId = storeId
    this.nonces = new Nonces(random)
    this.#random = random
  }

  get newestTerm(): number {
    return Math.max(...this.#terms.keys())
  }
  get projects(): ReadonlyMap<string, ProjectKeys> {
    return this.#projects
  }

  /** Takes an instance key; wipes `key`. */
  addTerm(term: number, key: Uint8Array): void {
    this.#terms.set(term, keyObjectOf(key))
  }

  /** Forgets every older instance key. */
  keepTerm(term: number): void {
    for (const each of this.#terms.keys()) if (each !== term) this.#terms.delete(each)
  }

  /** Forgets an instance key that did not come to be. */
  dropTerm(term: number): void {
    this.#terms.delete(term)
  }

  /** The bytes of the newest instance key, for a recipient; wipe them. */
  exportTerm(): Uint8Array {
    return this.#term(this.newestTerm).export()
  }

  #term(term: number): KeyObject {
    const key = this.#terms.get(term)
    if (key === undefined) throw new Fault('kms/does-not-open')
    return key
  }

  #context(project: string, version: number): Context {
    return { tag: TAGS.kmsProjectKey, parts: [this.storeId, project, version] }
  }

  /** A fresh key of a project, wrapped under the newest instance key. */
  makeWrapped(project: string, version: number): Uint8Array {
    const key = this.#random.bytes(KEY_BYTES)
    try {
      return this.#wrap(project, version, key)
    } finally {
      wipe(key)
    }
  }

  #wrap(project: string, version: number, key: Uint8Array): Uint8Array {
    const term = this.newestTerm
    const nonce = this.nonces.next()
    return sealBlob(this.#term(term), term, nonce, this.#context(project, version), key)
  }

  #unwrap(project: string, version: number, wrapped: Uint8Array): Uint8Array {
    const context = this.#context(project, version)
    return openBlob(this.#term(keyVersionOf(wrapped)), context, wrapped)
  }

  /** The same key under the newest instance key. @throws kms/does-not-open */
  rewrap(project: string, version: number, wrapped: Uint8Array): Uint8Array {
    const key = this.#unwrap(project, version, wrapped)
    try {
      return this.#wrap(project, version, key)
    } finally {
      wipe(key)
    }
  }

  /** Loads the keys of a project from its rows of `project_key`. @throws kms/does-not-open */
  load(project: string, rows: readonly SqlRow[]): ProjectKeys {
    const versions = new Map<number, KeyObject>()
    let seals = 0
    for (const row of rows) {
      const version = row['version'] as number
      const key = this.#unwrap(project, version, row['wrapped'] as Uint8Array)
      versions.set(version, keyObjectOf(key))
    }
    const newest = Math.max(...versions.keys())
    for (const row of rows)
      if (row['version'] === newest) seals = (row['seals'] as number) + UNCOUNTED
    const fixed = versions.get(FIXED)
    if (fixed === undefined || newest === FIXED) throw new Fault('kms/does-not-open')
    versions.delete(FIXED)
    const keys: ProjectKeys = { fixed, versions, newest, seals }
    this.#projects.set(project, keys)
    return keys
  }

  forget(project: string): void {
    this.#projects.delete(project)
  }

  /** Drops every key. */
  clear(): void {
    this.#terms.clear()
    this.#projects.clear()
  }
}

/** A 32-byte secret for one purpose, out of a fixed key. */
export const derived = (fixed: KeyObject, purpose: string): Uint8Array =>
  hmac(fixed, Buffer.from(TAGS.kmsDerived), encodeCbor(purpose))
