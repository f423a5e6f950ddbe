import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { isFault, type Random, toHex } from '@quorate/base'
import { combineMnemonics, parseShare, splitMnemonics } from '@quorate/math'
import fc from 'fast-check'
import { interpolate, invert, multiply } from '#src/sharing/slip39/gf256.js'
import { formatShare } from '#src/sharing/slip39/share.js'
import { WORDS } from '#src/sharing/slip39/wordlist.js'

/** The same bytes for the same seed, so that a failure can be seen again. */
function seededRandom(seed: string): Random {
  let count = 0
  return {
    bytes: (length) =>
      new Uint8Array(
        createHash('shake256', { outputLength: length }).update(`${seed}/${count++}`).digest(),
      ),
  }
}

type Vector = readonly [description: string, mnemonics: string[], secret: string, xprv: string]

function vectorsPath(): string {
  let at = dirname(fileURLToPath(import.meta.url))
  while (at !== '/') {
    const file = join(at, 'package.json')
    if (existsSync(file) && readFileSync(file, 'utf8').includes('"quorate-workspace"')) break
    at = dirname(at)
  }
  return join(at, '../shared/vectors/slip39/vectors.json')
}

const path = vectorsPath()
const skip = existsSync(path) ? false : 'vectors not present'
const isRefused = (error: unknown): boolean =>
  isFault(error, 'math/bad-share') || isFault(error, 'math/bad-shares')

test('all official vectors', { skip }, () => {
  const vectors = JSON.parse(readFileSync(path, 'utf8')) as Vector[]
  assert.equal(vectors.length, 45)
  for (const [description, mnemonics, secret] of vectors) {
    if (secret === '')
      assert.throws(() => combineMnemonics(mnemonics, 'TREZOR'), isRefused, description)
    else assert.equal(toHex(combineMnemonics(mnemonics, 'TREZOR')), secret, description)
    for (const mnemonic of secret === '' ? [] : mnemonics)
      assert.equal(formatShare(parseShare(mnemonic)), mnemonic, description)
  }
})

test('the field agrees with schoolbook polynomials, and every element but zero has an inverse', () => {
  const slow = (a: number, b: number): number => {
    let product = 0
    for (let i = 0; i < 8; i++) if ((b >> i) & 1) product ^= a << i
    for (let i = 14; i >= 8; i--) if ((product >> i) & 1) product ^= 0x11b << (i - 8)
    return product
  }
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b += 7) assert.equal(multiply(a, b), slow(a, b))
    assert.equal(multiply(a, invert(a)), a === 0 ? 0 : 1)
  }
})

test('a polynomial through its points gives the points', () => {
  const random = seededRandom('points')
  const points = [3, 7, 200, 255].map((x) => ({ x, y: random.bytes(16) }))
  for (const { x, y } of points) assert.deepEqual(interpolate(points, x), y)
  const moved = [9, 11, 12, 250].map((x) => ({ x, y: interpolate(points, x) }))
  assert.deepEqual(interpolate(moved, 7), points[1]!.y)
})

const shape = fc
  .array(
    fc.integer({ min: 1, max: 5 }).chain((members) =>
      members === 1
        ? fc.constant({ threshold: 1, members: 1 })
        : fc.record({
            threshold: fc.integer({ min: 2, max: members }),
            members: fc.constant(members),
          }),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .chain((groups) =>
    fc.record({
      groups: fc.constant(groups),
      groupThreshold: fc.integer({ min: 1, max: groups.length }),
    }),
  )

test('any sufficient shares give the secret; fewer, more or foreign ones are refused', () => {
  fc.assert(
    fc.property(
      shape,
      fc.constantFrom(16, 32),
      fc.boolean(),
      fc.integer(),
      ({ groups, groupThreshold }, length, isExtendable, seed) => {
        const random = seededRandom(`slip39 ${seed}`)
        const secret = random.bytes(length)
        const options = { groups, groupThreshold, isExtendable, iterationExponent: 0, random }
        const sets = splitMnemonics(secret, options)
        const chosen = sets
          .slice(sets.length - groupThreshold)
          .flatMap((set, i) =>
            set.slice(-groups[sets.length - groupThreshold + i]!.threshold).toReversed(),
          )
        assert.deepEqual(combineMnemonics(chosen), secret)
        assert.throws(() => combineMnemonics(chosen.slice(1)), isRefused)
        assert.throws(() => combineMnemonics([...chosen, chosen[0]!]), isRefused)
        const other = splitMnemonics(random.bytes(length), options)[0]![0]!
        assert.throws(() => combineMnemonics([other, ...chosen.slice(1), other]), isRefused)
        assert.notDeepEqual(combineMnemonics(chosen, 'wrong'), secret)
      },
    ),
    { numRuns: 12 },
  )
})

test('every single wrong word is found, and so is every exchange of two', () => {
  const [[mnemonic]] = splitMnemonics(new Uint8Array(16).fill(7), {
    groupThreshold: 1,
    groups: [{ threshold: 1, members: 1 }],
    iterationExponent: 0,
    random: seededRandom('words'),
  }) as [[string]]
  const words = mnemonic.split(' ')
  words.forEach((word, i) => {
    const other = WORDS[(WORDS.indexOf(word) + 1 + i) % WORDS.length]!
    assert.throws(() => parseShare(words.with(i, other).join(' ')), isRefused)
    const next = words[i + 1]
    if (next !== undefined && next !== word)
      assert.throws(
        () =>
          parseShare(
            words
              .with(i, next)
              .with(i + 1, word)
              .join(' '),
          ),
        isRefused,
      )
  })
  assert.throws(() => parseShare(words.with(3, 'nonsense').join(' ')), isRefused)
  assert.throws(() => parseShare(words.slice(1).join(' ')), isRefused)
  assert.equal(parseShare(`  ${mnemonic.toUpperCase()}\n`).memberThreshold, 1)
})

test('shapes that the standard does not have are refused', () => {
  const random = seededRandom('shapes')
  const secret = new Uint8Array(16)
  const one = { threshold: 1, members: 1 }
  for (const options of [
    { groupThreshold: 2, groups: [one] },
    { groupThreshold: 0, groups: [one] },
    { groupThreshold: 1, groups: [] },
    { groupThreshold: 1, groups: [{ threshold: 1, members: 2 }] },
    { groupThreshold: 1, groups: [{ threshold: 3, members: 2 }] },
    { groupThreshold: 1, groups: [{ threshold: 2, members: 17 }] },
    { groupThreshold: 1, groups: [one], iterationExponent: 16 },
    { groupThreshold: 1, groups: [one], passphrase: 'ü' },
  ])
    assert.throws(() => splitMnemonics(secret, { ...options, random }), isRefused)
  for (const length of [14, 17, 66])
    assert.throws(
      () => splitMnemonics(new Uint8Array(length), { groupThreshold: 1, groups: [one], random }),
      isRefused,
    )
})
