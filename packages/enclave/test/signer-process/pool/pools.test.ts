import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { decodeRequest, requestHash } from '@quorate/api'
import { equalBytes, toHex } from '@quorate/base'
import {
  HostileNode,
  readParcel,
  refreshBody,
  solanaIntent,
  TestCluster,
  walletBody,
} from '@quorate/enclave/testing'
import { type Manifest, type PartyId, partyId, sessionId } from '@quorate/threshold'
import fc from 'fast-check'
import type { Outcome } from '#src/channel/outcomes.js'
import type { WalletRow } from '#src/channel/rows.js'
import { decodeWallet } from '#src/wallet-record.js'
import { ShareWatch } from './share-watch.js'

const NONCES = 8

class World {
  readonly cluster: TestCluster
  readonly watch: ShareWatch
  readonly row: WalletRow

  private constructor(cluster: TestCluster, watch: ShareWatch, row: WalletRow) {
    this.cluster = cluster
    this.watch = watch
    this.row = row
  }

  static async start(size = 3, threshold = 2): Promise<World> {
    const cluster = await TestCluster.start(size, { nonces: NONCES, presignatures: 0 })
    const watch = new ShareWatch(cluster)
    cluster.tamper = (wire) => {
      watch.see(wire)
      return [wire]
    }
    const { operator } = cluster.clients
    const body = walletBody(cluster, operator, 'solana-devnet', { threshold })
    const outcome = await cluster.submit(cluster.nodes[0]!, await cluster.request(operator, body))
    await cluster.settle()
    assert.ok(outcome.kind === 'wallet')
    return new World(cluster, watch, outcome.value)
  }

  async request(lamports = 1_000n): Promise<Uint8Array> {
    const { signer } = this.cluster.clients
    return this.cluster.request(signer, solanaIntent(this.cluster, signer, this.row, lamports))
  }

  async sign(at = 0): Promise<Outcome> {
    const outcome = await this.cluster.submit(this.cluster.nodes[at]!, await this.request())
    await this.cluster.settle()
    assert.ok(outcome.kind === 'transaction')
    return outcome
  }

  /** Nonces of the wallet that are free at a node, of those that `by` may name. */
  free(node: number, by?: number): number {
    const { shelves } = this.cluster.nodes[node]!.signer.status().pools
    return shelves
      .filter(({ coordinator }) => by === undefined || coordinator === by)
      .reduce((sum, { free }) => sum + free, 0)
  }
}

describe('signing from a pool', () => {
  let world: World
  before(async () => {
    world = await World.start()
    await world.sign()
  })
  after(() => world.cluster.close())

  test('the first signature fills the pools of every signer set that its coordinator may lead', () => {
    const { pools } = world.cluster.nodes[0]!.signer.status()
    assert.deepEqual(
      pools.shelves.map(({ signers, coordinator, free }) => ({ signers, coordinator, free })),
      [
        { signers: [1, 2], coordinator: 1, free: NONCES },
        { signers: [1, 3], coordinator: 1, free: NONCES },
      ],
    )
    assert.deepEqual(world.watch.pooled, [])
  })

  test('the next one takes one round: proposal and share, share and receipt', async () => {
    const before = world.cluster.sent
    const request = await world.request()
    const { wires } = world.cluster
    const outcome = world.cluster.nodes[0]!.signer.submit({ request })
    while (wires.length < 1) await new Promise((resolve) => setImmediate(resolve))
    const answer = await world.cluster.submit(world.cluster.nodes[0]!, request)
    assert.deepEqual(await outcome, answer)
    assert.ok(answer.kind === 'transaction')
    assert.equal(answer.value.receipts.length, 2)
    assert.equal(world.cluster.sent - before, 2)
    assert.equal(world.watch.pooled.length, 1)
    assert.equal(world.watch.spent, 2)
  })

  test('a share that overtakes its proposal waits for it, and one write then does for both', async () => {
    const { cluster, watch } = world
    const records = () => cluster.nodes.map(({ disk }) => disk.audit.length)
    const before = records()
    cluster.tamper = (wire) => {
      watch.see(wire)
      const { envelope, said } = readParcel(wire.envelope)
      return said.length === 0 ? [wire] : [{ ...wire, envelope }, wire]
    }
    await world.sign()
    cluster.tamper = (wire) => {
      watch.see(wire)
      return [wire]
    }
    const written = records().map((count, i) => count - before[i]!)
    // The coordinator writes that it has begun and that it is done; the other signer that it is done.
    assert.equal(written[0], 2)
    assert.deepEqual(
      written.slice(1).sort((a, b) => a - b),
      [0, 1],
    )
  })

  test('a pool below its low water is filled again', async () => {
    for (let i = 0; i < 2 * NONCES; i++) await world.sign()
    world.cluster.time.advance(1_000)
    await world.cluster.settle()
    assert.ok(world.free(0, 1) >= NONCES)
    const [nonces] = world.cluster.nodes[0]!.signer.status().pools.totals
    assert.ok(nonces!.used >= 2 * NONCES && nonces!.made >= nonces!.used)
  })

  test('a peer that starts anew leaves nothing behind that was made with it', async () => {
    const [, second] = world.cluster.nodes
    world.cluster.kill(second!)
    world.cluster.time.advance(1)
    await world.cluster.restart(second!)
    await world.cluster.settle()
    const { shelves } = world.cluster.nodes[0]!.signer.status().pools
    assert.ok(shelves.every(({ signers }) => !signers.includes(2)))
    await world.sign()
  })

  test('a refresh leaves nothing of the old generation', async () => {
    await world.sign()
    const { operator } = world.cluster.clients
    const body = refreshBody(world.cluster, operator, world.row)
    const request = await world.cluster.request(operator, body)
    await world.cluster.submit(world.cluster.nodes[0]!, request)
    world.cluster.time.advance(500)
    await world.cluster.settle()
    for (const { signer } of world.cluster.nodes)
      assert.ok(signer.status().pools.shelves.every(({ generation }) => generation === 2))
  })

  test('a gap between the clocks of a machine empties its pools', async () => {
    world.cluster.time.jump(60_000)
    // The next look at the clock is at the next heartbeat.
    world.cluster.time.advance(10_000)
    assert.equal(
      world.cluster.nodes[0]!.signer.status().pools.totals.find(({ kind }) => kind === 'nonces')!
        .dropped > 0,
      true,
    )
  })
})

