/**
 * Restoring a backup into an empty place. What is restored is older than what was lost, so the store stays
 * sealed until one of its recovery recipients accepts that: a quorum by its signature, an HSM by sealing it;
 * then whoever could sign in at the time of the backup no longer can.
 */
import {
  bytes,
  type Clock,
  decode,
  encode,
  encodeCbor,
  equalBytes,
  Fault,
  field,
  int,
  isFault,
  parseId,
  type Random,
  record,
  type Secret,
  TAGS,
  tagged,
  text,
} from '@quorate/base'
import { openDataDirectory, type Sql, type SqlStatement } from '@quorate/platform'
import { verifyEd25519 } from '../barrier/ed25519.ts'
import { storedRecipients } from '../barrier/instance.ts'
import {
  type Recipient,
  recoveryId,
  recoveryParams,
  recoverySigner,
  type WrapContext,
} from '../barrier/recipients.ts'
import { type BackupHeader, openBackup } from './backup.ts'
import { TABLES } from './migrations.ts'
import { openDatabase } from './open.ts'

const PENDING = 'restore-pending'
const ACCEPTED = 'restore-accepted'
const GET = 'SELECT value FROM setting WHERE name = ?'
const PUT =
  'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'
/** Rows written in one transaction. */
const GROUP = 500
const HASH_BYTES = 32

/** The checkpoint that a restored store goes back to. */
export type Rollback = { readonly seq: number; readonly h: Uint8Array }
const rollbackCodec = record({ seq: field(1, int(0)), h: field(2, bytes(HASH_BYTES)) })

/** Who accepted it: `proof` is the signature of a quorum, or the sentence sealed by an HSM. */
const acceptedCodec = record({ by: field(1, text(100)), proof: field(2, bytes({ max: 4096 })) })

/** "Accept rollback of this store to checkpoint N". */
const acceptance = (storeId: string, { seq, h }: Rollback): Uint8Array =>
  tagged(TAGS.kmsRollback, encodeCbor([storeId, seq, h]))

export type RestoreOptions = {
  readonly backup: string
  /** The data directory; empty, or missing. */
  readonly directory: string
  readonly databaseUri: Secret<Uint8Array> | undefined
  /** At least one that the backup was sealed to. */
  readonly recipients: readonly Recipient[]
  readonly clock: Clock
  readonly random: Random
  /** Accepts the rollback as soon as the last row is in. */
  accept?(sql: Sql): Promise<void>
}

export type BackupSummary = Pick<BackupHeader, 'store' | 'environment' | 'createdAt'> & {
  /** Number of the checkpoint that a restored store goes back to, and its time. */
  readonly checkpoint: number
  readonly checkpointAt: number
  readonly rows: number
  /** Id of the recipient that opened it. */
  readonly openedBy: string
}

/** Reads the whole backup, so that none of it is found to be altered later. @throws as `openBackup` */
export async function inspectBackup(
  path: string,
  recipients: readonly Recipient[],
): Promise<BackupSummary> {
  const backup = await openBackup(path, recipients)
  try {
    const { store, environment, createdAt, checkpoint, recipients: named } = backup.header
    let rows = 0
    for (const page of backup.pages()) rows += page.rows.length
    const opener = recipients.find(({ id, unwrap }) => unwrap && named.some((n) => n.id === id))
    return {
      store,
      environment,
      createdAt,
      checkpoint: checkpoint.seq,
      checkpointAt: checkpoint.time,
      rows,
      openedBy: opener?.id ?? '',
    }
  } finally {
    backup.close()
  }
}

/**
 * Puts the rows of the backup into a new database. @throws kms/not-empty, kms/backup-unreadable,
 *   kms/no-recipient, platform/*
 */
export async function restoreBackup(options: RestoreOptions): Promise<Rollback> {
  const backup = await openBackup(options.backup, options.recipients)
  try {
    const directory = openDataDirectory(options.directory)
    try {
      const sql = await openDatabase({
        path: directory.file('kms.db'),
        uri: options.databaseUri,
        clock: options.clock,
        random: options.random,
        storeId: parseId('sto', backup.header.store),
      })
      try {
        const { seq, h } = backup.header.checkpoint
        await fill(sql, backup)
        await sql.write([{ sql: PUT, params: [PENDING, encode(rollbackCodec, { seq, h })] }])
        await options.accept?.(sql)
        return { seq, h }
      } finally {
        await sql.close()
      }
    } finally {
      directory.release()
    }
  } finally {
    backup.close()
  }
}

