/**
 * The other nodes as the signer knows them: by the epoch records that their identity keys signed.
 * Envelopes are made and opened here and nowhere else.
 */
import { ALLOWED_SKEW_MS } from '@quorate/api'
import { type AcceptedRecord, type ClusterNode, type EpochRecord, verifyEpoch } from '@quorate/auth'
import { type Clock, equalBytes, Fault } from '@quorate/base'
import {
  type EnvelopeHeader,
  type OpenedEnvelope,
  type OriginalClaim,
  openEnvelope,
  type PartyId,
  partyId,
  sealEnvelope,
} from '@quorate/threshold'
import { type EpochKeys, verifyEd25519 } from './node-crypto.ts'
import { type Dispatch, encodeParcel, fitsBeside } from './parcel.ts'
import { readClaim, type SigningKeyOf } from './session-originals.ts'

type Peer = { readonly signed: Uint8Array; readonly epoch: EpochRecord }

export type Outgoing = Pick<EnvelopeHeader, 'sid' | 'protocol' | 'round' | 'kind'> & {
  readonly to: PartyId | 'all'
  readonly body: Uint8Array
}
/** An envelope and the party whose link it goes down. */
export type Addressed = { readonly to: PartyId; readonly envelope: Uint8Array }
/** What goes down the link to that party in one piece. */
export type Packed = { readonly to: PartyId; readonly frame: Uint8Array }

/** How long an envelope may be under way. */
const ENVELOPE_LIFE_MS = 60_000

export class Peers {
  readonly self: PartyId
  readonly cluster: AcceptedRecord
  readonly #clock: Clock
  #keys: EpochKeys
  /** The newest epoch record of each node, own included. */
  readonly #latest = new Map<PartyId, Peer>()
  readonly #present = new Set<PartyId>()
  #seq = 0

  constructor(o: {
    self: PartyId
    cluster: AcceptedRecord
    clock: Clock
    keys: EpochKeys
    own: Uint8Array
  }) {
    this.self = o.self
    this.cluster = o.cluster
    this.#clock = o.clock
    this.#keys = o.keys
    this.#latest.set(o.self, { signed: o.own, epoch: this.#verified(o.own) })
    this.#present.add(o.self)
  }

  /** Puts new own keys in force, with the record that delegates them. */
  renew(keys: EpochKeys, own: Uint8Array): void {
    this.#latest.set(this.self, { signed: own, epoch: this.#verified(own) })
    this.#keys = keys
  }

  get keys(): EpochKeys {
    return this.#keys
  }
  get nodes(): readonly ClusterNode[] {
    return this.cluster.record.nodes
  }
  get others(): readonly PartyId[] {
    return this.nodes.map(({ index }) => partyId(index)).filter((index) => index !== this.self)
  }
  /** Parties that are connected now, own included, ascending. */
  get present(): readonly PartyId[] {
    return [...this.#present].sort((a, b) => a - b)
  }

  #verified(signed: Uint8Array): EpochRecord {
    return verifyEpoch(signed, {
      cluster: this.cluster,
      now: this.#clock.now(),
      verify: verifyEd25519,
    })
  }

  /**
   * Takes a peer's epoch record, from that peer alone where it came in an envelope `from` one. An
   * older one than is known is refused, so that nobody can put an expired key back in force.
   * @throws auth/…, auth/version-mismatch, enclave/older-epoch, threshold/self-addressed
   */
  meet(signed: Uint8Array, from?: PartyId): PartyId {
    const epoch = this.#verified(signed)
    const index = partyId(epoch.nodeIndex)
    if (index === this.self) throw new Fault('threshold/self-addressed')
    if (from !== undefined && from !== index)
      throw new Fault('auth/wrong-channel', { detail: `node ${from}` })
    this.#checkVersions(epoch)
    const known = this.#latest.get(index)?.epoch
    if (
      known !== undefined &&
      !equalBytes(known.epoch, epoch.epoch) &&
      epoch.notBefore <= known.notBefore
    )
      throw new Fault('enclave/older-epoch', { detail: `node ${index}` })
    this.#latest.set(index, { signed, epoch })
    this.#present.add(index)
    return index
  }

