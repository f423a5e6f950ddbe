import assert from 'node:assert/strict'
import { createHash, sign } from 'node:crypto'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { concatBytes, isFault } from '@quorate/base'
import fc from 'fast-check'
import { parseMarvellBlob, verifyMarvell } from '#src/attest/marvell.js'
import { isCode, NOW } from '../kit.ts'
import { flipped, issue, type Keys, newKeys } from './pki.ts'

const invalid = isCode('hsm/attestation-invalid')
const keys = {
  maker: newKeys(),
  owner: newKeys(),
  card: newKeys(),
  partition: newKeys('rsa'),
  key: newKeys('secp256k1'),
  other: newKeys('rsa'),
}

const u16 = (...values: readonly number[]): Uint8Array =>
  concatBytes(...values.map((value) => Uint8Array.of(value >> 8, value & 255)))
const u32 = (...values: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(4 * values.length)
  values.forEach((value, i) => {
    new DataView(bytes.buffer).setUint32(4 * i, value)
  })
  return bytes
}

type Attributes = { readonly [type: number]: Uint8Array }
const pointOf = ({ open }: Keys): Uint8Array =>
  new Uint8Array(open.export({ format: 'der', type: 'spki' }).subarray(-65))

const PUBLIC: Attributes = {
  0: Uint8Array.of(2),
  2: Uint8Array.of(1),
  3: new TextEncoder().encode('signer\0'),
  256: Uint8Array.of(3),
  258: Uint8Array.of(7, 7),
  288: pointOf(keys.key),
  354: Uint8Array.of(1),
}
const PRIVATE: Attributes = {
  0: Uint8Array.of(3),
  3: new TextEncoder().encode('signer\0'),
  256: Uint8Array.of(0, 0, 0, 3),
  258: Uint8Array.of(7, 7),
  259: Uint8Array.of(1),
  288: pointOf(keys.key),
  354: Uint8Array.of(0),
  355: Uint8Array.of(1),
  356: Uint8Array.of(1),
  357: Uint8Array.of(1),
}

const objectOf = (attributes: Attributes): Uint8Array => {
  const list = Object.entries(attributes).map(([type, value]) =>
    concatBytes(u32(Number(type), value.length), value),
  )
  const body = concatBytes(...list)
  return concatBytes(u32(0x7e6, list.length, body.length), body)
}

type Shape = {
  readonly open?: Attributes
  readonly secret?: Attributes
  readonly signer?: Keys
  readonly code?: number
  readonly flags?: number
}

function blob({
  open = PUBLIC,
  secret = PRIVATE,
  signer = keys.partition,
  code = 0,
  flags = 3,
}: Shape = {}): Uint8Array {
  const [first, second] = [objectOf(open), objectOf(secret)]
  const buffer = concatBytes(u16(1, flags, 8, 8 + first.length), first, second)
  const data = concatBytes(
    u32(code, flags, 32 + buffer.length + 256, buffer.length),
    new Uint8Array(16),
    buffer,
  )
  return concatBytes(data, new Uint8Array(sign('sha256', data, signer.secret)))
}

const byMaker = { name: 'maker', keys: keys.maker }
const byOwner = { name: 'owner', keys: keys.owner }
const certificates = {
  maker: issue({ subject: 'maker', keys: keys.maker }),
  owner: issue({ subject: 'owner', keys: keys.owner, isCa: true }),
  card: issue({ subject: 'card', keys: keys.card, issuer: byMaker }),
  partition: issue({
    subject: 'partition',
    keys: keys.partition,
    issuer: { name: 'card', keys: keys.card },
  }),
  ownedCard: issue({ subject: 'owned card', keys: keys.card, issuer: byOwner }),
  owned: issue({ subject: 'owned partition', keys: keys.partition, issuer: byOwner }),
}
const ALL = Object.values(certificates)
const without = (...names: readonly (keyof typeof certificates)[]): readonly Uint8Array[] =>
  ALL.filter((each) => !names.some((name) => certificates[name] === each))

const hash = (der: Uint8Array): string => createHash('sha256').update(der).digest('hex')
const PINNED = { manufacturer: hash(certificates.maker), owner: hash(certificates.owner) }
const verify = (
  given: Uint8Array = blob(),
  with_: readonly Uint8Array[] = ALL,
  pinned = PINNED,
): ReturnType<typeof verifyMarvell> =>
  verifyMarvell(given, with_, NOW, (root, vouches) => root.sha256 === pinned[vouches])

test('an attested key is shown, packed or not, by both chains in any order', () => {
  const point = pointOf(keys.key)
  for (const given of [blob(), new Uint8Array(gzipSync(blob()))]) {
    const { publicKey, label } = verify(given, ALL.toReversed())
    assert.equal(label, 'signer')
    assert.deepEqual(publicKey.subarray(1), point.subarray(1, 33))
    assert.equal(publicKey[0], 2 + (point[64]! & 1))
  }
  verify(blob(), without('ownedCard'))
})

