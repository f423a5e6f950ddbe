/** The rows of secrets: reads with their leaves, and the statements of every change. */
import { type Id, parseId, toHex } from '@quorate/base'
import type { SqlRow, SqlStatement } from '@quorate/platform'
import type { Soon } from '../../soon.ts'
import { leafDigest } from '../../storage/leaf.ts'
import type { Leaf, Reads } from '../../storage/port.ts'
import { LIVING_FOLDER } from '../folders/store.ts'
import type { ChangeOfSecret, SecretHead, VersionHead } from './model.ts'

/** A version with what is sealed in it. */
export type StoredVersion = VersionHead & {
  readonly secret: Id<'sec'>
  readonly project: Id<'prj'>
  readonly label: Uint8Array
  /** `undefined` where the version deleted the secret, or was destroyed. */
  readonly content: Uint8Array | undefined
}
export type StoredSecret = { readonly head: SecretHead; readonly current: StoredVersion }

const HEAD = 's.id AS secret, s.project, s.version, s.folder, s.owner, s.is_deleted'
/** Of a version, besides the columns that it shares with its secret. */
const CONTENT = 'v.change, v.content_of, v.at, v.actor, v.label, v.content'
const VERSION = `v.secret, v.version, v.project, ${CONTENT}`
const CURRENT = 'secret s JOIN secret_version v ON v.secret = s.id AND v.version = s.version'

const LISTED = `${HEAD}, ${CONTENT}`
const BY_ID = `SELECT ${LISTED} FROM ${CURRENT} WHERE s.id = ?`

export const headOf = (row: SqlRow): SecretHead => ({
  id: parseId('sec', String(row['secret'])),
  project: parseId('prj', String(row['project'])),
  folder: parseId('fld', String(row['folder'])),
  owner: row['owner'] === '' ? undefined : String(row['owner']),
  version: Number(row['version']),
  isDeleted: row['is_deleted'] === 1,
})

export function versionOf(row: SqlRow): StoredVersion {
  const content = row['content']
  const change = String(row['change']) as ChangeOfSecret
  return {
    secret: parseId('sec', String(row['secret'])),
    project: parseId('prj', String(row['project'])),
    version: Number(row['version']),
    change,
    contentOf: Number(row['content_of']),
    at: Number(row['at']),
    actor: String(row['actor']),
    isDestroyed: content === null && change !== 'delete',
    label: row['label'] as Uint8Array,
    content: content === null ? undefined : (content as Uint8Array),
  }
}

const storedOf = (row: SqlRow): StoredSecret => ({ head: headOf(row), current: versionOf(row) })

export const headLeaf = ({ id, version, project, folder, owner, isDeleted }: SecretHead): Leaf => ({
  table: 'secret',
  row: id,
  digest: leafDigest(version, project, folder, owner ?? null, isDeleted ? 'deleted' : 'living'),
})

export const versionLeaf = (v: StoredVersion): Leaf => ({
  table: 'secret_version',
  row: `${v.secret}/${v.version}`,
  digest: leafDigest(
    v.version,
    v.change,
    String(v.contentOf),
    String(v.at),
    v.actor,
    v.label,
    v.content ?? null,
  ),
})

/** What a name is found by: the folder, the owner (empty for a shared secret) and the keyed hash of the name. */
export type NameKey = {
  readonly folder: Id<'fld'>
  readonly owner: string
  readonly name: Uint8Array
}

export const nameLeaf = ({ folder, owner, name }: NameKey, secret: string | undefined): Leaf => ({
  table: 'secret_name',
  row: `${folder}/${owner}/${toHex(name)}`,
  digest: secret === undefined ? null : leafDigest(1, secret),
})

const leavesOf = (all: readonly StoredSecret[]): readonly Leaf[] =>
  all.flatMap(({ head, current }) => [headLeaf(head), versionLeaf(current)])

export class SecretStore {
  readonly #sql: Reads

  constructor(sql: Reads) {
    this.#sql = sql
  }

