import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acceptRecord, type EpochRecord, makeEpoch, verifyEpoch } from '@quorate/auth'
import { type FaultCode, isFault } from '@quorate/base'
import {
  accepted,
  after,
  byAdmin,
  DAY,
  epochOf,
  FIRST,
  idOf,
  NOW,
  node,
  signedBy,
  signerOf,
  verify,
} from './kit.ts'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)

test('an epoch record of an enrolled node is taken, with or without TLS', async () => {
  const cluster = await accepted()
  for (const value of [epochOf(cluster), epochOf(cluster, { tlsFingerprint: undefined })]) {
    const { tlsFingerprint, ...rest } = value
    const expected = tlsFingerprint === undefined ? rest : value
    assert.deepEqual(
      verifyEpoch(await makeEpoch(value, node(2)), { cluster, now: NOW, verify }),
      expected,
    )
  }
})

test('each lie is refused with its own code', async () => {
  const cluster = await accepted()
  const cases: readonly (readonly [string, Partial<EpochRecord>, FaultCode])[] = [
    ['another cluster', { cluster: new Uint8Array(32) }, 'auth/other-cluster'],
    ['another environment', { environment: 'production' }, 'auth/other-environment'],
    ['an index that is not enrolled', { nodeIndex: 4 }, 'auth/unknown-node'],
    ['the id of another node', { nodeId: idOf('nod', 3) }, 'auth/unknown-node'],
    ['the place of another node', { nodeIndex: 3, nodeId: idOf('nod', 3) }, 'auth/bad-signature'],
    ['only old versions', { versions: { min: 1, max: 1 } }, 'auth/version-mismatch'],
    ['the identity key as envelope key', { envelopeKey: node(2).publicKey }, 'base/malformed'],
  ]
  for (const [why, changes, code] of cases) {
    const signed = await makeEpoch(epochOf(cluster, changes), node(2))
    assert.throws(() => verifyEpoch(signed, { cluster, now: NOW, verify }), isCode(code), why)
  }
})

test('it counts from notBefore to notAfter, give or take the allowed skew', async () => {
  const cluster = await accepted()
  const signed = await makeEpoch(epochOf(cluster), node(2))
  const at = (now: number) => () => verifyEpoch(signed, { cluster, now, verify })
  at(NOW - 30_000)()
  at(NOW + DAY + 29_999)()
  assert.throws(at(NOW - 30_001), isCode('auth/expired'))
  assert.throws(at(NOW + DAY + 30_000), isCode('auth/expired'))
})

test('nothing makes an epoch longer than a day, backwards, or with a broken key', async () => {
  const cluster = await accepted()
  const broken: readonly Partial<EpochRecord>[] = [
    { notAfter: NOW + DAY + 1 },
    { notAfter: NOW },
    { versions: { min: 3, max: 2 } },
    { dkgKeys: { ...epochOf(cluster).dkgKeys, secp256k1: new Uint8Array(33).fill(4) } },
    { envelopeKey: new Uint8Array(32) },
  ]
  for (const changes of broken)
    assert.throws(() => makeEpoch(epochOf(cluster, changes), node(2)), isCode('base/malformed'))
})

test('attack: an altered peer key, in the epoch record or in the cluster record, is noticed', async () => {
  const cluster = await accepted()
  const signed = await makeEpoch(epochOf(cluster), node(2))
  for (let i = 0; i < signed.length; i++) {
    const changed = signed.slice()
    changed[i]! ^= 1
    assert.throws(() => verifyEpoch(changed, { cluster, now: NOW, verify }), `byte ${i}`)
  }
  const nodes = FIRST.nodes.map((each) =>
    each.index === 2 ? { ...each, identityKey: signerOf(77).publicKey } : each,
  )
  const next = await signedBy(after(cluster, { nodes }), byAdmin('alice'), byAdmin('bob'))
  const replaced = acceptRecord(cluster, next, { verify })
  // The node whose key the admins replaced is out at once, whatever it signed before.
  assert.throws(
    () => verifyEpoch(signed, { cluster: replaced, now: NOW, verify }),
    isCode('auth/bad-signature'),
  )
})
