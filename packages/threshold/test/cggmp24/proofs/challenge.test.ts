import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, isFault, TAGS, tagged, utf8 } from '@quorate/base'
import { fromBytesBe, gcd, secp256k1 } from '@quorate/math'
import { ProofTranscript } from '#src/cggmp24/challenge.js'
import { partyId } from '#src/session/party.js'
import { HALF, Q } from './alterations.js'

const context = new Uint8Array(32).fill(7)
const transcript = (n = 0): ProofTranscript => new ProofTranscript('test', context).number('n', n)

/** The stream of a transcript with one number, written down apart from the code under test. */
function streamOf(n: number, length: number): Uint8Array {
  const framed = (kind: number, label: string, value: Uint8Array): Uint8Array =>
    concatBytes(
      Uint8Array.of(kind, label.length),
      utf8(label),
      Uint8Array.of(0, 0, 0, value.length),
      value,
    )
  const domain = utf8('cggmp24-test')
  const seed = sha256(
    tagged(
      TAGS.transcript,
      Uint8Array.of(domain.length),
      domain,
      framed(1, 'context', context),
      framed(2, 'n', Uint8Array.of(0, 0, 0, n)),
    ),
  )
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
    sha256(tagged(TAGS.challenge, seed, Uint8Array.of(0, 0, i >> 8, i & 255))),
  )
  return concatBytes(...blocks).subarray(0, length)
}

describe('challenges', () => {
  test('are those of the written format', () => {
    const expected = fromBytesBe(streamOf(3, 32))
    assert.ok(expected < Q)
    assert.equal(transcript(3).scalar(), expected)
    assert.equal(transcript(3).centredScalar(), expected - HALF)
    assert.deepEqual(
      transcript(3).bits(100),
      [...streamOf(3, 100)].map((byte) => byte >> 7 === 1),
    )
  })

  test('a draw that is not below its bound is made again', () => {
    const bound = (1n << 255n) + 1n // of 256 bits, refuses nearly every second draw
    const draws = Array.from({ length: 8 }, (_, i) =>
      fromBytesBe(streamOf(1, 256).subarray(32 * i, 32 * i + 32)),
    )
    const fitting = draws.filter((value) => value < bound && gcd(value, bound) === 1n)
    assert.ok(fitting.length > 0 && fitting.length < 8)
    assert.deepEqual(transcript(1).units(fitting.length, bound), fitting)
  })

  test('all of 128 bits are live', () => {
    const seen = Array.from({ length: 128 }, () => new Set<boolean>())
    for (let n = 0; n < 64; n++)
      for (const [i, bit] of transcript(n).bits(128).entries()) seen[i]!.add(bit)
    assert.ok(seen.every((values) => values.size === 2))
  })

  test('lie in their ranges, at both ends of them', () => {
    const centred = Array.from({ length: 64 }, (_, n) => transcript(n).centredScalar())
    assert.ok(centred.every((e) => e >= -HALF && e <= HALF))
    assert.ok(centred.some((e) => e < 0n) && centred.some((e) => e > 0n))
    const wide = Array.from({ length: 64 }, (_, n) => transcript(n).halfWidth(256))
    assert.ok(wide.every((e) => e >= -(1n << 255n) && e <= 1n << 255n))
    assert.ok(wide.some((e) => e < -(1n << 253n)) && wide.some((e) => e > 1n << 253n))
    const narrow = new Set(Array.from({ length: 64 }, (_, n) => transcript(n).halfWidth(2)))
    assert.deepEqual(
      [...narrow].sort((a, b) => Number(a - b)),
      [-2n, -1n, 0n, 1n, 2n],
    )
  })

  test('units have nothing in common with the modulus, and differ', () => {
    const n = 3n * 5n * 7n * 1000003n
    const units = transcript().units(64, n)
    assert.equal(new Set(units).size, 64)
    assert.ok(units.every((unit) => unit > 0n && unit < n && gcd(unit, n) === 1n))
  })

  test('depend on the proof, the context, and on labels, kinds, values and order of the fields', () => {
    const start = (): ProofTranscript => new ProofTranscript('test', context)
    const G = secp256k1.generator
    const transcripts = [
      start(),
      new ProofTranscript('tests', context),
      new ProofTranscript('test', new Uint8Array(32)),
      start().number('a', 1),
      start().number('b', 1),
      start().number('a', 2),
      start().bytes('a', Uint8Array.of(0, 0, 0, 1)),
      start().integer('a', 1n, 4).number('a', 1),
      start().integer('a', 1n, 5),
      start().element('a', G),
      start().bytes('a', secp256k1.encode(G)),
      start().number('a', 1).number('b', 2),
      start().number('b', 2).number('a', 1),
      start().bytes('a', Uint8Array.of(1)).bytes('a', Uint8Array.of(2)),
      start().bytes('a', Uint8Array.of(1, 2)),
    ]
    assert.equal(new Set(transcripts.map((each) => each.scalar())).size, transcripts.length)
    assert.equal(
      start().party('a', partyId(1)).scalar(),
      start().number('a', 1).scalar(),
      'a party is its index',
    )
  })

  test('of values that do not fit are refused', () => {
    for (const value of [-1n, 256n])
      assert.throws(
        () => transcript().integer('a', value, 1),
        (error) => isFault(error, 'math/out-of-range'),
      )
    assert.throws(
      () => transcript().element('a', secp256k1.identity),
      (error) => isFault(error, 'math/identity'),
    )
  })
})
