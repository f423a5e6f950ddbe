import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Receipt,
  type ReceiptCheck,
  type ReceiptReport,
  signReceipt,
  type UnsignedReceipt,
  verifyReceipts,
} from '@quorate/api'
import { toHex } from '@quorate/base'
import { CLUSTER, fill, id, receipt, signer, verifyEd25519 } from './sample.ts'

/** Node i signs with the key of seed i. */
const signed = (node: number, change: Partial<UnsignedReceipt> = {}): Promise<Receipt> =>
  signReceipt(signer(node), { ...receipt(node), ...change })

const check = (receipts: readonly Receipt[], need: number): ReceiptReport => {
  const about: ReceiptCheck['about'] = {
    cluster: CLUSTER,
    requestHash: receipt(1).requestHash,
    purpose: 'sign',
  }
  return verifyReceipts(receipts, {
    need,
    about,
    resolveKey: ({ node, nodeId }) =>
      node <= 5 && nodeId === id('nod', node) ? signer(node).publicKey : undefined,
    verify: verifyEd25519,
  })
}
const codes = ({ problems }: ReceiptReport): readonly string[] =>
  problems.map(({ index, code }) => `${index} ${code}`)

const honest = await Promise.all([3, 1, 2].map((node) => signed(node)))

test('enough nodes that agree make a statement', () => {
  const report = check(honest, 3)
  assert.deepEqual(report.nodes, [1, 2, 3])
  assert.deepEqual(report.problems, [])
  assert.equal(toHex(report.statement!.result), toHex(receipt(1).result))
  assert.equal(check(honest, 4).statement, undefined)
  assert.equal(check([], 0).statement, undefined)
})

test('a receipt that does not count is named, and the others still do', async () => {
  const wrong: readonly (readonly [Receipt, string])[] = [
    [await signed(4, { cluster: fill(32, 1) }), 'other-run'],
    [await signed(4, { requestHash: fill(32, 1) }), 'other-run'],
    [await signed(4, { purpose: 'keygen' }), 'other-run'],
    [await signed(6), 'unknown-node'],
    [await signed(4, { nodeId: id('nod', 5) }), 'unknown-node'],
    [{ ...(await signed(4)), at: 5 }, 'bad-signature'],
    [await signReceipt(signer(5), receipt(4)), 'bad-signature'],
    [await signed(2), 'repeated-node'],
    [await signed(2, { result: fill(32, 9) }), 'repeated-node'],
    [await signed(4, { result: fill(32, 9) }), 'disagrees'],
    [await signed(4, { wallet: id('wal', 9) }), 'disagrees'],
    [await signed(4, { generation: 9 }), 'disagrees'],
    [await signed(4, { sid: fill(32, 9) }), 'disagrees'],
  ]
  for (const [each, code] of wrong) {
    const report = check([...honest, each], 3)
    assert.deepEqual(codes(report), [`3 ${code}`])
    assert.deepEqual(report.nodes, [1, 2, 3])
    assert.equal(check([...honest, each], 4).statement, undefined)
  }
})

test('a forged receipt does not take the place of the true one', async () => {
  const forged = await signReceipt(signer(66), { ...receipt(1), result: fill(32, 9) })
  const report = check([forged, ...honest], 3)
  assert.deepEqual(codes(report), ['0 bad-signature'])
  assert.deepEqual(report.nodes, [1, 2, 3])
})

test('two quorums that disagree make no statement', async () => {
  const other = { result: fill(32, 9) }
  const report = check(
    [await signed(1), await signed(2), await signed(3, other), await signed(4, other)],
    2,
  )
  assert.equal(report.statement, undefined)
  assert.deepEqual(codes(report), ['0 disagrees', '1 disagrees', '2 disagrees', '3 disagrees'])
})

test('a node counts once, even where keys are looked up by its id or its index alone', async () => {
  const twice = [
    await signed(1),
    await signReceipt(signer(1), { ...receipt(2), nodeId: id('nod', 1) }),
    await signReceipt(signer(1), { ...receipt(1), nodeId: id('nod', 2) }),
  ]
  const report = verifyReceipts(twice, {
    need: 2,
    about: { cluster: CLUSTER, requestHash: receipt(1).requestHash, purpose: 'sign' },
    resolveKey: () => signer(1).publicKey,
    verify: verifyEd25519,
  })
  assert.equal(report.statement, undefined)
  assert.deepEqual(codes(report), ['1 repeated-node', '2 repeated-node'])
})
