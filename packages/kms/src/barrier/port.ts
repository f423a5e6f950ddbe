/** What the domains see of the barrier: sealed values go in and out, keys never do. */
import type { AuditHash } from '@quorate/api'
import type { SqlStatement } from '@quorate/platform'

/** What belongs to no project: identities, tokens, settings. It has a key of its own. */
export const SYSTEM = 'system'

/**
 * Where a sealed value stands. All of it is authenticated, so none of it can change while the value
 * stays: immutable ids only, never a name or a path.
 */
export type Place = {
  /** `prj_…`, or `SYSTEM`. */
  readonly project: string
  readonly table: string
  /** The immutable id of the row. */
  readonly row: string
  /** Of the row's content; grows with each change, so that an old content has another place. */
  readonly version: number
  readonly column: string
}

export type Barrier = {
  readonly isSealed: boolean
  /**
   * Loads the keys of a project into memory, and makes its first one where it has none. Await it before
   * the synchronous calls; `undefined` once the keys are there.
   * @throws kms/sealed
   */
  project(id: string): Promise<void> | undefined
  /**
   * The value sealed under the newest key of the project. Treats `plaintext` as secret.
   * @throws kms/sealed, base/bug where the project was not loaded
   */
  seal(place: Place, plaintext: Uint8Array): Uint8Array
  /**
   * The value sealed for that place. The caller wipes it.
   * @throws kms/does-not-open for a wrong place, another store's or an altered blob alike; kms/sealed
   */
  open(place: Place, blob: Uint8Array): Uint8Array
  /**
   * HMAC-SHA-256 (32 bytes) of a text under a key of the project that no rotation changes: equal texts are
   * found by it, and nothing else is learnt. `purpose` keeps different uses apart. Treats `text` as secret.
   * @throws kms/sealed
   */
  blindIndex(project: string, purpose: string, text: string): Uint8Array
  /** A private value for an audit record. Treats `value` as secret. @throws kms/sealed */
  auditHash(project: string, name: string, value: Uint8Array): AuditHash
  /**
   * HMAC-SHA-256 (32 bytes) under a key of the instance that no rotation changes: what a token is found
   * and compared by. Treats `secret` as secret. @throws kms/sealed
   */
  pepper(purpose: string, secret: Uint8Array): Uint8Array
  /**
   * The statement that destroys every key of a project: what is sealed under them opens nowhere again, in no
   * copy of the store made later. Commit it at once; the keys leave memory now. @throws kms/sealed
   */
  forgetProject(project: string): SqlStatement
}
