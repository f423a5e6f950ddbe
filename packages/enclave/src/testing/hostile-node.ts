/**
 * A node in an attacker's hands, for tests: it has its own identity and epoch keys and runs the same
 * `Member` as every node, but whatever that wants to say passes through `outgoing` before it is
 * signed and sealed, whatever it hears through `incoming`, and it can say anything besides.
 */
import { acceptChain, decodeSignedRecord, MAX_EPOCH_MS, makeEpoch, makeHello } from '@quorate/auth'
import { type Clock, isFault, type Secret, type Signer, toHex } from '@quorate/base'
import { chooseBackends } from '@quorate/math/native'
import { systemRandom, type Timers } from '@quorate/platform'
import {
  countersign,
  decodeManifest,
  encodeManifest,
  type Manifest,
  type OpenedEnvelope,
  type PartyId,
  partyId,
  sessionId,
} from '@quorate/threshold'
import type { SignerCalls } from '../channel/calls.ts'
import type { Handlers } from '../channel/channel.ts'
import type { Outcome } from '../channel/outcomes.ts'
import { AuxStore } from '../signer-process/aux-store.ts'
import { type Control, decodeControl, encodeControl } from '../signer-process/control.ts'
import { hostKeysOf, hostSecretFor } from '../signer-process/host-keys.ts'
import { DEFAULT_LIMITS } from '../signer-process/limits.ts'
import { Member } from '../signer-process/member.ts'
import { EpochKeys, verifyEd25519 } from '../signer-process/node-crypto.ts'
import { type Dispatch, type Parcel, readParcel } from '../signer-process/parcel.ts'
import { NOTHING_STORED } from '../signer-process/parts.ts'
import { type Addressed, type Outgoing, type Packed, Peers } from '../signer-process/peers.ts'
import type { SignerPorts } from '../signer-process/ports.ts'
import { PrimeStock } from '../signer-process/prime-stock.ts'
import { PROGRAMS } from '../signer-process/session-programs.ts'
import { inlineRunner } from '../signer-process/session-runner.ts'
import { Wallets } from '../signer-process/wallets.ts'
import { type NodeFiles, type OpenedNode, openNode } from './opened-node.ts'
import { publishedPrimes } from './primes.ts'

/** A message before it is signed, and who gets it. */
export type Said = Outgoing & { readonly receivers: readonly PartyId[] }
export type Heard = OpenedEnvelope & {
  readonly envelope: Uint8Array
  /** What it says, where it belongs to no round. */
  readonly control?: Control | undefined
}

export type HostileOptions = NodeFiles & {
  /** The signed cluster records. */
  readonly chain: readonly Uint8Array[]
  readonly clock: Clock
  readonly timers: Timers
  /** What it makes ahead; nothing unless told. */
  readonly pools?: { readonly nonces: number; readonly presignatures: number }
  /** Hands bytes to the network. */
  readonly send: (to: number, envelope: Uint8Array) => void
}

/** Seals what the tampering makes of a message, and opens what it made of an envelope. */
class TamperedPeers extends Peers {
  tamper: (message: Said) => readonly Said[] = (message) => [message]
  readonly altered = new WeakMap<Uint8Array, OpenedEnvelope>()

  override seal(message: Outgoing, receivers: readonly PartyId[]): readonly Addressed[] {
    return this.tamper({ ...message, receivers }).flatMap((each) => this.sealAsIs(each))
  }
  sealAsIs({ receivers, ...message }: Said): readonly Addressed[] {
    return super.seal(message, receivers)
  }
  /** Every message in an envelope of its own, so that each can be tampered with. */
  override pack(dispatches: readonly Dispatch[]): readonly Packed[] {
    return dispatches.flatMap(({ message, receivers }) =>
      this.seal(message, receivers).map(({ to, envelope }) => ({ to, frame: envelope })),
    )
  }
  override open(envelope: Uint8Array): OpenedEnvelope {
    return this.altered.get(envelope) ?? super.open(envelope)
  }
}

