import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { encode, type FaultCode, isFault, toHex } from '@quorate/base'
import { corrupted, softwareKey } from '@quorate/enclave/testing'
import { decodeEntry } from '@quorate/policy'
import { partyId } from '@quorate/threshold'
import { answerCodec } from '#src/signer-process/request-book.js'
import { APPROVE_ABOVE, DELAY_ABOVE, DELAY_MS, signed, Treasury, waiting } from './treasury.ts'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)
const HOUR_MS = 3_600_000

let treasury: Treasury
beforeEach(async () => {
  treasury = await Treasury.open()
})
afterEach(() => treasury.close())

const begin = async (lamports: bigint, at = 1) => {
  const payment = await treasury.payment(lamports, { lifeMs: HOUR_MS })
  const outcome = await treasury.cluster.submit(treasury.node(at), payment.request)
  await treasury.cluster.settle()
  return { ...payment, waits: waiting(outcome) }
}
const approve = async (approval: Uint8Array, at = 1): Promise<void> => {
  await treasury.node(at).signer.approve({ approval })
  await treasury.cluster.settle()
}

/** How many requests each node says to wait. */
const listed = (): readonly number[] => {
  const { cluster } = treasury
  const { project } = cluster.clients.signer
  return cluster.nodes.map(({ signer }) => signer.listWaiting({ project }).items.length)
}

test('a request waits for its approvals, wherever they are given, and is signed when they are all there', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const { body, request, waits } = await begin(APPROVE_ABOVE + 1n)
  assert.deepEqual(waits.approvals, [{ group: 'treasurers', need: 2, given: 0 }])
  assert.equal(waits.notBefore, null)
  assert.deepEqual(listed(), [1, 1, 1])

  await approve(await treasury.approval(body, alice!), 2)
  assert.deepEqual(treasury.node(1).woken, [])
  const [item] = treasury.node(3).signer.listWaiting({
    project: cluster.clients.signer.project,
  }).items
  assert.deepEqual(item!.waiting.approvals, [{ group: 'treasurers', need: 2, given: 1 }])
  assert.ok(item!.lines.length > 0)

  await approve(await treasury.approval(body, bob!), 3)
  assert.equal(treasury.node(1).woken.length, 1)
  signed(await cluster.submit(treasury.node(1), request))
  await cluster.settle()
  for (const { disk } of cluster.nodes) assert.equal(disk.waiting.size, 0)
})

test('neither the wait nor its approvals are lost by a restart of every node', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const { body, request } = await begin(APPROVE_ABOVE + 1n)
  await approve(await treasury.approval(body, alice!))
  for (const node of cluster.nodes) {
    cluster.kill(node)
    cluster.time.advance(1)
    await cluster.restart(node)
  }
  await approve(await treasury.approval(body, bob!))
  signed(await cluster.submit(treasury.node(1), request))
})

test('approvals that are forged, foreign, expired, of the wrong people or given twice count for nothing', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const { body, request } = await begin(APPROVE_ABOVE + 1n)
  const other = await treasury.payment(APPROVE_ABOVE + 2n, { lifeMs: HOUR_MS })
  const stranger = { ...alice!, key: softwareKey() }
  const refused: readonly (readonly [FaultCode, Uint8Array])[] = [
    ['api/bad-signature', await treasury.approval(body, stranger)],
    ['api/other-subject', await treasury.approval(body, alice!, { cluster: new Uint8Array(32) })],
    [
      'api/other-subject',
      await treasury.approval(body, alice!, { policyHash: new Uint8Array(32) }),
    ],
    ['api/approval-expired', await treasury.approval(body, alice!, { expiresAt: 1 })],
    ['enclave/not-waiting', await treasury.approval(other.body, alice!)],
    ['api/unknown-approver', await treasury.approval(body, cluster.clients.auditor)],
  ]
  for (const [code, approval] of refused)
    await assert.rejects(treasury.node(1).signer.approve({ approval }), isCode(code))
  // A signer may approve too, but is no member of the group.
  await approve(await treasury.approval(body, cluster.clients.signer))
  await approve(await treasury.approval(body, alice!))
  await approve(await treasury.approval(body, alice!, { expiresAt: cluster.time.now() + 1_000 }))
  const still = waiting(await cluster.submit(treasury.node(1), request))
  assert.deepEqual(still.approvals, [{ group: 'treasurers', need: 2, given: 1 }])
  await approve(await treasury.approval(body, bob!))
  signed(await cluster.submit(treasury.node(1), request))
})

