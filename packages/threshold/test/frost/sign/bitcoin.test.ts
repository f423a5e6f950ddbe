/** BIP-340 signatures and BIP-341 tweaks against the vectors of the BIPs. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { schnorr } from '@noble/curves/secp256k1.js'
import { fromHex, toHex } from '@quorate/base'
import { decodeX, fromBytesBe, secp256k1 } from '@quorate/math'
import { SigningKey, signingKey } from '#src/frost/sign/key.js'
import { verifySignature } from '#src/frost/suite.js'
import { frostSuites } from '#src/frost/suites/table.js'
import type { Tweak } from '#src/frost/tweak.js'
import { pathOf, readVectors, withVectors } from '../../vectors.ts'
import { dealt, ids, prepare, signAll } from './fixtures.ts'

const suite = frostSuites['FROST-secp256k1-SHA256-TR-v1']
const taproot = (merkleRoot: string | null): Tweak => ({
  kind: 'taproot',
  ...(merkleRoot !== null && { merkleRoot: fromHex(merkleRoot) }),
})

const BIP340 = 'bips/bip-0340/test-vectors.csv'
describe(BIP340, withVectors(BIP340), () => {
  const [, ...lines] = readFileSync(pathOf(BIP340), 'utf8').trim().split(/\r?\n/)
  for (const line of lines) {
    const [index, , publicKey, , message, signature, result] = line.split(',')
    test(`row ${index} verifies: ${result}`, () => {
      const [key, m, sig] = [publicKey!, message!, signature!].map(fromHex) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ]
      assert.equal(verifySignature(suite, key, m, sig), result === 'TRUE')
    })
  }
  test('all rows are there', () => assert.equal(lines.length, 19))
})

type WalletVectors = {
  readonly scriptPubKey: readonly {
    readonly given: { readonly internalPubkey: string }
    readonly intermediary: { readonly merkleRoot: string | null; readonly tweakedPubkey: string }
  }[]
  readonly keyPathSpending: readonly {
    readonly inputSpending: readonly {
      readonly given: { readonly internalPrivkey: string; readonly merkleRoot: string | null }
      readonly intermediary: {
        readonly internalPubkey: string
        readonly tweakedPrivkey: string
        readonly sigHash: string
      }
    }[]
  }[]
}

const BIP341 = 'bips/bip-0341/wallet-test-vectors.json'
describe(BIP341, withVectors(BIP341), () => {
  const { scriptPubKey, keyPathSpending } = readVectors<WalletVectors>(BIP341)

  for (const [i, { given, intermediary }] of scriptPubKey.entries()) {
    test(`output key ${i}`, () => {
      const groupKey = decodeX(fromHex(given.internalPubkey))
      // The internal key is x-only, so both points that have it must give the same output key.
      for (const each of [groupKey, secp256k1.negate(groupKey)]) {
        const key = new SigningKey(
          { suite, threshold: 1, groupKey: each, verifyingShares: new Map() },
          [taproot(intermediary.merkleRoot)],
        )
        assert.equal(toHex(key.publicKey), intermediary.tweakedPubkey)
      }
    })
  }

  for (const [i, { given, intermediary }] of keyPathSpending
    .flatMap((each) => each.inputSpending)
    .entries()) {
    test(`input ${i}: 2 of 3 parties sign for the tweaked key`, () => {
      const secret = fromBytesBe(fromHex(given.internalPrivkey))
      const deal = dealt(suite, 2, 3, secret)
      const tweaks = [taproot(given.merkleRoot)]
      const message = fromHex(intermediary.sigHash)
      const signers = prepare(deal, ids(1, 3), message, tweaks)
      const signature = signers[0]!.session.aggregate(signAll(signers))
      const outputKey = schnorr.getPublicKey(fromHex(intermediary.tweakedPrivkey))
      assert.deepEqual(new SigningKey(deal.key, tweaks).publicKey, outputKey)
      assert.equal(toHex(new SigningKey(deal.key).publicKey), intermediary.internalPubkey)
      assert.ok(verifySignature(suite, outputKey, message, signature))
    })
  }
  test('all inputs are there', () => assert.equal(keyPathSpending[0]!.inputSpending.length, 7))
})

test('both kinds of tweak, and keys of odd and of even y, are met', () => {
  const seen = new Set<string>()
  for (let secret = 2n; seen.size < 8; secret++) {
    const deal = dealt(suite, 2, 2, secret)
    for (const root of [null, '11'.repeat(32)]) {
      const message = Uint8Array.of(Number(secret))
      const tweaks = [taproot(root)]
      const key = new SigningKey(deal.key, tweaks)
      const signers = prepare(deal, ids(1, 2), message, tweaks)
      assert.ok(
        verifySignature(
          suite,
          key.publicKey,
          message,
          signers[1]!.session.aggregate(signAll(signers)),
        ),
      )
      const inner = new SigningKey(deal.key).element
      const moved = secp256k1.add(inner, secp256k1.mulBase(suite.tweakScalar(inner, tweaks[0]!)))
      seen.add([root, suite.usesNegative(deal.key.groupKey), suite.usesNegative(moved)].join())
    }
    assert.ok(secret < 200n)
  }
})

test('tweaks add up in order, and one applied twice gives another key', () => {
  const { key } = dealt(suite, 1, 1)
  const once = new SigningKey(key, [taproot(null)])
  const twice = new SigningKey(key, [taproot(null), taproot(null)])
  assert.notDeepEqual(once.publicKey, twice.publicKey)
  const again = new SigningKey({ ...key, groupKey: once.element }, [taproot(null)])
  assert.deepEqual(twice.publicKey, again.publicKey)
})

test('a key keeps a few of its forms', () => {
  const { key } = dealt(suite, 1, 1)
  const form = (n: number): SigningKey =>
    signingKey(key, [{ kind: 'taproot', merkleRoot: new Uint8Array(32).fill(n) }])
  assert.equal(form(0), form(0))
  assert.equal(signingKey(key), signingKey(key, []))
  const first = form(0)
  for (let n = 1; n < 20; n++)
    assert.deepEqual(
      form(n).publicKey,
      new SigningKey(key, [taproot(toHex(new Uint8Array(32).fill(n)))]).publicKey,
    )
  assert.notEqual(form(0), first)
  assert.deepEqual(form(0).publicKey, first.publicKey)
})

test('a root that is no root and a suite without tweaks are refused', () => {
  const { key } = dealt(suite, 1, 1)
  const short: Tweak = { kind: 'taproot', merkleRoot: new Uint8Array(31) }
  assert.throws(() => new SigningKey(key, [short]), { code: 'threshold/bad-tweak' })
  const ed = dealt(frostSuites['FROST-ED25519-SHA512-v1'], 1, 1)
  assert.throws(() => new SigningKey(ed.key, [taproot(null)]), {
    code: 'threshold/unsupported-tweak',
  })
})
