import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ed25519 as noble } from '@noble/curves/ed25519.js'
import { concatBytes, fromHex, Secret, utf8 } from '@quorate/base'
import { mod } from '@quorate/math'
import { commit, decodeNonceCommitment, SigningNonces } from '#src/frost/nonces.js'
import { SigningKey } from '#src/frost/sign/key.js'
import { SigningSession } from '#src/frost/sign/session.js'
import { SignerSet } from '#src/frost/sign/signer-set.js'
import { verifySignature } from '#src/frost/suite.js'
import { frostSuite, frostSuites } from '#src/frost/suites/table.js'
import { Abort } from '#src/session/abort.js'
import { partyId } from '#src/session/party.js'
import { dealt, ids, prepare, random, signAll } from './fixtures.ts'

const message = utf8('message')

for (const suite of Object.values(frostSuites)) {
  const { group } = suite
  const plusOne = (share: Uint8Array): Uint8Array =>
    group.encodeScalar(group.decodeScalar(share) + 1n)

  describe(suite.id, () => {
    test('any t of n sign, in any order, also with t = 1 and with all', () => {
      for (const [t, n, set] of [
        [1, 1, [1]],
        [1, 3, [2]],
        [2, 3, [3, 1]],
        [3, 5, [5, 2, 4]],
        [2, 3, [1, 2, 3]],
        [4, 4, [4, 3, 2, 1]],
      ] as const) {
        const deal = dealt(suite, t, n)
        const signers = prepare(deal, ids(...set), message)
        const shares = signAll(signers)
        const { publicKey } = new SigningKey(deal.key)
        for (const { session } of signers) {
          const signature = session.aggregate(shares)
          assert.equal(signature.length, 64)
          assert.ok(verifySignature(suite, publicKey, message, signature))
          assert.ok(!verifySignature(suite, publicKey, utf8('other'), signature))
        }
      }
    })

    test('every cheater is named, and nobody else', () => {
      const deal = dealt(suite, 3, 5)
      const signers = prepare(deal, ids(1, 3, 4, 5), message)
      const shares = signAll(signers)
      const wrong = new Map(shares)
      wrong.set(partyId(1), plusOne(shares.get(partyId(1))!))
      wrong.set(partyId(4), shares.get(partyId(3))!)
      const { session } = signers[1]!
      assert.deepEqual(session.cheaters(wrong), [1, 4])
      assert.throws(
        () => session.aggregate(wrong),
        (error) =>
          error instanceof Abort &&
          error.code === 'threshold/invalid-share' &&
          error.culprits.join() === '1,4',
      )
      assert.deepEqual(session.cheaters(shares), [])
    })

    test('two wrong shares whose sum is right do not pass', () => {
      const signers = prepare(dealt(suite, 2, 3), ids(1, 2), message)
      const shares = signAll(signers)
      const [a, b] = [1, 2].map((i) => group.decodeScalar(shares.get(partyId(i))!)) as [
        bigint,
        bigint,
      ]
      const shifted = new Map([
        [partyId(1), group.encodeScalar(mod(a + 7n, group.order))],
        [partyId(2), group.encodeScalar(mod(b - 7n, group.order))],
      ])
      assert.deepEqual(signers[0]!.session.cheaters(shifted), [1, 2])
    })

    test('a share that is not a canonical scalar is wrong, whatever its residue', () => {
      const signers = prepare(dealt(suite, 2, 2), ids(1, 2), message)
      const shares = signAll(signers)
      const { session } = signers[0]!
      for (const bytes of [
        new Uint8Array(32).fill(255),
        new Uint8Array(31),
        new Uint8Array(33),
        new Uint8Array(),
      ])
        assert.ok(!session.isValidShare(partyId(1), bytes))
      assert.ok(session.isValidShare(partyId(1), shares.get(partyId(1))!))
      assert.ok(!session.isValidShare(partyId(2), shares.get(partyId(1))!))
    })

    test('a share for another message, key or commitment list does not pass', () => {
      const deal = dealt(suite, 2, 3)
      const here = prepare(deal, ids(1, 2), message)
      const elsewhere = prepare(deal, ids(1, 2), utf8('other'))
      const share = elsewhere[0]!.session.sign(partyId(1), here[0]!.share, elsewhere[0]!.nonces)
      assert.ok(!here[0]!.session.isValidShare(partyId(1), share))
      // A signer that uses a wrong key share.
      const wrongShare = new Secret(group.encodeScalar(12345n))
      const forged = here[0]!.session.sign(partyId(1), wrongShare, here[0]!.nonces)
      assert.deepEqual(
        here[1]!.session.cheaters(
          new Map([
            [partyId(1), forged],
            [partyId(2), here[1]!.session.sign(partyId(2), here[1]!.share, here[1]!.nonces)],
          ]),
        ),
        [1],
      )
    })

    test('a party whose own key share is damaged finds out when it aggregates', () => {
      const [one, two] = prepare(dealt(suite, 2, 3), ids(1, 2), message)
      const damaged = new Secret(group.encodeScalar(12345n))
      const shares = new Map([
        [partyId(1), one!.session.sign(partyId(1), damaged, one!.nonces)],
        [partyId(2), two!.session.sign(partyId(2), two!.share, two!.nonces)],
      ])
      assert.throws(
        () => one!.session.aggregate(shares),
        (error) => error instanceof Abort && error.culprits.join() === '1',
      )
    })

    test('nonces sign once', () => {
      const signers = prepare(dealt(suite, 2, 2), ids(1, 2), message)
      const { party, share, nonces, session } = signers[0]!
      session.sign(party, share, nonces)
      assert.ok(nonces.isUsed)
      assert.throws(() => session.sign(party, share, nonces), { code: 'threshold/nonce-used' })
      assert.throws(() => nonces.take(), { code: 'threshold/nonce-used' })
    })

    test('taken or disposed nonces are overwritten', () => {
      const scalars = concatBytes(group.encodeScalar(5n), group.encodeScalar(6n))
      const nonces = new SigningNonces(suite, scalars)
      assert.deepEqual(nonces.take(), { hiding: 5n, binding: 6n })
      assert.deepEqual(scalars, new Uint8Array(64))
      const others = concatBytes(group.encodeScalar(5n), group.encodeScalar(6n))
      new SigningNonces(suite, others)[Symbol.dispose]()
      assert.deepEqual(others, new Uint8Array(64))
    })

    test('nonces are hedged: neither equal randomness nor an equal share alone repeats them', () => {
      const { shares } = dealt(suite, 2, 2)
      const stuck = { bytes: (length: number) => new Uint8Array(length).fill(1) }
      const [a, b] = [1, 2].map(
        (i) => commit(suite, shares.get(partyId(i))!, stuck).commitment.encoded,
      )
      assert.notDeepEqual(a, b)
      const [c, d] = [1, 1].map(
        (i) => commit(suite, shares.get(partyId(i))!, random).commitment.encoded,
      )
      assert.notDeepEqual(c, d)
    })

    test('nonces whose commitment the session does not hold are not touched', () => {
      const deal = dealt(suite, 2, 2)
      const [here] = prepare(deal, ids(1, 2), message)
      const [elsewhere] = prepare(deal, ids(1, 2), message)
      const { party, share, session } = here!
      assert.throws(() => session.sign(party, share, elsewhere!.nonces), {
        code: 'threshold/nonce-mismatch',
      })
      assert.ok(!elsewhere!.nonces.isUsed)
      assert.throws(() => session.sign(partyId(2), share, here!.nonces), {
        code: 'threshold/nonce-mismatch',
      })
    })

    test('signer sets: too few, twice, strangers', () => {
      const { key } = dealt(suite, 2, 3)
      for (const set of [[1], [], [1, 1], [1, 1, 2], [1, 4]])
        assert.throws(() => new SignerSet(key, ids(...set)), { code: 'threshold/bad-parameters' })
    })

    test('commitments must be those of the signers, one each', () => {
      const deal = dealt(suite, 2, 3)
      const [one, two, three] = ids(1, 2, 3).map(
        (party) => commit(suite, deal.shares.get(party)!, random).commitment,
      )
      const open = (entries: readonly [number, typeof one][]): SigningSession =>
        new SigningSession({
          key: new SigningKey(deal.key),
          signers: new SignerSet(deal.key, ids(1, 2)),
          message,
          commitments: new Map(entries.map(([i, c]) => [partyId(i), c!])),
        })
      const session = open([
        [2, two],
        [1, one],
      ])
      assert.throws(() => open([[1, one]]), { code: 'threshold/bad-parameters' })
      assert.throws(
        () =>
          open([
            [1, one],
            [2, two],
            [3, three],
          ]),
        { code: 'threshold/bad-parameters' },
      )
      assert.throws(() => session.isValidShare(partyId(3), new Uint8Array(32)), {
        code: 'threshold/bad-parameters',
      })
      assert.throws(() => session.aggregate(new Map()), { code: 'threshold/bad-parameters' })
    })

    test('commitments decode only from two valid elements', () => {
      const good = group.encode(group.generator)
      const zero = group.name === 'ed25519' ? fromHex(`01${'00'.repeat(31)}`) : new Uint8Array(33)
      assert.equal(
        decodeNonceCommitment(suite, concatBytes(good, good)).encoded.length,
        2 * good.length,
      )
      for (const bytes of [
        good,
        concatBytes(good, zero),
        concatBytes(zero, good),
        concatBytes(good, good, good),
        concatBytes(good, good, Uint8Array.of(0)),
        new Uint8Array(),
      ])
        assert.throws(() => decodeNonceCommitment(suite, bytes), { code: 'math/bad-element' })
    })

    test('a commitment list that sums to the identity is refused', () => {
      const { key } = dealt(suite, 1, 1)
      // D = −ρ·E cannot be found, since ρ depends on D; so the identity is put in past the decoder.
      const hiding = group.identity
      const commitments = new Map([
        [partyId(1), { hiding, binding: group.identity, encoded: new Uint8Array(64) }],
      ])
      assert.throws(
        () =>
          new SigningSession({
            key: new SigningKey(key),
            signers: new SignerSet(key, ids(1)),
            message,
            commitments,
          }),
        { code: 'math/identity' },
      )
    })

    test('contexts tell sessions apart', () => {
      const deal = dealt(suite, 2, 3)
      const [a, b] = prepare(deal, ids(1, 2), message)
      const [c] = prepare(deal, ids(1, 2), message)
      assert.deepEqual(a!.session.context, b!.session.context)
      assert.notDeepEqual(a!.session.context, c!.session.context)
    })
  })
}

test('small-order and mixed-order points are refused as Ed25519 commitments', () => {
  const suite = frostSuites['FROST-ED25519-SHA512-v1']
  const good = suite.group.encode(suite.group.generator)
  const small = '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'
  const mixed = noble.Point.BASE.add(noble.Point.fromHex(small)).toBytes()
  for (const bad of [fromHex(small), mixed])
    assert.throws(() => decodeNonceCommitment(suite, concatBytes(good, bad)), {
      code: 'math/bad-element',
    })
})

test('verifySignature answers false, never throws', () => {
  for (const suite of Object.values(frostSuites))
    for (const [key, signature] of [
      [0, 64],
      [32, 0],
      [32, 64],
      [33, 64],
      [32, 65],
    ] as const)
      assert.equal(
        verifySignature(suite, new Uint8Array(key), message, new Uint8Array(signature)),
        false,
      )
})

test('suites are found by their id', () => {
  for (const suite of Object.values(frostSuites)) assert.equal(frostSuite(suite.id), suite)
  for (const id of ['', 'FROST', 'constructor'])
    assert.throws(() => frostSuite(id), { code: 'threshold/unknown-suite' })
})
