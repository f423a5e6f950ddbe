import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  acceptChain,
  acceptRecord,
  clusterRecordHash,
  decodeClusterRecord,
  decodeSignedRecord,
  encodeClusterRecord,
  encodeSignedRecord,
  type SignedClusterRecord,
  signClusterRecord,
} from '@quorate/auth'
import { type FaultCode, isFault } from '@quorate/base'
import {
  accepted,
  admin,
  after,
  byAdmin,
  byNode,
  FIRST,
  idOf,
  node,
  signedBy,
  signedFirst,
  signerOf,
  verify,
} from './kit.ts'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)
const refused = (
  current: Parameters<typeof acceptRecord>[0],
  next: SignedClusterRecord,
  code: FaultCode,
): void => assert.throws(() => acceptRecord(current, next, { verify }), isCode(code))

describe('the first record', () => {
  test('takes force when every node signed, and its hash is the cluster id', async () => {
    const first = await accepted()
    assert.deepEqual(first.cluster, clusterRecordHash(encodeClusterRecord(FIRST)))
    assert.deepEqual(first.hash, first.cluster)
    assert.deepEqual(first.record, FIRST)
  })

  test('does not when one node is missing, twice there, replaced by an admin, or signed with another key', async () => {
    refused(undefined, await signedBy(FIRST, byNode(1), byNode(2)), 'auth/not-enough-signatures')
    refused(undefined, await signedBy(FIRST, byNode(1), byNode(2), byNode(2)), 'auth/bad-signature')
    refused(
      undefined,
      await signedBy(FIRST, byNode(1), byNode(2), byAdmin('alice')),
      'auth/bad-signature',
    )
    const forged = await signedBy(FIRST, byNode(1), byNode(2), [
      { kind: 'node', value: 3 },
      node(2),
    ])
    refused(undefined, forged, 'auth/bad-signature')
    refused(
      undefined,
      await signedBy(FIRST, byNode(1), byNode(2), byNode(3), [{ kind: 'node', value: 4 }, node(3)]),
      'auth/bad-signature',
    )
  })

  test('must be the one whose id was compared out of band', async () => {
    const first = await accepted()
    const other = await signedFirst({ ...FIRST, name: 'other' })
    assert.throws(
      () => acceptRecord(undefined, other, { verify, cluster: first.cluster }),
      isCode('auth/other-cluster'),
    )
    acceptRecord(undefined, await signedFirst(), { verify, cluster: first.cluster })
  })

  test('comes first', async () => {
    const second = after(await accepted())
    refused(undefined, await signedBy(second, byAdmin('alice'), byAdmin('bob')), 'auth/record-gap')
    assert.throws(() => acceptChain([], { verify }), isCode('auth/record-gap'))
  })
})