export class HostileNode {
  /** Its epoch record, signed by its identity key. */
  readonly record: Uint8Array
  readonly keys: EpochKeys
  readonly peers: Peers
  /** All that other nodes said to it. */
  readonly heard: Heard[] = []
  /** What it says in place of a message; the message itself while it behaves. */
  outgoing: (message: Said) => readonly Said[] = (message) => [message]
  /** What its honest inside hears in place of a message; nothing for `undefined`. */
  incoming: (heard: Heard) => OpenedEnvelope | undefined = (heard) => heard
  readonly #peers: TamperedPeers
  readonly #member: Member
  readonly #node: OpenedNode
  readonly #send: HostileOptions['send']
  readonly #manifests = new Map<string, Manifest>()

  private constructor(o: {
    record: Uint8Array
    keys: EpochKeys
    peers: TamperedPeers
    member: Member
    node: OpenedNode
    send: HostileOptions['send']
  }) {
    this.record = o.record
    this.keys = o.keys
    this.peers = o.peers
    this.#peers = o.peers
    this.#member = o.member
    this.#node = o.node
    this.#send = o.send
    o.peers.tamper = (message) => {
      this.#note(message.kind === 'control' ? decodeControl(message.body) : undefined)
      return this.outgoing(message)
    }
  }

  static async open(o: HostileOptions): Promise<HostileNode> {
    await chooseBackends({})
    const { clock, timers, send } = o
    const node = await openNode(o, clock, systemRandom)
    const { vault } = node
    const cluster = acceptChain(o.chain.map(decodeSignedRecord), { verify: verifyEd25519 })
    const { index } = cluster.record.nodes.find(({ id }) => id === vault.nodeId)!
    const keys = new EpochKeys(systemRandom)
    const bootId = systemRandom.bytes(16)
    const notBefore = clock.now()
    const epoch = {
      v: 1,
      cluster: cluster.cluster,
      nodeIndex: index,
      nodeId: vault.nodeId,
      epoch: keys.epoch,
      bootId,
      envelopeKey: keys.envelopeKey,
      sealingKey: keys.sealingKey,
      dkgKeys: hostKeysOf(vault),
      environment: cluster.record.environment,
      versions: { min: 1, max: 1 },
      notBefore,
      notAfter: notBefore + MAX_EPOCH_MS,
    } as const
    const record = await makeEpoch(epoch, vault.hsm.identity)
    const peers = new TamperedPeers({ self: partyId(index), cluster, clock, keys, own: record })
    const ports: SignerPorts = {
      clock,
      timers,
      random: systemRandom,
      logger: {
        log: () => {},
        with() {
          return this
        },
      },
      send,
      persist: () => Promise.resolve(),
      anchored: () => {},
      backupTold: () => {},
      progress: () => {},
      wake: () => {},
      evidence: () => Promise.resolve(),
    }
    const member = new Member({
      vault,
      peers,
      wallets: new Wallets(),
      auxes: new AuxStore(clock),
      primes: new PrimeStock({
        vault,
        ports,
        make: publishedPrimes(index, { count: 0 }),
        ahead: 0,
        rows: [],
      }),
      stored: NOTHING_STORED,
      limits: DEFAULT_LIMITS,
      poolSizes: o.pools ?? { nonces: 0, presignatures: 0 },
      bootId,
      run: inlineRunner(systemRandom, PROGRAMS),
      ports,
    })
    return new HostileNode({ record, keys, peers, member, node, send })
  }

  /** Signs as the node itself. */
  get identity(): Signer {
    return this.#node.vault.hsm.identity
  }
  get index(): PartyId {
    return this.#peers.self
  }
  /** The other nodes. */
  get others(): readonly PartyId[] {
    return this.#peers.others
  }

  /** Behaves from now on. */
  behave(): void {
    this.outgoing = (message) => [message]
    this.incoming = (heard) => heard
  }

