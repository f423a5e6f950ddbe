/**
 * A production cluster on this machine for as long as a bench lasts: each node a daemon with its
 * signer process in a directory of its own, joined by a NATS server or by TLS on loopback, with the
 * settings that a node has unless it is told otherwise. Only the HSM is a simulated one: no signature
 * asks it for anything.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { MAX_LIFETIME_MS, type RequestBody, type Role, type WalletJson } from '@quorate/api'
import {
  type AcceptedRecord,
  acceptChain,
  encodeClusterRecord,
  encodeSignedRecord,
  readNodeCard,
} from '@quorate/auth'
import { type Id, isFault, newId, type Signer } from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'
import { joinCluster, makeCard, type NodeConfig, openLocal, signProposal } from '@quorate/node'
import { createLogger, systemClock, systemRandom } from '@quorate/platform'
import { NodeClient } from '@quorate/sdk'
import { type NatsServer, startNats } from './nats-server.ts'

const MAIN = fileURLToPath(new URL('./node-main.js', import.meta.url))
const YEAR_MS = 365 * 86_400_000
const SILENT = createLogger({
  sink: { write: () => {} },
  clock: systemClock,
  level: 'error',
  format: 'json',
})
const ROLES = ['operator', 'signer', 'auditor'] as const

const MAX_KEYGENS = 3

type WalletFacts = Pick<
  Extract<RequestBody, { kind: 'createWallet' }>['value'],
  'protocol' | 'suite' | 'network' | 'policy' | 'threshold'
>

/** What joins the nodes. */
export type BenchBus = 'nats' | 'mesh'

export type BenchNode = {
  readonly config: NodeConfig
  readonly child: ChildProcess
  readonly pid: number
  readonly signerPid: number
}

function softwareKey(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return {
    scheme: 'ed25519',
    publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)),
    sign: (message) => Promise.resolve(new Uint8Array(sign(null, message, privateKey))),
  }
}

