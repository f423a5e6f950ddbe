import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mod, PaillierKey, secp256k1 } from '@quorate/math'
import { chooseBackends } from '@quorate/math/native'
import type { Level } from '#src/cggmp24/level.js'
import {
  type AffGStarProof,
  type AffGStarStatement,
  type AffGStarWitness,
  affGStarProof,
  proveAffGStar,
  verifyAffGStar,
} from '#src/cggmp24/proofs/aff-g-star.js'
import { partyId } from '#src/session/party.js'
import { seededRandom } from '#src/testing/index.js'
import {
  alterations,
  assertWireForm,
  collecting,
  flipped,
  HALF,
  L128,
  nonUnits,
  otherSetups,
  publicly,
  secretsOf,
  setupOf,
  TESTED,
} from './alterations.js'
import { assertLengthsAreFixed, entryAlterations, withNonCanonical } from './entries.js'

await chooseBackends()

const view = new Uint8Array(32).fill(5)
const BETA = 3n ** 800n
type Claim = { readonly statement: AffGStarStatement; readonly witness: AffGStarWitness }

/** A true statement of party 1 about what it sent to party 2, with everybody's secret keys in it. */
function claimOf(level: Level, x: bigint, y: bigint, seed = 0): Claim {
  const random = seededRandom(`claim ${x} ${y} ${seed}`)
  const { paillier: receiverKey } = secretsOf(2, level)
  const { paillier: proverKey } = secretsOf(1, level)
  const nonce = receiverKey.randomNonce(random)
  const nonceY = proverKey.randomNonce(random)
  const C = receiverKey.encrypt(987_654_321n, receiverKey.randomNonce(random))
  const statement: AffGStarStatement = {
    instance: 0,
    receiver: partyId(2),
    view,
    receiverKey,
    proverKey,
    C,
    D: receiverKey.add(receiverKey.multiply(C, x), receiverKey.encrypt(y, nonce)),
    Y: proverKey.encrypt(y, nonceY),
    X: secp256k1.mulBase(x),
  }
  return { statement, witness: { x, y, nonce, nonceY } }
}

const prove = (level: Level, { statement, witness }: Claim): AffGStarProof =>
  proveAffGStar(setupOf(level), statement, witness, seededRandom('aff-g-star'))
const check = (level: Level, claim: Claim): boolean =>
  verifyAffGStar(setupOf(level), claim.statement, prove(level, claim))

const setup = setupOf(TESTED)
const claim = claimOf(TESTED, -123_456_789n, -BETA)
const { statement } = claim
const proof = prove(TESTED, claim)
const holds = (altered: Partial<AffGStarProof>, of = statement): boolean =>
  verifyAffGStar(setup, of, { ...proof, ...altered })