test('an approval that has expired by then does not count at signing time', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const { body, request } = await begin(APPROVE_ABOVE + 1n)
  await approve(await treasury.approval(body, alice!, { expiresAt: cluster.time.now() + 10_000 }))
  cluster.time.advance(20_000)
  await approve(await treasury.approval(body, bob!))
  const still = waiting(await cluster.submit(treasury.node(1), request))
  assert.deepEqual(still.approvals, [{ group: 'treasurers', need: 2, given: 1 }])
})

test('a rejection ends a request on every node, also where its leader keeps it to itself', async () => {
  const { cluster } = treasury
  const [alice, bob, carol] = cluster.approvers
  const { body, request } = await begin(APPROVE_ABOVE + 1n)
  for (const each of [alice!, bob!]) await approve(await treasury.approval(body, each))
  // Node 1 never hears of it.
  cluster.tamper = (wire) => (wire.to === 1 ? [] : [wire])
  await approve(await treasury.approval(body, carol!, { decision: 'reject' }), 2)
  cluster.tamper = (wire) => [wire]
  assert.deepEqual(listed(), [1, 0, 0])
  await assert.rejects(cluster.submit(treasury.node(1), request), isCode('policy/rejected'))
  assert.deepEqual(listed(), [0, 0, 0])
})

test('a delay passes on each node’s own clock, and can be used for a veto', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const { body, request, waits } = await begin(DELAY_ABOVE + 1n)
  assert.equal(waits.notBefore, cluster.time.now() + DELAY_MS)
  for (const each of [alice!, bob!]) await approve(await treasury.approval(body, each))
  const early = waiting(await cluster.submit(treasury.node(1), request))
  assert.notEqual(early.notBefore, null)
  // Back and forth: what a clock shows meanwhile shortens nothing.
  cluster.time.advance(DELAY_MS - 5_000)
  waiting(await cluster.submit(treasury.node(1), request))
  cluster.time.advance(6_000)
  await cluster.settle()
  assert.deepEqual(treasury.node(1).woken.length, 1)
  signed(await cluster.submit(treasury.node(1), request))
})

test('a node that was away while a request waited counts the delay from when it heard of it', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  cluster.kill(treasury.node(3))
  const { body, request } = await begin(DELAY_ABOVE + 1n)
  for (const each of [alice!, bob!]) await approve(await treasury.approval(body, each))
  cluster.time.advance(DELAY_MS + 1_000)
  await cluster.restart(treasury.node(3))
  await cluster.settle()
  cluster.kill(treasury.node(2))
  waiting(await cluster.submit(treasury.node(1), request))
  const woken = treasury.node(1).woken.length
  cluster.time.advance(DELAY_MS)
  await cluster.settle()
  assert.ok(treasury.node(1).woken.length > woken)
  signed(await cluster.submit(treasury.node(1), request))
})

test('only what waits may live longer than five minutes', async () => {
  const { cluster } = treasury
  const { request } = await treasury.payment(1n, { lifeMs: HOUR_MS })
  await assert.rejects(cluster.submit(treasury.node(1), request), isCode('api/lifetime'))
  const { request: longer } = await treasury.payment(APPROVE_ABOVE + 1n, { lifeMs: 25 * HOUR_MS })
  await assert.rejects(cluster.submit(treasury.node(1), longer), isCode('api/lifetime'))
})

test('a request that has waited and was signed is not signed again, by no node and after no restart', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const { body, request } = await begin(APPROVE_ABOVE + 1n)
  for (const each of [alice!, bob!]) await approve(await treasury.approval(body, each))
  const first = signed(await cluster.submit(treasury.node(1), request))
  await cluster.settle()
  for (const node of cluster.nodes) {
    cluster.kill(node)
    cluster.time.advance(1)
    await cluster.restart(node)
  }
  const charged = (): number[] =>
    cluster.nodes.map(
      ({ disk }) =>
        [...disk.ledger.values()].filter(({ entry }) => decodeEntry(entry).state === 'released')
          .length,
    )
  const before = charged()
  for (const node of cluster.nodes) {
    const again = signed(await cluster.submit(node, request))
    assert.equal(toHex(again.signed), toHex(first.signed))
    assert.equal(again.receipts.length, 2)
  }
  assert.deepEqual(charged(), before)
})

test('a node that did not sign tells the result as often as it is asked', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const { body, request } = await begin(APPROVE_ABOVE + 1n)
  for (const each of [alice!, bob!]) await approve(await treasury.approval(body, each))
  const first = signed(await cluster.submit(treasury.node(1), request))
  await cluster.settle()
  for (const node of [...cluster.nodes, ...cluster.nodes])
    assert.equal(toHex(signed(await cluster.submit(node, request)).signed), toHex(first.signed))
})

