/**
 * A production cluster under load: nodes in processes of their own, each a daemon and a signer, over a
 * NATS server, with policy, audit and flushing to disk as a node has them unless told otherwise. Clients
 * ask all nodes in turn, one signature after another, and check every answer and its receipts.
 *
 *   throughput   signatures a second, sustained
 *   p99          of all signatures, from asking to the checked answer
 *   cpu          processor time of all processes and the clients for one signature
 *
 * On a machine that other programs use, only the last says much.
 *
 * QUORATE_BENCH_SECONDS (60), QUORATE_BENCH_CLIENTS (12), QUORATE_BENCH_ONLY (part of a name),
 * QUORATE_BENCH_WARM_UP (20 s), QUORATE_BENCH_PRESIGNATURES (64, for each coordinator and signer set), QUORATE_BENCH_PROFILE (a
 * directory: profiles of every process).
 *
 * Each waits until the pools are full, which takes minutes for ECDSA and is reported. Then, after a while of FROST, that
 * one signs three tenths of what is there to warm up and as many to be measured, each in one go, while
 * making more waits: what is made meanwhile is reported.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { WalletJson } from '@quorate/api'
import { buildEvmTransfer, buildSolanaTransfer } from '@quorate/chains'
import { chooseBackends } from '@quorate/math/native'
import { chooseTemplate } from '@quorate/policy'
import { type Bench, type Row, row } from '../report.ts'
import { type CpuBook, cpuOf, memoryOf, spentSince, totalOf } from './cpu.ts'
import { type Load, type Measured, runLoad } from './load.ts'
import { type BenchBus, BenchCluster } from './nodes.ts'

const SECONDS = Number(process.env['QUORATE_BENCH_SECONDS'] ?? 60)
const CLIENTS = Number(process.env['QUORATE_BENCH_CLIENTS'] ?? 12)
const WARM_UP_MS = Number(process.env['QUORATE_BENCH_WARM_UP'] ?? 20) * 1000
/** As a node has them unless told otherwise. */
const NONCES = 256
const PRESIGNATURES = Number(process.env['QUORATE_BENCH_PRESIGNATURES'] ?? 64)

/** What each protocol signs from, how many are wanted of each coordinator and signer set, and how full is full. */
const POOL = { frost: 'nonces', cggmp24: 'presignatures' } as const
const WANTED = { frost: NONCES, cggmp24: PRESIGNATURES } as const
/** Nonces are made again from below half of what is wanted. */
const FILLED = { frost: 0.5, cggmp24: 0.99 } as const

type Kind = {
  readonly name: string
  readonly protocol: 'frost' | 'cggmp24'
  readonly suite: string
  readonly network: string
  readonly recipient: string
  readonly asset: string
  make(wallet: WalletJson, n: number): Uint8Array
}

const FROST: Kind = {
  name: 'frost-ed25519',
  protocol: 'frost',
  suite: 'FROST-ED25519-SHA512-v1',
  network: 'solana-devnet',
  recipient: 'Vote111111111111111111111111111111111111111',
  asset: 'SOL',
  make: ({ address }, n) =>
    buildSolanaTransfer({
      from: address,
      to: 'Vote111111111111111111111111111111111111111',
      lamports: BigInt(1 + n),
      lifetime: { blockhash: 'SysvarC1ock11111111111111111111111111111111' },
    }).unsigned,
}

const KINDS: readonly Kind[] = [
  FROST,
  {
    name: 'ecdsa-online',
    protocol: 'cggmp24',
    suite: 'CGGMP24-secp256k1-SHA256-128-v1',
    network: 'ethereum-sepolia',
    recipient: '0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB',
    asset: 'ETH',
    make: (_, n) =>
      buildEvmTransfer({
        network: 'ethereum-sepolia',
        to: '0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB',
        amount: 1n,
        nonce: BigInt(n),
        fees: { maxFeePerGas: 30n * 10n ** 9n, maxPriorityFeePerGas: 10n ** 9n },
      }).unsigned,
  },
]
type Shape = { readonly threshold: number; readonly parties: number; readonly bus: BenchBus }
const SHAPES: readonly Shape[] = [
  { threshold: 2, parties: 3, bus: 'nats' },
  { threshold: 3, parties: 5, bus: 'nats' },
  { threshold: 2, parties: 3, bus: 'mesh' },
]
/** Of the presignatures there are; another burst of as many has warmed up. So few that none has to be made in haste. */
const BURST_PART = 0.3
const KEYGEN_MS = 15_000

