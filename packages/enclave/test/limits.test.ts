import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type FaultCode, isFault } from '@quorate/base'
import type { TestNode, Wire } from '@quorate/enclave/testing'
import { decodeEntry, encodeEntry, type LedgerEntry } from '@quorate/policy'
import { LIMIT, Treasury } from './treasury.ts'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)
/** What Solana takes for one signature, which the limit counts. */
const FEE = 5_000n
const HALF = LIMIT / 2n - FEE
const HOUR_MS = 3_600_000

const ledger = ({ disk }: TestNode): readonly LedgerEntry[] =>
  [...disk.ledger.values()].map(({ entry }) => decodeEntry(entry))

/** What sessions that all their signers released were charged in all: the others can never end. */
function spent({ cluster }: Treasury): bigint {
  const released = new Map<string, { entry: LedgerEntry; by: number }>()
  for (const node of cluster.nodes)
    for (const entry of ledger(node).filter(({ state }) => state === 'released')) {
      const name = Buffer.from(entry.session).toString('hex')
      released.set(name, { entry, by: (released.get(name)?.by ?? 0) + 1 })
    }
  return [...released.values()]
    .filter(({ entry, by }) => by === entry.signers.length)
    .flatMap(({ entry }) => entry.charges)
    .reduce((sum, { amount }) => sum + amount, 0n)
}

describe('three nodes, two of which sign', () => {
  let treasury: Treasury
  before(async () => {
    treasury = await Treasury.open()
  })
  after(() => treasury.close())
  const nextWindow = (): void => treasury.cluster.time.advance(HOUR_MS + 1)

  test('a limit holds whichever nodes sign, and opens again as its window moves on', async () => {
    await treasury.pay(HALF, 1)
    await treasury.pay(HALF, 2)
    for (const at of [1, 2, 3])
      await assert.rejects(treasury.pay(1n, at), isCode('policy/over-limit'))
    nextWindow()
    await treasury.pay(HALF, 3)
  })

  test('of payments that together go over the limit, asked for at all nodes at once, no more end than fit', async () => {
    nextWindow()
    const { cluster } = treasury
    const before = spent(treasury)
    let ended = 0
    for (const node of cluster.nodes) {
      const { request } = await treasury.payment(HALF)
      node.signer.submit({ request }).then(
        () => ended++,
        () => undefined,
      )
    }
    for (let turn = 0; turn < 60; turn++) {
      await cluster.settle()
      cluster.time.advance(1_000)
    }
    assert.ok(ended <= 2)
    assert.ok(spent(treasury) - before <= LIMIT)
  })

  test('a session that is over the limit in the union of all ledgers alone is burnt, and frees what it held', async () => {
    nextWindow()
    const { cluster } = treasury
    const begin = cluster.time.now()
    // Nodes 1 and 2 know of the first payment, nodes 2 and 3 of the second.
    cluster.kill(treasury.node(3))
    await treasury.pay(HALF, 1)
    await cluster.restart(treasury.node(3))
    cluster.kill(treasury.node(1))
    await treasury.pay(HALF, 2)
    await cluster.restart(treasury.node(1))
    cluster.kill(treasury.node(2))
    // Each of them has room for it by its own ledger.
    await assert.rejects(treasury.pay(HALF, 1), isCode('policy/over-limit'))
    await cluster.restart(treasury.node(2))
    const last = ledger(treasury.node(1)).filter(
      ({ signers, time }) => time >= begin && signers.join() === '1,3',
    )
    assert.ok(last.length > 0)
    for (const { state, tombstones } of last) {
      assert.equal(state, 'burnt')
      assert.ok(tombstones.some(({ signer }) => signer === 1))
    }
  })

  test('without a ledger from every signer nothing is signed, and who showed none is named', async () => {
    nextWindow()
    const { cluster } = treasury
    cluster.kill(treasury.node(3))
    const before = spent(treasury)
    // From the second countersignature on node 2 says nothing any more.
    let isSilent = false
    cluster.tamper = (wire: Wire) => {
      if (wire.from !== 2) return [wire]
      if (isSilent) return []
      isSilent = true
      return [wire]
    }
    await assert.rejects(treasury.pay(HALF, 1), (error) => isFault(error, 'threshold/timeout'))
    cluster.tamper = (wire) => [wire]
    await cluster.restart(treasury.node(3))
    assert.equal(spent(treasury), before)
    // Nothing of it counts: its signers burnt it before their shares left.
    await treasury.pay(HALF, 1)
    await treasury.pay(HALF, 1)
  })

  test('a session that a crash cut off before its release frees what it held at the next start', async () => {
    nextWindow()
    const { cluster } = treasury
    const node = treasury.node(2)
    node.beforePersist = (changes) => {
      if (changes.some(({ kind, value }) => kind === 'putLedger' && isReleased(value)))
        cluster.kill(node)
    }
    const { request } = await treasury.payment(HALF)
    const outcome = node.signer.submit({ request })
    outcome.catch(() => undefined)
    await cluster.settle()
    node.beforePersist = () => {}
    assert.ok(ledger(node).some(({ state }) => state === 'open'))
    await cluster.restart(node)
    await cluster.settle()
    assert.ok(ledger(node).every(({ state }) => state !== 'open'))
  })
})

test('a node that makes up a ledger keeps nobody from paying', async () => {
  const treasury = await Treasury.open()
  try {
    const { cluster, record } = treasury
    await treasury.pay(1n, 1)
    const liar = treasury.node(3)
    const [entry] = ledger(treasury.node(1))
    const invented: LedgerEntry = {
      ...entry!,
      session: new Uint8Array(32).fill(9),
      wallet: record.key.wallet,
      signers: [2, 3],
      charges: entry!.charges.map((charge) => ({ ...charge, amount: LIMIT })),
    }
    cluster.kill(liar)
    cluster.time.advance(1)
    const { session, wallet, time } = invented
    const until = time + HOUR_MS
    liar.disk.ledger.set('invented', { session, wallet, until, entry: encodeEntry(invented) })
    await cluster.restart(liar)
    await cluster.settle()
    for (const at of [1, 2, 1]) {
      const { signers } = await treasury.pay(1n, at)
      assert.deepEqual(signers, [1, 2])
    }
  } finally {
    treasury.close()
  }
})

const isReleased = (value: { readonly entry: Uint8Array }): boolean =>
  decodeEntry(value.entry).state === 'released'

test('one node of four that hides its ledger opens no limit', async () => {
  const treasury = await Treasury.open({ nodes: 4, threshold: 3 })
  try {
    const { cluster } = treasury
    const [, , , liar] = cluster.nodes
    const payWithout = async (absent: number, at: number): Promise<void> => {
      cluster.kill(treasury.node(absent))
      try {
        await treasury.pay(HALF, at)
      } finally {
        cluster.time.advance(1)
        await cluster.restart(treasury.node(absent))
        await cluster.settle()
      }
    }
    await payWithout(1, 2)
    await payWithout(2, 1)
    // It forgets all of it, and starts anew with an empty ledger.
    cluster.kill(liar!)
    liar!.disk.ledger.clear()
    liar!.disk.highWaters.clear()
    cluster.time.advance(1)
    await cluster.restart(liar!)
    for (const absent of [1, 2, 3])
      await assert.rejects(payWithout(absent, absent === 1 ? 2 : 1), isCode('policy/over-limit'))
  } finally {
    treasury.close()
  }
})
