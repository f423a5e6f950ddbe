/**
 * A development cluster of real processes on unix sockets: each node a daemon with its signer
 * process, store and simulated HSM in a directory of its own. Tests kill, restart and restore them.
 */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  encodeRequest,
  type OperationJson,
  type PolicyChoice,
  type RequestBody,
  signRequest,
  type WalletJson,
} from '@quorate/api'
import { encodeClusterRecord, encodeSignedRecord, readNodeCard } from '@quorate/auth'
import { fromHex, type Id, newId, type Signer, toHex } from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'
import { QUICK_ECDSA, softwareKey } from '@quorate/enclave/testing'
import { joinCluster, makeCard, openLocal, signProposal } from '@quorate/node'
import { type Address, createLogger, systemClock, systemRandom } from '@quorate/platform'
import { chooseTemplate } from '@quorate/policy'
import { NodeClient } from '@quorate/sdk'
import { nodeConfigOf, type ProcessHsm } from './node-config.ts'
import { copyOf, endNode, launchNode, type ProcessNode } from './process-node.ts'
import { until } from './until.ts'

const SUITES = {
  'bitcoin-testnet4': 'FROST-secp256k1-SHA256-TR-v1',
  'solana-devnet': 'FROST-ED25519-SHA512-v1',
} as const
export type TestNetwork = keyof typeof SUITES

export const silent = createLogger({
  sink: { write: () => {} },
  clock: systemClock,
  level: 'error',
  format: 'json',
})

const SIMULATED: ProcessHsm = { config: { type: 'simulated', environment: 'development' } }

type Role = 'operator' | 'signer' | 'auditor'
export type ClientKey = { readonly client: Id<'cli'>; readonly signer: Signer }

export class ProcessCluster {
  readonly root: string
  readonly nodes: ProcessNode[]
  readonly keys: Record<Role, ClientKey>
  /** Both members of the group `treasurers`, which policies may ask. */
  readonly approvers: readonly ClientKey[]
  readonly admin: Signer = softwareKey()
  readonly project: Id<'prj'>
  cluster!: Uint8Array
  /** The signed cluster records from number 1. */
  chain!: readonly Uint8Array[]

  private constructor(
    size: number,
    tlsPorts: readonly number[] | undefined,
    hsm: (index: number) => ProcessHsm,
  ) {
    this.root = mkdtempSync(join(tmpdir(), 'qp-'))
    const mesh = (index: number): Address =>
      tlsPorts === undefined
        ? { path: join(this.root, `m${index}`) }
        : { host: '127.0.0.1', port: tlsPorts[index - 1]! }
    const indices = Array.from({ length: size }, (_, i) => i + 1)
    this.nodes = indices.map((index) => {
      const directory = join(this.root, `n${index}`)
      const peers = indices.filter((i) => i !== index).map((i) => ({ index: i, address: mesh(i) }))
      return {
        index,
        directory,
        config: {
          environment: 'development',
          directory,
          http: { socketPath: join(this.root, `a${index}`) },
          mesh: { listen: mesh(index), peers },
          hsm: hsm(index),
          backend: 'fastest',
          // Several clusters share two processors here.
          presignatures: 2,
        },
        child: undefined,
        pid: 0,
        signerPid: 0,
        log: [],
      }
    })
    const key = () => ({ client: newId('cli', Date.now(), systemRandom), signer: softwareKey() })
    this.keys = { operator: key(), signer: key(), auditor: key() }
    this.approvers = [key(), key()]
    this.project = newId('prj', Date.now(), systemRandom)
  }

  /** Enrols `size` nodes; starts those not in `leaveOut`. The mesh is on unix sockets, or TLS on loopback. */
  static async start(
    size = 3,
    o: {
      leaveOut?: readonly number[]
      isTls?: boolean
      hsm?: (index: number) => ProcessHsm
    } = {},
  ): Promise<ProcessCluster> {
    const tlsPorts = o.isTls === true ? await freePorts(size) : undefined
    const cluster = new ProcessCluster(size, tlsPorts, o.hsm ?? (() => SIMULATED))
    await cluster.#enrol()
    const started = cluster.nodes.filter(({ index }) => o.leaveOut?.includes(index) !== true)
    await Promise.all(started.map((node) => cluster.launch(node)))
    await cluster.untilConnected(started)
    return cluster
  }