export const cluster: Bench = {
  about: `Production nodes under load: policy, audit and fsync on, ${CLIENTS} clients for ${SECONDS} s`,
  async *run() {
    await chooseBackends()
    for (const shape of SHAPES) {
      const { threshold, parties, bus } = shape
      const of = `${bus === 'nats' ? '' : `${bus}-`}${threshold}-of-${parties}`
      const chosen = KINDS.map((kind) => ({ kind, prefix: `cluster/${kind.name}/${of}` })).filter(
        ({ prefix }) => prefix.includes(process.env['QUORATE_BENCH_ONLY'] ?? ''),
      )
      if (chosen.length === 0) continue
      const ahead = { nonces: NONCES, presignatures: PRESIGNATURES }
      const nodes = await BenchCluster.start(parties, bus, ahead)
      try {
        for (const { kind, prefix } of chosen) yield* measure(nodes, prefix, kind, shape)
      } finally {
        await nodes.stop()
      }
    }
  },
}

async function* measure(
  nodes: BenchCluster,
  prefix: string,
  kind: Kind,
  { threshold, parties }: Shape,
): AsyncIterable<Row> {
  const { protocol } = kind
  const load = await loadOf(nodes, kind, threshold)
  const warm = await runLoad({ ...load, forMs: WARM_UP_MS })
  note(`${prefix}: ${warm.latencies.length} to warm up`)
  const made = WANTED[protocol] * parties * choose(parties - 1, threshold - 1)
  yield row(`${prefix}/fill`, await untilFilled(nodes, protocol, made * threshold))
  await untilIdle(nodes)
  const isBurst = protocol === 'cggmp24'
  const most = isBurst ? Math.floor(BURST_PART * made) : Number.POSITIVE_INFINITY
  if (isBurst) {
    // A burst lasts seconds: first another protocol, which can sign as long as it takes, has what both run compiled.
    await runLoad({ ...(await loadOf(nodes, FROST, threshold)), forMs: WARM_UP_MS })
    await untilIdle(nodes)
    // What was signed before was signed without a pool.
    await runLoad({ ...load, forMs: SECONDS * 1000, most })
  }
  const records = await auditRecords(nodes)
  const held = memory(nodes)
  const pooledBefore = await pooled(nodes, protocol)
  const before = books(nodes)
  const told = progress(prefix, nodes)
  const measured = await runLoad({ ...load, forMs: SECONDS * 1000, most, done: told.done })
  told.stop()
  const done = measured.latencies.length
  yield { name: `${prefix}/throughput`, value: rate(measured), unit: 'per s' }
  yield row(`${prefix}/p50`, quantile(measured.latencies, 0.5))
  yield row(`${prefix}/p99`, quantile(measured.latencies, 0.99))
  yield* costs(prefix, before, books(nodes), done)
  const written = (await auditRecords(nodes)) - records
  note(
    `${prefix}: ${done} signatures, ${written} audit records, failures ${JSON.stringify([...measured.failures])}`,
  )
  const pooledAfter = await pooled(nodes, protocol)
  const [used, filled] = pooledAfter.map((count, i) => count - pooledBefore[i]!)
  note(
    `${prefix}: ${used} of ${done * threshold} shares from the pools, which got ${filled} more meanwhile`,
  )
  note(`${prefix}: memory in MiB (daemon, signer) ${held} -> ${memory(nodes)}`)
  if (protocol === 'frost') yield* keygenMeanwhile(nodes, prefix, kind, threshold, load)
}

/** Signatures with a new wallet. */
async function loadOf(
  nodes: BenchCluster,
  kind: Kind,
  threshold: number,
): Promise<Omit<Load, 'forMs'>> {
  const wallet = await createWallet(nodes, kind, threshold)
  const make = (n: number): Uint8Array => kind.make(wallet, n)
  return { cluster: nodes, wallet, make, clients: CLIENTS }
}

const createWallet = (
  nodes: BenchCluster,
  { protocol, suite, network, recipient, asset }: Kind,
  threshold: number,
): Promise<WalletJson> =>
  nodes.createWallet({
    protocol,
    suite,
    network,
    threshold,
    policy: chooseTemplate('allow-list', {
      networks: [network],
      recipients: [recipient],
      maxAmount: { [asset]: '1000000000000000000' },
      maxFee: { [asset]: '1000000000000000000' },
    }),
  })

/** Where the time of the processors went, for one signature. */
function* costs(prefix: string, before: Books, after: Books, done: number): Iterable<Row> {
  const clientMs = after.clientMs - before.clientMs
  const natsMs = totalOf(spentSince(before.nats, after.nats))
  const spent = before.nodes.map((each, i) => ({
    daemon: spentSince(each.daemon, after.nodes[i]!.daemon),
    signer: spentSince(each.signer, after.nodes[i]!.signer),
  }))
  const nodesMs = sum(spent.map(({ daemon, signer }) => totalOf(daemon) + totalOf(signer)))
  yield row(`${prefix}/cpu`, (clientMs + natsMs + nodesMs) / done)
  yield row(`${prefix}/cpu-clients`, clientMs / done)
  yield row(`${prefix}/cpu-nats`, natsMs / done)
  for (const part of ['daemon', 'signer'] as const)
    for (const thread of ['main', 'others'])
      yield row(
        `${prefix}/cpu-${part}s-${thread}`,
        sum(spent.map((each) => each[part][thread] ?? 0)) / done,
      )
}

