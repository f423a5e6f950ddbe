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
import type { SignerCalls } from '../channel/calls.ts'
import type { Handlers } from '../channel/channel.ts'
import type { Outcome, PoolReport, WaitingItem } from '../channel/outcomes.ts'
import { AuxStore } from './aux-store.ts'
import {
  checkBackup,
  type Made,
  makeBackup,
  type OpenedSummary,
  type RestoredState,
  restoreBackup,
} from './backup/backup.ts'
import { hostKeysOf } from './host-keys.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { Member } from './member.ts'
import { EpochKeys, verifyEd25519 } from './node-crypto.ts'
import { openNodeHsm } from './node-hsm.ts'
import { Peers } from './peers.ts'
import { DEFAULT_POOL_SIZES } from './pool/refill.ts'
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

/** Waiting requests that are listed at once. */
const MAX_LISTED = 100

type Opened = {
  readonly device: OpenHsm
  readonly monitor: HsmMonitor
  readonly vault: Vault
  readonly environment: Request<'open'>['environment']
  readonly bootId: Uint8Array
}
type Joined = { readonly cluster: AcceptedRecord; readonly index: number }

/** What tests put in place of threads, and of the version of this build. */
export type SignerInside = {
  readonly run?: SessionRunner
  readonly makePrimes?: MakePrimes
  /** Protocol versions to announce in place of this build's. */
  readonly versions?: { readonly min: number; readonly max: number }
}

type Loaded = Omit<Request<'load'>, 'rows' | 'aux'>
const NOTHING_LOADED: Loaded = {
  burnt: [],
  primes: [],
  requests: [],
  ledger: [],
  highWaters: [],
  waiting: [],
  policies: [],
  highWater: 0,
}

export class Signer implements Handlers<SignerCalls> {
  readonly #ports: SignerPorts
  readonly #inside: SignerInside
  #prepared: Request<'prepare'> = {
    backend: 'fastest',
    primesAhead: 1,
    limits: DEFAULT_LIMITS,
    pools: DEFAULT_POOL_SIZES,
  }
  #pool: SignerPool | undefined
  #opened: Opened | undefined
  #joined: Joined | undefined
  #wallets = new Wallets()
  #auxes: AuxStore
  #loaded: Loaded = NOTHING_LOADED
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

  readonly card = async ({ name, restores }: Request<'card'>): Promise<{ card: Uint8Array }> => {
    const { hsm, nodeId } = this.#open().vault
    const { identity, custody } = hsm
    const createdAt = this.#ports.clock.now()
    return {
      card: await makeNodeCard(
        {
          v: 1,
          id: nodeId,
          identityKey: identity.publicKey,
          name,
          custody,
          createdAt,
          ...(restores !== null && { restores }),
        },
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
    checkNodes(signed.map(({ record }) => decodeClusterRecord(record)))
    const { index } = this.#place(signed.at(-1)!.record).node
    this.#joined = { cluster, index }
    return { cluster: cluster.cluster, index }
  }

  readonly load = ({ rows, aux, ...more }: Request<'load'>): Record<string, never> => {
    const { cluster } = this.#join()
    for (const row of rows) {
      const { record } = this.#wallets.put(row)
      if (record.environment !== cluster.record.environment)
        throw new Fault('enclave/development-store')
    }
    for (const row of aux) this.#auxes.put(row)
    const { highWater, ...lists } = more
    const known = this.#loaded
    this.#loaded = {
      burnt: [...known.burnt, ...lists.burnt],
      primes: [...known.primes, ...lists.primes],
      requests: [...known.requests, ...lists.requests],
      ledger: [...known.ledger, ...lists.ledger],
      highWaters: [...known.highWaters, ...lists.highWaters],
      waiting: [...known.waiting, ...lists.waiting],
      policies: [...known.policies, ...lists.policies],
      highWater: Math.max(known.highWater, highWater),
    }
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
        versions: this.#inside.versions ?? VERSIONS,
        notBefore,
        notAfter,
      },
      vault.hsm.identity,
    )
    if (this.#peers !== undefined) {
      this.#member!.announceEpoch(record)
      this.#peers.renew(keys, record)
      this.#member!.epochBegan(this.#peers.self)
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
        stored: this.#loaded,
        limits: this.#prepared.limits,
        poolSizes: this.#prepared.pools,
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

  readonly approve = async ({ approval }: Request<'approve'>): Promise<{ hash: Uint8Array }> => ({
    hash: await this.#active().member.approve(approval),
  })

  readonly listWaiting = ({ project }: Request<'listWaiting'>): { items: WaitingItem[] } => ({
    items: this.#active().member.listWaiting(project).slice(0, MAX_LISTED),
  })

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

  readonly backup = (o: Request<'backup'>): Promise<Made> => {
    const { vault } = this.#open()
    const { cluster, index } = this.#join()
    const { random, clock } = this.#ports
    return makeBackup({
      ...o,
      vault,
      wallets: this.#wallets,
      auxes: this.#auxes,
      cluster,
      index: partyId(index),
      random,
      now: clock.now(),
    })
  }

  readonly checkBackup = (o: Request<'checkBackup'>): OpenedSummary => checkBackup(o)

  readonly restore = (o: Request<'restore'>): RestoredState => {
    if (this.#joined !== undefined) throw new Fault('enclave/not-fresh')
    return restoreBackup({ ...o, vault: this.#open().vault })
  }

  readonly tellBackup = ({ to, head }: Request<'tellBackup'>): Record<string, never> => {
    // A node that does not run has nobody to tell, and tells everyone when it starts.
    this.#member?.tellBackup(to === 0 ? 'all' : partyId(to), head)
    return {}
  }

  readonly restoreStatus = (): {
    asking: readonly string[]
    unrefreshed: readonly string[]
  } => this.#member?.restoring ?? { asking: [], unrefreshed: [] }

  readonly status = (): {
    sessions: number
    peers: readonly number[]
    pools: PoolReport
  } => ({
    sessions: this.#member?.sessions ?? 0,
    peers: this.#peers?.present ?? [],
    pools: this.#member?.pools ?? { shelves: [], totals: [] },
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
    this.#loaded = NOTHING_LOADED
    this.#wallets = new Wallets()
    this.#auxes = new AuxStore(this.#ports.clock)
    return { isSealed: true }
  }
}

/**
 * Shares lie with the nodes of the first record: another machine takes the place of one only with the
 * shares out of its backup. @throws enclave/nodes-changed
 */
function checkNodes(chain: readonly ClusterRecord[]): void {
  for (const [i, next] of chain.entries()) {
    const before = chain[i - 1] ?? next
    const isSame =
      before.nodes.length === next.nodes.length &&
      before.nodes.every((old, at) => isSuccessor(old, next.nodes[at]!))
    if (!isSame) throw new Fault('enclave/nodes-changed')
  }
}

type NodeEntry = ClusterRecord['nodes'][number]

/** Whether `now` is the same machine with the same past, or one restored in its place. */
function isSuccessor(old: NodeEntry, now: NodeEntry): boolean {
  const isSameMachine = old.id === now.id && equalBytes(old.identityKey, now.identityKey)
  const isSamePast =
    old.restored === now.restored ||
    (old.restored !== undefined &&
      now.restored !== undefined &&
      equalBytes(old.restored.backup, now.restored.backup) &&
      old.restored.at === now.restored.at)
  if (isSameMachine) return isSamePast
  return now.restored !== undefined && !isSamePast && old.id !== now.id
}
