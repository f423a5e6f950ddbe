import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { toHex, utf8 } from '@quorate/base'
import { ed25519, fromBytesBe, mod, secp256k1, Transcript } from '@quorate/math'
import fc from 'fast-check'

const digest = (t: Transcript): string => toHex(t.digest())

test('the bytes are the documented ones', () => {
  const u32 = (n: number): Buffer => {
    const out = Buffer.alloc(4)
    out.writeUInt32BE(n)
    return out
  }
  const bytes = Buffer.concat([
    utf8('quorate/transcript/v1'),
    Buffer.from([4]),
    utf8('demo'),
    Buffer.from([1, 1]),
    utf8('a'),
    u32(2),
    Buffer.from([9, 8]),
    Buffer.from([2, 1]),
    utf8('n'),
    u32(4),
    u32(7),
    Buffer.from([4, 1]),
    utf8('G'),
    u32(33),
    secp256k1.encode(secp256k1.generator),
  ])
  const expected = createHash('sha512').update(bytes).digest()
  const transcript = new Transcript('demo')
    .bytes('a', Uint8Array.of(9, 8))
    .number('n', 7)
    .element('G', secp256k1, secp256k1.generator)
  assert.equal(digest(transcript), expected.subarray(0, 32).toString('hex'))
  assert.equal(transcript.challenge(ed25519), mod(fromBytesBe(expected), ed25519.order))
})

test('asking for a digest does not end the transcript', () => {
  const one = new Transcript('x').bytes('a', Uint8Array.of(1))
  one.digest()
  one.bytes('b', Uint8Array.of(2))
  const other = new Transcript('x').bytes('a', Uint8Array.of(1)).bytes('b', Uint8Array.of(2))
  assert.equal(digest(one), digest(other))
})

test('different fields never give the same transcript', () => {
  const fields = fc.array(
    fc.tuple(fc.constantFrom('a', 'ab', 'b'), fc.uint8Array({ maxLength: 3 })),
    {
      maxLength: 3,
    },
  )
  const build = (list: [string, Uint8Array][]): string =>
    digest(list.reduce((t, [label, value]) => t.bytes(label, value), new Transcript('p')))
  fc.assert(
    fc.property(fields, fields, (a, b) => {
      const same =
        JSON.stringify(a.map(([l, v]) => [l, toHex(v)])) ===
        JSON.stringify(b.map(([l, v]) => [l, toHex(v)]))
      assert.equal(build(a) === build(b), same)
    }),
  )
})

test('domain, kind and value all count', () => {
  const variants = [
    new Transcript('p').text('a', 'x'),
    new Transcript('q').text('a', 'x'),
    new Transcript('p').bytes('a', utf8('x')),
    new Transcript('p').text('b', 'x'),
    new Transcript('p').scalar('a', secp256k1, 120n),
    new Transcript('p').scalar('a', ed25519, 120n),
    new Transcript('p'),
  ]
  assert.equal(new Set(variants.map(digest)).size, variants.length)
})

test('what has no field is refused', () => {
  assert.throws(() => new Transcript('x'.repeat(256)), { code: 'base/too-large' })
  assert.throws(() => new Transcript('x').number('n', -1), { code: 'base/malformed' })
  assert.throws(() => new Transcript('x').number('n', 2 ** 32), { code: 'base/malformed' })
  assert.throws(() => new Transcript('x').element('e', ed25519, ed25519.identity), {
    code: 'math/identity',
  })
})
