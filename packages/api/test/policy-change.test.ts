import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodePolicyChange,
  decodeSignedChange,
  encodePolicyChange,
  encodeSignedChange,
  type PolicyChange,
  policyChangeHash,
  signApproval,
} from '@quorate/api'
import { type FaultCode, isFault, toHex } from '@quorate/base'
import { CLUSTER, fill, id, NOW, signer } from './sample.ts'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)
const change: PolicyChange = {
  v: 1,
  wallet: id('wal', 3),
  from: fill(32, 1),
  version: 2,
  policy: fill(40, 5),
  createdAt: NOW,
  expiresAt: NOW + 1000,
}

test('a change, bare or with approvals, comes back from its bytes', async () => {
  assert.deepEqual(decodePolicyChange(encodePolicyChange(change)), change)
  const approval = await signApproval(signer(5), {
    v: 1,
    cluster: CLUSTER,
    subject: policyChangeHash(change),
    policyHash: change.from,
    decision: 'approve',
    approver: { kind: 'admin', value: 'alice' },
    expiresAt: NOW + 500,
  })
  const signed = { change, approvals: [approval] }
  assert.deepEqual(decodeSignedChange(encodeSignedChange(signed)), signed)
})

test('every field is part of the hash that approvals name', () => {
  const changes: readonly Partial<PolicyChange>[] = [
    {},
    { wallet: id('wal', 4) },
    { from: fill(32, 2) },
    { version: 3 },
    { policy: fill(40, 6) },
    { createdAt: NOW + 1 },
    { expiresAt: NOW + 1001 },
  ]
  const hashes = changes.map((each) => toHex(policyChangeHash({ ...change, ...each })))
  assert.equal(new Set(hashes).size, changes.length)
})

test('version 1 is nobody’s change, and a policy is never empty', () => {
  for (const wrong of [{ version: 1 }, { policy: new Uint8Array() }, { from: fill(31, 1) }])
    assert.throws(() => encodePolicyChange({ ...change, ...wrong }), isCode('base/malformed'))
})
