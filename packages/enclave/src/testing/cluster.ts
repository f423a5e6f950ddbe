/**
 * A cluster of signers in one process: real HSM directories, real envelopes, real decisions; the
 * bus is a queue that a test can look into and interfere with, the disk a list of rows.
 */

import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeRequest, type RequestBody, type Role, signRequest } from '@quorate/api'
import {
  type ClusterClient,
  type ClusterRecord,
  encodeClusterRecord,
  encodeSignedRecord,
} from '@quorate/auth'
import { type Id, isFault, newId, parseId, type Signer as SigningKey, toHex } from '@quorate/base'
import { ManualTime, systemRandom } from '@quorate/platform'
import type { Outcome } from '../channel/outcomes.ts'
import type {
  AuditDraft,
  AuxRow,
  Change,
  LedgerRow,
  PolicyRow,
  PrimesRow,
  RequestRow,
  WaitingRow,
  WalletRow,
} from '../channel/rows.ts'
import { DEFAULT_LIMITS, type Limits } from '../signer-process/limits.ts'
import type { SignerPorts } from '../signer-process/ports.ts'
import { PROGRAMS } from '../signer-process/session-programs.ts'
import { inlineRunner } from '../signer-process/session-runner.ts'
import { Signer } from '../signer-process/signer.ts'
import { publishedPrimes } from './primes.ts'

export type Wire = { readonly from: number; readonly to: number; readonly envelope: Uint8Array }
/** What becomes of an envelope on its way: any number of envelopes instead of it. */
export type Tamper = (wire: Wire) => readonly Wire[]

export type Client = {
  readonly id: Id<'cli'>
  readonly key: SigningKey
  readonly project: Id<'prj'>
}

export function softwareKey(): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return {
    scheme: 'ed25519',
    publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)),
    sign: (message) => Promise.resolve(new Uint8Array(sign(null, message, privateKey))),
  }
}

type Disk = {
  secrets: Uint8Array | null
  keys: Uint8Array | null
  readonly storeId: string
  rows: Map<string, WalletRow>
  aux: Map<string, AuxRow>
  primes: Map<string, PrimesRow>
  burnt: Uint8Array[]
  requests: Map<string, RequestRow>
  ledger: Map<string, LedgerRow>
  highWaters: Map<string, number>
  waiting: Map<string, WaitingRow>
  policies: Map<string, PolicyRow>
  audit: AuditDraft[]
}

/** How long a node may take with a message, by the true clock, before others arrive beside it. */
const PATIENCE_MS = 1_000

const rowKey = (ref: { wallet: string; generation: number; sid: Uint8Array }): string =>
  `${ref.wallet}/${ref.generation}/${Buffer.from(ref.sid).toString('hex')}`

export class TestNode {
  readonly index: number
  readonly directory: string
  readonly disk: Disk
  /** Evidence files that it kept. */
  readonly evidence: { sid: Uint8Array; file: Uint8Array }[] = []
  /** What it told of its progress. */
  readonly phases: string[] = []
  /** Hashes of requests that need not wait any more, in hex. */
  readonly woken: string[] = []
  /** What it announces in place of this build's protocol versions. */
  versions: { readonly min: number; readonly max: number } | undefined
  /** Sets of primes that were made for it. */
  readonly primesMade = { count: 0 }
  readonly log: { level: string; event: string; fields: Record<string, unknown> }[] = []
  signer!: Signer
  identity!: Awaited<ReturnType<Signer['open']>>
  epoch!: Uint8Array
  isUp = false
  /** Resolves when it is killed. */
  killed: Promise<void> = Promise.resolve()
  /** Resolves `killed`. */
  end: () => void = () => {}
  bootId = systemRandom.bytes(16)
  /** Called before a `persist` takes effect; may throw to fail it, or take the node down. */
  beforePersist: (changes: readonly Change[]) => void = () => {}

  constructor(index: number, directory: string, now: number) {
    this.index = index
    this.directory = directory
    this.disk = {
      secrets: null,
      keys: null,
      storeId: newId('sto', now, systemRandom),
      rows: new Map(),
      aux: new Map(),
      primes: new Map(),
      burnt: [],
      requests: new Map(),
      ledger: new Map(),
      highWaters: new Map(),
      waiting: new Map(),
      policies: new Map(),
      audit: [],
    }
  }

