/** The rows of folders: what each is now, and all that it was. */
import { bug, type Id, parseId } from '@quorate/base'
import type { SqlRow, SqlStatement } from '@quorate/platform'
import { leafDigest } from '../../storage/leaf.ts'
import type { Leaf, Reads, SealedTable } from '../../storage/port.ts'
import type { Folder } from './tree.ts'

const COLUMNS = `v.folder, v.version, v.project, v.parent, v.name, v.imports, v.is_deleted, v.content_of, v.at, v.actor, f.environment`

const slotOf = ({ parent, name, isDeleted }: Folder): string | null =>
  isDeleted || parent === undefined ? null : `${parent}/${name}`

const folderOf = (row: SqlRow): Folder => ({
  ...contentOf(row),
  environment: parseId('env', String(row['environment'])),
})

function contentOf(row: SqlRow): Omit<Folder, 'environment'> {
  const parent = String(row['parent'])
  const imports = String(row['imports'])
  return {
    id: parseId('fld', String(row['folder'])),
    project: parseId('prj', String(row['project'])),
    parent: parent === '' ? undefined : parseId('fld', parent),
    name: String(row['name']),
    imports: imports === '' ? [] : imports.split(' ').map((id) => parseId('fld', id)),
    isDeleted: row['is_deleted'] === 1,
    version: Number(row['version']),
    contentOf: Number(row['content_of']),
    at: Number(row['at']),
    actor: String(row['actor']),
  }
}

/** The leaf of what the folder is now. */
const folderLeaf = (folder: Pick<Folder, 'id' | 'project' | 'environment' | 'version'>): Leaf => ({
  table: 'folder',
  row: folder.id,
  digest: leafDigest(folder.version, folder.project, folder.environment),
})

const versionLeaf = (folder: Omit<Folder, 'environment'>): Leaf => ({
  table: 'folder_version',
  row: `${folder.id}/${folder.version}`,
  digest: leafDigest(
    folder.version,
    folder.parent ?? null,
    folder.name,
    folder.imports.join(' '),
    folder.isDeleted ? 'deleted' : 'living',
    String(folder.contentOf),
    String(folder.at),
    folder.actor,
  ),
})

export class FolderStore {
  readonly #sql: Reads

  constructor(sql: Reads) {
    this.#sql = sql
  }

  /** The project that a folder belongs to, for whoever knows its id alone. */
  async projectOf(id: string): Promise<Id<'prj'> | undefined> {
    const [row] = await this.#sql.read('SELECT project FROM folder WHERE id = ?', [id])
    return row && parseId('prj', String(row['project']))
  }

  /** Every folder of the project as it is now, the deleted ones too. */
  folders(project: Id<'prj'>): Promise<readonly Folder[]> {
    return this.#sql.fresh(
      async () =>
        (
          await this.#sql.read(
            `SELECT ${COLUMNS} FROM folder f JOIN folder_version v ON v.folder = f.id AND v.version = f.version WHERE f.project = ? ORDER BY f.id`,
            [project],
          )
        ).map(folderOf),
      (all) => all.flatMap((folder) => [folderLeaf(folder), versionLeaf(folder)]),
    )
  }

  /** Every version of every folder of the project up to a time, oldest first. */
  versionsUntil(project: Id<'prj'>, time: number): Promise<readonly Folder[]> {
    return this.#sql.fresh(
      async () =>
        (
          await this.#sql.read(
            `SELECT ${COLUMNS} FROM folder_version v JOIN folder f ON f.id = v.folder WHERE v.project = ? AND v.at <= ? ORDER BY v.folder, v.version`,
            [project, time],
          )
        ).map(folderOf),
      (all) => all.map(versionLeaf),
    )
  }
}

const insertVersion = (folder: Folder): SqlStatement => ({
  sql: 'INSERT INTO folder_version (folder, version, project, parent, name, imports, is_deleted, content_of, at, actor) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  params: [
    folder.id,
    folder.version,
    folder.project,
    folder.parent ?? '',
    folder.name,
    folder.imports.join(' '),
    folder.isDeleted ? 1 : 0,
    folder.contentOf,
    folder.at,
    folder.actor,
  ],
})

export type Written = {
  readonly statements: readonly SqlStatement[]
  readonly leaves: readonly Leaf[]
}

/** Makes the folder; changes nothing where its parent has been deleted in the meantime. */
export function newFolder(folder: Folder): Written {
  const { id, project, environment, version, parent } = folder
  const values = [id, project, environment, slotOf(folder), version]
  const insert =
    'INSERT INTO folder (id, project, environment, slot, version) SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT)'
  return {
    statements: [
      parent === undefined
        ? { sql: insert, params: values, expect: 1 }
        : {
            sql: `${insert} WHERE EXISTS (${LIVING_FOLDER})`,
            params: [...values, parent],
            expect: 1,
          },
      insertVersion(folder),
    ],
    leaves: [folderLeaf(folder), versionLeaf(folder)],
  }
}

/** A SELECT that finds something where the folder of the given id lives. */
export const LIVING_FOLDER =
  'SELECT 1 FROM folder p JOIN folder_version q ON q.folder = p.id AND q.version = p.version WHERE p.id = ? AND q.is_deleted = 0'

/** The next version of each; changes nothing where one is no longer of the version before. */
export function changedFolders(folders: readonly Folder[]): Written {
  return {
    statements: [
      // First no slot for any, so that two may change names with each other.
      ...folders.map(({ id, version }) => ({
        sql: 'UPDATE folder SET slot = NULL, version = ? WHERE id = ? AND version = ?',
        params: [version, id, version - 1],
        expect: 1,
      })),
      ...folders.flatMap((folder) => [
        { sql: 'UPDATE folder SET slot = ? WHERE id = ?', params: [slotOf(folder), folder.id] },
        insertVersion(folder),
      ]),
    ],
    leaves: folders.flatMap((folder) => [folderLeaf(folder), versionLeaf(folder)]),
  }
}

const nothingSealed = (): never => bug('nothing in this table is sealed')

/** For the job that looks for rows that were put back. */
export const FOLDER_SEALED: readonly SealedTable[] = [
  {
    table: 'folder',
    key: ['id'],
    columns: ['project', 'environment', 'version'],
    sealed: [],
    placeOf: nothingSealed,
    leafOf: (row) =>
      folderLeaf({
        id: parseId('fld', String(row['id'])),
        project: parseId('prj', String(row['project'])),
        environment: parseId('env', String(row['environment'])),
        version: Number(row['version']),
      }),
  },
  {
    table: 'folder_version',
    key: ['folder', 'version'],
    columns: ['project', 'parent', 'name', 'imports', 'is_deleted', 'content_of', 'at', 'actor'],
    sealed: [],
    placeOf: nothingSealed,
    leafOf: (row) => versionLeaf(contentOf(row)),
  },
]