  /** With its newest version; also where it is deleted. */
  byId(id: string): Soon<StoredSecret | undefined> {
    return this.#sql.freshRow({
      sql: BY_ID,
      params: [id],
      of: (row) => row && storedOf(row),
      // An index that was altered may lead to the row of another, which is in order and not the one asked for.
      leavesOf: (found) =>
        found?.head.id !== id
          ? [{ table: 'secret', row: id, digest: null }]
          : [headLeaf(found.head), versionLeaf(found.current)],
    })
  }

  /** The living ones of that name in the folder, shared and of that owner. */
  byName(folder: Id<'fld'>, owner: string, name: Uint8Array): Promise<readonly StoredSecret[]> {
    return this.#sql.fresh(
      async () =>
        (
          await this.#sql.read(
            `SELECT ${LISTED} FROM secret_name n JOIN secret s ON s.id = n.secret JOIN secret_version v ON v.secret = s.id AND v.version = s.version WHERE n.folder = ? AND n.owner IN (?, ?) AND n.name = ?`,
            [folder, '', owner, name],
          )
        ).map(storedOf),
      (all) => [
        ...leavesOf(all),
        // A secret that was taken away must not let another of the same name shine through.
        ...['', owner].map((each) =>
          nameLeaf(
            { folder, owner: each, name },
            all.find(({ head }) => (head.owner ?? '') === each)?.head.id,
          ),
        ),
      ],
    )
  }

  /** Living secrets of the folder, shared and of that owner, in the order of their ids. */
  inFolder(
    folder: Id<'fld'>,
    owner: string,
    after: string,
    limit: number,
  ): Promise<readonly StoredSecret[]> {
    return this.#sql.fresh(
      async () =>
        (
          await this.#sql.read(
            `SELECT ${LISTED} FROM ${CURRENT} WHERE s.folder = ? AND s.owner IN (?, ?) AND s.is_deleted = 0 AND s.id > ? ORDER BY s.id LIMIT ?`,
            [folder, '', owner, after, limit],
          )
        ).map(storedOf),
      leavesOf,
    )
  }

  /** Every living secret of the folder, whoever it belongs to. */
  livingIn(folder: Id<'fld'>, after: string, limit: number): Promise<readonly StoredSecret[]> {
    return this.#sql.fresh(
      async () =>
        (
          await this.#sql.read(
            `SELECT ${LISTED} FROM ${CURRENT} WHERE s.folder = ? AND s.is_deleted = 0 AND s.id > ? ORDER BY s.id LIMIT ?`,
            [folder, after, limit],
          )
        ).map(storedOf),
      leavesOf,
    )
  }

  /** All shared secrets ever made in the folder, with their newest versions. */
  everIn(folder: Id<'fld'>, after: string, limit: number): Promise<readonly StoredSecret[]> {
    return this.#sql.fresh(
      async () =>
        (
          await this.#sql.read(
            `SELECT ${LISTED} FROM ${CURRENT} WHERE s.folder = ? AND s.owner = ? AND s.id > ? ORDER BY s.id LIMIT ?`,
            [folder, '', after, limit],
          )
        ).map(storedOf),
      leavesOf,
    )
  }

  /** For each shared secret ever made in the folder, its newest version at a time. */
  everInAt(
    folder: Id<'fld'>,
    time: number,
    after: string,
    limit: number,
  ): Promise<readonly StoredVersion[]> {
    return this.#sql.fresh(
      async () =>
        (
          await this.#sql.read(
            `SELECT ${VERSION} FROM secret s JOIN secret_version v ON v.secret = s.id WHERE s.folder = ? AND s.owner = ? AND s.id > ? AND v.version = (SELECT MAX(w.version) FROM secret_version w WHERE w.secret = s.id AND w.at <= ?) ORDER BY s.id LIMIT ?`,
            [folder, '', after, time, limit],
          )
        ).map(versionOf),
      (all) => all.map(versionLeaf),
    )
  }

  /** Newest first, those before `before`. */
  versions(id: Id<'sec'>, before: number, limit: number): Promise<readonly StoredVersion[]> {
    return this.#sql.fresh(
      async () =>
        (
          await this.#sql.read(
            `SELECT ${VERSION} FROM secret_version v WHERE v.secret = ? AND v.version < ? ORDER BY v.version DESC LIMIT ?`,
            [id, before, limit],
          )
        ).map(versionOf),
      (all) => all.map(versionLeaf),
    )
  }

  async version(id: Id<'sec'>, version: number): Promise<StoredVersion | undefined> {
    const [found] = await this.#sql.fresh(
      async () =>
        (
          await this.#sql.read(
            `SELECT ${VERSION} FROM secret_version v WHERE v.secret = ? AND v.version = ?`,
            [id, version],
          )
        ).map(versionOf),
      (all) =>
        all.length === 0
          ? [{ table: 'secret_version', row: `${id}/${version}`, digest: null }]
          : all.map(versionLeaf),
    )
    return found
  }
}