describe('a later record', () => {
  test('takes force with adminThreshold admins of the record before it', async () => {
    const first = await accepted()
    const mallory = signerOf(14)
    const second = after(first, {
      admins: [{ id: 'mallory', key: mallory.publicKey }],
      adminThreshold: 1,
    })
    // The new record's own admin has no say in it.
    refused(
      first,
      await signedBy(second, [{ kind: 'admin', value: 'mallory' }, mallory]),
      'auth/bad-signature',
    )
    refused(first, await signedBy(second, byAdmin('alice')), 'auth/not-enough-signatures')
    refused(first, await signedBy(second, byAdmin('alice'), byAdmin('alice')), 'auth/bad-signature')
    refused(first, await signedBy(second, byNode(1), byNode(2), byNode(3)), 'auth/bad-signature')
    const inForce = acceptRecord(
      first,
      await signedBy(second, byAdmin('alice'), byAdmin('carol')),
      { verify },
    )
    assert.equal(inForce.record.number, 2)
    assert.deepEqual(inForce.cluster, first.cluster)
    assert.notDeepEqual(inForce.hash, first.cluster)
    const third = after(inForce, { admins: FIRST.admins })
    refused(inForce, await signedBy(third, byAdmin('alice'), byAdmin('bob')), 'auth/bad-signature')
    acceptRecord(inForce, await signedBy(third, [{ kind: 'admin', value: 'mallory' }, mallory]), {
      verify,
    })
  })

  test('attack: an older record does not take force again', async () => {
    const first = await accepted()
    const oldRecord = await signedFirst()
    const next = await signedBy(after(first, { clients: [] }), byAdmin('alice'), byAdmin('bob'))
    const second = acceptRecord(first, next, { verify })
    refused(second, oldRecord, 'auth/record-not-newer')
    refused(second, next, 'auth/record-not-newer')
    refused(first, oldRecord, 'auth/record-not-newer')
  })

  test('attack: a record beside the chain is a fork, whoever signed it', async () => {
    const first = await accepted()
    const quorum = [byAdmin('alice'), byAdmin('bob')] as const
    const second = acceptRecord(
      first,
      await signedBy(after(first, { minProtocol: 3 }), ...quorum),
      { verify },
    )
    refused(
      second,
      await signedBy(after(first, { minProtocol: 4 }), ...quorum),
      'auth/record-forked',
    )
    const beside = await signedBy(after(second, { previous: first.hash }), ...quorum)
    refused(second, beside, 'auth/record-forked')
    const onTop = after(second, { number: 2, previous: second.hash })
    refused(second, await signedBy(onTop, ...quorum), 'auth/record-forked')
  })

  test('leaves none out, changes neither cluster nor environment', async () => {
    const first = await accepted()
    const quorum = [byAdmin('alice'), byAdmin('bob')] as const
    refused(first, await signedBy(after(first, { number: 3 }), ...quorum), 'auth/record-gap')
    refused(
      first,
      await signedBy(after(first, { cluster: new Uint8Array(32) }), ...quorum),
      'auth/other-cluster',
    )
    refused(
      first,
      await signedBy(after(first, { environment: 'production' }), ...quorum),
      'auth/other-environment',
    )
    const other = await accepted({ ...FIRST, name: 'other' })
    refused(first, await signedBy(after(other), ...quorum), 'auth/other-cluster')
  })

  test('attack: an unsigned client entry or an altered peer key voids every signature', async () => {
    const first = await accepted()
    const signed = await signedBy(after(first), byAdmin('alice'), byAdmin('bob'))
    const value = decodeClusterRecord(signed.record)
    const client = { ...FIRST.clients[0]!, id: idOf('cli', 9), key: signerOf(99).publicKey }
    const smuggled = encodeClusterRecord({ ...value, clients: [...value.clients, client] })
    refused(first, { ...signed, record: smuggled }, 'auth/bad-signature')
    const nodes = value.nodes.map((entry, i) =>
      i === 1 ? { ...entry, identityKey: signerOf(99).publicKey } : entry,
    )
    refused(
      first,
      { ...signed, record: encodeClusterRecord({ ...value, nodes }) },
      'auth/bad-signature',
    )
    const altered = encodeClusterRecord({ ...FIRST, nodes })
    refused(undefined, { ...(await signedFirst()), record: altered }, 'auth/bad-signature')
  })
})

test('a whole chain gives the record in force, and its bytes survive encoding', async () => {
  const first = await accepted()
  const signedSecond = await signedBy(after(first), byAdmin('bob'), byAdmin('carol'))
  const second = acceptRecord(first, signedSecond, { verify })
  const chain = [await signedFirst(), signedSecond].map((each) =>
    decodeSignedRecord(encodeSignedRecord(each)),
  )
  const inForce = acceptChain(chain, { verify, cluster: first.cluster })
  assert.deepEqual(inForce, second)
  assert.throws(() => acceptChain([chain[1]!], { verify }), isCode('auth/record-gap'))
  assert.throws(() => acceptChain([...chain].reverse(), { verify }), isCode('auth/record-gap'))
})

test('nobody signs bytes that could never take force', async () => {
  const encoded = encodeClusterRecord(FIRST)
  await assert.rejects(
    signClusterRecord(encoded.subarray(0, -1), { kind: 'admin', value: 'alice' }, admin('alice')),
    isCode('base/malformed'),
  )
})
