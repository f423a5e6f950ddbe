/**
 * The barrier: everything secret in the store is sealed and opened here, under keys that lead back to a root
 * key which never leaves its HSM. root → instance key (term) → project key (version) → value.
 *
 * Project keys are random and wrapped under the instance key, which is wrapped for each recipient. The HSM is
 * asked once for each start; sealing and opening values is work of this process alone.
 */
import { createHmac, hash, type KeyObject } from 'node:crypto'
import type { AuditHash } from '@quorate/api'
import { bug, encodeCbor, Fault, type Random, TAGS, tagged } from '@quorate/base'
import type { SqlStatement } from '@quorate/platform'
import type { AuditDraft, Reads } from '../storage/port.ts'
import { type Context, keyVersionOf, openBlob, sealBlob } from './blob.ts'
import { collectGarbage } from './collect.ts'
import { derived, FIXED, hmac, Keyring, type ProjectKeys } from './keyring.ts'
import { type Barrier, type Place, SYSTEM } from './port.ts'

/** Seals under one key after which it is rotated, and after which it is not used for another one (SP 800-38D, 8.3). */
export const ROTATE_AFTER: number = 2 ** 31
const NEVER_AFTER: number = 2 ** 32
const MAX_PEPPERS = 4096

export type KeyStore = Pick<Reads, 'read'> & {
  commit(statements: readonly SqlStatement[], audit: readonly AuditDraft[]): Promise<void>
}

const INSERT_PROJECT_KEY =
  'INSERT INTO project_key (project, version, term, wrapped, seals, created_at) VALUES (?, ?, ?, ?, 0, ?)'

export class StoreBarrier implements Barrier {
  readonly storeId: string
  readonly #random: Random
  readonly #now: () => number
  readonly #loading = new Map<string, Promise<void>>()
  /** Digests that were made lately, by hashes of what they were made of. */
  readonly #peppers = new Map<string, Uint8Array>()
  #ring: Keyring | undefined
  #store: KeyStore | undefined

  constructor(storeId: string, random: Random, now: () => number) {
    this.storeId = storeId
    this.#random = random
    this.#now = now
  }

  get isSealed(): boolean {
    return this.#ring === undefined
  }