test('three signers of five sign in one round, whoever leads', async () => {
  const world = await World.start(5, 3)
  for (const at of [0, 1]) await world.sign(at)
  for (const at of [0, 1, 0]) await world.sign(at)
  assert.equal(world.watch.pooled.length, 3)
  assert.equal(world.watch.spent, 9)
  world.cluster.close()
})

test('two coordinators at once never name the same nonce', async () => {
  const world = await World.start()
  for (const at of [0, 1, 2]) await world.sign(at)
  const requests = await Promise.all(
    Array.from({ length: 9 }, (_, i) => world.request(BigInt(2_000 + i))),
  )
  const outcomes = requests.map((request, i) =>
    world.cluster.nodes[i % 3]!.signer.submit({ request }),
  )
  await world.cluster.settle()
  for (const outcome of outcomes) assert.equal((await outcome).kind, 'transaction')
  const names = world.watch.pooled.flatMap(({ pooled }) =>
    pooled!.map(({ session, index }) => `${toHex(session)}/${index}`),
  )
  assert.equal(new Set(names).size, names.length)
  assert.ok(names.length >= 9)
  world.cluster.close()
})

test('a coordinator that names a nonce in two manifests gets one share', async () => {
  const world = await World.start()
  const { cluster } = world
  const [first, , third] = cluster.nodes
  cluster.kill(third!)
  cluster.time.advance(1)
  const hostile = await HostileNode.open({
    hsmDirectory: third!.directory,
    storeId: third!.disk.storeId,
    sealedSecrets: third!.disk.secrets!,
    chain: cluster.chain,
    clock: cluster.time,
    timers: cluster.time,
    send: (to, envelope) => void cluster.wires.push({ from: 3, to, envelope }),
  })
  first!.signer.peer({ record: hostile.record })
  hostile.meet(first!.epoch)
  // The honest node fills a pool with it, as it would with anybody.
  const record = decodeWallet(world.row.public)
  const [one, three] = [partyId(1), partyId(3)]
  const life = (party: PartyId) => {
    const { bootId, epoch } = hostile.peers.epochOf(party)
    return { party, bootId, epoch }
  }
  const facts = {
    v: 1,
    cluster: cluster.clusterId,
    wallet: record.key.wallet,
    generation: 1,
    protocol: record.key.protocol,
    suite: record.key.suite,
    threshold: 2,
    signers: [life(one), life(three)],
    attempt: 0,
    coordinator: hostile.index,
    policyHash: record.policyHash,
    createdAt: cluster.time.now(),
    expiresAt: cluster.time.now() + 60_000,
    minVersion: 1,
  } as const
  cluster.tamper = (wire) => {
    if (wire.to !== 3) return [wire]
    void hostile.deliver(wire.envelope)
    return []
  }
  const fill: Manifest = { ...facts, request: new Uint8Array(32), purpose: 'pool', count: 2 }
  hostile.propose(fill, new Uint8Array(), { to: [one] })
  await cluster.settle()
  const commitments = hostile.heard.find(
    ({ header }) => header.kind === 'broadcast' && equalBytes(header.sid, sessionId(fill)),
  )!
  // It answers with the honest node's own commitments: nobody can tell, and nothing hangs on it.
  hostile.say({
    sid: sessionId(fill),
    protocol: 'frost',
    round: 1,
    kind: 'broadcast',
    to: 'all',
    body: commitments.body,
    receivers: [one],
  })
  await cluster.settle()
  assert.equal(first!.signer.status().pools.shelves[0]?.free, 2)

  const pooled = [{ session: sessionId(fill), index: 0 }]
  const ask = async (lamports: bigint, what: Partial<Manifest> = {}): Promise<Manifest> => {
    const request = await world.request(lamports)
    const manifest: Manifest = {
      ...facts,
      request: requestHash(decodeRequest(request)),
      purpose: 'sign',
      pooled,
      ...what,
    }
    hostile.propose(manifest, request, { to: [one] })
    await cluster.settle()
    return manifest
  }
  const sharesOf = (manifest: Manifest): number =>
    hostile.heard.filter(
      ({ header }) => header.kind === 'broadcast' && equalBytes(header.sid, sessionId(manifest)),
    ).length
  const refusals = (): readonly string[] =>
    hostile.heard.flatMap(({ control }) => (control?.kind === 'refuse' ? [control.value.code] : []))
  assert.equal(sharesOf(await ask(5_000n)), 1)
  // For another transaction, for another attempt of one, and with one twice in one manifest.
  assert.equal(sharesOf(await ask(6_000n)), 0)
  assert.equal(sharesOf(await ask(7_000n, { attempt: 1 })), 0)
  const free = { session: sessionId(fill), index: 1 }
  assert.equal(sharesOf(await ask(8_000n, { pooled: [free, free] })), 0)
  assert.deepEqual(refusals(), [
    'threshold/nonce-unavailable',
    'threshold/nonce-unavailable',
    'enclave/bad-prepare',
  ])
  await hostile.close()
  cluster.close()
})

