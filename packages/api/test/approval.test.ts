import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Approval,
  type ApprovalCheck,
  approvalHash,
  checkApproval,
  decodeApproval,
  encodeApproval,
  signApproval,
  type UnsignedApproval,
} from '@quorate/api'
import { type Cbor, decodeCbor, encodeCbor, type FaultCode, isFault, toHex } from '@quorate/base'
import { CLUSTER, fill, id, NOW, signer, verifyEd25519 } from './sample.ts'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)
const unsigned: UnsignedApproval = {
  v: 1,
  cluster: CLUSTER,
  subject: fill(32, 1),
  policyHash: fill(32, 2),
  decision: 'approve',
  approver: { kind: 'client', value: id('cli', 1) },
  expiresAt: NOW + 1000,
}
const check: ApprovalCheck = {
  cluster: CLUSTER,
  subject: unsigned.subject,
  policyHash: unsigned.policyHash,
  now: NOW,
  resolve: ({ value }) =>
    value === id('cli', 1) ? { key: signer(5).publicKey, groups: ['ops'] } : undefined,
  verify: verifyEd25519,
}
const assertion = {
  credentialId: fill(16, 1),
  authenticatorData: fill(37, 2),
  clientData: fill(100, 3),
  signature: fill(70, 4),
}

test('a signed approval counts for its request, and says who and what', async () => {
  const approval = decodeApproval(encodeApproval(await signApproval(signer(5), unsigned)))
  const { approver, decision, groups, expiresAt } = checkApproval(approval, check)
  assert.deepEqual(
    [approver, decision, groups, expiresAt],
    [unsigned.approver, 'approve', ['ops'], NOW + 1000],
  )
})

test('every field is signed', async () => {
  const approval = await signApproval(signer(5), unsigned)
  const changes: readonly Partial<UnsignedApproval>[] = [
    { cluster: fill(32, 9) },
    { subject: fill(32, 9) },
    { policyHash: fill(32, 9) },
    { decision: 'reject' },
    { approver: { kind: 'client', value: id('cli', 2) } },
    { approver: { kind: 'admin', value: 'alice' } },
    { expiresAt: NOW + 1001 },
  ]
  const hashes = changes.map((change) => toHex(approvalHash({ ...unsigned, ...change })))
  assert.equal(new Set([...hashes, toHex(approvalHash(unsigned))]).size, changes.length + 1)
  for (const change of changes) {
    const forged: Approval = { ...approval, ...change }
    const { cluster, subject, policyHash } = forged
    const lenient: ApprovalCheck = {
      ...check,
      cluster,
      subject,
      policyHash,
      resolve: () => ({ key: signer(5).publicKey, groups: ['ops'] }),
    }
    assert.throws(() => checkApproval(forged, lenient), isCode('api/bad-signature'))
  }
})

test('an approval of something else, of nobody, or out of time does not count', async () => {
  const approval = await signApproval(signer(5), unsigned)
  const refused: readonly (readonly [FaultCode, Partial<ApprovalCheck>])[] = [
    ['api/other-subject', { cluster: fill(32, 9) }],
    ['api/other-subject', { subject: fill(32, 9) }],
    ['api/other-subject', { policyHash: fill(32, 9) }],
    ['api/approval-expired', { now: NOW + 1000 }],
    ['api/unknown-approver', { resolve: () => undefined }],
    ['api/bad-signature', { resolve: () => ({ key: signer(6).publicKey, groups: [] }) }],
  ]
  for (const [code, changed] of refused)
    assert.throws(() => checkApproval(approval, { ...check, ...changed }), isCode(code))
  checkApproval(approval, { ...check, now: NOW + 999 })
})

test('an assertion is checked by the verifier given, over the same hash, and refused without one', () => {
  const approval: Approval = { ...unsigned, proof: { kind: 'webauthn', value: assertion } }
  assert.deepEqual(decodeApproval(encodeApproval(approval)), approval)
  assert.throws(() => checkApproval(approval, check), isCode('api/bad-signature'))
  const seen: unknown[] = []
  const verifyAssertion: NonNullable<ApprovalCheck['verifyAssertion']> = (...given) => {
    seen.push(given)
    return true
  }
  checkApproval(approval, { ...check, verifyAssertion })
  assert.deepEqual(seen, [[unsigned.approver, assertion, approvalHash(unsigned)]])
  const refusing = { ...check, verifyAssertion: () => false }
  assert.throws(() => checkApproval(approval, refusing), isCode('api/bad-signature'))
})

test('a later version is refused as such, an unknown key as malformed', async () => {
  const bytes = encodeApproval(await signApproval(signer(5), unsigned))
  const map = decodeCbor(bytes, { maxBytes: 4096 }) as ReadonlyMap<number, Cbor>
  const changed = (key: number, value: Cbor): Uint8Array => encodeCbor(new Map(map).set(key, value))
  assert.throws(() => decodeApproval(changed(0, 2)), isCode('base/unknown-version'))
  assert.throws(() => decodeApproval(changed(99, 1)), isCode('base/malformed'))
})
