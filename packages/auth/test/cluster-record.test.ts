import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  approverOf,
  type ClusterRecord,
  decodeClusterRecord,
  encodeClusterRecord,
} from '@quorate/auth'
import { type Cbor, decodeCbor, encodeCbor, type FaultCode, fromHex, isFault } from '@quorate/base'
import { MAX_RECORD_BYTES } from '#src/cluster-record.js'
import { FIRST, idOf, NOW, signerOf } from './kit.ts'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)
const clientOf = (n: number, name = 'x') => ({
  ...FIRST.clients[0]!,
  id: idOf('cli', n),
  key: signerOf(100 + n).publicKey,
  name,
})

/** `FIRST` as encoded, with the value of one key replaced before decoding. */
function withKey(key: number, value: Cbor): Uint8Array {
  const map = new Map(
    decodeCbor(encodeClusterRecord(FIRST), { maxBytes: 4096 }) as Map<number, Cbor>,
  )
  return encodeCbor(map.set(key, value))
}

test('a record comes back as it was, from one encoding only', () => {
  const encoded = encodeClusterRecord(FIRST)
  assert.deepEqual(encodeClusterRecord(decodeClusterRecord(encoded)), encoded)
  assert.deepEqual(decodeClusterRecord(encoded), FIRST)
  assert.throws(
    () => decodeClusterRecord(Uint8Array.of(...encoded, 0)),
    isCode('base/not-canonical'),
  )
})

test('a record that contradicts itself can be neither encoded nor decoded', () => {
  const [one, two, three] = FIRST.nodes as [
    ClusterRecord['nodes'][0],
    ClusterRecord['nodes'][0],
    ClusterRecord['nodes'][0],
  ]
  const cases: { readonly [why: string]: Partial<ClusterRecord> } = {
    'an index twice': { nodes: [one, two, { ...three, index: 2 }] },
    'an index left out': { nodes: [one, { ...two, index: 3 }] },
    'indices out of order': { nodes: [two, one, three] },
    'a node id twice': { nodes: [one, { ...two, id: one.id }, three] },
    'an identity key twice': { nodes: [one, { ...two, identityKey: one.identityKey }, three] },
    'an admin id twice': { admins: [FIRST.admins[0]!, { ...FIRST.admins[1]!, id: 'alice' }] },
    'an admin key that is a node key': {
      admins: [FIRST.admins[0]!, { id: 'bob', key: one.identityKey }],
    },
    'a client id twice': { clients: [clientOf(1), { ...clientOf(2), id: idOf('cli', 1) }] },
    'a client key that is an admin key': {
      clients: [{ ...clientOf(1), key: FIRST.admins[0]!.key }],
    },
    'a client in the group of the admins': { clients: [{ ...clientOf(1), groups: ['admins'] }] },
    'a client twice in one group': { clients: [{ ...clientOf(1), groups: ['ops', 'ops'] }] },
    'no admin': { admins: [] },
    'more signatures than admins': { adminThreshold: 4 },
    'a first record with a cluster': { cluster: new Uint8Array(32) },
    'a first record with a previous': { previous: new Uint8Array(32) },
    'a second record without previous': { number: 2, cluster: new Uint8Array(32) },
    'a second record without cluster': { number: 2, previous: new Uint8Array(32) },
    'an rpId without origins': { origins: undefined },
  }
  for (const [why, changes] of Object.entries(cases))
    assert.throws(
      () => encodeClusterRecord({ ...FIRST, ...changes }),
      isCode('auth/bad-record'),
      why,
    )
  assert.throws(() => decodeClusterRecord(withKey(8, 4)), isCode('auth/bad-record'))
})

test('values outside their range are refused', () => {
  const cases: { readonly [why: string]: Partial<ClusterRecord> } = {
    'no node': { nodes: [] },
    'an admin key that is short': {
      adminThreshold: 1,
      admins: [{ id: 'alice', key: new Uint8Array(31) }],
    },
    'threshold 0': { adminThreshold: 0 },
    'number 0': { number: 0, cluster: new Uint8Array(32), previous: new Uint8Array(32) },
    'a name with a slash': { name: 'a/b' },
    'an origin with a path': { origins: ['https://a.example/x'] },
    'an origin of another scheme': { origins: ['file://a'] },
    'an rpId in upper case': { rpId: 'Example.org' },
  }
  for (const [why, changes] of Object.entries(cases))
    assert.throws(
      () => encodeClusterRecord({ ...FIRST, ...changes }),
      isCode('base/malformed'),
      why,
    )
})

