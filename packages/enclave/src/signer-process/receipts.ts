/**
 * Receipts between nodes: one node's signed word that a session's result is on its disk, together
 * with the epoch record that delegated the signing key, so that anyone who has the cluster record
 * can check it years later.
 */
import {
  decodeReceipt,
  encodeReceipt,
  type Receipt,
  receiptMessage,
  signReceipt,
  type UnsignedReceipt,
} from '@quorate/api'
import { type AcceptedRecord, type EpochRecord, verifyPastEpoch } from '@quorate/auth'
import { bytes, decode, encode, equalBytes, Fault, field, isFault, record } from '@quorate/base'
import type { Timers } from '@quorate/platform'
import { type PartyId, partyId } from '@quorate/threshold'
import { verifyEd25519 } from './node-crypto.ts'
import type { Peers } from './peers.ts'

const bundle = record({
  receipt: field(0, bytes({ max: 8192 })),
  /** The signer's epoch record, signed by its identity key. */
  epoch: field(1, bytes({ max: 4096 })),
})
const MAX_BUNDLE_BYTES = 16_384

/** What all receipts of one session say alike. */
export type ReceiptFacts = Pick<
  UnsignedReceipt,
  'sid' | 'requestHash' | 'wallet' | 'generation' | 'purpose' | 'result'
>

/** This node's receipt for `facts`, as bytes. */
export async function makeReceipt(
  facts: ReceiptFacts,
  peers: Peers,
  now: number,
): Promise<Uint8Array> {
  const node = peers.nodes[peers.self - 1]!
  const receipt = await signReceipt(peers.keys.signer, {
    v: 1,
    cluster: peers.cluster.cluster,
    node: node.index,
    nodeId: node.id,
    at: now,
    epoch: peers.keys.epoch,
    ...facts,
  })
  return encode(bundle, { receipt: encodeReceipt(receipt), epoch: peers.signedEpochOf(peers.self) })
}

export type ReadReceipt = { readonly party: PartyId; readonly receipt: Receipt }

/**
 * The receipt in `encoded`, its whole chain of signatures checked. One of a machine that another has
 * replaced holds if it is from before.
 * @throws enclave/bad-receipt for one that does not hold; base/… for bytes that are none
 */
export function readReceipt(encoded: Uint8Array, cluster: AcceptedRecord): ReadReceipt {
  const outer = decode(bundle, encoded, { maxBytes: MAX_BUNDLE_BYTES })
  const receipt = decodeReceipt(outer.receipt)
  const epoch = epochOf(outer.epoch, cluster, receipt.at)
  const isSound =
    epoch.nodeIndex === receipt.node &&
    epoch.nodeId === receipt.nodeId &&
    equalBytes(epoch.epoch, receipt.epoch) &&
    equalBytes(receipt.cluster, cluster.cluster) &&
    verifyEd25519(epoch.envelopeKey, receiptMessage(receipt), receipt.signature)
  if (!isSound) throw new Fault('enclave/bad-receipt')
  return { party: partyId(receipt.node), receipt }
}

/** Epoch records that held lately, by their bytes and the cluster record they held under. */
const verified = new WeakMap<AcceptedRecord, Map<string, EpochRecord>>()
const MAX_VERIFIED = 128

/** As `verifyPastEpoch`, which signs for every receipt of its time: a record that held is not verified again. */
function epochOf(signed: Uint8Array, cluster: AcceptedRecord, now: number): EpochRecord {
  const ofCluster = verified.get(cluster) ?? new Map<string, EpochRecord>()
  verified.set(cluster, ofCluster)
  const name = Buffer.from(signed).toString('latin1')
  const known = ofCluster.get(name)
  if (known !== undefined && known.notBefore <= now && now < known.notAfter) return known
  const epoch = verifyPastEpoch(signed, { cluster, now, verify: verifyEd25519 })
  if (ofCluster.size === MAX_VERIFIED) ofCluster.clear()
  ofCluster.set(name, epoch)
  return epoch
}

/** Whether a receipt says exactly `facts`. */
export const states = (receipt: Receipt, facts: ReceiptFacts): boolean =>
  equalBytes(receipt.sid, facts.sid) &&
  equalBytes(receipt.requestHash, facts.requestHash) &&
  receipt.wallet === facts.wallet &&
  receipt.generation === facts.generation &&
  receipt.purpose === facts.purpose &&
  equalBytes(receipt.result, facts.result)

/** Receipts of one result as they come in, one for each party. */
export class ReceiptBook {
  readonly #facts: ReceiptFacts
  readonly #cluster: AcceptedRecord
  readonly #byParty = new Map<PartyId, Uint8Array>()

  constructor(facts: ReceiptFacts, cluster: AcceptedRecord) {
    this.#facts = facts
    this.#cluster = cluster
  }

  /** Takes in this node's own. */
  addOwn(party: PartyId, encoded: Uint8Array): void {
    this.#byParty.set(party, encoded)
  }

  /** Takes in a receipt for the same facts. @throws enclave/bad-receipt naming its node */
  add(encoded: Uint8Array): void {
    const { party, receipt } = readReceipt(encoded, this.#cluster)
    // A machine that was replaced holds nothing for the cluster any more.
    if (receipt.nodeId !== this.#cluster.record.nodes[party - 1]?.id)
      throw new Fault('enclave/bad-receipt', { detail: `node ${party}` })
    if (!states(receipt, this.#facts))
      throw new Fault('enclave/bad-receipt', { detail: `node ${party}` })
    this.#byParty.set(party, encoded)
  }

  has(party: PartyId): boolean {
    return this.#byParty.has(party)
  }
  /** Whether each of `parties` has confirmed. */
  hasAll(parties: readonly PartyId[]): boolean {
    return parties.every((party) => this.has(party))
  }
  /** Ascending by party. */
  get receipts(): readonly Uint8Array[] {
    return [...this.#byParty].sort(([a], [b]) => a - b).map(([, receipt]) => receipt)
  }
}

/** The receipts of one session on their way in. Those that come before there is a result to compare with wait, one of each sender. */
export class ReceiptInbox {
  readonly #early = new Map<PartyId, Uint8Array>()
  #take: ((receipt: Uint8Array) => void) | undefined

  /** @throws enclave/bad-receipt for one of another result */
  receive(from: PartyId, receipt: Uint8Array): void {
    if (this.#take === undefined) this.#early.set(from, receipt)
    else this.#take(receipt)
  }

  /** The receipts of all `parties`, once they are in. @throws enclave/receipts-missing after `waitMs` */
  collect(
    book: ReceiptBook,
    parties: readonly PartyId[],
    timers: Timers,
    waitMs: number,
  ): Promise<readonly Uint8Array[]> {
    return new Promise((resolve, reject) => {
      const cancel = timers.after(waitMs, () => reject(new Fault('enclave/receipts-missing')))
      const look = (): void => {
        if (!book.hasAll(parties)) return
        cancel()
        resolve(book.receipts)
      }
      const take = (receipt: Uint8Array): void => {
        book.add(receipt)
        look()
      }
      this.#take = take
      look()
      for (const receipt of this.#early.values()) {
        try {
          take(receipt)
        } catch (error) {
          // A bad one counts as none: its sender may still send a good one.
          if (!isFault(error)) throw error
        }
      }
      this.#early.clear()
    })
  }
}
