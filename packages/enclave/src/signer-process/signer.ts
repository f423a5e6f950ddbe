/**
 * The signer: everything that holds a secret or decides, behind the calls of `channel/calls.ts`.
 * It comes up in steps, each of which needs the one before: HSM and store key, cluster record,
 * stored wallets, epoch keys.
 */
import { encodeCheckpoint, signCheckpoint } from '@quorate/api'
import {
  type AcceptedRecord,
  acceptChain,
  type ClusterRecord,
  CUSTODY_LEVELS,
  decodeClusterRecord,
  decodeSignedRecord,
  MAX_EPOCH_MS,
  makeEpoch,
  makeHello,
  makeNodeCard,
  signClusterRecord,
} from '@quorate/auth'
import { equalBytes, Fault, Secret } from '@quorate/base'
import { HsmMonitor, type HsmReport, type OpenHsm, openHsm } from '@quorate/hsm'
import { chooseBackends } from '@quorate/math/native'
import { partyId } from '@quorate/threshold'
import type { Outcome, SignerCalls } from '../channel/calls.ts'
import type { Handlers } from '../channel/channel.ts'
import { AuxStore } from './aux-store.ts'
import { hostKeysOf } from './host-keys.ts'
import { Member } from './member.ts'
import { EpochKeys, verifyEd25519 } from './node-crypto.ts'
import { openNodeHsm } from './node-hsm.ts'
import { Peers } from './peers.ts'
import type { SignerPorts } from './ports.ts'
import { type MakePrimes, makePrimes } from './prime-maker.ts'
import { PrimeStock } from './prime-stock.ts'
import type { SessionRunner } from './session-runner.ts'
import { type SignerPool, signerPool, workerRunner } from './session-worker.ts'
import { Vault } from './vault.ts'
import { Wallets } from './wallets.ts'

/** Protocol versions that this build speaks. */
const VERSIONS = { min: 1, max: 1 } as const
/** How often the epoch keys change: half their longest life. */
const EPOCH_MS: number = MAX_EPOCH_MS / 2

type Request<C extends keyof SignerCalls> = Parameters<Handlers<SignerCalls>[C]>[0]

type Opened = {
  readonly device: OpenHsm
  readonly monitor: HsmMonitor
  readonly vault: Vault
  readonly environment: Request<'open'>['environment']
  readonly bootId: Uint8Array
}
type Joined = { readonly cluster: AcceptedRecord; readonly index: number }

/** What tests put in place of threads. */
export type SignerInside = { readonly run?: SessionRunner; readonly makePrimes?: MakePrimes }

export class Signer implements Handlers<SignerCalls> {
  readonly #ports: SignerPorts
  readonly #inside: SignerInside
  #prepared: Request<'prepare'> = { backend: 'fastest', primesAhead: 1 }
  #pool: SignerPool | undefined
  #opened: Opened | undefined
  #joined: Joined | undefined
  #wallets = new Wallets()
  #auxes: AuxStore
  #loaded: Pick<Request<'load'>, 'burnt' | 'primes'> = { burnt: [], primes: [] }
  #primes: PrimeStock | undefined
  #member: Member | undefined
  #peers: Peers | undefined

  /** Heavy sessions run in worker threads, and primes are made in others, unless `inside` says where. */
  constructor(ports: SignerPorts, inside: SignerInside = {}) {
    this.#ports = ports
    this.#inside = inside
    this.#auxes = new AuxStore(ports.clock)
  }

  #open(): Opened {
    if (this.#opened === undefined) throw new Fault('enclave/not-joined')
    return this.#opened
  }
  #join(): Joined {
    if (this.#joined === undefined) throw new Fault('enclave/not-joined')
    return this.#joined
  }
  #active(): { member: Member; peers: Peers } {
    if (this.#member === undefined || this.#peers === undefined)
      throw new Fault('enclave/not-joined')
    return { member: this.#member, peers: this.#peers }
  }

  /** Threads that start when there is work for them. */
  #workers(): SignerPool {
    this.#pool ??= signerPool({ backend: this.#prepared.backend })
    return this.#pool
  }