describe('Π^aff-g*', () => {
  test('holds at both levels for y = −β, to everybody', () => {
    assert.ok(holds({}))
    assert.ok(holds({}, publicly(statement)))
    const ofReceiver = { ...publicly(statement), receiverKey: statement.receiverKey }
    assert.ok(holds({}, ofReceiver))
    assert.ok(check(TESTED, claimOf(TESTED, HALF, 1n << 1279n)))
    // A prover knows its own key only, and a third party none.
    const strong = claimOf(L128, -HALF, -BETA)
    const { proverKey } = strong.statement
    const made = prove(L128, { ...strong, statement: { ...publicly(strong.statement), proverKey } })
    const third = publicly(strong.statement)
    assert.ok(verifyAffGStar(setupOf(L128), third, made))
    const D = third.receiverKey.add(third.D, 1n + third.receiverKey.n)
    assert.equal(verifyAffGStar(setupOf(L128), { ...third, D }, made), false)
  })

  test('has one wire form, of one length', () => {
    assert.ok(holds(assertWireForm(affGStarProof(TESTED), proof, 211_792)))
    const entries = { A: 5n, B: statement.X, E: 4n, z: -6n, zPrime: 7n, w: 8n, wY: 9n }
    const strong = Object.fromEntries(
      Object.entries(entries).map(([name, entry]) => [name, Array(128).fill(entry)]),
    ) as unknown as AffGStarProof
    assertWireForm(affGStarProof(L128), strong, 340_352)
    assertLengthsAreFixed(affGStarProof, L128, strong)
    assertLengthsAreFixed(affGStarProof, TESTED, proof)
  })

  test('every response of an honest prover fits its field, at the ends of its range', () => {
    for (const sign of [1n, -1n]) {
      const z = proof.z.map(() => sign * (1n << BigInt(TESTED.ell + TESTED.epsilon - 1)))
      const zPrime = proof.z.map(() => sign * (1n << BigInt(TESTED.ellPrime + TESTED.epsilon - 1)))
      const codec = affGStarProof(TESTED)
      const read = codec.fromCbor(codec.toCbor({ ...proof, z, zPrime }), 'proof')
      assert.deepEqual([read.z, read.zPrime], [z, zPrime])
    }
  })

  test('fails when one field differs', () => {
    const other: AffGStarStatement = {
      ...claimOf(TESTED, 5n, 77n).statement,
      instance: 1,
      view: flipped(view),
      receiverKey: secretsOf(3, TESTED).paillier,
      proverKey: secretsOf(3, TESTED).paillier,
    }
    const { receiver, ...rest } = statement
    const { receiver: _, ...otherRest } = other
    for (const [what, altered] of alterations(rest, otherRest))
      assert.equal(holds({}, { ...altered, receiver }), false, what)
    assert.equal(holds({}, { ...statement, receiver: partyId(3) }), false)
    for (const [what, altered] of entryAlterations(proof)) assert.equal(holds(altered), false, what)
    for (const [what, altered] of otherSetups(setup))
      if (what !== 'another verifier')
        assert.equal(verifyAffGStar(altered, statement, proof), false, what)
  })

  test('fails when two fields of the statement are exchanged', () => {
    const { C, D, Y, receiverKey, proverKey } = statement
    const exchanged: readonly (readonly [string, Partial<AffGStarStatement>])[] = [
      ['C and D', { C: D, D: C }],
      ['D and Y', { D: Y, Y: D }],
      ['C and Y', { C: Y, Y: C }],
      ['the keys', { receiverKey: proverKey, proverKey: receiverKey }],
      ['the keys, D and Y', { receiverKey: proverKey, proverKey: receiverKey, D: Y, Y: D }],
    ]
    for (const [what, change] of exchanged)
      assert.equal(holds({}, publicly({ ...statement, ...change })), false, what)
  })

  test('each equation is checked: a prover that is honest but for one value fails', () => {
    const { receiverKey, proverKey } = statement
    const { y, nonceY } = claim.witness
    const wrong: readonly Partial<AffGStarStatement>[] = [
      { D: receiverKey.add(statement.D, 1n + receiverKey.n) },
      { Y: proverKey.encrypt(y + 1n, nonceY) },
      { Y: proverKey.encrypt(-y, nonceY) },
      { X: secp256k1.add(statement.X, secp256k1.generator) },
    ]
    for (const change of wrong) {
      const untrue = { ...claim, statement: { ...statement, ...change } }
      assert.equal(check(TESTED, untrue), false, Object.keys(change)[0])
    }
    for (const name of ['w', 'wY'] as const) {
      const doubled = mod(
        proof[name][3]! * 2n,
        statement[name === 'w' ? 'receiverKey' : 'proverKey'].n,
      )
      assert.equal(holds({ [name]: proof[name].with(3, doubled) }), false, name)
    }
  })

  test('witnesses that are too large and an honest proof: out of range, and for nothing else', () => {
    const wide = { ...setup, level: { ...TESTED, ell: 2048, ellPrime: 4096 } }
    for (const [x, y] of [
      [1n << 769n, 5n],
      [5n, -(1n << 1800n)],
    ] as const) {
      const made = claimOf(TESTED, x, y)
      const forged = prove(TESTED, made)
      assert.equal(verifyAffGStar(setup, made.statement, forged), false)
      assert.equal(verifyAffGStar(wide, made.statement, forged), true)
    }
  })

  test('what is no canonical unit is refused', () => {
    const of = publicly(statement)
    const keys = [
      [secretsOf(2, TESTED).paillier.factors, 'w', 'A', ['C', 'D']],
      [secretsOf(1, TESTED).paillier.factors, 'wY', 'E', ['Y']],
    ] as const
    for (const [{ n, p }, nonce, committed, names] of keys) {
      for (const value of nonUnits(n, p.n))
        assert.equal(holds({ [nonce]: proof[nonce].with(-1, value) }, of), false, nonce)
      for (const value of [n, ...nonUnits(n * n, p.n)]) {
        const altered = { [committed]: proof[committed].with(-1, value) }
        assert.equal(holds(altered, of), false, committed)
        for (const name of names) assert.equal(holds({}, { ...of, [name]: value }), false, name)
      }
    }
    for (const name of ['receiverKey', 'proverKey'] as const) {
      const giant = PaillierKey.of((of[name].n << 64n) | 1n)
      assert.equal(holds({}, { ...of, [name]: giant }), false, name)
    }
  })

  test('residues that are too large by their modulus solve every equation, and are refused', () => {
    const of = publicly(statement)
    assert.equal(holds({ w: withNonCanonical(proof.w, of.receiverKey.n, 2048) }, of), false)
    assert.equal(holds({ wY: withNonCanonical(proof.wY, of.proverKey.n, 2048) }, of), false)
    for (const name of ['C', 'D', 'Y'] as const)
      for (let seed = 0; ; seed++) {
        const made = claimOf(TESTED, 5n, -BETA, seed)
        const { n } = made.statement[name === 'Y' ? 'proverKey' : 'receiverKey'].square
        const value = made.statement[name] + n
        if (value >> 4096n !== 0n) continue
        const loose = { ...made, statement: { ...made.statement, [name]: value } }
        assert.equal(check(TESTED, loose), false, name)
        break
      }
  })

  test('with batches, Paillier equations are left to the batch, and all else is checked', () => {
    const good = collecting()
    assert.ok(verifyAffGStar(setup, statement, proof, good.batches))
    assert.ok(good.hold())
    for (const name of ['w', 'wY'] as const) {
      const bad = collecting()
      const altered = { ...proof, [name]: proof[name].with(7, proof[name][7]! + 1n) }
      assert.ok(verifyAffGStar(setup, statement, altered, bad.batches))
      assert.equal(bad.hold(), false)
    }
    const z = { ...proof, z: proof.z.with(7, proof.z[7]! + 1n) }
    assert.equal(verifyAffGStar(setup, statement, z, collecting().batches), false)
  })
})
