import assert from 'node:assert/strict'
import test from 'node:test'
import { type AuditRecord, encodeAuditRecord, keyedHash } from '@quorate/api'
import { isFault, newId, Secret } from '@quorate/base'
import { systemRandom } from '@quorate/platform'
import fc from 'fast-check'
import { encodeRecord } from '#src/audit/encode.js'

const word = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,40}$/)
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined })
const hash = keyedHash(new Secret(new Uint8Array(32)), 'x', new Uint8Array(3))
const field = fc.oneof(
  fc.record({
    name: fc.constant('count'),
    kind: fc.constant('int' as const),
    value: fc.oneof(fc.nat(), fc.maxSafeInteger()),
  }),
  fc.record({
    name: fc.constant('note'),
    kind: fc.constant('text' as const),
    value: fc.oneof(fc.string({ maxLength: 256 }), fc.string({ unit: 'grapheme', maxLength: 20 })),
  }),
  fc.constant({ name: 'value', kind: 'hash' as const, value: hash }),
)
const record: fc.Arbitrary<AuditRecord> = fc.record({
  v: fc.constant(1 as const),
  seq: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 40 })),
  time: fc.integer({ min: 0, max: 8_640_000_000_000_000 }),
  bootId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  actor: word,
  action: fc.constantFrom('secret.read', 'sys.rotate-instance'),
  resource: word,
  project: optional(fc.constant(newId('prj', 1, systemRandom))),
  decision: fc.constantFrom('allow' as const, 'deny' as const, 'none' as const),
  reason: optional(word),
  requestId: optional(fc.constant(newId('req', 2, systemRandom))),
  sessionId: optional(fc.uint8Array({ minLength: 32, maxLength: 32 })),
  outcome: fc.constantFrom('begun' as const, 'done' as const, 'failed' as const),
  fields: fc.array(field, { maxLength: 10 }),
})

test('the quick encoder writes what the codec writes, or refuses what it refuses', () => {
  fc.assert(
    fc.property(record, (one) => {
      let expected: Uint8Array | string
      try {
        expected = encodeAuditRecord(one)
      } catch (error) {
        assert.ok(isFault(error))
        expected = error.code
      }
      if (typeof expected === 'string')
        assert.throws(
          () => encodeRecord(one, one),
          (error) => isFault(error) && error.code === expected,
        )
      else assert.deepEqual(encodeRecord(one, one), expected)
    }),
    { numRuns: 2000 },
  )
})

test('what no reader would accept is refused', () => {
  const [good] = fc.sample(record, 1) as [AuditRecord]
  for (const wrong of [
    { actor: '' },
    { actor: 'role#2' },
    { action: 'secret' },
    { resource: 'x'.repeat(129) },
    { decision: 'maybe' as 'allow' },
    { outcome: 'later' as 'done' },
    { bootId: new Uint8Array(15) },
    { time: -1 },
    { seq: 0 },
    { project: 'prj_nonsense' as never },
    { fields: [{ name: 'Upper', kind: 'int' as const, value: 1 }] },
    { fields: Array.from({ length: 33 }, () => ({ name: 'a', kind: 'int' as const, value: 1 })) },
  ]) {
    const bad = { ...good, ...wrong }
    assert.throws(
      () => encodeRecord(bad, bad),
      (error) => isFault(error),
    )
  }
})
