/** The rows of `credential`: tokens, client secrets, the bootstrap secret. The only place with their SQL. */
import { toHex } from '@quorate/base'
import type { SqlRow } from '@quorate/platform'
import { leafDigest } from '../../storage/leaf.ts'
import type { Leaf, Reads } from '../../storage/port.ts'
import type { PageOptions, Writes } from '../access/documents.ts'

export type CredentialKind = 'token' | 'client-secret' | 'bootstrap'

export type Credential<T = unknown> = {
  /** 32 bytes, keyed: what it is found by. */
  readonly digest: Uint8Array
  readonly id: string
  readonly kind: CredentialKind
  /** `idn_…`, empty for the bootstrap secret. */
  readonly identity: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** `null` without a limit. */
  readonly usesLeft: number | null
  readonly version: number
  readonly body: T
}

const TABLE = 'credential'
const COLUMNS = 'digest, id, kind, identity, expires_at, uses_left, version, body'

export class Credentials {
  readonly #sql: Reads

  constructor(sql: Reads) {
    this.#sql = sql
  }

  /** One indexed read. @throws kms/rolled-back */
  async byDigest<T>(kind: CredentialKind, digest: Uint8Array): Promise<Credential<T> | undefined> {
    const [row] = await this.#sql.fresh(
      () => this.#sql.read(`SELECT ${COLUMNS} FROM credential WHERE digest = ?`, [digest]),
      (rows) => [rows[0] === undefined ? noLeaf(digest) : leafOf(credentialOf(rows[0]))],
    )
    return row !== undefined && row['kind'] === kind
      ? (credentialOf(row) as Credential<T>)
      : undefined
  }

  async byId<T>(kind: CredentialKind, id: string): Promise<Credential<T> | undefined> {
    const [found] = await this.#select<T>('kind = ? AND id = ?', [kind, id])
    return found
  }

  /** Those of an identity, or of nobody, by their ids. @throws kms/rolled-back */
  list<T>(
    kind: CredentialKind,
    identity: string,
    { after = '', limit }: PageOptions,
  ): Promise<readonly Credential<T>[]> {
    return this.#select('identity = ? AND kind = ? AND id > ? ORDER BY id LIMIT ?', [
      identity,
      kind,
      after,
      limit,
    ])
  }

  /** Those of every kind and identity by their ids. @throws kms/rolled-back */
  all({ after = '', limit }: PageOptions): Promise<readonly Credential[]> {
    return this.#select('id > ? ORDER BY id LIMIT ?', [after, limit])
  }

  /** Up to `limit` that ended before `now`. @throws kms/rolled-back */
  expired(now: number, limit: number): Promise<readonly Credential[]> {
    return this.#select('expires_at <= ? ORDER BY expires_at LIMIT ?', [now, limit])
  }

  insert(credential: Omit<Credential, 'version'>): Writes {
    const next: Credential = { ...credential, version: 1 }
    const { digest, id, kind, identity, expiresAt, usesLeft } = next
    return {
      statements: [
        {
          sql: `INSERT INTO credential (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
          params: [digest, id, kind, identity, expiresAt, usesLeft, 1, JSON.stringify(next.body)],
        },
      ],
      leaves: [leafOf(next)],
    }
  }

  /** The credential as it then is, and what writes it. */
  update<T>(
    current: Credential<T>,
    change: Partial<Pick<Credential<T>, 'expiresAt' | 'usesLeft' | 'body'>>,
  ): { readonly next: Credential<T>; readonly writes: Writes } {
    const next: Credential<T> = { ...current, ...change, version: current.version + 1 }
    return {
      next,
      writes: {
        statements: [
          {
            sql: 'UPDATE credential SET expires_at = ?, uses_left = ?, version = ?, body = ? WHERE digest = ? AND version = ?',
            params: [
              next.expiresAt,
              next.usesLeft,
              next.version,
              JSON.stringify(next.body),
              next.digest,
              current.version,
            ],
            expect: 1,
          },
        ],
        leaves: [leafOf(next)],
      },
    }
  }

  remove({ digest, version }: Credential): Writes {
    return {
      statements: [
        {
          sql: 'DELETE FROM credential WHERE digest = ? AND version = ?',
          params: [digest, version],
          expect: 1,
        },
      ],
      leaves: [noLeaf(digest)],
    }
  }

  async #select<T>(
    where: string,
    params: readonly (string | number)[],
  ): Promise<readonly Credential<T>[]> {
    const rows = await this.#sql.fresh(
      () => this.#sql.read(`SELECT ${COLUMNS} FROM credential WHERE ${where}`, params),
      (found) => found.map((row) => leafOf(credentialOf(row))),
    )
    return rows.map((row) => credentialOf(row) as Credential<T>)
  }
}

const noLeaf = (digest: Uint8Array): Leaf => ({ table: TABLE, row: toHex(digest), digest: null })

const leafOf = ({
  digest,
  id,
  kind,
  identity,
  expiresAt,
  usesLeft,
  version,
  body,
}: Credential): Leaf => ({
  table: TABLE,
  row: toHex(digest),
  digest: leafDigest(
    version,
    id,
    kind,
    identity,
    String(expiresAt),
    usesLeft === null ? null : String(usesLeft),
    JSON.stringify(body),
  ),
})

const credentialOf = (row: SqlRow): Credential => ({
  digest: row['digest'] as Uint8Array,
  id: row['id'] as string,
  kind: row['kind'] as CredentialKind,
  identity: row['identity'] as string,
  expiresAt: row['expires_at'] as number,
  usesLeft: row['uses_left'] as number | null,
  version: row['version'] as number,
  body: JSON.parse(row['body'] as string) as unknown,
})