  /** The keys themselves, for rotation. @throws kms/sealed */
  get keyring(): Keyring {
    if (this.#ring === undefined) throw new Fault('kms/sealed')
    return this.#ring
  }

  /** Opens with the instance keys, which it wipes. */
  unseal(terms: ReadonlyMap<number, Uint8Array>): void {
    const ring = new Keyring(this.storeId, this.#random)
    for (const [term, key] of terms) ring.addTerm(term, key)
    this.#ring = ring
  }

  /** Where keys of new projects go. */
  attach(store: KeyStore): void {
    this.#store = store
  }

  /** Drops every key, and has the collector clear them from memory. */
  drop(): void {
    this.#ring?.clear()
    this.#ring = undefined
    this.#store = undefined
    this.#loading.clear()
    this.#peppers.clear()
    collectGarbage()
  }

  project(id: string): Promise<void> | undefined {
    if (this.keyring.projects.has(id)) return undefined
    let loading = this.#loading.get(id)
    if (loading === undefined) {
      loading = this.#load(id).finally(() => this.#loading.delete(id))
      this.#loading.set(id, loading)
    }
    return loading
  }

  async #load(project: string): Promise<void> {
    const ring = this.keyring
    const store = this.#store ?? bug('the barrier has no store yet')
    const select = 'SELECT version, wrapped, seals FROM project_key WHERE project = ?'
    let rows = await store.read(select, [project])
    if (rows.length === 0) {
      await store.commit(
        [FIXED, 1].map((version) => this.insertKey(project, version)),
        [
          {
            actor: 'system',
            action: 'key.create',
            resource: project,
            decision: 'none',
            outcome: 'done',
            fields: [{ name: 'version', kind: 'int', value: 1 }],
          },
        ],
      )
      rows = await store.read(select, [project])
    }
    // Sealed meanwhile: nothing may be loaded into a ring that is no longer ours.
    if (this.#ring !== ring) throw new Fault('kms/sealed')
    ring.load(project, rows)
  }

  /** Loads the keys of a project again, after one was added or deleted. @throws kms/sealed */
  async reload(project: string): Promise<void> {
    const ring = this.keyring
    const sealed = ring.projects.get(project)?.seals ?? 0
    const newest = ring.projects.get(project)?.newest
    await this.#load(project)
    const keys = ring.projects.get(project)
    // The count in memory is the truer one, as long as it is of the same key.
    if (keys !== undefined && keys.newest === newest) keys.seals = Math.max(keys.seals, sealed)
  }

  /** A statement with a new wrapped key. */
  insertKey(project: string, version: number): SqlStatement {
    const ring = this.keyring
    const wrapped = ring.makeWrapped(project, version)
    return {
      sql: INSERT_PROJECT_KEY,
      params: [project, version, ring.newestTerm, wrapped, this.#now()],
    }
  }

  #keys(project: string): ProjectKeys {
    return this.keyring.projects.get(project) ?? bug('the project was not loaded')
  }

  #context({ project, table, row, version, column }: Place): Context {
    return { tag: TAGS.kmsValue, parts: [this.storeId, project, table, row, version, column] }
  }

  seal(place: Place, plaintext: Uint8Array): Uint8Array {
    const keys = this.#keys(place.project)
    if (++keys.seals >= NEVER_AFTER) bug('a key was used too often')
    const key = keys.versions.get(keys.newest) as KeyObject
    const nonce = this.keyring.nonces.next()
    return sealBlob(key, keys.newest, nonce, this.#context(place), plaintext)
  }

  open(place: Place, blob: Uint8Array): Uint8Array {
    const key = this.#keys(place.project).versions.get(keyVersionOf(blob))
    if (key === undefined) throw new Fault('kms/does-not-open')
    return openBlob(key, this.#context(place), blob)
  }

  blindIndex(project: string, purpose: string, text: string): Uint8Array {
    return new Uint8Array(
      createHmac('sha256', this.#keys(project).fixed)
        .update(tagged(TAGS.kmsBlindIndex, encodeCbor(purpose)))
        .update(text)
        .digest(),
    )
  }

  auditHash(project: string, name: string, value: Uint8Array): AuditHash {
    const input = tagged(TAGS.auditField, encodeCbor([name, value]))
    return new Uint8Array(hmac(this.#keys(project).fixed, input)) as AuditHash
  }

  pepper(purpose: string, secret: Uint8Array): Uint8Array {
    // Asked for with every request: an HMAC object costs the collector more than the HMAC itself.
    const name = `${purpose}\0${hash('sha256', secret, 'base64')}`
    const known = this.#peppers.get(name)
    if (known !== undefined && !this.isSealed) return known.slice()
    const prefix = tagged(TAGS.kmsPepper, encodeCbor(purpose))
    const digest = new Uint8Array(hmac(this.#keys(SYSTEM).fixed, prefix, secret))
    if (this.#peppers.size >= MAX_PEPPERS)
      this.#peppers.delete(this.#peppers.keys().next().value as string)
    this.#peppers.set(name, digest)
    return digest.slice()
  }

  forgetProject(project: string): SqlStatement {
    this.keyring.forget(project)
    return { sql: 'DELETE FROM project_key WHERE project = ?', params: [project] }
  }

  /** HMAC-SHA-256 of what the journal writes under a key that never changes. @throws kms/sealed */
  headMac(body: Uint8Array): Uint8Array {
    return new Uint8Array(hmac(this.#keys(SYSTEM).fixed, tagged(TAGS.kmsHead, body)))
  }

  /** A secret of 32 bytes for one purpose of the instance; wipe it. */
  derive(purpose: string): Uint8Array {
    return derived(this.#keys(SYSTEM).fixed, purpose)
  }
}
