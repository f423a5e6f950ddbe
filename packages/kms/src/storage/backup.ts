/**
 * Backups: the whole store of one moment in one file, whichever engine it comes from, sealed to those who can
 * recover it. The machine that it was made on is never the only one of them.
 *
 *   file    header ‖ chunk …   each with its length in four bytes before it
 *   header  CBOR: store, environment, checkpoint, and the key of this backup wrapped for each recipient
 *   chunk   AES-256-GCM under that key, the hash of the header and the chunk's number in the associated data
 */
import { createHash, createSecretKey, type KeyObject } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { type Checkpoint, checkpointCodec } from '@quorate/api'
import {
  array,
  bytes,
  type Cbor,
  decode,
  decodeCbor,
  encode,
  encodeCbor,
  Fault,
  field,
  int,
  isFault,
  oneOf,
  type Random,
  record,
  TAGS,
  text,
  toHex,
  wipe,
} from '@quorate/base'
import { fileFault, type Snapshot, type SqlRow, type SqlValue } from '@quorate/platform'
import { Nonces, openBlob, sealBlob } from '../barrier/blob.ts'
import type { Recipient } from '../barrier/recipients.ts'
import { TABLES, type Table } from './migrations.ts'

const PAGE = 500
const KEY_BYTES = 32
const MAX_HEADER = 1 << 20
const MAX_CHUNK = 1 << 28

const headerCodec = record({
  v: field(0, oneOf(1)),
  store: field(1, text(40)),
  environment: field(2, oneOf('development', 'staging', 'production')),
  checkpoint: field(3, checkpointCodec),
  createdAt: field(4, int(0)),
  recipients: field(
    5,
    array(record({ id: field(1, text(100)), wrapped: field(2, bytes({ max: 4096 })) }), {
      min: 1,
      max: 64,
    }),
  ),
})

export type BackupHeader = {
  readonly store: string
  readonly environment: 'development' | 'staging' | 'production'
  /** Where the audit chain stood. */
  readonly checkpoint: Checkpoint
  readonly createdAt: number
  readonly recipients: readonly { readonly id: string; readonly wrapped: Uint8Array }[]
}

const wrapContext = (store: string, checkpoint: Checkpoint, id: string) => ({
  storeId: store,
  term: checkpoint.seq,
  // Never the context of an instance key, whose recipients have no slash in their names.
  recipient: `backup/${id}`,
})

export type BackupOptions = {
  readonly snapshot: Snapshot
  readonly store: string
  readonly environment: BackupHeader['environment']
  readonly checkpoint: Checkpoint
  readonly recipients: readonly Recipient[]
  readonly now: number
  readonly random: Random
  /** Must not exist. */
  readonly path: string
}

/**
 * Writes the file, mode 0600, flushed. Rows stay sealed as they are in the store; the backup is sealed around
 * them. @throws kms/no-recovery where only the machine itself could open it, platform/disk-full,
 *   platform/file-unreadable
 */
export async function writeBackup(options: BackupOptions): Promise<{ readonly rows: number }> {
  const { snapshot, store, environment, checkpoint, recipients, now, random } = options
  if (!recipients.some(({ kind }) => kind === 'recovery') && recipients.length < 2)
    throw new Fault('kms/no-recovery')
  const key = random.bytes(KEY_BYTES)
  const file = openNew(options.path)
  try {
    const wrapped: { id: string; wrapped: Uint8Array }[] = []
    for (const recipient of recipients) {
      const { id } = recipient
      wrapped.push({ id, wrapped: await recipient.wrap(key, wrapContext(store, checkpoint, id)) })
    }
    const header = encode(headerCodec, {
      v: 1,
      store,
      environment,
      checkpoint,
      createdAt: now,
      recipients: wrapped,
    })
    writeFramed(file, header)
    const seal = new Chunks(createSecretKey(key), header, random)
    let rows = 0
    for (const table of TABLES)
      for await (const page of pagesOf(snapshot, table)) {
        rows += page.length
        writeFramed(file, seal.next(encodePage(table, page)))
      }
    // The last chunk is empty: a file that was cut short has none.
    writeFramed(file, seal.next(encodeCbor([])))
    fsyncSync(file)
    return { rows }
  } catch (error) {
    throw isFault(error) ? error : fileFault(error, 'cannot write the backup')
  } finally {
    wipe(key)
    closeSync(file)
  }
}

function openNew(path: string): number {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (error) {
    throw fileFault(error, `cannot make ${path}`)
  }
}

