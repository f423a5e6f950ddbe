/**
 * Checkpoints of the audit chain: the server's signed word for where chain and tree stood. They are kept in
 * the store, and the newest one in a file outside the data directory, so that a directory which was put back
 * meets a later word than its own.
 */
import { existsSync } from 'node:fs'
import {
  type Checkpoint,
  checkpointMessage,
  decodeCheckpoint,
  encodeCheckpoint,
  signCheckpoint,
} from '@quorate/api'
import {
  type Clock,
  equalBytes,
  Fault,
  type Id,
  idFrom,
  type Signer,
  TAGS,
  taggedHash,
} from '@quorate/base'
import { readFile, type Sql, writeFileAtomic } from '@quorate/platform'
import { verifyEd25519 } from '../barrier/ed25519.ts'
import type { StateTree } from '../storage/tree.ts'
import type { StoreJournal } from './journal.ts'

export type CheckpointPorts = {
  readonly sql: Pick<Sql, 'read' | 'write'>
  readonly journal: StoreJournal
  readonly tree: StateTree
  readonly signer: Signer
  readonly nodeId: Id<'nod'>
  readonly clock: Clock
  /** Outside the data directory. */
  readonly anchorFile: string | undefined
  /** The store was restored, and a quorum accepted that its anchor knows better. */
  readonly isAnchorStale?: boolean
}

const INSERT = 'INSERT INTO checkpoint (seq, checkpoint) VALUES (?, ?) ON CONFLICT DO NOTHING'
const NEWEST = 'SELECT checkpoint FROM checkpoint ORDER BY seq DESC LIMIT 1'
const MAX_ANCHOR_BYTES = 1024

export class Checkpoints {
  readonly #ports: CheckpointPorts
  #newest: Checkpoint | undefined

  private constructor(ports: CheckpointPorts, newest: Checkpoint | undefined) {
    this.#ports = ports
    this.#newest = newest
  }

  /** The checkpoints of an open store, once its newest and its anchor were found to be in its past. @throws kms/rolled-back */
  static async open(ports: CheckpointPorts): Promise<Checkpoints> {
    const [row] = await ports.sql.read(NEWEST)
    const newest = row && decodeCheckpoint(row['checkpoint'] as Uint8Array)
    const checkpoints = new Checkpoints(ports, newest)
    if (newest !== undefined) await checkpoints.#compare(newest, 'its own newest checkpoint')
    const anchor = ports.isAnchorStale === true ? undefined : checkpoints.#anchor()
    if (anchor !== undefined) await checkpoints.#compare(anchor, 'its anchor')
    return checkpoints
  }

  get newest(): Checkpoint | undefined {
    return this.#newest
  }
  /** Under which every checkpoint of this store verifies, 32 bytes. */
  get key(): Uint8Array {
    return this.#ports.signer.publicKey
  }
  /** Whether there is a place outside the data directory that a rollback would not reach. */
  get isRollbackDetectable(): boolean {
    return this.#ports.anchorFile !== undefined
  }

  #anchor(): Checkpoint | undefined {
    const { anchorFile } = this.#ports
    if (anchorFile === undefined || !existsSync(anchorFile)) return undefined
    return decodeCheckpoint(readFile(anchorFile, { maxBytes: MAX_ANCHOR_BYTES }))
  }

  /** @throws kms/rolled-back where the chain does not go through the checkpoint */
  async #compare(checkpoint: Checkpoint, what: string): Promise<void> {
    const { signer, nodeId, sql, journal } = this.#ports
    if (checkpoint.node !== nodeId || !isSignedBy(checkpoint, signer.publicKey))
      throw new Fault('kms/rolled-back', { detail: `${what} was not made by this store` })
    const [row] = await sql.read('SELECT h FROM audit WHERE seq = ?', [checkpoint.seq])
    if (row === undefined || !equalBytes(row['h'] as Uint8Array, checkpoint.h))
      throw new Fault('kms/rolled-back', {
        detail: `${what} is of record ${checkpoint.seq}, the log ends at ${journal.head.seq}`,
      })
  }

  /** Signs where chain and tree stand, keeps it and sends it out, unless nothing happened since. */
  async make(): Promise<void> {
    await this.#ports.journal.between(() => this.#sign())
  }

  /** A checkpoint together with what `take` takes while nothing is being written. */
  withSnapshot<T>(
    take: () => Promise<T>,
  ): Promise<{ readonly snapshot: T; readonly checkpoint: Checkpoint | undefined }> {
    return this.#ports.journal.between(async () => {
      await this.#sign()
      return { snapshot: await take(), checkpoint: this.#newest }
    })
  }

  /** Head and root belong together while nothing is being written. */
  async #sign(): Promise<void> {
    const { sql, journal, tree, signer, nodeId, clock, anchorFile } = this.#ports
    const { head } = journal
    if (head.seq === 0 || head.seq === this.#newest?.seq) return
    const checkpoint = await signCheckpoint(signer, {
      ...head,
      stateRoot: tree.root,
      counter: BigInt(head.seq),
      time: clock.now(),
      node: nodeId,
    })
    const encoded = encodeCheckpoint(checkpoint)
    await sql.write([{ sql: INSERT, params: [head.seq, encoded] }])
    if (anchorFile !== undefined) writeFileAtomic(anchorFile, encoded)
    this.#newest = checkpoint
  }
}

const isSignedBy = (checkpoint: Checkpoint, key: Uint8Array): boolean =>
  equalBytes(checkpoint.key, key) &&
  verifyEd25519(key, checkpointMessage(checkpoint), checkpoint.signature)

/** The id under which checkpoints name this store: it follows from the key that signs them. */
export const nodeIdOf = (publicKey: Uint8Array): Id<'nod'> =>
  idFrom('nod', 0, taggedHash(TAGS.nodeId, publicKey).slice(0, 10))