async function fill(sql: Sql, backup: Awaited<ReturnType<typeof openBackup>>): Promise<void> {
  const names = new Set(TABLES.map(({ name }) => name))
  if ((await storedRecipients(sql)).length > 0 || sql.storeId !== backup.header.store)
    throw new Fault('kms/not-empty')
  // Refused at any start until the last row is in.
  await sql.write([{ sql: PUT, params: [PENDING, encode(rollbackCodec, UNFINISHED)] }])
  for (const { table, columns, rows } of backup.pages()) {
    if (!names.has(table) || columns.some((column) => !/^\w+$/.test(column)))
      throw new Fault('kms/backup-unreadable', { detail: 'a table of another version' })
    const insert = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`
    for (let at = 0; at < rows.length; at += GROUP)
      await sql.write(
        rows.slice(at, at + GROUP).map((params): SqlStatement => ({ sql: insert, params })),
      )
  }
}

const UNFINISHED: Rollback = { seq: 0, h: new Uint8Array(HASH_BYTES) }

/** What a restored store waits to be accepted; `undefined` for any other. */
export async function pendingRollback(sql: Pick<Sql, 'read'>): Promise<Rollback | undefined> {
  const [row] = await sql.read(GET, [PENDING])
  return row && decode(rollbackCodec, row['value'] as Uint8Array, { maxBytes: 256 })
}

/** @throws kms/restore-pending unless that checkpoint waits to be accepted */
async function pendingAt(sql: Pick<Sql, 'read'>, seq: number): Promise<Rollback> {
  const pending = await pendingRollback(sql)
  if (pending === undefined || pending.seq !== seq || seq === 0)
    throw new Fault('kms/restore-pending', { detail: `checkpoint ${pending?.seq ?? 'none'}` })
  return pending
}

type Accepting = Pick<Sql, 'read' | 'write' | 'storeId'>

const keep = (sql: Accepting, by: string, proof: Uint8Array): Promise<unknown> =>
  sql.write([{ sql: PUT, params: [ACCEPTED, encode(acceptedCodec, { by, proof })] }])

/** Signs for the quorum whose secret it is, and keeps the signature. @throws kms/restore-pending for another checkpoint */
export async function acceptRollback(
  sql: Accepting,
  secret: Uint8Array,
  seq: number,
): Promise<void> {
  const pending = await pendingAt(sql, seq)
  const signature = await recoverySigner(secret).sign(acceptance(sql.storeId, pending))
  await keep(sql, recoveryId(recoveryParams(secret)), signature)
}

/** Never the context of an instance key or a backup, whose recipients are named otherwise. */
const deviceContext = (storeId: string, seq: number, id: string): WrapContext => ({
  storeId,
  term: seq,
  recipient: `accept/${id}`,
})

/** The same by an HSM, whose key nobody has who can only write to the database. @throws as `acceptRollback` */
export async function acceptByDevice(
  sql: Accepting,
  device: Recipient,
  seq: number,
): Promise<void> {
  const { storeId } = sql
  const sentence = acceptance(storeId, await pendingAt(sql, seq))
  await keep(sql, device.id, await device.wrap(sentence, deviceContext(storeId, seq, device.id)))
}

/** @throws kms/restore-pending where no recipient of the store has accepted it; HSMs are asked among `devices` */
export async function checkAccepted(
  sql: Pick<Sql, 'read' | 'storeId'>,
  pending: Rollback,
  devices: readonly Recipient[],
): Promise<void> {
  if (pending.seq > 0 && (await isAccepted(sql, pending, devices))) return
  throw new Fault('kms/restore-pending', {
    detail: pending.seq === 0 ? 'the restoring was interrupted' : `checkpoint ${pending.seq}`,
  })
}

async function isAccepted(
  sql: Pick<Sql, 'read' | 'storeId'>,
  pending: Rollback,
  devices: readonly Recipient[],
): Promise<boolean> {
  const [row] = await sql.read(GET, [ACCEPTED])
  if (row === undefined) return false
  const { by, proof } = decode(acceptedCodec, row['value'] as Uint8Array, { maxBytes: 8192 })
  const stored = (await storedRecipients(sql)).find(({ recipient }) => recipient === by)
  const sentence = acceptance(sql.storeId, pending)
  if (stored?.kind === 'recovery')
    return verifyEd25519(stored.params.subarray(HASH_BYTES), sentence, proof)
  const device = devices.find(({ id, kind }) => id === by && kind === 'hsm')
  if (stored?.kind !== 'hsm' || device?.unwrap === undefined) return false
  try {
    const opened = await device.unwrap(proof, deviceContext(sql.storeId, pending.seq, by))
    return equalBytes(opened, sentence)
  } catch (error) {
    if (isFault(error, 'kms/no-recipient') || isFault(error, 'hsm/cannot-open')) return false
    throw error
  }
}

/** Statements that make it a store like any other. */
export const endRestore: readonly SqlStatement[] = [PENDING, ACCEPTED].map((name) => ({
  sql: 'DELETE FROM setting WHERE name = ?',
  params: [name],
}))
