import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fromHex, utf8 } from '@quorate/base'
import fc from 'fast-check'
import { Names } from '#src/cloud/aws/keys.js'
import { crc32c } from '#src/cloud/google/crc32c.js'
import {
  cryptoKeyId,
  fromBase32,
  keyIdOf,
  labelIn,
  labelsOf,
  toBase32,
} from '#src/cloud/google/names.js'
import { mapLimited } from '#src/cloud/limit.js'
import { type KeyId, parseKeyId } from '#src/provider.js'

const ids = fc
  .uint8Array({ minLength: 1, maxLength: 32 })
  .map((bytes) => parseKeyId(Buffer.from(bytes).toString('hex')))
const labels = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 128 })
  .filter((label) => label.length <= 128 && label === Buffer.from(label).toString())
const REQUEST = 'ab'.repeat(16)

describe('Google:', () => {
  test('base32 is that of RFC 4648, in lower case and without padding', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['', ''],
      ['f', 'my'],
      ['fo', 'mzxq'],
      ['foo', 'mzxw6'],
      ['foob', 'mzxw6yq'],
      ['fooba', 'mzxw6ytb'],
      ['foobar', 'mzxw6ytboi'],
    ]
    for (const [plain, coded] of cases) {
      assert.equal(toBase32(utf8(plain)), coded)
      assert.deepEqual(fromBase32(coded), utf8(plain))
    }
    // A digit too many, bits that are not zero, other letters.
    for (const wrong of ['a', 'mz', 'm1', 'MY', 'my======'])
      assert.equal(fromBase32(wrong), undefined, wrong)
  })

  test('every id has one name that the service takes, and back', () => {
    fc.assert(
      fc.property(ids, (id) => {
        const name = cryptoKeyId(id)
        assert.match(name, /^[a-z0-9-]{1,63}$/)
        assert.equal(keyIdOf(`projects/p/locations/l/keyRings/r/cryptoKeys/${name}`), id)
      }),
    )
    for (const other of ['a/quorate-', 'a/quorate-a', 'a/other', `a/quorate-${'a'.repeat(60)}`])
      assert.equal(keyIdOf(other), undefined, other)
  })

  test('every label comes back out of labels that the service takes', () => {
    fc.assert(
      fc.property(labels, (label) => {
        const made = labelsOf(label, REQUEST)
        for (const [name, value] of Object.entries(made)) {
          assert.match(name, /^[a-z][a-z0-9_-]{0,62}$/)
          assert.match(value, /^[a-z0-9_-]{0,63}$/)
        }
        assert.ok(Object.keys(made).length <= 64)
        assert.deepEqual(labelIn(made), { label, request: REQUEST })
      }),
    )
    assert.deepEqual(labelIn({}), { label: undefined, request: undefined })
    assert.equal(labelIn({ 'quorate-label-0': 'not base32!' }).label, undefined)
  })

  test('the checksum is that of RFC 3720, appendix B.4', () => {
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e)
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c)
    assert.equal(
      crc32c(
        fromHex(
          '01c00000000000000000000000000000140000000000040000000014000000182800000000000000' +
            '0200000000000000',
        ),
      ),
      0xd9963a56,
    )
    assert.equal(crc32c(utf8('123456789')), 0xe3069283)
  })
})

test('AWS: every description and alias comes back', () => {
  const names = new Names('quorate')
  const lines = labels.filter((label) => !/[\n\r\u2028\u2029]/.test(label))
  fc.assert(
    fc.property(ids, lines, (id: KeyId, label) => {
      assert.equal(names.idOf(names.alias(id)), id)
      const described = { id, request: REQUEST, label }
      assert.deepEqual(names.described(names.description(described)), described)
    }),
  )
  for (const other of ['alias/quorate/xyz', 'alias/quorate2/ab', 'alias/aws/kms', undefined])
    assert.equal(names.idOf(other), undefined)
  assert.equal(
    new Names('staging').described(
      names.description({ id: 'ab' as KeyId, request: REQUEST, label: 'x' }),
    ),
    undefined,
  )
})

test('work is done in order of its results, with so many at once', async () => {
  let [running, most] = [0, 0]
  const results = await mapLimited([3, 1, 2, 5, 4], 2, async (item) => {
    most = Math.max(most, ++running)
    await new Promise(setImmediate)
    running--
    return item * 10
  })
  assert.deepEqual(results, [30, 10, 20, 50, 40])
  assert.equal(most, 2)
  assert.deepEqual(await mapLimited([], 2, () => assert.fail()), [])
})
