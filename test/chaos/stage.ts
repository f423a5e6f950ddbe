/**
 * A cluster of processes under load, on which nodes die at places where a test can make them die:
 * somebody reads along on its mesh, and in the end the stores of all nodes are compared.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RequestBody, WalletJson } from '@quorate/api'
import type { ProcessNode } from '../support/process-node.ts'
import { until } from '../support/until.ts'
import { assertSound, ProcessLoad, type ProcessReport } from './process-storm.ts'
import { Chance } from './random.ts'
import { hashOf, type ReadMesh, readMesh } from './read-mesh.ts'

/** How long an armed node may take to come to its place; pools and primes are made ahead at leisure. */
const REACH_MS = 120_000

export class Stage {
  readonly mesh: ReadMesh
  readonly load: ProcessLoad
  /** From the death of a node to the next signature of the others, in milliseconds. */
  longestMs = 0

  private constructor(mesh: ReadMesh, load: ProcessLoad) {
    this.mesh = mesh
    this.load = load
  }

  /** Three nodes and clients that ask for signatures, of ECDSA too where places are of that. */
  static async open(t: TestContext, isEcdsa: boolean): Promise<Stage> {
    const chance = new Chance(3)
    const mesh = await readMesh(t, 3, chance)
    const { cluster } = mesh
    await Promise.all(cluster.nodes.map((node) => cluster.launch(node)))
    await cluster.untilConnected()
    const wallets = [await cluster.createWallet('solana-devnet')]
    if (isEcdsa) wallets.push(await cluster.createEcdsaWallet())
    const load = new ProcessLoad(cluster, wallets, chance)
    load.begin(1)
    t.after(() => load.end())
    return new Stage(mesh, load)
  }

  get wallet(): WalletJson {
    return this.load.wallets[0]!
  }

  get nodes(): readonly ProcessNode[] {
    return this.mesh.cluster.nodes
  }

  others(than: ProcessNode): readonly [ProcessNode, ProcessNode] {
    return this.nodes.filter((node) => node !== than) as [ProcessNode, ProcessNode]
  }

  /**
   * Starts a node that dies at that place, has it do what passes the place, sees that it died there and that
   * the others sign on. `peers` are those it meets before it is given work.
   * @returns what came of the work
   */
  async dieAt<T>(
    victim: ProcessNode,
    place: string,
    act: () => Promise<T>,
    peers: readonly ProcessNode[] = this.others(victim),
  ): Promise<PromiseSettledResult<T> | undefined> {
    const { cluster } = this.mesh
    await cluster.kill(victim)
    const launched = cluster.launch(victim, { QUORATE_FAILPOINTS: `${place}=crash` })
    // Standard error is read to its end: there it says where it died.
    const closed = once(victim.child!, 'close').then(() => 'dead' as const)
    const ready = launched
      .then(() => cluster.untilConnected([victim, ...peers]))
      .then(
        () => 'up' as const,
        // At a place that it passes on its way up.
        () => closed,
      )
    const acting = Promise.race([ready, closed]).then((is) => (is === 'up' ? act() : undefined))
    const outcome = acting.then(
      (value) => (value === undefined ? undefined : { status: 'fulfilled' as const, value }),
      (reason: unknown) => ({ status: 'rejected' as const, reason }),
    )
    let came = 'the work goes on'
    void outcome.then((end) => {
      came = end?.status === 'rejected' ? String(end.reason) : 'the work was done'
    })
    const enough = new AbortController()
    await Promise.race([closed, sleep(REACH_MS, undefined, { signal: enough.signal })])
    enough.abort()
    assert.ok(!this.isUp(victim), `node ${victim.index} did not pass ${place}: ${came}`)
    const said = `failpoint ${place}: crash`
    assert.ok(victim.log.includes(said), `node ${victim.index} died elsewhere than at ${place}`)
    this.longestMs = Math.max(this.longestMs, await this.load.untilSigned())
    return outcome
  }

  isUp({ child }: ProcessNode): boolean {
    return child !== undefined && child.exitCode === null && child.signalCode === null
  }

  /** Starts a node again that may die nowhere. */
  async revive(victim: ProcessNode): Promise<void> {
    const { cluster } = this.mesh
    await cluster.kill(victim)
    await cluster.launch(victim)
    await cluster.untilConnected()
  }

  /** What all nodes say that came of a request, in the end: the same. */
  async sameAtAll(body: RequestBody): Promise<void> {
    const ends = new Set<string>()
    for (const node of this.nodes) {
      let last: unknown
      const asked = until(async () => {
        try {
          ends.add((await this.load.ask(body, node)).signed)
          return true
        } catch (error) {
          last = error
          return false
        }
      })
      await asked.catch(() => assert.fail(`node ${node.index} has no result: ${String(last)}`))
    }
    assert.equal(ends.size, 1, `request ${body.value.requestId} came to ${ends.size} results`)
  }

  /** Sessions of a request that all their signers gave their shares for. */
  completed(body: RequestBody): number {
    return this.mesh.witness.completed(hashOf(this.mesh.cluster, body))
  }

  /** Waits until no node holds a wallet that may yet come to nothing. */
  untilWhole(limitMs?: number): Promise<void> {
    return untilWhole(this.mesh.cluster, limitMs)
  }

  /** Nothing was used twice, and what the nodes have on disk fits together. */
  async end(): Promise<ProcessReport> {
    await this.load.end()
    await this.mesh.cluster.untilConnected()
    await this.untilWhole()
    this.mesh.witness.check()
    return assertSound(this.load)
  }
}

/** Waits until no node of the cluster holds a wallet that may yet come to nothing. */
export const untilWhole = (cluster: ReadMesh['cluster'], limitMs?: number): Promise<void> =>
  until(async () => {
    const statuses = cluster.nodes.map((node) => cluster.client(node).call('getStatus', {}))
    return (await Promise.all(statuses)).every(({ pendingWallets }) => pendingWallets === 0)
  }, limitMs)