export class BenchCluster {
  readonly root: string = mkdtempSync(join(tmpdir(), 'quorate-bench-'))
  readonly project: Id<'prj'> = newId('prj', Date.now(), systemRandom)
  readonly #keys = ROLES.map((role) => ({
    role: role as Role,
    client: newId('cli', Date.now(), systemRandom),
    signer: softwareKey(),
  }))
  nodes: readonly BenchNode[] = []
  record!: AcceptedRecord
  /** What joins them, where that is a process of its own. */
  nats: NatsServer | undefined

  /** Enrols `size` nodes and starts them. */
  static async start(
    size: number,
    bus: BenchBus,
    settings: Pick<NodeConfig, 'nonces' | 'presignatures'> = {},
  ): Promise<BenchCluster> {
    const cluster = new BenchCluster()
    try {
      if (bus === 'nats') {
        const [port] = await freePorts(1)
        cluster.nats = await startNats(port!, join(cluster.root, 'nats'))
      }
      const configs = (await cluster.#configs(size)).map((each) => ({ ...each, ...settings }))
      await cluster.#enrol(configs)
      cluster.nodes = await Promise.all(configs.map((config) => cluster.#launch(config)))
      await cluster.#untilConnected()
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  async #configs(size: number): Promise<readonly NodeConfig[]> {
    const { nats } = this
    const addresses = (await freePorts(size)).map((port) => ({ host: '127.0.0.1', port }))
    return addresses.map((listen, i): NodeConfig => {
      const directory = join(this.root, `n${i + 1}`)
      mkdirSync(directory, { mode: 0o700 })
      const peers = addresses.flatMap((address, j) => (j === i ? [] : [{ index: j + 1, address }]))
      return {
        environment: 'production',
        directory,
        http: { socketPath: join(this.root, `a${i + 1}`) },
        mesh: { listen, peers },
        ...(nats !== undefined && {
          transport: {
            bus: 'nats',
            nats: { urls: [nats.url], prefix: 'bench', queue: { keygen: 2, sign: 20 } },
            discovery: 'static',
          },
        }),
        hsm: {
          config: {
            type: 'simulated',
            environment: 'production',
            allowSimulatedInProduction: true,
          },
        },
        backend: 'fastest',
      }
    })
  }

  async #enrol(configs: readonly NodeConfig[]): Promise<void> {
    const locals = await Promise.all(
      configs.map((config) => openLocal({ ...config, logger: SILENT })),
    )
    const cards = await Promise.all(locals.map((local, i) => makeCard(local, `node-${i + 1}`)))
    const now = Date.now()
    const record = encodeClusterRecord({
      v: 1,
      number: 1,
      name: 'bench',
      environment: 'production',
      nodes: cards.map((card, i) => {
        const { id, identityKey } = readNodeCard(card, verifyEd25519)
        return { index: i + 1, id, identityKey, minCustody: 'software' }
      }),
      admins: [{ id: 'admin', key: softwareKey().publicKey }],
      adminThreshold: 1,
      clients: this.#keys.map(({ client, signer, role }) => ({
        id: client,
        key: signer.publicKey,
        name: role,
        role,
        project: this.project,
        expiresAt: now + YEAR_MS,
      })),
      minProtocol: 1,
      hybrid: false,
      defaultPolicy: 'allow-list',
      createdAt: now,
    })
    const signatures = await Promise.all(
      locals.map(async (local) => {
        const { index, signature } = await signProposal(local, record)
        return { by: { kind: 'node', value: index } as const, signature }
      }),
    )
    const signed = encodeSignedRecord({ record, signatures })
    for (const local of locals) {
      await joinCluster(local, signed)
      await local.close()
    }
    this.record = acceptChain([{ record, signatures }], { verify: verifyEd25519 })
  }

  async #launch(config: NodeConfig): Promise<BenchNode> {
    const profiles = process.env['QUORATE_BENCH_PROFILE']
    // The signer inherits them. A sample each millisecond, as usual, would keep idle nodes from being idle.
    const options =
      profiles === undefined
        ? []
        : ['--cpu-prof', '--cpu-prof-interval=4000', `--cpu-prof-dir=${profiles}`]
    // Of its own, so that what is logged costs this process nothing.
    const log = openSync(join(config.directory, 'node.log'), 'w', 0o600)
    const child = spawn(process.execPath, [...options, MAIN, JSON.stringify(config)], {
      stdio: ['ignore', 'pipe', log],
    })
    closeSync(log)
    const first: readonly unknown[] = await Promise.race([
      once(createInterface({ input: child.stdout! }), 'line'),
      once(child, 'exit').then(() => {
        throw new Error('a node ended before it served')
      }),
    ])
    return {
      config,
      child,
      ...(JSON.parse(String(first[0])) as { pid: number; signerPid: number }),
    }
  }

  /** A client at the node of that index, from 0. */
  client(node: number): NodeClient {
    const { cluster } = this.record
    return new NodeClient({
      endpoint: { socketPath: this.nodes[node]!.config.http.socketPath! },
      cluster,
      credentials: this.#keys.map((key) => ({ ...key, project: this.project })),
      clock: systemClock,
      random: systemRandom,
      sleep,
    })
  }

  /** The sum of a metric over all nodes, of all its lines that hold `labels`. */
  async metric(name: string, labels: string): Promise<number> {
    const all = await Promise.all(
      this.nodes.map(({ config }) => text(config.http.socketPath!, '/metrics')),
    )
    const lines = all.flatMap((each) => each.split('\n'))
    return lines
      .filter((line) => line.startsWith(`quorate_${name}{`) && line.includes(labels))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  async #untilConnected(): Promise<void> {
    const clients = this.nodes.map((_, i) => this.client(i))
    for (;;) {
      const all = await Promise.all(clients.map((client) => client.call('getStatus', {})))
      const isConnected = all.every(({ peers }) =>
        peers.every(({ state }) => state === 'connected'),
      )
      if (isConnected) return
      await sleep(50)
    }
  }

  /** Makes a wallet. What makes it can outlive its request on a slow machine; the next one then finds the auxiliary information made. */
  async createWallet(about: WalletFacts): Promise<WalletJson> {
    for (let attempt = 1; ; attempt++)
      try {
        return await this.#createWallet(about)
      } catch (error) {
        if (attempt === MAX_KEYGENS || !isFault(error, 'api/expired')) throw error
      }
  }

  async #createWallet(about: WalletFacts): Promise<WalletJson> {
    const now = Date.now()
    const { result } = await this.client(0).carryOut('createWallet', {
      kind: 'createWallet',
      value: {
        v: 1,
        requestId: newId('req', now, systemRandom),
        project: this.project,
        label: newId('req', now, systemRandom),
        parties: this.nodes.length,
        unsafeThreshold: about.threshold < Math.floor(this.nodes.length / 2) + 1,
        createdAt: now,
        expiresAt: now + MAX_LIFETIME_MS,
        ...about,
      },
    })
    if (result?.kind !== 'createWallet') throw new Error('no wallet was made')
    return result.wallet
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.nodes.map(async ({ child }) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        child.kill('SIGTERM')
        await once(child, 'exit')
      }),
    )
    await this.nats?.stop()
    if (process.env['QUORATE_BENCH_KEEP'] === undefined)
      rmSync(this.root, { recursive: true, force: true })
  }
}

function text(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path, headers: { host: 'localhost' } }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => resolve(Buffer.concat(chunks).toString()))
    }).on('error', reject)
  })
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