  meet(record: Uint8Array): void {
    this.#member.peerArrived(this.#peers.meet(record))
  }

  hello(connection: Parameters<Handlers<SignerCalls>['hello']>[0]): Promise<Uint8Array> {
    return makeHello({ v: 1, epoch: this.record, ...connection }, this.keys.signer)
  }

  submit(request: Uint8Array): Promise<Outcome> {
    return this.#member.submit(request)
  }

  async deliver(frame: Uint8Array): Promise<void> {
    const parcel = this.#open(frame)
    if (parcel === undefined) return
    const { envelope, said, opened } = parcel
    // A frame may hold the rounds of a session before what the session is about.
    for (const body of said) this.#note(decodeControl(body))
    await this.#hear(envelope, opened)
    const header = { ...opened.header, kind: 'control' } as const
    for (const body of said) await this.#hear(envelope, { header, body, salt: new Uint8Array() })
  }

  async #hear(envelope: Uint8Array, opened: OpenedEnvelope): Promise<void> {
    const control = opened.header.kind === 'control' ? decodeControl(opened.body) : undefined
    const heard = { ...opened, envelope, control }
    this.heard.push(heard)
    this.#note(control)
    const kept = this.incoming(heard)
    if (kept !== undefined) await this.#pass(envelope, kept)
  }

  /** Gives a message to the honest inside, once more or with another body. */
  hear(heard: Heard, body: Uint8Array): Promise<void> {
    return this.#pass(heard.envelope, { ...heard, body })
  }

  #pass(envelope: Uint8Array, opened: OpenedEnvelope): Promise<void> {
    const copy = envelope.slice()
    this.#peers.altered.set(copy, opened)
    return this.#member.deliver(copy)
  }

  #open(frame: Uint8Array): (Parcel & { readonly opened: OpenedEnvelope }) | undefined {
    try {
      const parcel = readParcel(frame)
      return { ...parcel, opened: this.#peers.open(parcel.envelope) }
    } catch (error) {
      if (isFault(error)) return undefined
      throw error
    }
  }

  /** Remembers what the sessions are about. */
  #note(control: Control | undefined): void {
    if (control?.kind !== 'prepare') return
    const manifest = decodeManifest(control.value.manifest)
    this.#manifests.set(toHex(sessionId(manifest)), manifest)
  }

  manifestOf(sid: Uint8Array): Manifest | undefined {
    return this.#manifests.get(toHex(sid))
  }

  /** Signs, seals and sends a message of the test's own. */
  say(message: Said): void {
    for (const { to, envelope } of this.#peers.sealAsIs(message)) this.#send(to, envelope)
  }

  sayControl(message: Control, sid: Uint8Array, to: PartyId): void {
    this.say({
      sid,
      protocol: 'quorate',
      round: 0,
      kind: 'control',
      to,
      body: encodeControl(message),
      receivers: [to],
    })
  }

  /** Proposes a session as its coordinator, whatever it is worth; under another id where one is given. */
  propose(
    manifest: Manifest,
    request: Uint8Array,
    o: { to?: readonly PartyId[]; sid?: Uint8Array } = {},
  ): void {
    const { signature } = countersign(manifest, this.index, this.keys.crypto)
    const value = { manifest: encodeManifest(manifest), request, countersignature: signature }
    const { to = this.others, sid = sessionId(manifest) } = o
    for (const each of to) this.sayControl({ kind: 'prepare', value }, sid, each)
  }

  /** Puts bytes on the network as they are. */
  inject(to: PartyId, bytes: Uint8Array): void {
    this.#send(to, bytes)
  }

  /** Its host secret key of a suite; the caller disposes of it. */
  hostSecret(suite: string): Secret<Uint8Array> {
    return hostSecretFor(this.#node.vault, suite)
  }

  async close(): Promise<void> {
    this.#member.stop()
    await this.#node.close()
  }
}