test('two approvals that are given at once are both on disk', async () => {
  const { cluster } = treasury
  const { body, request } = await begin(APPROVE_ABOVE + 1n)
  const both = await Promise.all(cluster.approvers.map((each) => treasury.approval(body, each)))
  const node = treasury.node(2)
  await Promise.all(both.map((approval) => node.signer.approve({ approval })))
  const [row] = [...node.disk.waiting.values()]
  assert.deepEqual(new Set(row!.approvals.map(toHex)), new Set(both.map(toHex)))
  await cluster.settle()
  signed(await cluster.submit(treasury.node(1), request))
})

test('a node that was away while a request was carried out asks nobody to approve it again', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const away = treasury.node(3)
  cluster.kill(away)
  const { body, request } = await begin(APPROVE_ABOVE + 1n)
  for (const each of [alice!, bob!]) await approve(await treasury.approval(body, each))
  const first = signed(await cluster.submit(treasury.node(1), request))
  cluster.time.advance(1)
  await cluster.restart(away)
  waiting(await cluster.submit(away, request))
  await cluster.settle()
  assert.equal(away.woken.length, 1)
  assert.deepEqual(listed(), [0, 0, 1])
  assert.equal(toHex(signed(await cluster.submit(away, request)).signed), toHex(first.signed))
  for (const { disk } of cluster.nodes) assert.equal(disk.waiting.size, 0)
})

test('a leader that dies with the signature on disk tells its client afterwards, and waits no more', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const leader = treasury.node(1)
  const { body, request } = await begin(APPROVE_ABOVE + 1n)
  for (const each of [alice!, bob!]) await approve(await treasury.approval(body, each))
  leader.beforePersist = (changes) => {
    if (changes.some(({ kind }) => kind === 'dropWaiting')) cluster.kill(leader)
  }
  void cluster.submit(leader, request).catch(() => undefined)
  await cluster.settle()
  leader.beforePersist = () => {}
  assert.equal(leader.isUp, false)
  assert.equal(leader.disk.waiting.size, 1)
  cluster.time.advance(1)
  await cluster.restart(leader)
  signed(await cluster.submit(leader, request))
  await cluster.settle()
  for (const { disk } of cluster.nodes) assert.equal(disk.waiting.size, 0)
})

test('a hostile node ends no wait by saying that the request is done', async (t) => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const other = await treasury.pay(1n)
  const hostile = await corrupted(cluster)
  t.after(() => hostile.close())
  const { body, request } = await begin(APPROVE_ABOVE + 1n)
  const sid = new Uint8Array(32).fill(1)
  const lie = (signature: Uint8Array): void => {
    const answer = encode(answerCodec, {
      sid,
      attempt: 0,
      signers: [partyId(1), partyId(3)],
      signatures: [signature],
    })
    const { hash } = [...treasury.node(1).disk.waiting.values()][0]!
    const value = { request: hash, answer, receipt: new Uint8Array(64) }
    for (const to of hostile.others) hostile.sayControl({ kind: 'answer', value }, sid, to)
  }
  lie(new Uint8Array(64))
  lie(other.items[0]!.signature)
  await cluster.settle()
  for (const { log, disk, woken } of [treasury.node(1), treasury.node(2)]) {
    assert.equal(log.filter(({ event }) => event === 'answer.refused').length, 2)
    assert.equal(disk.waiting.size, 1)
    assert.deepEqual(woken, [])
  }
  for (const each of [alice!, bob!]) await approve(await treasury.approval(body, each))
  const { signers } = signed(await cluster.submit(treasury.node(1), request))
  assert.deepEqual(signers, [1, 2])
})

test('a hostile node that speaks of a rejection takes no approval away', async (t) => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const hostile = await corrupted(cluster)
  t.after(() => hostile.close())
  hostile.incoming = ({ header, control }) => {
    if (control?.kind === 'prepare')
      hostile.sayControl(
        { kind: 'refuse', value: { code: 'policy/rejected' } },
        header.sid,
        header.from,
      )
    return undefined
  }
  const { body, request } = await begin(APPROVE_ABOVE + 1n)
  for (const each of [alice!, bob!]) await approve(await treasury.approval(body, each))
  // Nobody else is there to sign with.
  cluster.kill(treasury.node(2))
  await assert.rejects(cluster.submit(treasury.node(1), request), isCode('policy/rejected'))
  cluster.time.advance(1)
  await cluster.restart(treasury.node(2))
  treasury.node(2).signer.peer({ record: hostile.record })
  hostile.meet(treasury.node(2).epoch)
  treasury.node(1).signer.peerGone({ index: hostile.index })
  signed(await cluster.submit(treasury.node(1), request))
})