  async #enrol(): Promise<void> {
    const locals = await Promise.all(
      this.nodes.map(({ config, directory }) => {
        mkdirSync(directory, { mode: 0o700 })
        return openLocal({ ...nodeConfigOf(config), logger: silent })
      }),
    )
    const cards = await Promise.all(locals.map((local, i) => makeCard(local, `node-${i + 1}`)))
    const now = Date.now()
    const entry = ({ client, signer }: ClientKey, role: Role | 'approver', name: string) => ({
      id: client,
      key: signer.publicKey,
      name,
      role,
      project: this.project,
      expiresAt: now + 86_400_000,
    })
    const record = encodeClusterRecord({
      v: 1,
      number: 1,
      name: 'test',
      environment: 'development',
      nodes: cards.map((card, i) => {
        const { id, identityKey } = readNodeCard(card, verifyEd25519)
        return { index: i + 1, id, identityKey, minCustody: 'software' }
      }),
      admins: [{ id: 'admin', key: this.admin.publicKey }],
      adminThreshold: 1,
      clients: [
        ...(Object.keys(this.keys) as Role[]).map((role) => entry(this.keys[role], role, role)),
        ...this.approvers.map((key, i) => ({
          ...entry(key, 'approver', `approver-${i + 1}`),
          groups: ['treasurers'],
        })),
      ],
      minProtocol: 1,
      hybrid: false,
      defaultPolicy: 'testnet-open',
      createdAt: now,
    })
    const signatures = await Promise.all(
      locals.map(async (local) => {
        const { index, signature } = await signProposal(local, record)
        return { by: { kind: 'node', value: index } as const, signature }
      }),
    )
    const signed = encodeSignedRecord({ record, signatures })
    this.chain = [signed]
    for (const local of locals) {
      this.cluster = (await joinCluster(local, signed)).cluster
      await local.close()
    }
  }

  /** As `launchNode`. */
  launch(...launched: Parameters<typeof launchNode>): Promise<void> {
    return launchNode(...launched)
  }

  /** As a loss of power would end it. */
  kill(node: ProcessNode): Promise<void> {
    return endNode(node, 'SIGKILL')
  }

  stop(node: ProcessNode): Promise<void> {
    return endNode(node, 'SIGTERM')
  }

  /** A copy of a node's whole directory, HSM included, and how to put it back. */
  snapshot(node: ProcessNode): () => void {
    return copyOf(node.directory, join(this.root, `copy-${node.index}-${Date.now()}`))
  }

  client(node: ProcessNode, roles: readonly Role[] = Object.keys(this.keys) as Role[]): NodeClient {
    return new NodeClient({
      endpoint: { socketPath: node.config.http.socketPath! },
      cluster: this.cluster,
      credentials: roles.map((role) => ({ ...this.keys[role], role, project: this.project })),
      clock: systemClock,
      random: systemRandom,
      sleep,
    })
  }

  /** Waits until each of `nodes` sees all the others of them. */
  async untilConnected(nodes: readonly ProcessNode[] = this.nodes): Promise<void> {
    await until(async () => {
      const seen = await Promise.all(nodes.map((node) => this.client(node).call('getStatus', {})))
      return seen.every(
        ({ peers }) =>
          peers.filter(({ state }) => state === 'connected').length >= nodes.length - 1,
      )
    })
  }

  walletBody(
    network: TestNetwork,
    o: { label?: string; threshold?: number; policy?: PolicyChoice } = {},
  ): RequestBody {
    const now = Date.now()
    return {
      kind: 'createWallet',
      value: {
        v: 1,
        requestId: newId('req', now, systemRandom),
        project: this.project,
        label: o.label ?? `w-${now}-${Math.floor(Math.random() * 1e6)}`,
        protocol: 'frost',
        suite: SUITES[network],
        network,
        threshold: o.threshold ?? Math.floor(this.nodes.length / 2) + 1,
        parties: this.nodes.length,
        policy: o.policy ?? chooseTemplate('testnet-open', {}),
        unsafeThreshold: false,
        createdAt: now,
        expiresAt: now + 60_000,
      },
    }
  }

  async createWallet(
    network: TestNetwork,
    at: ProcessNode = this.nodes[0]!,
    policy?: PolicyChoice,
  ): Promise<WalletJson> {
    const body = this.walletBody(network, policy && { policy })
    const { result } = await this.client(at).carryOut('createWallet', body)
    if (result?.kind !== 'createWallet') throw new Error('no wallet')
    return result.wallet
  }

  /** Its primes are short, so that it is there in seconds. */
  async createEcdsaWallet(at: ProcessNode = this.nodes[0]!): Promise<WalletJson> {
    const body = this.walletBody('solana-devnet')
    if (body.kind !== 'createWallet') throw new Error('another body')
    const suite = { protocol: 'cggmp24', suite: QUICK_ECDSA, network: 'ethereum-sepolia' } as const
    const { result } = await this.client(at).carryOut('createWallet', {
      ...body,
      value: { ...body.value, ...suite },
    })
    if (result?.kind !== 'createWallet') throw new Error('no wallet')
    return result.wallet
  }

  signBody(wallet: WalletJson, unsigned: Uint8Array, lifetimeMs = 60_000): RequestBody {
    const now = Date.now()
    return {
      kind: 'sign',
      value: {
        v: 1,
        requestId: newId('req', now, systemRandom),
        project: this.project,
        wallet: wallet.id as Id<'wal'>,
        generation: wallet.generation,
        network: wallet.network,
        unsigned,
        context: new Uint8Array(),
        path: [],
        policyHash: fromHex(wallet.policyHash),
        createdAt: now,
        expiresAt: now + lifetimeMs,
      },
    }
  }

  sign(
    wallet: WalletJson,
    unsigned: Uint8Array,
    at: ProcessNode = this.nodes[0]!,
  ): Promise<OperationJson> {
    return this.client(at).carryOut('signTransaction', this.signBody(wallet, unsigned))
  }

  /**
   * What comes of a request at that node, asked under a key of its own: under the request's, a node that died
   * says for a day that it was interrupted.
   */
  async askAnew(
    id: 'signTransaction' | 'changePolicy',
    body: RequestBody,
    at: ProcessNode,
  ): Promise<OperationJson> {
    const { client, signer } = this.keys[id === 'signTransaction' ? 'signer' : 'operator']
    const request = toHex(encodeRequest(await signRequest(signer, this.cluster, client, body)))
    const api = this.client(at)
    const asked = { body: { request }, idempotencyKey: toHex(systemRandom.bytes(16)) }
    return api.wait(
      id === 'changePolicy' && body.kind === 'changePolicy'
        ? await api.call(id, { ...asked, params: { walletId: body.value.wallet } })
        : await api.call('signTransaction', asked),
    )
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.kill(node)))
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
