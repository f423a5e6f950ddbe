import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AuditField, encodeAuditRecord, keyedHash, publicHash } from '@quorate/api'
import { isFault, Secret, toHex, utf8 } from '@quorate/base'
import { auditEntry, fill } from '../sample.ts'

const record = (fields: readonly AuditField[]): Uint8Array =>
  encodeAuditRecord({ ...auditEntry(2), v: 1, seq: 2, fields })

test('no field takes bytes or a secret, in type or in fact', () => {
  const secret = new Secret(fill(32, 1))
  // @ts-expect-error a Secret is no text
  const asText: AuditField = { name: 'key', kind: 'text', value: secret }
  // @ts-expect-error bytes are no audit hash until publicHash or keyedHash made them one
  const asHash: AuditField = { name: 'key', kind: 'hash', value: fill(32, 1) }
  // @ts-expect-error there is no field of bytes
  const asBytes: AuditField = { name: 'key', kind: 'bytes', value: fill(32, 1) }
  assert.throws(() => record([asText]), isFault)
  assert.throws(() => record([asBytes]), isFault)
  assert.equal(asHash.kind, 'hash')
})

test('a keyed hash depends on key, name and value, and shows none of them', () => {
  const hash = (key: number, name: string, value: string): string =>
    toHex(keyedHash(new Secret(fill(32, key)), name, utf8(value)))
  assert.equal(hash(1, 'label', 'x'), hash(1, 'label', 'x'))
  const all = [
    hash(1, 'label', 'x'),
    hash(2, 'label', 'x'),
    hash(1, 'labe', 'lx'),
    hash(1, 'label', 'y'),
  ]
  assert.equal(new Set(all).size, all.length)
})

test('a public hash has 32 bytes', () => {
  assert.throws(() => publicHash(fill(31, 0)), isFault)
})

test('names, actions and words have their forms', () => {
  assert.throws(() => record([{ name: 'Not a name', kind: 'int', value: 1 }]), isFault)
  assert.throws(() => record([{ name: 'n', kind: 'int', value: 0.5 }]), isFault)
  assert.throws(() => record([{ name: 'n', kind: 'text', value: 'x'.repeat(257) }]), isFault)
  const entry = { ...auditEntry(1), v: 1 as const, seq: 1 }
  assert.throws(() => encodeAuditRecord({ ...entry, seq: 0 }), isFault)
  assert.throws(() => encodeAuditRecord({ ...entry, action: 'sign' }), isFault)
  assert.throws(() => encodeAuditRecord({ ...entry, actor: 'a b' }), isFault)
})