async function* pagesOf(
  snapshot: Snapshot,
  { name, key }: Table,
): AsyncGenerator<readonly SqlRow[]> {
  const order = key.join(', ')
  const marks = key.map(() => '?').join(', ')
  for (let after: SqlValue[] | undefined; ; ) {
    const where = after === undefined ? '' : `WHERE (${order}) > (${marks})`
    const rows = await snapshot.read(`SELECT * FROM ${name} ${where} ORDER BY ${order} LIMIT ?`, [
      ...(after ?? []),
      PAGE,
    ])
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE) return
    after = key.map((column) => last[column] ?? null)
  }
}

const encodePage = ({ name }: Table, rows: readonly SqlRow[]): Uint8Array => {
  const columns = Object.keys(rows[0] ?? {})
  return encodeCbor([
    name,
    columns,
    rows.map((row) => columns.map((column) => row[column] ?? null)),
  ])
}

/** Seals and opens chunks in their order. */
class Chunks {
  readonly #key: KeyObject
  readonly #header: string
  readonly #nonces: Nonces | undefined
  #number = 0

  constructor(key: KeyObject, header: Uint8Array, random?: Random) {
    this.#key = key
    this.#header = toHex(createHash('sha256').update(header).digest())
    this.#nonces = random && new Nonces(random)
  }

  #context() {
    return { tag: TAGS.kmsBackup, parts: [this.#header, this.#number++] }
  }

  next(plaintext: Uint8Array): Uint8Array {
    const nonce = this.#nonces!.next()
    return sealBlob(this.#key, 1, nonce, this.#context(), plaintext)
  }

  open(blob: Uint8Array): Uint8Array {
    return openBlob(this.#key, this.#context(), blob)
  }
}

function writeFramed(file: number, content: Uint8Array): void {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  const framed = Buffer.concat([length, content])
  for (let at = 0; at < framed.length; ) at += writeSync(file, framed, at)
}

const unreadable = (detail: string): never => {
  throw new Fault('kms/backup-unreadable', { detail })
}

export type OpenBackup = {
  readonly header: BackupHeader
  /**
   * Every page of rows. @throws kms/backup-unreadable where the file was altered or cut short
   */
  pages(): Generator<{
    readonly table: string
    readonly columns: readonly string[]
    readonly rows: readonly (readonly SqlValue[])[]
  }>
  close(): void
}

/** Opens a backup with a recipient that can. @throws kms/backup-unreadable, kms/no-recipient */
export async function openBackup(
  path: string,
  recipients: readonly Recipient[],
): Promise<OpenBackup> {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    throw fileFault(error, `cannot read ${path}`)
  }
  try {
    const encoded = readFramed(file, MAX_HEADER)
    const header = headerOf(encoded)
    const key = await keyFor(header, recipients)
    const chunks = new Chunks(createSecretKey(key), encoded)
    wipe(key)
    return { header, pages: () => pagesIn(file, chunks), close: () => closeSync(file) }
  } catch (error) {
    closeSync(file)
    throw error
  }
}

function headerOf(encoded: Uint8Array): BackupHeader {
  try {
    return decode(headerCodec, encoded, { maxBytes: MAX_HEADER })
  } catch {
    return unreadable('it is no backup of this program')
  }
}

async function keyFor(
  { store, checkpoint, recipients: wrapped }: BackupHeader,
  recipients: readonly Recipient[],
): Promise<Uint8Array> {
  for (const recipient of recipients) {
    const mine = wrapped.find(({ id }) => id === recipient.id)
    if (mine !== undefined && recipient.unwrap !== undefined)
      return recipient.unwrap(mine.wrapped, wrapContext(store, checkpoint, recipient.id))
  }
  throw new Fault('kms/no-recipient')
}

function* pagesIn(file: number, chunks: Chunks): ReturnType<OpenBackup['pages']> {
  for (;;) {
    const page = pageFrom(chunks, readFramed(file, MAX_CHUNK))
    if (page.length === 0) return
    const [table, columns, rows] = page as [string, string[], SqlValue[][]]
    yield { table, columns, rows }
  }
}

function pageFrom(chunks: Chunks, blob: Uint8Array): readonly Cbor[] {
  try {
    return decodeCbor(chunks.open(blob), { maxBytes: MAX_CHUNK }) as readonly Cbor[]
  } catch {
    return unreadable('a part of it was altered, or is missing')
  }
}

function readFramed(file: number, max: number): Uint8Array {
  const length = readExactly(file, 4).readUInt32BE(0)
  return length > max ? unreadable('a part of it is too large') : readExactly(file, length)
}

function readExactly(file: number, length: number): Buffer {
  const buffer = Buffer.alloc(length)
  for (let at = 0; at < length; ) {
    const got = readSync(file, buffer, at, length - at, null)
    if (got === 0) unreadable('it was cut short')
    at += got
  }
  return buffer
}