  apply(change: Change): void {
    const { rows, aux, primes, burnt, requests, ledger, highWaters, waiting, policies } = this.disk
    switch (change.kind) {
      case 'burn':
        burnt.push(change.value.sid)
        break
      case 'putPending':
        rows.set(rowKey(change.value), change.value)
        break
      case 'activate': {
        const { ref, receipts } = change.value
        const active: WalletRow = { ...rows.get(rowKey(ref))!, state: 'active', receipts }
        for (const [name, { wallet }] of rows) if (wallet === ref.wallet) rows.delete(name)
        rows.set(rowKey(ref), active)
        break
      }
      case 'drop':
        rows.delete(rowKey(change.value))
        break
      case 'prove': {
        const { ref, proof } = change.value
        rows.set(rowKey(ref), { ...rows.get(rowKey(ref))!, proof })
        break
      }
      case 'putAux':
        aux.set(toHex(change.value.digest), change.value)
        break
      case 'dropAux':
        aux.delete(toHex(change.value.digest))
        break
      case 'putPrimes':
        primes.set(toHex(change.value.id), change.value)
        break
      case 'takePrimes':
        if (!primes.delete(toHex(change.value.id))) throw new Error('these primes are gone')
        break
      case 'putRequest':
        requests.set(toHex(change.value.hash), change.value)
        break
      case 'answerRequest': {
        const { hash, answer } = change.value
        const row = requests.get(toHex(hash))
        if (row !== undefined) requests.set(toHex(hash), { ...row, answer })
        break
      }
      case 'putLedger':
        ledger.set(toHex(change.value.session), change.value)
        break
      case 'raiseHighWater':
        highWaters.set(change.value.wallet, change.value.time)
        break
      case 'putWaiting':
        waiting.set(toHex(change.value.hash), change.value)
        break
      case 'dropWaiting':
        waiting.delete(toHex(change.value.hash))
        break
      case 'putPolicy':
        policies.set(`${change.value.wallet}/${change.value.version}`, change.value)
        break
    }
  }
}

const entryOf = ({ id, key, project }: Client, role: Role, now: number): ClusterClient => ({
  id,
  key: key.publicKey,
  name: role,
  role,
  project,
  expiresAt: now + 30 * 24 * 3_600_000,
})

export class TestCluster {
  readonly time = new ManualTime(1_760_000_000_000)
  readonly root = mkdtempSync(join(tmpdir(), 'quorate-enclave-'))
  readonly nodes: TestNode[]
  readonly clients: { operator: Client; signer: Client; auditor: Client }
  /** Members of the group `treasurers`. */
  readonly approvers: readonly Client[]
  readonly admin: SigningKey = softwareKey()
  readonly wires: Wire[] = []
  /** Envelopes sent so far. */
  sent = 0
  chain: Uint8Array[] = []
  clusterId!: Uint8Array
  tamper: Tamper = (wire) => [wire]
  /** What nodes that start from now on make ahead; nothing unless a test is about it. */
  pools = { nonces: 0, presignatures: 0 }
  /** Of every node that joins from now on. */
  limits: Partial<Limits> = {}

  constructor(size: number) {
    this.nodes = Array.from(
      { length: size },
      (_, i) => new TestNode(i + 1, join(this.root, `hsm-${i + 1}`), this.time.now()),
    )
    const project = newId('prj', this.time.now(), systemRandom)
    const client = (): Client => ({
      id: newId('cli', this.time.now(), systemRandom),
      key: softwareKey(),
      project,
    })
    this.clients = { operator: client(), signer: client(), auditor: client() }
    this.approvers = [client(), client(), client()]
  }

  static async start(
    size = 3,
    pools: TestCluster['pools'] = { nonces: 0, presignatures: 0 },
  ): Promise<TestCluster> {
    const cluster = new TestCluster(size)
    cluster.pools = pools
    for (const node of cluster.nodes) await cluster.boot(node)
    await cluster.#enrol()
    for (const node of cluster.nodes) await cluster.join(node)
    cluster.connect()
    await cluster.settle()
    return cluster
  }

  async boot(node: TestNode): Promise<void> {
    node.bootId = systemRandom.bytes(16)
    node.killed = new Promise((resolve) => {
      node.end = resolve
    })
    const ports: SignerPorts = {
      clock: this.time,
      timers: this.time,
      random: systemRandom,
      logger: {
        log: (level, event, fields = {}) => node.log.push({ level, event, fields }),
        with() {
          return this
        },
      },
      send: (to, envelope) => {
        if (!node.isUp) return
        this.sent++
        this.wires.push({ from: node.index, to, envelope })
      },
      persist: async (changes, audit) => {
        node.beforePersist(changes)
        if (!node.isUp) await new Promise(() => {})
        for (const change of changes) node.apply(change)
        node.disk.audit.push(...audit)
      },
      anchored: () => {},
      backupTold: () => {},
      wake: (hash) => void node.woken.push(toHex(hash)),
      progress: (_, phase) => void node.phases.push(phase),
      evidence: async (sid, file) => void node.evidence.push({ sid, file }),
    }
    // On this thread, so that a test runs in the same order every time.
    node.signer = new Signer(ports, {
      run: inlineRunner(systemRandom, PROGRAMS),
      makePrimes: publishedPrimes(node.index, node.primesMade),
      ...(node.versions !== undefined && { versions: node.versions }),
    })
    node.identity = await node.signer.open({
      environment: 'development',
      hsm: { type: 'simulated', environment: 'development', directory: node.directory },
      pin: null,
      keyLabel: null,
      identityLabel: null,
      keys: node.disk.keys,
      storeId: node.disk.storeId,
      sealedSecrets: node.disk.secrets,
      bootId: node.bootId,
    })
    node.disk.secrets = node.identity.sealedSecrets
    node.disk.keys = node.identity.keys
    node.isUp = true
  }