test('a record of a later version is called newer, even with keys we do not know', () => {
  const map = new Map(
    decodeCbor(encodeClusterRecord(FIRST), { maxBytes: 4096 }) as Map<number, Cbor>,
  )
  const newer = encodeCbor(map.set(0, 2).set(99, 'new'))
  assert.throws(() => decodeClusterRecord(newer), isCode('base/unknown-version'))
  assert.throws(() => decodeClusterRecord(withKey(99, 'new')), isCode('base/malformed'))
})

test('a key of small order, under which a signature fits any message, is refused', () => {
  const neutral = fromHex(`01${'00'.repeat(31)}`)
  // With A = neutral, R = B and S = 1 the equation S·B = R + k·A holds for every k, that is for every
  // message. OpenSSL 3.0 accepts such a signature, 3.5 does not: records rely on neither.
  for (const sign of [0, 0x80]) {
    const key = neutral.slice()
    key[31]! |= sign
    assert.throws(
      () => encodeClusterRecord({ ...FIRST, adminThreshold: 1, admins: [{ id: 'alice', key }] }),
      isCode('base/malformed'),
    )
  }
})

test('the largest record fits the limit', () => {
  const nodes = Array.from({ length: 50 }, (_, i) => ({
    ...FIRST.nodes[0]!,
    index: i + 1,
    id: idOf('nod', i),
    identityKey: new Uint8Array(32).fill(i + 1),
  }))
  const wide = (n: number, length: number) =>
    Uint8Array.from({ length }, (_, i) => (i < 2 ? n >> (8 * i) : 0xee))
  const admins = Array.from({ length: 50 }, (_, i) => ({
    id: `${i}`.padEnd(64, 'a'),
    key: wide(i, 32),
  }))
  const clients = Array.from({ length: 1000 }, (_, i) => {
    const entropy = wide(i + 1000, 32)
    return {
      ...FIRST.clients[0]!,
      id: `cli_${i.toString().padStart(26, '0')}` as never,
      key: entropy,
      name: 'c'.repeat(64),
      groups: Array.from({ length: 8 }, (_, j) => `${j}`.padEnd(64, 'g')),
    }
  })
  const encoded = encodeClusterRecord({ ...FIRST, nodes, admins, clients, name: 'n'.repeat(64) })
  assert.ok(encoded.length < MAX_RECORD_BYTES, `${encoded.length}`)
  assert.equal(decodeClusterRecord(encoded).clients.length, 1000)
  assert.throws(
    () => decodeClusterRecord(new Uint8Array(MAX_RECORD_BYTES + 1)),
    isCode('base/too-large'),
  )
})

test('groups of a client are kept, and a record without them has the bytes that it had', () => {
  const clients = [{ ...clientOf(1), groups: ['ops', 'board'] }]
  const encoded = encodeClusterRecord({ ...FIRST, clients })
  assert.deepEqual(decodeClusterRecord(encoded).clients, clients)
  const without = encodeClusterRecord({
    ...FIRST,
    clients: [{ ...clientOf(1), groups: undefined }],
  })
  assert.deepEqual(without, encodeClusterRecord({ ...FIRST, clients: [clientOf(1)] }))
  for (const groups of [[], ['a b'], Array.from({ length: 9 }, (_, i) => `g${i}`)])
    assert.throws(
      () => encodeClusterRecord({ ...FIRST, clients: [{ ...clientOf(1), groups }] }),
      isCode('base/malformed'),
    )
})

test('who may approve is an entry of the project whose role lets it, until it expires', () => {
  const entry = { ...clientOf(1), role: 'approver' as const, groups: ['ops'] }
  const record = (change: object = {}): ClusterRecord => ({
    ...FIRST,
    clients: [{ ...entry, ...change }],
  })
  const { project, expiresAt } = entry
  const ask = (of: ClusterRecord, when = expiresAt - 1, from: string = project) =>
    approverOf(of, { kind: 'client', value: entry.id }, { project: from, now: when })
  assert.deepEqual(ask(record()), { key: entry.key, groups: ['ops'] })
  assert.deepEqual(ask(record({ role: 'signer' }))?.groups, ['ops'])
  assert.deepEqual(ask(record({ groups: undefined }))?.groups, [])
  assert.equal(ask(record({ role: 'operator' })), undefined)
  assert.equal(ask(record(), expiresAt), undefined)
  assert.equal(ask(record(), NOW, 'prj_other'), undefined)
  assert.equal(ask(record({ id: idOf('cli', 9) })), undefined)
  const admin = (value: string) =>
    approverOf(FIRST, { kind: 'admin', value }, { project: 'any', now: NOW })
  assert.deepEqual(admin('alice'), { key: FIRST.admins[0]!.key, groups: ['admins'] })
  assert.equal(admin('mallory'), undefined)
})
