/**
 * The long run of the chaos suite: storms in memory over many seeds, every place at which a node can
 * die, and minutes of faults at random on the mesh and on a real NATS server. `QUORATE_SOAK_SEED` sets
 * the first seed, which is printed; with `QUORATE_SOAK_REPORT` what was seen is written to that file.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WalletJson } from '@quorate/api'
import { NatsServer, noNatsServer } from '../support/nats-server.ts'
import { ProcessCluster } from '../support/process-cluster.ts'
import { visitPlaces } from './failpoints.ts'
import { UNIT } from './limited.ts'
import { MemoryStorm } from './memory-storm.ts'
import { NatsProxy } from './nats-proxy.ts'
import { placesOf } from './places.ts'
import { assertSound, ProcessLoad } from './process-storm.ts'
import { Chance } from './random.ts'
import { readMesh } from './read-mesh.ts'
import { untilWhole } from './stage.ts'
import { CALM, ROUGH } from './storm.ts'

const SEED = Number(process.env['QUORATE_SOAK_SEED'] ?? randomInt(2 ** 31))
const STORMS = Number(process.env['QUORATE_SOAK_STORMS'] ?? 100)
const MINUTES = Number(process.env['QUORATE_SOAK_MINUTES'] ?? 5)
const RESUME_MS = 10_000
const SHAPES = [
  { size: 3, threshold: 2 },
  { size: 4, threshold: 3 },
  { size: 5, threshold: 3 },
  { size: 3, threshold: 3 },
] as const
const places = placesOf('test/chaos/cluster.soak.ts')

const lines: string[] = []
after(report)

test(`${STORMS} storms in memory from seed ${SEED}`, async () => {
  const sum = { requests: 0, signed: 0, commitments: 0, pooledUses: 0, worst: 0n, slowest: 0 }
  for (let i = 0; i < STORMS; i++) {
    const seed = (SEED + i) >>> 0
    const limit = i % 3 === 2 ? 8n * UNIT : undefined
    // A directory that is put back gives its limit back: only its daemon would notice.
    const faults = limit === undefined ? undefined : (['kill', 'cut', 'disk', 'keygen'] as const)
    const storm = await MemoryStorm.open({
      ...SHAPES[i % SHAPES.length]!,
      seed,
      turns: 40,
      ...(limit !== undefined && { limit }),
      ...(faults !== undefined && { faults }),
    })
    try {
      const run = await storm.run()
      sum.requests += run.requests
      sum.signed += run.signed
      sum.commitments += run.commitments
      sum.pooledUses += run.pooledUses
      sum.slowest = Math.max(sum.slowest, run.resumedMs)
      if (limit !== undefined && run.worstHour > sum.worst) sum.worst = run.worstHour
    } catch (error) {
      throw new Error(`storm of seed ${seed}: ${String(error)}`, { cause: error })
    } finally {
      storm.close()
    }
  }
  lines.push(
    `${STORMS} storms in memory: ${sum.requests} requests, ${sum.signed} answered with a result; ${sum.commitments} commitments and ${sum.pooledUses} uses of something made ahead, none twice`,
    `the worst hour of a wallet limited to ${8n * UNIT} took ${sum.worst}`,
    `longest time to a signature after a storm, by the cluster's own clock: ${sum.slowest} ms`,
  )
})

test('a node killed at every place', async (t) => {
  const { places: visited, longestMs, report: end } = await visitPlaces(t, places)
  lines.push(
    `died at ${visited.length} of ${places.length} places`,
    `from a death to the next signature of the others at most ${longestMs.toFixed(0)} ms; ${end.signed} signatures, ${end.shares} shares with a decision on record each`,
  )
})

test(`${MINUTES} minutes of faults on the mesh`, async (t) => {
  const chance = new Chance(SEED)
  const { cluster, proxy, witness } = await readMesh(t, 3, chance)
  await Promise.all(cluster.nodes.map((node) => cluster.launch(node)))
  await cluster.untilConnected()
  const load = new ProcessLoad(cluster, await twoWallets(cluster), chance)
  load.begin(4)
  const gaps = await rage(load, chance, {
    storm() {
      proxy.storm.odds = ROUGH
      if (chance.is(0.5)) proxy.breakOne()
      if (chance.is(0.3)) proxy.cut(1, 2 + chance.below(2))
    },
    calm: () => proxy.calm(),
  })
  await load.end()
  await cluster.untilConnected()
  await untilWhole(cluster)
  witness.check()
  const end = await assertSound(load)
  lines.push(
    `mesh: ${describe(gaps)}; ${end.signed} signatures; ${witness.seen} signed envelopes read, ${witness.pooledUses} uses of nonces made ahead, none twice`,
  )
  assertResumed(gaps)
})

test(`${MINUTES} minutes of faults on NATS`, { skip: noNatsServer }, async (t) => {
  const chance = new Chance(SEED + 1)
  const server = await NatsServer.start()
  t.after(() => server.close())
  const proxy = await NatsProxy.before(server.url, chance, CALM)
  t.after(() => proxy.close())
  const cluster = await ProcessCluster.start(3, { leaveOut: [1, 2, 3] })
  t.after(() => cluster.close())
  const nats = { urls: [proxy.url], prefix: 'mpc', queue: { keygen: 2, sign: 8 } }
  for (const node of cluster.nodes)
    node.config = {
      ...node.config,
      mesh: { ...node.config.mesh, peers: [] },
      transport: { bus: 'nats', discovery: 'nats', nats },
    }
  await Promise.all(cluster.nodes.map((node) => cluster.launch(node)))
  await cluster.untilConnected()
  const load = new ProcessLoad(cluster, await twoWallets(cluster), chance)
  load.begin(4)
  const gaps = await rage(load, chance, {
    async storm() {
      proxy.storm.odds = ROUGH
      if (chance.is(0.3)) proxy.down()
      if (chance.is(0.2)) {
        await server.kill()
        await server.start()
      }
    },
    calm: () => proxy.calm(),
  })
  await load.end()
  await cluster.untilConnected()
  await untilWhole(cluster)
  const end = await assertSound(load)
  lines.push(
    `NATS: ${describe(gaps)}; ${end.signed} signatures; ${proxy.subjects.size} subjects interfered with, ${JSON.stringify(proxy.storm.tally)}`,
  )
  assertResumed(gaps)
})

/** One of each protocol. */
const twoWallets = async (cluster: ProcessCluster): Promise<readonly WalletJson[]> => [
  await cluster.createWallet('solana-devnet'),
  await cluster.createEcdsaWallet(),
]

