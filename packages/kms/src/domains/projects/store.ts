/** The rows of projects and environments. */
import { bug, type Id, parseId } from '@quorate/base'
import type { SqlRow, SqlStatement } from '@quorate/platform'
import { leafDigest } from '../../storage/leaf.ts'
import type { Leaf, Reads, SealedTable } from '../../storage/port.ts'
import type { Environment } from '../folders/tree.ts'
import type { Project } from './model.ts'

const text = (row: SqlRow, column: string): string => String(row[column])
const count = (row: SqlRow, column: string): number => Number(row[column])

const projectOf = (row: SqlRow): Project => ({
  id: parseId('prj', text(row, 'id')),
  name: text(row, 'name'),
  version: count(row, 'version'),
  createdAt: count(row, 'created_at'),
  createdBy: text(row, 'created_by'),
})

const environmentOf = (row: SqlRow): Environment => ({
  id: parseId('env', text(row, 'id')),
  project: parseId('prj', text(row, 'project')),
  slug: text(row, 'slug'),
  name: text(row, 'name'),
  root: parseId('fld', text(row, 'root')),
  version: count(row, 'version'),
  createdAt: count(row, 'created_at'),
})

export const projectLeaf = ({ id, name, version }: Project): Leaf => ({
  table: 'project',
  row: id,
  digest: leafDigest(version, name),
})

export const environmentLeaf = (environment: Environment): Leaf => ({
  table: 'environment',
  row: environment.id,
  digest: leafDigest(
    environment.version,
    environment.project,
    environment.slug,
    environment.name,
    environment.root,
  ),
})

export class ProjectStore {
  readonly #sql: Reads

  constructor(sql: Reads) {
    this.#sql = sql
  }

  /** All, by name. */
  projects(): Promise<readonly Project[]> {
    return this.#sql.fresh(
      async () => (await this.#sql.read('SELECT * FROM project ORDER BY name')).map(projectOf),
      (all) => all.map(projectLeaf),
    )
  }

  async project(id: Id<'prj'>): Promise<Project | undefined> {
    const [found] = await this.#sql.fresh(
      async () => (await this.#sql.read('SELECT * FROM project WHERE id = ?', [id])).map(projectOf),
      (all) =>
        all.length === 0 ? [{ table: 'project', row: id, digest: null }] : all.map(projectLeaf),
    )
    return found
  }

  environments(project: Id<'prj'>): Promise<readonly Environment[]> {
    return this.#sql.fresh(
      async () =>
        (
          await this.#sql.read(
            'SELECT * FROM environment WHERE project = ? ORDER BY created_at, id',
            [project],
          )
        ).map(environmentOf),
      (all) => all.map(environmentLeaf),
    )
  }
}

export const insertProject = (project: Project): SqlStatement => ({
  sql: 'INSERT INTO project (id, name, version, created_at, created_by) VALUES (?, ?, ?, ?, ?)',
  params: [project.id, project.name, project.version, project.createdAt, project.createdBy],
})

export const renameProject = ({ id, name, version }: Project): SqlStatement => ({
  sql: 'UPDATE project SET name = ?, version = ? WHERE id = ? AND version = ?',
  params: [name, version, id, version - 1],
  expect: 1,
})

export const insertEnvironment = (e: Environment): SqlStatement => ({
  sql: 'INSERT INTO environment (id, project, slug, name, root, version, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  params: [e.id, e.project, e.slug, e.name, e.root, e.version, e.createdAt],
})

export const updateEnvironment = ({ id, slug, name, version }: Environment): SqlStatement => ({
  sql: 'UPDATE environment SET slug = ?, name = ?, version = ? WHERE id = ? AND version = ?',
  params: [slug, name, version, id, version - 1],
  expect: 1,
})

export const deleteEnvironment = ({ id, version }: Environment): SqlStatement => ({
  sql: 'DELETE FROM environment WHERE id = ? AND version = ?',
  params: [id, version],
  expect: 1,
})

/** The leaf of an environment that is deleted. */
export const noEnvironment = ({ id }: Environment): Leaf => ({
  table: 'environment',
  row: id,
  digest: null,
})

const nothingSealed = (): never => bug('nothing in this table is sealed')

/** For the job that looks for rows that were put back. */
export const PROJECT_SEALED: readonly SealedTable[] = [
  {
    table: 'project',
    key: ['id'],
    columns: ['name', 'version', 'created_at', 'created_by'],
    sealed: [],
    placeOf: nothingSealed,
    leafOf: (row) => projectLeaf(projectOf(row)),
  },
  {
    table: 'environment',
    key: ['id'],
    columns: ['project', 'slug', 'name', 'root', 'version', 'created_at'],
    sealed: [],
    placeOf: nothingSealed,
    leafOf: (row) => environmentLeaf(environmentOf(row)),
  },
]