  readonly open = async (o: Request<'open'>) => {
    const { storeId, sealedSecrets: sealed, bootId, environment, keys: known } = o
    const { clock, logger, random } = this.#ports
    const pin = o.pin === null ? undefined : new Secret(o.pin)
    const device = await openHsm({ ...o.hsm, environment }, { clock, logger, pin })
    try {
      const isFresh = sealed === null
      const { keyLabel, identityLabel } = o
      const wanted = { device, storeId, known, keyLabel, identityLabel, isFresh, random }
      const { hsm, keys } = await openNodeHsm(wanted)
      const vault = await Vault.open({ hsm, storeId, sealed, random })
      const monitor = await HsmMonitor.start(device, o.hsm.type, this.#ports)
      this.#opened = { device, monitor, vault, environment, bootId }
      return {
        nodeId: vault.nodeId,
        identityKey: hsm.identity.publicKey,
        custody: hsm.custody,
        sealedSecrets: vault.sealedSecrets,
        keys,
      }
    } catch (error) {
      await device.close()
      throw error
    }
  }

  readonly card = async ({ name }: Request<'card'>): Promise<{ card: Uint8Array }> => {
    const { hsm, nodeId } = this.#open().vault
    const { identity, custody } = hsm
    const createdAt = this.#ports.clock.now()
    return {
      card: await makeNodeCard(
        { v: 1, id: nodeId, identityKey: identity.publicKey, name, custody, createdAt },
        identity,
      ),
    }
  }

  readonly signRecord = async ({
    record,
  }: Request<'signRecord'>): Promise<{ signature: Uint8Array; index: number }> => {
    const { vault } = this.#open()
    const { node } = this.#place(record)
    const by = { kind: 'node', value: node.index } as const
    const { signature } = await signClusterRecord(record, by, vault.hsm.identity)
    return { signature, index: node.index }
  }

  /** Where a cluster record lists this node. @throws enclave/not-listed, enclave/weak-custody, enclave/development-store */
  #place(record: Uint8Array): { readonly node: ClusterRecord['nodes'][number] } {
    const { vault, environment } = this.#open()
    const value = decodeClusterRecord(record)
    if (value.environment !== environment) throw new Fault('enclave/development-store')
    const { publicKey } = vault.hsm.identity
    const node = value.nodes.find(
      ({ id, identityKey }) => id === vault.nodeId && equalBytes(identityKey, publicKey),
    )
    if (node === undefined) throw new Fault('enclave/not-listed')
    if (CUSTODY_LEVELS.indexOf(vault.hsm.custody) < CUSTODY_LEVELS.indexOf(node.minCustody))
      throw new Fault('enclave/weak-custody', {
        detail: `${vault.hsm.custody}, the record demands ${node.minCustody}`,
      })
    return { node }
  }

  readonly join = ({ chain }: Request<'join'>): { cluster: Uint8Array; index: number } => {
    const signed = chain.map(decodeSignedRecord)
    const cluster = acceptChain(signed, { verify: verifyEd25519 })
    const current = this.#joined?.cluster
    if (current !== undefined && !equalBytes(cluster.cluster, current.cluster))
      throw new Fault('auth/other-cluster')
    if (current !== undefined && cluster.record.number < current.record.number)
      throw new Fault('auth/record-not-newer', {
        detail: `number ${cluster.record.number}, in force is ${current.record.number}`,
      })
    const [first] = signed
    checkSameNodes(decodeClusterRecord(first!.record), cluster.record)
    const { index } = this.#place(signed.at(-1)!.record).node
    this.#joined = { cluster, index }
    return { cluster: cluster.cluster, index }
  }

  readonly load = ({ rows, burnt, aux, primes }: Request<'load'>): Record<string, never> => {
    const { cluster } = this.#join()
    for (const row of rows) {
      const { record } = this.#wallets.put(row)
      if (record.environment !== cluster.record.environment)
        throw new Fault('enclave/development-store')
    }
    for (const row of aux) this.#auxes.put(row)
    this.#loaded = { burnt, primes }
    return {}
  }

  readonly prepare = async (
    options: Request<'prepare'>,
  ): Promise<{ backends: readonly string[] }> => {
    this.#prepared = options
    const { backend } = options
    const chosen = await chooseBackends(backend === 'noble' ? { only: 'noble' } : {})
    return {
      backends: Object.entries(chosen).map(([group, { backend: name }]) => `${group}=${name}`),
    }
  }

