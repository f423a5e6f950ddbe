/**
 * The rows of `access_document` of one kind. Reads give only rows whose leaf is the newest; writes
 * come as parts of a change, so that several documents and their audit records change together.
 */
import { Fault, isFault } from '@quorate/base'
import type { SqlRow, SqlStatement } from '@quorate/platform'
import { leafDigest } from '../../storage/leaf.ts'
import type { Change, Leaf, Reads } from '../../storage/port.ts'
import type { Scope } from './model.ts'

export type Document<T> = {
  readonly id: string
  readonly project: Scope
  /** Unique among those of its kind in the project. */
  readonly name: string
  /** 1 at first, one more with each change. */
  readonly version: number
  readonly body: T
}

/** What a change consists of, besides its audit records. */
export type Writes = Required<Pick<Change, 'statements' | 'leaves'>>

export type PageOptions = { readonly after?: string | undefined; readonly limit: number }

const TABLE = 'access_document'
const COLUMNS = 'id, project, name, version, body'

export const joinWrites = (...parts: readonly Writes[]): Writes => ({
  statements: parts.flatMap(({ statements }) => statements),
  leaves: parts.flatMap(({ leaves }) => leaves),
})

export class Documents<T> {
  readonly #sql: Reads
  readonly #kind: string

  constructor(sql: Reads, kind: string) {
    this.#sql = sql
    this.#kind = kind
  }

  /** @throws kms/rolled-back */
  async get(id: string): Promise<Document<T> | undefined> {
    const [row] = await this.#sql.fresh(
      () =>
        this.#sql.read(`SELECT ${COLUMNS} FROM access_document WHERE kind = ? AND id = ?`, [
          this.#kind,
          id,
        ]),
      (rows) => [this.#leaf(id, rows[0])],
    )
    return row && documentOf<T>(row)
  }

  /** Those of a project by their ids, oldest first. @throws kms/rolled-back */
  list(project: Scope, { after = '', limit }: PageOptions): Promise<readonly Document<T>[]> {
    return this.#select('project = ? AND id > ? ORDER BY id LIMIT ?', [project, after, limit])
  }

  /** Those of all projects by their ids. @throws kms/rolled-back */
  all({ after = '', limit }: PageOptions): Promise<readonly Document<T>[]> {
    return this.#select('id > ? ORDER BY id LIMIT ?', [after, limit])
  }

  /** Up to `limit` whose JSON holds `text`, of all projects. @throws kms/rolled-back */
  mentioning(text: string, limit: number): Promise<readonly Document<T>[]> {
    return this.#select('body LIKE ? ORDER BY id LIMIT ?', [`%${text}%`, limit])
  }

  insert(document: Omit<Document<T>, 'version'>): Writes {
    const { id, project, name } = document
    const body = JSON.stringify(document.body)
    return this.#writes(id, leafDigest(1, this.#kind, project, name, body), {
      sql: 'INSERT INTO access_document (id, kind, project, name, version, body) VALUES (?, ?, ?, ?, 1, ?)',
      params: [id, this.#kind, project, name, body],
    })
  }

  /** Puts `next` in the place of `current`, the very version that was read. */
  update(current: Document<T>, next: Partial<Pick<Document<T>, 'name' | 'body'>>): Writes {
    const { id, project, version } = current
    const name = next.name ?? current.name
    const body = JSON.stringify(next.body ?? current.body)
    return this.#writes(id, leafDigest(version + 1, this.#kind, project, name, body), {
      sql: 'UPDATE access_document SET name = ?, version = ?, body = ? WHERE id = ? AND kind = ? AND version = ?',
      params: [name, version + 1, body, id, this.#kind, version],
      expect: 1,
    })
  }

  remove({ id, version }: Pick<Document<T>, 'id' | 'version'>): Writes {
    return this.#writes(id, null, {
      sql: 'DELETE FROM access_document WHERE id = ? AND kind = ? AND version = ?',
      params: [id, this.#kind, version],
      expect: 1,
    })
  }

  async #select(
    where: string,
    params: readonly (string | number)[],
  ): Promise<readonly Document<T>[]> {
    const rows = await this.#sql.fresh(
      () =>
        this.#sql.read(`SELECT ${COLUMNS} FROM access_document WHERE kind = ? AND ${where}`, [
          this.#kind,
          ...params,
        ]),
      (found) => found.map((row) => this.#leaf(row['id'] as string, row)),
    )
    return rows.map((row) => documentOf<T>(row))
  }

  #writes(row: string, digest: Uint8Array | null, statement: SqlStatement): Writes {
    return { statements: [statement], leaves: [{ table: TABLE, row, digest }] }
  }

  #leaf(id: string, row: SqlRow | undefined): Leaf {
    if (row === undefined) return { table: TABLE, row: id, digest: null }
    const { project, name, version, body } = documentRow(row)
    return { table: TABLE, row: id, digest: leafDigest(version, this.#kind, project, name, body) }
  }
}

const documentRow = (row: SqlRow): Document<string> => ({
  id: row['id'] as string,
  project: row['project'] as Scope,
  name: row['name'] as string,
  version: row['version'] as number,
  body: row['body'] as string,
})

/** Written by us and verified by its leaf, so its JSON is of its type. */
function documentOf<T>(row: SqlRow): Document<T> {
  const document = documentRow(row)
  return { ...document, body: JSON.parse(document.body) as T }
}

/** `work`, where a clash of names or versions is said as what it is. */
export async function orConflict<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (isFault(error, 'platform/constraint')) throw new Fault('kms/name-taken', { cause: error })
    if (isFault(error, 'platform/write-conflict'))
      throw new Fault('kms/changed-meanwhile', { cause: error })
    throw error
  }
}

/** For `ETag` and `If-Match`. */
export const etagOf = (version: number): string => `"${version}"`

/** @throws kms/changed-meanwhile unless the header is absent, `*`, or the version's tag */
export function checkIfMatch(header: string | undefined, version: number): void {
  if (header !== undefined && header !== '*' && header !== etagOf(version))
    throw new Fault('kms/changed-meanwhile')
}