describe('an attestation is refused', () => {
  const secret = (changes: { readonly [type: number]: Uint8Array | undefined }): Attributes =>
    Object.fromEntries(
      Object.entries({ ...PRIVATE, ...changes }).filter(([, value]) => value !== undefined),
    ) as Attributes
  const [no, yes] = [Uint8Array.of(0), Uint8Array.of(1)]
  const keysRefused: readonly (readonly [string, Shape])[] = [
    ['of a key that was imported', { secret: secret({ 355: no }) }],
    ['of a key that can be extracted', { secret: secret({ 354: yes }) }],
    ['of a key that could be extracted once', { secret: secret({ 356: no }) }],
    ['of a key that is revealed', { secret: secret({ 259: no }) }],
    ['of a key that was revealed once', { secret: secret({ 357: no }) }],
    ...[354, 355, 356, 357, 259, 0, 256].map(
      (type) => [`without attribute ${type}`, { secret: secret({ [type]: undefined }) }] as const,
    ),
    ['with a flag that is no number', { secret: secret({ 354: new Uint8Array() }) }],
    ['with a flag that is neither', { secret: secret({ 355: Uint8Array.of(2) }) }],
    [
      'of a pair of which each has another point',
      { secret: secret({ 288: pointOf(newKeys('secp256k1')) }) },
    ],
    ['of a pair of which each has another id', { secret: secret({ 258: Uint8Array.of(8) }) }],
    ['of two public keys', { secret: PUBLIC }],
    ['of two private keys', { open: PRIVATE }],
    ['of an RSA key', { secret: secret({ 256: no }) }],
    ['without a point', { open: { ...PUBLIC, 288: new Uint8Array(64) } }],
    ['that tells of a failure', { code: 1 }],
    ['without attributes in what is signed', { flags: 2 }],
    ['without the header in what is signed', { flags: 7 }],
    ['that another key has signed', { signer: keys.other }],
  ]
  for (const [what, shape] of keysRefused)
    test(what, () => {
      assert.throws(() => verify(blob(shape)), invalid)
    })

  test('without either chain', () => {
    for (const name of ['maker', 'owner', 'card', 'partition', 'owned'] as const)
      assert.throws(() => verify(blob(), without(name)), invalid, name)
    for (const vouches of ['manufacturer', 'owner'] as const)
      assert.throws(() => verify(blob(), ALL, { ...PINNED, [vouches]: '00'.repeat(32) }), invalid)
  })

  test('where one root has to vouch for both', () => {
    const both = { manufacturer: PINNED.owner, owner: PINNED.owner }
    assert.throws(() => verify(blob(), ALL, both), invalid)
  })

  test('where the owner vouches for another partition, or for another card', () => {
    const owned = issue({ subject: 'owned partition', keys: keys.other, issuer: byOwner })
    assert.throws(() => verify(blob(), [...without('owned'), owned]), invalid)
    const card = newKeys()
    const elsewhere = [
      issue({ subject: 'elsewhere', keys: card, issuer: byOwner }),
      issue({
        subject: 'owned partition',
        keys: keys.partition,
        issuer: { name: 'elsewhere', keys: card },
      }),
    ]
    assert.throws(() => verify(blob(), [...without('owned', 'ownedCard'), ...elsewhere]), invalid)
  })

  test('with a partition that another partition has signed', () => {
    const forged = issue({
      subject: 'forged',
      keys: keys.other,
      issuer: { name: 'partition', keys: keys.partition },
    })
    const owned = issue({ subject: 'owned forged', keys: keys.other, issuer: byOwner })
    assert.throws(() => verify(blob({ signer: keys.other }), [...ALL, forged, owned]), invalid)
  })

  test('with an expired card', () => {
    const card = issue({ subject: 'card', keys: keys.card, issuer: byMaker, notAfter: NOW - 1000 })
    assert.throws(() => verify(blob(), [...without('card'), card]), invalid)
  })

  test('once a single bit of the blob is another', () => {
    const good = blob()
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(7), (at, bit) => {
        assert.throws(() => verify(flipped(good, at, 1 << bit)), invalid)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a blob', () => {
  test('is cut at every length and never read beyond its end', () => {
    const good = blob()
    for (let length = 0; length < good.length; length++)
      assert.throws(() => parseMarvellBlob(good.subarray(0, length)), invalid)
  })

  test('of any numbers in its headers is read or refused', () => {
    const good = blob()
    const number = fc.oneof(fc.nat(0xffff), fc.constantFrom(0xffffffff, 0x7fffffff, 0, 8, 12))
    fc.assert(
      fc.property(fc.nat(60), number, (word, value) => {
        const changed = good.slice()
        new DataView(changed.buffer).setUint32(Math.min(4 * word, good.length - 4), value)
        try {
          parseMarvellBlob(changed)
        } catch (error) {
          assert.ok(isFault(error, 'hsm/attestation-invalid'))
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('does not unpack to more than it may', () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(1 << 24)))
    assert.ok(bomb.length < 1 << 16)
    assert.throws(() => parseMarvellBlob(bomb), invalid)
    assert.throws(() => parseMarvellBlob(Uint8Array.of(0x1f, 0x8b)), invalid)
    assert.throws(() => parseMarvellBlob(new Uint8Array((1 << 16) + 1)), invalid)
  })
})
