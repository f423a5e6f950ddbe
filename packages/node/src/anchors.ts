/**
 * Checkpoints of the audit chain, and their copies at the other nodes. Each node keeps the newest
 * checkpoint of every peer and shows it when that peer connects: a node whose directory was put back
 * to an earlier state then meets its own later word, and stops.
 */
import { type Checkpoint, checkpointMessage, decodeCheckpoint, stateRoot } from '@quorate/api'
import { type Clock, equalBytes, Fault, type Logger, TAGS, taggedHash } from '@quorate/base'
import { type Client, type SignerCalls, verifyEd25519 } from '@quorate/enclave'
import type { Journal } from './journal.ts'
import { putCheckpoint, putPeerCheckpoint } from './statements.ts'
import type { Store } from './store.ts'

export type AnchorOptions = {
  readonly store: Store
  readonly journal: Journal
  readonly signer: Client<SignerCalls>
  readonly clock: Clock
  readonly logger: Logger
  readonly nodeId: string
  readonly identityKey: Uint8Array
  /** Id and identity key of a peer, from the cluster record. */
  peer(index: number): { readonly id: string; readonly identityKey: Uint8Array } | undefined
  /** How many peers are connected. */
  peersConnected(): number
  /** The directory is older than what a peer has seen: nothing may be done with it. */
  onRollback(fault: Fault): void
}

export class Anchors {
  readonly #o: AnchorOptions
  #last = 0
  #time = 0
  #isAnchored = false

  constructor(options: AnchorOptions) {
    this.#o = options
  }

  /** Number of the last record that a checkpoint covers. */
  get seq(): number {
    return this.#last
  }
  /** How long ago the newest checkpoint was signed, in milliseconds; 0 while nothing has happened since. */
  ageMs(now: number): number {
    return this.#o.journal.head.seq === this.#last ? 0 : Math.max(0, now - this.#time)
  }
  /** Whether a peer was there to take the newest checkpoint: else a rollback would not show. */
  get isRollbackDetectable(): boolean {
    return this.#isAnchored
  }

  async open(): Promise<void> {
    const newest = (await this.#o.store.checkpoints(0, 1_000_000)).at(-1)
    const { seq, time } =
      newest === undefined ? { seq: 0, time: this.#o.clock.now() } : decodeCheckpoint(newest)
    this.#last = seq
    this.#time = time
  }

  /** Signs where the chain stands and sends it out, unless nothing happened since. */
  async checkpoint(): Promise<void> {
    await this.#o.journal.settled()
    const { seq, h } = this.#o.journal.head
    if (seq === this.#last) return
    const rows = (await this.#o.store.wallets()).map((row) => ({
      key: `wallet/${row.wallet}/${row.generation}/${row.state}`,
      hash: taggedHash(TAGS.storeRow, row.public, row.sealed),
    }))
    const time = this.#o.clock.now()
    const { checkpoint } = await this.#o.signer.signCheckpoint({
      seq,
      h,
      stateRoot: stateRoot(rows.sort((a, b) => (a.key < b.key ? -1 : 1))),
      counter: BigInt(seq),
      time,
    })
    await this.#o.journal.commit([putCheckpoint(seq, checkpoint)], [])
    this.#last = seq
    this.#time = time
    this.#isAnchored = this.#o.peersConnected() > 0
    await this.#o.signer.anchor({ to: 0, checkpoint })
  }

  /** Shows a peer that has just connected its newest checkpoint here, and gives it ours. */
  async greet(peer: number): Promise<void> {
    const theirs = await this.#o.store.peerCheckpoint(peer)
    if (theirs !== undefined) await this.#o.signer.anchor({ to: peer, checkpoint: theirs })
    const ours = (await this.#o.store.checkpoints(this.#last - 1, 1))[0]
    if (ours === undefined) return
    await this.#o.signer.anchor({ to: peer, checkpoint: ours })
    this.#isAnchored = true
  }

  /** A checkpoint from a peer: its own is kept, one of ours is compared with what the chain says. */
  async received(from: number, encoded: Uint8Array): Promise<void> {
    const checkpoint = decodeCheckpoint(encoded)
    const peer = this.#o.peer(from)
    if (checkpoint.node === this.#o.nodeId) await this.#compare(checkpoint)
    else if (
      peer !== undefined &&
      checkpoint.node === peer.id &&
      isSignedBy(checkpoint, peer.identityKey)
    )
      await this.#o.journal.commit([putPeerCheckpoint(from, checkpoint.seq, encoded)], [])
    else this.#o.logger.log('warn', 'anchor.refused', { from })
  }

  async #compare(checkpoint: Checkpoint): Promise<void> {
    // Only our own identity key can have signed it, so a peer cannot make us stop.
    if (!isSignedBy(checkpoint, this.#o.identityKey)) {
      this.#o.logger.log('warn', 'anchor.refused')
      return
    }
    await this.#o.journal.settled()
    const [row] = await this.#o.store.audit(checkpoint.seq - 1, 1)
    if (row === undefined || row.seq !== checkpoint.seq || !equalBytes(row.h, checkpoint.h))
      this.#o.onRollback(
        new Fault('node/rolled-back', {
          detail: `a peer holds checkpoint ${checkpoint.seq}, the chain ends at ${this.#o.journal.head.seq}`,
        }),
      )
  }
}

const isSignedBy = (checkpoint: Checkpoint, key: Uint8Array): boolean =>
  equalBytes(checkpoint.key, key) &&
  verifyEd25519(key, checkpointMessage(checkpoint), checkpoint.signature)