  async #enrol(): Promise<void> {
    const now = this.time.now()
    const roles = Object.entries(this.clients) as [Role, Client][]
    const record: ClusterRecord = {
      v: 1,
      number: 1,
      name: 'test',
      environment: 'development',
      nodes: this.nodes.map(({ index, identity }) => ({
        index,
        id: parseId('nod', identity.nodeId),
        identityKey: identity.identityKey,
        minCustody: 'software',
      })),
      admins: [{ id: 'admin', key: this.admin.publicKey }],
      adminThreshold: 1,
      clients: [
        ...roles.map(([role, client]) => entryOf(client, role, now)),
        ...this.approvers.map((client) => ({
          ...entryOf(client, 'approver', now),
          groups: ['treasurers'],
        })),
      ],
      minProtocol: 1,
      hybrid: false,
      defaultPolicy: 'testnet-open',
      createdAt: now,
    }
    const encoded = encodeClusterRecord(record)
    const signatures = await Promise.all(
      this.nodes.map(async ({ signer, index }) => ({
        by: { kind: 'node', value: index } as const,
        signature: (await signer.signRecord({ record: encoded })).signature,
      })),
    )
    this.chain = [encodeSignedRecord({ record: encoded, signatures })]
  }

  async join(node: TestNode): Promise<void> {
    const { cluster } = node.signer.join({ chain: this.chain })
    this.clusterId = cluster
    const { rows, aux, primes, burnt, requests, ledger, highWaters, waiting, policies } = node.disk
    node.signer.load({
      rows: [...rows.values()],
      burnt,
      aux: [...aux.values()],
      primes: [...primes.values()],
      requests: [...requests.values()],
      ledger: [...ledger.values()],
      highWaters: [...highWaters].map(([wallet, time]) => ({ wallet, time })),
      waiting: [...waiting.values()],
      policies: [...policies.values()],
      highWater: 0,
    })
    const limits: Limits = { ...DEFAULT_LIMITS, ...this.limits }
    const { pools } = this
    await node.signer.prepare({ backend: 'fastest', primesAhead: 1, limits, pools })
    node.epoch = (await node.signer.epoch({ tlsFingerprint: null })).record
  }

  /** Introduces all nodes that are up to each other; those that speak no common version stay strangers. */
  connect(): void {
    for (const a of this.nodes)
      for (const b of this.nodes)
        try {
          if (a !== b && a.isUp && b.isUp) a.signer.peer({ record: b.epoch })
        } catch (error) {
          if (!isFault(error, 'auth/version-mismatch')) throw error
        }
  }

  /** As kill -9: what was in memory is gone, what was on disk stays. */
  kill(node: TestNode): void {
    node.isUp = false
    node.end()
    for (const other of this.nodes) if (other.isUp) other.signer.peerGone({ index: node.index })
  }

  async restart(node: TestNode): Promise<void> {
    await this.boot(node)
    await this.join(node)
    this.connect()
  }

  /** Delivers what is under way until nothing is. */
  async settle(): Promise<void> {
    for (let idle = 0; idle < 20; ) {
      const wire = this.wires.shift()
      if (wire === undefined) {
        idle++
        await new Promise((resolve) => setImmediate(resolve))
        continue
      }
      idle = 0
      for (const each of this.tamper(wire)) await this.arrive(each)
    }
  }

  /** Lets a message arrive, and its node be done with it, if it can be without anything else happening. */
  async arrive({ to, envelope }: Wire): Promise<void> {
    const node = this.nodes[to - 1]
    if (node?.isUp !== true) return
    let timer: NodeJS.Timeout | undefined
    // A node may wait for what another message, or the time that tests move, will bring.
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS)
    })
    // One that is killed while it works never answers.
    await Promise.race([node.signer.deliver({ envelope }), node.killed, late])
    clearTimeout(timer)
  }

  /** A request signed by a client, as bytes. */
  async request(client: Client, body: RequestBody): Promise<Uint8Array> {
    return encodeRequest(await signRequest(client.key, this.clusterId, client.id, body))
  }

  /** Submits at `node` and delivers until it has ended one way or the other. */
  async submit(node: TestNode, request: Uint8Array): Promise<Outcome> {
    let isOver = false
    const outcome = node.signer.submit({ request }).finally(() => {
      isOver = true
    })
    outcome.catch(() => undefined)
    for (let turn = 0; !isOver && turn < 200; turn++) {
      await this.settle()
      if (!isOver) this.time.advance(1_000)
    }
    return outcome
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}