  /** Refuses a node with which this one has no protocol version in common. @throws auth/version-mismatch */
  #checkVersions({ nodeIndex, versions }: EpochRecord): void {
    const own = this.epochOf(this.self).versions
    const version = Math.min(own.max, versions.max)
    if (version < Math.max(own.min, versions.min, this.cluster.record.minProtocol))
      throw new Fault('auth/version-mismatch', { detail: `node ${nodeIndex}` })
  }

  leave(index: PartyId): void {
    if (index !== this.self) this.#present.delete(index)
  }

  /** @throws enclave/peers-missing where that node never connected */
  epochOf(index: PartyId): EpochRecord {
    return this.#known(index).epoch
  }
  /** The epoch record as its node signed it, for those who check receipts later. */
  signedEpochOf(index: PartyId): Uint8Array {
    return this.#known(index).signed
  }

  /**
   * The highest protocol version that all of them announced: what they speak together.
   * @throws enclave/peers-missing; auth/version-mismatch where there is none that the cluster record allows
   */
  versionOf(parties: readonly PartyId[]): number {
    const announced = parties.map((party) => this.epochOf(party).versions)
    const version = Math.min(...announced.map(({ max }) => max))
    const lowest = Math.max(this.cluster.record.minProtocol, ...announced.map(({ min }) => min))
    if (version < lowest) throw new Fault('auth/version-mismatch')
    return version
  }

  #known(index: PartyId): Peer {
    const peer = this.#latest.get(index)
    if (peer === undefined) throw new Fault('enclave/peers-missing', { detail: `node ${index}` })
    return peer
  }

  /** The envelopes that carry `message`: one for each receiver among `receivers`; a message to all is made once. */
  seal(message: Outgoing, receivers: readonly PartyId[]): readonly Addressed[] {
    const { to, ...fields } = message
    const make = (addressee: Parameters<typeof sealEnvelope>[0]['to']): Uint8Array =>
      sealEnvelope(
        {
          ...fields,
          cluster: this.cluster.cluster,
          epoch: this.#keys.epoch,
          from: this.self,
          seq: this.#seq++,
          expiresAt: this.#clock.now() + ENVELOPE_LIFE_MS,
          to: addressee,
        },
        this.#keys.crypto,
      )
    if (to !== 'all') {
      const { epoch, sealingKey } = this.epochOf(to)
      return [{ to, envelope: make({ party: to, epoch, prekey: sealingKey }) }]
    }
    const envelope = make('all')
    return receivers
      .filter((index) => index !== this.self)
      .map((index) => ({ to: index, envelope }))
  }

  /**
   * What carries all of these to their receivers. What proves itself goes beside an envelope of its session
   * to the same receiver, where there is one, and else in an envelope of its own.
   */
  pack(dispatches: readonly Dispatch[]): readonly Packed[] {
    const asides = dispatches.filter(({ isAside }) => isAside)
    const packed: Packed[] = []
    const carried = new Map<Dispatch, PartyId[]>(asides.map((each) => [each, []]))
    for (const { message, receivers, isAside } of dispatches) {
      if (isAside) continue
      for (const { to, envelope } of this.seal(message, receivers)) {
        const fitting =
          message.kind === 'control'
            ? []
            : asides.filter(
                (each) =>
                  each.receivers.includes(to) &&
                  !carried.get(each)!.includes(to) &&
                  equalBytes(each.message.sid, message.sid),
              )
        const said = fitting.map((each) => each.message.body)
        if (!fitsBeside(envelope, said)) packed.push({ to, frame: envelope })
        else {
          for (const each of fitting) carried.get(each)!.push(to)
          packed.push({ to, frame: encodeParcel({ envelope, said }) })
        }
      }
    }
    for (const [{ message, receivers }, done] of carried)
      for (const { to, envelope } of this.#sealFor(
        message,
        receivers.filter((each) => !done.includes(each)),
      ))
        packed.push({ to, frame: envelope })
    return packed
  }

  #sealFor(message: Outgoing, receivers: readonly PartyId[]): readonly Addressed[] {
    return receivers.some((each) => each !== this.self) ? this.seal(message, receivers) : []
  }

  readonly #keyOf = (from: PartyId, epoch: Uint8Array): Uint8Array | undefined => {
    const peer = this.#latest.get(from)?.epoch
    return peer !== undefined && equalBytes(peer.epoch, epoch) ? peer.envelopeKey : undefined
  }

  /** A message for this node, with its sender proven. @throws threshold/…, base/… */
  open(envelope: Uint8Array): OpenedEnvelope {
    const receiver = {
      cluster: this.cluster.cluster,
      self: this.self,
      epoch: this.#keys.epoch,
      now: this.#clock.now() - ALLOWED_SKEW_MS,
      epochKey: this.#keyOf,
    }
    return openEnvelope(envelope, receiver, this.#keys.crypto)
  }

  /** What a signed original says and who signed it; `undefined` for one that does not verify. */
  claim(original: Uint8Array): OriginalClaim | undefined {
    const own = (from: PartyId, epoch: Uint8Array): Uint8Array | undefined =>
      from === this.self && equalBytes(epoch, this.#keys.epoch)
        ? this.#keys.envelopeKey
        : this.#keyOf(from, epoch)
    return readClaim(original, { epochKey: own })
  }

  /** The keys that sign the envelopes of these parties now. @throws enclave/peers-missing */
  signingKeys(parties: readonly PartyId[]): readonly SigningKeyOf[] {
    return parties.map((party) => {
      const { epoch, envelopeKey } = this.epochOf(party)
      return { party, epoch, envelopeKey }
    })
  }
}
