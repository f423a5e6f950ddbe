/** What a node keeps of backups: its own by number, and the newest head of every other node. */
import type { Sql, SqlStatement } from '@quorate/platform'
import { putSetting } from '../statements.ts'

export type BackupRow = {
  readonly number: number
  readonly digest: Uint8Array
  /** Names the wallets' generations in it. */
  readonly generation: Uint8Array
  /** Hash of what only those know who have opened it. */
  readonly drill: Uint8Array
  /** Signed; empty for the one that this machine was restored from. */
  readonly head: Uint8Array
  readonly createdAt: number
  /** Whether its file is to be where backups are kept. */
  readonly isKept: boolean
}

const DRILL = 'backup-drill'
const RESTORED_FROM = 'restored-from'

export const putBackup = (row: BackupRow): SqlStatement => ({
  sql: 'INSERT INTO backups (number, digest, generation, drill, head, created_at, is_kept) VALUES (?, ?, ?, ?, ?, ?, ?)',
  params: [
    row.number,
    row.digest,
    row.generation,
    row.drill,
    row.head,
    row.createdAt,
    row.isKept ? 1 : 0,
  ],
})

/** The file is gone. The row stays for as long as a drill of it may come in. */
export const forgetFile = (number: number): SqlStatement => ({
  sql: 'UPDATE backups SET is_kept = 0 WHERE number = ?',
  params: [number],
})

export const forgetBackups = (before: number): SqlStatement => ({
  sql: 'DELETE FROM backups WHERE number < ? AND is_kept = 0',
  params: [before],
})

/** Keeps the newest head of each machine: an older one never takes its place. */
export const putPeerBackup = (
  nodeId: string,
  node: number,
  number: number,
  head: Uint8Array,
): SqlStatement => ({
  sql: `INSERT INTO peer_backups (node_id, node, number, head) VALUES (?, ?, ?, ?)
        ON CONFLICT (node_id) DO UPDATE SET number = excluded.number, head = excluded.head WHERE excluded.number > number`,
  params: [nodeId, node, number, head],
})

export const putDrill = (at: number): SqlStatement =>
  putSetting(DRILL, new TextEncoder().encode(String(at)))

/** What this machine was restored from, as `restore.ts` writes it. */
export const putRestoredFrom = (value: Uint8Array): SqlStatement => putSetting(RESTORED_FROM, value)

export class BackupStore {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** Own backups, oldest first. */
  async own(): Promise<readonly BackupRow[]> {
    const rows = await this.#sql.read('SELECT * FROM backups ORDER BY number')
    return rows.map((row) => ({
      number: row['number'] as number,
      digest: row['digest'] as Uint8Array,
      generation: row['generation'] as Uint8Array,
      drill: row['drill'] as Uint8Array,
      head: row['head'] as Uint8Array,
      createdAt: row['created_at'] as number,
      isKept: row['is_kept'] === 1,
    }))
  }

  /** The newest heads of the machines that are, or were, that node. */
  async headsOf(node: number): Promise<readonly Uint8Array[]> {
    const rows = await this.#sql.read('SELECT head FROM peer_backups WHERE node = ?', [node])
    return rows.map((row) => row['head'] as Uint8Array)
  }

  /** When somebody last opened a backup of this node; undefined while nobody has. */
  async drilledAt(): Promise<number | undefined> {
    const value = await this.#setting(DRILL)
    return value === undefined ? undefined : Number(new TextDecoder().decode(value))
  }

  restoredFrom(): Promise<Uint8Array | undefined> {
    return this.#setting(RESTORED_FROM)
  }

  async #setting(name: string): Promise<Uint8Array | undefined> {
    const [row] = await this.#sql.read('SELECT value FROM settings WHERE name = ?', [name])
    return row?.['value'] as Uint8Array | undefined
  }
}
