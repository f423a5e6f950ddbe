import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { type FaultCode, isFault, toHex } from '@quorate/base'
import type { Policy } from '@quorate/policy'
import { policyHash } from '@quorate/policy'
import type { Outcome } from '#src/channel/outcomes.js'
import { signed, Treasury } from './treasury.ts'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)
const OPEN: Policy = {
  v: 1,
  rules: [{ id: 'all', action: 'allow', when: {} }],
  change: { group: 'treasurers', need: 2 },
}
const OTHER: Policy = { ...OPEN, rules: [{ id: 'others', action: 'allow', when: {} }] }

let treasury: Treasury
beforeEach(async () => {
  treasury = await Treasury.open()
})
afterEach(() => treasury.close())

const changed = (outcome: Outcome): { version: number; policyHash: Uint8Array } => {
  assert.equal(outcome.kind, 'policy')
  return (outcome as Extract<Outcome, { kind: 'policy' }>).value
}

test('a change with its quorum takes force on every node, and older policies sign no more', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const { request } = await treasury.change(OPEN, [alice!, bob!])
  const { version, policyHash: hash } = changed(await cluster.submit(treasury.node(1), request))
  assert.equal(version, 2)
  assert.equal(toHex(hash), toHex(policyHash(OPEN)))
  await cluster.settle()
  for (const at of [1, 2, 3])
    await assert.rejects(treasury.pay(1n, at), isCode('enclave/other-policy'))
  for (const node of cluster.nodes) {
    const { request } = await treasury.payment(1_000_000n, { policyHash: hash })
    signed(await cluster.submit(node, request))
  }
  // The same change once more is what is in force already.
  assert.equal(changed(await cluster.submit(treasury.node(2), request)).version, 2)
})

test('a change without its quorum, of another version, or of what is not in force changes nothing', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const cases = [
    ['policy/not-approved', await treasury.change(OPEN, [alice!])],
    ['policy/not-approved', await treasury.change(OPEN, [alice!, alice!])],
    ['policy/not-next', await treasury.change(OPEN, [alice!, bob!], { version: 3 })],
    ['policy/not-next', await treasury.change(OPEN, [alice!, bob!], { from: new Uint8Array(32) })],
    ['api/unknown-approver', await treasury.change(OPEN, [cluster.clients.auditor, bob!])],
  ] as const
  for (const [code, { request }] of cases)
    await assert.rejects(cluster.submit(treasury.node(1), request), isCode(code))
  await treasury.pay(1n)
})

test('a change is there after a restart, and a node that was away learns it from its votes alone', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  cluster.kill(treasury.node(3))
  const { request } = await treasury.change(OPEN, [alice!, bob!])
  changed(await cluster.submit(treasury.node(1), request))
  await cluster.settle()
  // Past the expiry of the approvals.
  cluster.time.advance(2 * 3_600_000)
  for (const node of [treasury.node(1), treasury.node(2)]) {
    cluster.kill(node)
    await cluster.restart(node)
  }
  await cluster.restart(treasury.node(3))
  await cluster.settle()
  cluster.kill(treasury.node(2))
  const { request: payment } = await treasury.payment(1n, { policyHash: policyHash(OPEN) })
  signed(await cluster.submit(treasury.node(3), payment))
})

test('of two changes with a quorum each at most one takes force', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const changes = [
    await treasury.change(OPEN, [alice!, bob!]),
    await treasury.change(OTHER, [alice!, bob!]),
  ]
  const ends: string[] = []
  changes.forEach(({ request }, i) => {
    treasury
      .node(i + 1)
      .signer.submit({ request })
      .then(
        () => ends.push('changed'),
        () => ends.push('refused'),
      )
  })
  for (let turn = 0; turn < 30; turn++) {
    await cluster.settle()
    cluster.time.advance(1_000)
  }
  assert.equal(ends.length, 2)
  assert.ok(ends.filter((end) => end === 'changed').length <= 1)
  const inForce = cluster.nodes.flatMap(({ disk }) =>
    [...disk.policies.values()]
      .filter(({ state }) => state === 'inForce')
      .map(({ link }) => toHex(link)),
  )
  assert.ok(new Set(inForce).size <= 1)
})

test('a change takes a majority of the nodes', async () => {
  const { cluster } = treasury
  const [alice, bob] = cluster.approvers
  const { request } = await treasury.change(OPEN, [alice!, bob!])
  for (const index of [2, 3]) cluster.kill(treasury.node(index))
  await assert.rejects(cluster.submit(treasury.node(1), request), isCode('enclave/votes-missing'))
  cluster.time.advance(1)
  await cluster.restart(treasury.node(2))
  await cluster.settle()
  assert.equal(changed(await cluster.submit(treasury.node(1), request)).version, 2)
})