test('crashes, lost and repeated messages, retries: never two shares of one nonce', async () => {
  const step = fc.record({
    at: fc.nat(2),
    /** Which of the signature's messages are dropped or repeated, counted from its first. */
    fate: fc.array(fc.constantFrom('pass', 'drop', 'twice', 'late'), { maxLength: 6 }),
    /** The write of that node before or after which it crashes. */
    crash: fc.option(fc.record({ node: fc.nat(2), write: fc.nat(2) }), { freq: 2 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 5 }), async (steps) => {
      const world = await World.start()
      const { cluster, watch } = world
      try {
        await world.sign()
        for (const { at, fate, crash } of steps) {
          let seen = 0
          const late: Parameters<TestCluster['tamper']>[0][] = []
          cluster.tamper = (wire) => {
            watch.see(wire)
            switch (fate[seen++]) {
              case 'drop':
                return []
              case 'twice':
                return [wire, wire]
              case 'late':
                late.push(wire)
                return []
              default:
                return late.length > 0 && seen > fate.length ? [wire, ...late.splice(0)] : [wire]
            }
          }
          if (crash !== null) {
            const victim = cluster.nodes[crash.node]!
            let writes = 0
            victim.beforePersist = () => {
              if (writes++ === crash.write) cluster.kill(victim)
            }
          }
          const request = await world.request()
          const lead = cluster.nodes[at]!
          if (lead.isUp)
            await Promise.race([cluster.submit(lead, request).catch(() => undefined), lead.killed])
          // What was kept back arrives when everything is over.
          cluster.wires.push(...late)
          await cluster.settle()
          for (const node of cluster.nodes) {
            node.beforePersist = () => {}
            if (node.isUp) continue
            cluster.time.advance(1)
            await cluster.restart(node)
          }
          await cluster.settle()
        }
      } finally {
        cluster.close()
      }
    }),
    { numRuns: 12 },
  )
})
