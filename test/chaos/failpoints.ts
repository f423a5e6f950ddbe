/**
 * A node dies at places where a test can make it die, under load, and comes back: signing goes on
 * meanwhile with the others, and afterwards all is sound.
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProcessCluster, type ProcessNode, until } from '../support/process-cluster.ts'
import { assertSound, ProcessLoad, type ProcessReport } from './process-storm.ts'
import { Chance } from './random.ts'

/** How long a node that is armed may live on: a place that its work does not pass is not reached. */
const PATIENCE_MS = 4_000
/** The same for places that need primes. */
const ECDSA_PATIENCE_MS = 60_000
const isOfEcdsa = (place: string): boolean => /\/(primes|aux)\/|presign/.test(place)

export type Visit = {
  readonly report: ProcessReport
  /** Where a node died. */
  readonly visited: readonly string[]
  /** From the start of an armed node to the next signature, in milliseconds. */
  readonly longestMs: number
}

/** Kills one node after the other, each at the next place. */
export async function visitPlaces(t: TestContext, places: readonly string[]): Promise<Visit> {
  const cluster = await ProcessCluster.start(3)
  t.after(() => cluster.close())
  const wallet = await cluster.createWallet('solana-devnet')
  const ecdsa = places.some(isOfEcdsa) ? [await cluster.createEcdsaWallet()] : []
  const load = new ProcessLoad(cluster, [wallet, ...ecdsa], new Chance(3))
  load.begin(2)
  const visited: string[] = []
  let longestMs = 0
  for (const [i, place] of places.entries()) {
    const victim = cluster.nodes[i % cluster.nodes.length]!
    await cluster.kill(victim)
    const since = performance.now()
    if (await diesAt(cluster, victim, place)) visited.push(place)
    await load.untilSigned()
    longestMs = Math.max(longestMs, performance.now() - since)
    await cluster.kill(victim)
    await cluster.launch(victim)
    await cluster.untilConnected()
  }
  await load.end()
  await untilWhole(cluster)
  return { report: await assertSound(load), visited, longestMs }
}

/** Waits until no node holds a wallet that may yet come to nothing. */
export const untilWhole = (cluster: ProcessCluster, limitMs?: number): Promise<void> =>
  until(async () => {
    const statuses = cluster.nodes.map((node) => cluster.client(node).call('getStatus', {}))
    return (await Promise.all(statuses)).every(({ pendingWallets }) => pendingWallets === 0)
  }, limitMs)

/** Starts a node that dies at that place, and gives it things to do. True once it is dead. */
async function diesAt(cluster: ProcessCluster, node: ProcessNode, place: string): Promise<boolean> {
  try {
    await cluster.launch(node, { QUORATE_FAILPOINTS: `${place}=crash` })
  } catch {
    // At a place that it passes on its way up.
    node.child = undefined
    return true
  }
  const isDead = (): boolean => node.child?.exitCode !== null || node.child.signalCode !== null
  // With its peers there it passes more places.
  const connected = cluster.untilConnected().catch(() => undefined)
  while (!isDead() && (await Promise.race([connected, sleep(50, 'not yet')])) === 'not yet');
  if (!isDead()) void makeWallet(cluster, node, place).catch(() => undefined)
  const end = performance.now() + (isOfEcdsa(place) ? ECDSA_PATIENCE_MS : PATIENCE_MS)
  while (!isDead() && performance.now() < end) await sleep(50)
  return isDead()
}

const makeWallet = (cluster: ProcessCluster, at: ProcessNode, place: string): Promise<unknown> =>
  isOfEcdsa(place) ? cluster.createEcdsaWallet(at) : cluster.createWallet('solana-devnet', at)

export const assertVisited = ({ visited }: Visit, places: readonly string[]): void =>
  assert.deepEqual(visited, places, 'nobody died at some place')