  readonly epoch = async ({
    tlsFingerprint,
  }: Request<'epoch'>): Promise<{ record: Uint8Array; notAfter: number }> => {
    const { vault, bootId, environment } = this.#open()
    const { cluster, index } = this.#join()
    const keys = new EpochKeys(this.#ports.random)
    const notBefore = this.#ports.clock.now()
    const notAfter = notBefore + MAX_EPOCH_MS
    const record = await makeEpoch(
      {
        v: 1,
        cluster: cluster.cluster,
        nodeIndex: index,
        nodeId: vault.nodeId,
        epoch: keys.epoch,
        bootId,
        envelopeKey: keys.envelopeKey,
        sealingKey: keys.sealingKey,
        dkgKeys: hostKeysOf(vault),
        ...(tlsFingerprint !== null && { tlsFingerprint }),
        environment,
        versions: VERSIONS,
        notBefore,
        notAfter,
      },
      vault.hsm.identity,
    )
    if (this.#peers !== undefined) {
      this.#member!.announceEpoch(record)
      this.#peers.renew(keys, record)
    } else {
      this.#peers = new Peers({
        self: partyId(index),
        cluster,
        clock: this.#ports.clock,
        keys,
        own: record,
      })
      const primes = new PrimeStock({
        vault,
        ports: this.#ports,
        make: this.#inside.makePrimes ?? makePrimes,
        ahead: this.#prepared.primesAhead,
        rows: this.#loaded.primes,
      })
      this.#primes = primes
      this.#member = new Member({
        run: this.#inside.run ?? workerRunner(this.#workers(), this.#ports.random),
        vault,
        peers: this.#peers,
        wallets: this.#wallets,
        auxes: this.#auxes,
        primes,
        ports: this.#ports,
        burnt: this.#loaded.burnt,
        bootId,
      })
      primes.refill(this.#auxes.levels)
    }
    return { record, notAfter: notBefore + EPOCH_MS }
  }

  /** Signs a greeting with the envelope key. */
  readonly hello = async (connection: Request<'hello'>): Promise<{ hello: Uint8Array }> => {
    const { peers } = this.#active()
    const epoch = peers.signedEpochOf(peers.self)
    return { hello: await makeHello({ v: 1, epoch, ...connection }, peers.keys.signer) }
  }

  readonly peer = ({ record }: Request<'peer'>): { index: number } => {
    const { member, peers } = this.#active()
    const index = peers.meet(record)
    member.peerArrived(index)
    return { index }
  }

  readonly peerGone = ({ index }: Request<'peerGone'>): Record<string, never> => {
    this.#active().member.peerLeft(partyId(index))
    return {}
  }

  readonly deliver = async ({ envelope }: Request<'deliver'>): Promise<Record<string, never>> => {
    await this.#active().member.deliver(envelope)
    return {}
  }

  readonly submit = ({ request }: Request<'submit'>): Promise<Outcome> =>
    this.#active().member.submit(request)

  readonly explain = (o: Request<'explain'>): { json: string } => {
    const { member, peers } = this.#active()
    const client = peers.cluster.record.clients.find(({ id }) => id === o.client)
    if (client === undefined) throw new Fault('auth/unauthenticated')
    return { json: member.explain({ ...o, client }) }
  }

  readonly signCheckpoint = async ({
    seq,
    h,
    stateRoot,
    counter,
    time,
  }: Request<'signCheckpoint'>): Promise<{ checkpoint: Uint8Array }> => {
    const { vault } = this.#open()
    const unsigned = { seq, h, stateRoot, counter, time, node: vault.nodeId }
    return { checkpoint: encodeCheckpoint(await signCheckpoint(vault.hsm.identity, unsigned)) }
  }

  readonly anchor = ({ to, checkpoint }: Request<'anchor'>): Record<string, never> => {
    this.#active().member.anchor(to === 0 ? 'all' : partyId(to), checkpoint)
    return {}
  }

  readonly status = (): { sessions: number; peers: readonly number[] } => ({
    sessions: this.#member?.sessions ?? 0,
    peers: this.#peers?.present ?? [],
  })

  readonly hsmStatus = (): HsmReport => this.#open().monitor.report

  readonly seal = async (): Promise<{ isSealed: boolean }> => {
    this.#opened?.monitor.stop()
    this.#primes?.stop()
    this.#member?.stop()
    this.#opened?.vault[Symbol.dispose]()
    await this.#opened?.device.close()
    await this.#pool?.close()
    this.#pool = undefined
    this.#opened = undefined
    this.#member = undefined
    this.#peers = undefined
    this.#primes = undefined
    this.#wallets = new Wallets()
    this.#auxes = new AuxStore(this.#ports.clock)
    return { isSealed: true }
  }
}

/** Shares lie with the nodes of the first record: others could only be given theirs by resharing. @throws enclave/nodes-changed */
function checkSameNodes(first: ClusterRecord, now: ClusterRecord): void {
  const isSame =
    first.nodes.length === now.nodes.length &&
    first.nodes.every(
      ({ id, identityKey }, i) =>
        id === now.nodes[i]!.id && equalBytes(identityKey, now.nodes[i]!.identityKey),
    )
  if (!isSame) throw new Fault('enclave/nodes-changed')
}