export type Written = {
  readonly statements: readonly SqlStatement[]
  readonly leaves: readonly Leaf[]
}

const insertVersion = (v: StoredVersion): SqlStatement => ({
  sql: 'INSERT INTO secret_version (secret, version, project, change, content_of, at, actor, label, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  params: [
    v.secret,
    v.version,
    v.project,
    v.change,
    v.contentOf,
    v.at,
    v.actor,
    v.label,
    v.content ?? null,
  ],
})

const addName = (key: NameKey, secret: Id<'sec'>): SqlStatement => ({
  sql: 'INSERT INTO secret_name (folder, owner, name, secret) VALUES (?, ?, ?, ?)',
  params: [key.folder, key.owner, key.name, secret],
})

const dropName = (key: NameKey, secret: Id<'sec'>): SqlStatement => ({
  sql: 'DELETE FROM secret_name WHERE folder = ? AND owner = ? AND name = ? AND secret = ?',
  params: [key.folder, key.owner, key.name, secret],
  expect: 1,
})

export type NewSecret = {
  readonly head: SecretHead
  readonly version: StoredVersion
  readonly name: NameKey
}
export type NextVersion = {
  /** With the new version number. */
  readonly head: SecretHead
  readonly version: StoredVersion
  /** Before and after; `undefined` where it was, or is now, deleted, and both where the name stays. */
  readonly nameBefore: NameKey | undefined
  readonly nameAfter: NameKey | undefined
}

/** Makes the secret; nothing where its folder was deleted in the meantime, or the name is taken. */
const insertSecret = ({ head, version, name }: NewSecret): readonly SqlStatement[] => [
  {
    sql: `INSERT INTO secret (id, project, folder, owner, version, is_deleted) SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT) WHERE EXISTS (${LIVING_FOLDER})`,
    params: [head.id, head.project, head.folder, head.owner ?? '', head.version, 0, head.folder],
    expect: 1,
  },
  insertVersion(version),
  addName(name, head.id),
]

const updateSecret = ({ head, version }: NextVersion): readonly SqlStatement[] => [
  {
    sql: 'UPDATE secret SET version = ?, is_deleted = ? WHERE id = ? AND version = ?',
    params: [head.version, head.isDeleted ? 1 : 0, head.id, head.version - 1],
    expect: 1,
  },
  insertVersion(version),
]

const keyText = (key: NameKey | undefined): string | undefined =>
  key === undefined ? undefined : toHex(key.name)

/**
 * New secrets and next versions of others, all or none; nothing where one is no longer of the version
 * before. Names are given up first and then taken, so that two may change theirs with each other.
 */
export function changedSecrets(made: readonly NewSecret[], next: readonly NextVersion[]): Written {
  const renamed = next.filter(
    ({ nameBefore, nameAfter }) => keyText(nameBefore) !== keyText(nameAfter),
  )
  const dropped = renamed.flatMap(({ head, nameBefore: key }) => (key ? [{ key, head }] : []))
  const added = renamed.flatMap(({ head, nameAfter: key }) => (key ? [{ key, head }] : []))
  const leaves = new Map<string, Leaf>()
  const put = (leaf: Leaf): void => void leaves.set(`${leaf.table} ${leaf.row}`, leaf)
  for (const { key } of dropped) put(nameLeaf(key, undefined))
  for (const { key, head } of added) put(nameLeaf(key, head.id))
  for (const { head, name } of made) put(nameLeaf(name, head.id))
  for (const { head, version } of [...made, ...next]) {
    put(headLeaf(head))
    put(versionLeaf(version))
  }
  return {
    statements: [
      ...next.flatMap(updateSecret),
      ...dropped.map(({ key, head }) => dropName(key, head.id)),
      ...added.map(({ key, head }) => addName(key, head.id)),
      ...made.flatMap(insertSecret),
    ],
    leaves: [...leaves.values()],
  }
}

/** Removes the value of versions for ever. */
export function destroyVersions(versions: readonly StoredVersion[]): Written {
  return {
    statements: versions.map(({ secret, version }) => ({
      sql: 'UPDATE secret_version SET content = NULL WHERE secret = ? AND version = ? AND content IS NOT NULL',
      params: [secret, version],
      expect: 1,
    })),
    leaves: versions.map((version) => versionLeaf({ ...version, content: undefined })),
  }
}