type Weather = { storm(): void | Promise<void>; calm(): void }

/** Faults and quiet by turns, a node killed now and then; how long signing took to come back each time. */
async function rage(load: ProcessLoad, chance: Chance, weather: Weather): Promise<number[]> {
  const { cluster } = load
  const gaps: number[] = []
  for (const end = performance.now() + MINUTES * 60_000; performance.now() < end; ) {
    await weather.storm()
    const victim = chance.is(0.4) ? chance.pick(cluster.nodes) : undefined
    if (victim !== undefined) await cluster.kill(victim)
    void cluster.createWallet('solana-devnet', chance.pick(cluster.nodes)).catch(() => undefined)
    await sleep(2_000 + chance.below(4_000))
    weather.calm()
    const since = performance.now()
    await load.untilSigned()
    gaps.push(performance.now() - since)
    if (victim !== undefined) await cluster.launch(victim)
    await cluster.untilConnected()
  }
  return gaps
}

function describe(gaps: readonly number[]): string {
  const sorted = [...gaps].sort((a, b) => a - b)
  const ms = (value = 0): string => `${value.toFixed(0)} ms`
  return `${gaps.length} faults, signing back after ${ms(sorted[sorted.length >> 1])} in the median, ${ms(sorted.at(-1))} at most`
}

function assertResumed(gaps: readonly number[]): void {
  for (const gap of gaps) assert.ok(gap <= RESUME_MS, `signing came back after ${gap} ms`)
}

function report(): void {
  process.stdout.write(`${lines.map((line) => `# ${line}`).join('\n')}\n`)
  const file = process.env['QUORATE_SOAK_REPORT']
  if (file === undefined) return
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const all = cpus()
  const head = [
    '# A cluster through faults',
    '',
    'Written by `npm run soak -- chaos/cluster` with `QUORATE_SOAK_REPORT` set to this file.',
    '',
    `- Date: ${new Date().toISOString().slice(0, 10)}; commit ${commit}; seed ${SEED}`,
    `- Machine: ${all.length} x ${all[0]?.model ?? 'unknown'}, Node ${process.version}`,
  ]
  writeFileSync(file, `${[...head, ...lines.map((line) => `- ${line}`), ''].join('\n')}`)
}