/** One key generation after the other under the same load. */
async function* keygenMeanwhile(
  nodes: BenchCluster,
  prefix: string,
  kind: Kind,
  threshold: number,
  load: Omit<Load, 'forMs'>,
): AsyncIterable<Row> {
  let isOver = false
  const signing = runLoad({ ...load, forMs: KEYGEN_MS }).finally(() => {
    isOver = true
  })
  const times: number[] = []
  while (!isOver) {
    const begun = performance.now()
    await createWallet(nodes, kind, threshold)
    times.push(performance.now() - begun)
  }
  const measured = await signing
  yield row(`${prefix}/keygen-while-signing`, quantile(times, 0.5))
  note(
    `${prefix}: ${times.length} keys made while ${rate(measured)} per s were signed, p99 ${Math.round(quantile(measured.latencies, 0.99))} ms, failures ${JSON.stringify([...measured.failures])}`,
  )
}

const choose = (n: number, k: number): number => (k === 0 ? 1 : (n * choose(n - 1, k - 1)) / k)

/**
 * Milliseconds until the nodes hold as many of so many parts of nonces or presignatures as they do where
 * nothing is signed.
 */
async function untilFilled(
  nodes: BenchCluster,
  protocol: Kind['protocol'],
  parts: number,
): Promise<number> {
  const begun = performance.now()
  for (;;) {
    const free = await nodes.metric('pool_items', `kind="${POOL[protocol]}",state="free"`)
    if (free >= FILLED[protocol] * parts) return performance.now() - begun
    note(`${free} of ${parts} parts of ${POOL[protocol]}`)
    await sleep(5_000)
  }
}

const IDLE_LOOK_MS = 2_000
/** Of one processor, all nodes together. */
const IDLE_PART = 0.2

/** Until nothing is made ahead any more: primes for the next auxiliary information are, after each. */
async function untilIdle(nodes: BenchCluster): Promise<void> {
  for (;;) {
    const before = nodesMs(nodes)
    await sleep(IDLE_LOOK_MS)
    const part = (nodesMs(nodes) - before) / IDLE_LOOK_MS
    if (part < IDLE_PART) return
    note(`the nodes still use ${part.toFixed(1)} processors`)
  }
}

const note = (text: string): void => void process.stderr.write(`  ${text}\n`)
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
const rate = ({ latencies, elapsedMs }: Measured): number =>
  Math.round((latencies.length / elapsedMs) * 10_000) / 10

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

/** What every process has spent so far. */
type Books = {
  readonly nodes: readonly { readonly daemon: CpuBook; readonly signer: CpuBook }[]
  readonly nats: CpuBook
  readonly clientMs: number
}

function books({ nodes, nats }: BenchCluster): Books {
  const { user, system } = process.cpuUsage()
  return {
    nodes: nodes.map(({ pid, signerPid }) => ({ daemon: cpuOf(pid), signer: cpuOf(signerPid) })),
    nats: nats === undefined ? {} : cpuOf(nats.pid),
    clientMs: (user + system) / 1000,
  }
}

const memory = ({ nodes }: BenchCluster): string =>
  nodes.map(({ pid, signerPid }) => `${memoryOf(pid)}+${memoryOf(signerPid)}`).join(' ')

/** Parts of nonces or presignatures that all nodes have used so far, and made. */
async function pooled(nodes: BenchCluster, protocol: Kind['protocol']): Promise<readonly number[]> {
  const counts = ['used', 'made'].map((what) =>
    nodes.metric('pool_items_total', `kind="${POOL[protocol]}",what="${what}"`),
  )
  return Promise.all(counts)
}

const MINUTE_MS = 60_000

/** Tells each minute how fast it goes, what it costs and what is held. */
function progress(
  prefix: string,
  nodes: BenchCluster,
): { done(latencyMs: number): void; stop(): void } {
  let latencies: number[] = []
  let spent = nodesMs(nodes)
  const timer = setInterval(() => {
    const now = nodesMs(nodes)
    const count = latencies.length
    note(
      `${prefix}: ${(count / (MINUTE_MS / 1000)).toFixed(1)} per s, p99 ${Math.round(quantile(latencies, 0.99))} ms, ` +
        `${((now - spent) / count).toFixed(2)} ms of the nodes' CPU each, memory ${memory(nodes)}`,
    )
    spent = now
    latencies = []
  }, MINUTE_MS)
  return { done: (latencyMs) => void latencies.push(latencyMs), stop: () => clearInterval(timer) }
}

const nodesMs = (nodes: BenchCluster): number =>
  sum(books(nodes).nodes.map(({ daemon, signer }) => totalOf(daemon) + totalOf(signer)))

/** Audit records of all nodes, once nothing is being written. */
async function auditRecords(nodes: BenchCluster): Promise<number> {
  await sleep(500)
  const all = await Promise.all(nodes.nodes.map((_, i) => nodes.client(i).call('getStatus', {})))
  return sum(all.map(({ audit }) => audit.seq))
}
