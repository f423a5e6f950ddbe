import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encode, isFault } from '@quorate/base'
import { secp256k1, toUnsignedBytes } from '@quorate/math'
import type { Level } from '#src/cggmp24/level.js'
import {
  type AffGProof,
  type AffGStatement,
  type AffGWitness,
  affGProof,
  proveAffG,
  verifyAffG,
} from '#src/cggmp24/proofs/aff-g.js'
import { seededRandom } from '#src/testing/index.js'
import {
  alterations,
  assertWireForm,
  collecting,
  HALF,
  L128,
  looseKey,
  looseParameters,
  nonUnits,
  otherSetups,
  publicly,
  publicsOf,
  Q,
  secretsOf,
  setupOf,
  TESTED,
  untilItWorks,
  widened,
  zeroKey,
} from './alterations.js'

const Y_END = 1n << 1279n

/** A true statement of party 1 to party 2, with everybody's secret keys in it. */
function claimOf(level: Level, x: bigint, y: bigint, seed = 'claim') {
  const random = seededRandom(seed)
  const { paillier: receiverKey, ringPedersen: verifierParameters } = secretsOf(2, level)
  const { paillier: proverKey } = secretsOf(1, level)
  const witness: AffGWitness = {
    x,
    y,
    nonce: receiverKey.randomNonce(random),
    nonceY: proverKey.randomNonce(random),
  }
  const C = receiverKey.encrypt(987654321n, receiverKey.randomNonce(random))
  const statement: AffGStatement = {
    instance: 0,
    verifierParameters,
    receiverKey,
    proverKey,
    C,
    D: receiverKey.add(receiverKey.multiply(C, x), receiverKey.encrypt(y, witness.nonce)),
    Y: proverKey.encrypt(y, witness.nonceY),
    X: secp256k1.mulBase(x),
  }
  return { statement, witness }
}

const prove = (
  level: Level,
  { statement, witness }: ReturnType<typeof claimOf>,
  seed = 'proof',
): AffGProof => proveAffG(setupOf(level), statement, witness, seededRandom(seed))

const setup = setupOf(TESTED)
const claim = claimOf(TESTED, 123456789n, -(3n ** 500n))
const { statement } = claim
const proof = prove(TESTED, claim)
const holds = (altered: Partial<AffGProof>, of: AffGStatement = statement): boolean =>
  verifyAffG(setup, of, { ...proof, ...altered })

describe('Π^aff-g', () => {
  test('holds for every witness, with secret keys and with public ones', () => {
    const witnesses = [
      [TESTED, 1n, 0n],
      [TESTED, -1n, Y_END],
      [TESTED, HALF, -Y_END],
      [TESTED, -HALF, -1n],
      [L128, -HALF, Y_END],
    ] as const
    for (const [level, x, y] of witnesses) {
      const made = claimOf(level, x, y, `complete ${x}`)
      const complete = prove(level, made, `complete ${x}`)
      assert.ok(verifyAffG(setupOf(level), made.statement, complete))
      assert.ok(verifyAffG(setupOf(level), publicly(made.statement), complete))
    }
  })

  test('holds for challenges of both signs, with the keys that each side has', () => {
    const { receiverKey, verifierParameters, proverKey, ...rest } = publicly(statement)
    const ofProver = { ...rest, receiverKey, verifierParameters, proverKey: statement.proverKey }
    const ofVerifier = { ...statement, proverKey }
    for (const seed of ['a', 'b', 'c', 'd'])
      assert.ok(
        verifyAffG(setup, ofVerifier, prove(TESTED, { ...claim, statement: ofProver }, seed)),
      )
  })

  test('fails when one field differs, with secret keys and with public ones', () => {
    const otherClaim = claimOf(TESTED, -5n, 77n, 'other')
    const { paillier, ringPedersen: verifierParameters } = secretsOf(3, TESTED)
    const keys = { receiverKey: paillier, proverKey: paillier, verifierParameters }
    const other = { ...otherClaim.statement, instance: 1 as const, ...keys }
    for (const [what, altered] of alterations(statement, other)) {
      assert.equal(verifyAffG(setup, altered, proof), false, what)
      assert.equal(verifyAffG(setup, publicly(altered), proof), false, what)
    }
    for (const [what, altered] of alterations(proof, prove(TESTED, otherClaim, 'other'))) {
      assert.equal(holds(altered), false, what)
      assert.equal(holds(altered, publicly(statement)), false, what)
    }
  })

  test('fails for another prover, verifier or context, and for keys exchanged', () => {
    for (const [what, other] of otherSetups(setup))
      assert.equal(verifyAffG(other, statement, proof), false, what)
    const { receiverKey, proverKey, D, Y } = statement
    const keysExchanged = { ...statement, receiverKey: proverKey, proverKey: receiverKey }
    assert.equal(verifyAffG(setup, keysExchanged, proof), false)
    assert.equal(verifyAffG(setup, { ...statement, D: Y, Y: D }, proof), false)
    const { ringPedersen: verifierParameters } = publicsOf(1, TESTED)
    assert.equal(verifyAffG(setup, { ...statement, verifierParameters }, proof), false)
  })

  test('each equation is checked: a prover that is honest but for one value fails', () => {
    const { receiverKey, proverKey } = statement
    const { y, nonceY } = claim.witness
    const wrong: readonly Partial<AffGStatement>[] = [
      { D: receiverKey.add(statement.D, 1n + receiverKey.n) },
      { Y: proverKey.encrypt(y + 1n, nonceY) },
      { X: secp256k1.add(statement.X, secp256k1.generator) },
    ]
    for (const change of wrong) {
      const untrue = { ...statement, ...change }
      const made = prove(TESTED, { ...claim, statement: untrue })
      assert.equal(verifyAffG(setup, untrue, made), false, Object.keys(change)[0])
    }
    // No challenge depends on these: whatever fails is the one equation they stand in.
    for (const name of ['w', 'wY', 'z3', 'z4'] as const)
      assert.equal(holds({ [name]: proof[name] + 1n }), false, name)
  })

  test('witnesses that are too large and an honest proof: out of range, and for nothing else', () => {
    const large = [
      [TESTED, 1n << 769n, 5n],
      [TESTED, -(1n << 769n), 5n],
      [TESTED, 5n, 1n << 1800n],
      [L128, 5n, -(1n << 1800n)],
    ] as const
    for (const [level, x, y] of large) {
      const made = claimOf(level, x, y)
      const wide = prove(level, made)
      assert.equal(verifyAffG(setupOf(level), made.statement, wide), false)
      assert.equal(verifyAffG(widened(setupOf(level)), made.statement, wide), true)
      assert.throws(
        () => encode(affGProof(level), wide),
        (error) => isFault(error, 'math/out-of-range'),
      )
    }
  })

  test('responses have one form each', () => {
    const { receiverKey, proverKey } = statement
    const { totient } = secretsOf(2, TESTED).ringPedersen.factors
    const { totient: receiverTotient } = secretsOf(2, TESTED).paillier.factors
    // These solve every equation, as a wider range would show.
    for (const change of [
      { z1: proof.z1 + Q * totient * receiverTotient * receiverKey.n },
      { z2: proof.z2 + totient * receiverKey.n * proverKey.n },
      { z3: proof.z3 + (totient << 800n) },
      { z4: proof.z4 - (totient << 800n) },
    ]) {
      const altered = { ...proof, ...change }
      assert.equal(verifyAffG(setup, statement, altered), false, Object.keys(change)[0])
      assert.equal(verifyAffG(widened(setup), statement, altered), true, Object.keys(change)[0])
    }
    for (const sign of [1n, -1n]) {
      assert.equal(holds({ w: proof.w + sign * receiverKey.n }), false)
      assert.equal(holds({ wY: proof.wY + sign * proverKey.n }), false)
    }
  })

  test('what is no canonical unit is refused, with secret keys and with public ones', () => {
    const { factors: own } = secretsOf(1, TESTED).paillier
    const { factors: receiver } = secretsOf(2, TESTED).paillier
    const { factors: hat } = secretsOf(2, TESTED).ringPedersen
    const residues = [
      [hat, ['E', 'S', 'F', 'T']],
      [receiver, ['w']],
      [own, ['wY']],
    ] as const
    for (const [{ n, p }, names] of residues)
      for (const name of names)
        for (const value of nonUnits(n, p.n)) {
          assert.equal(holds({ [name]: value }), false, name)
          assert.equal(holds({ [name]: value }, publicly(statement)), false, name)
        }
    const ciphertexts = [
      [receiver, 'A', ['C', 'D']],
      [own, 'By', ['Y']],
    ] as const
    for (const [{ n, p }, committed, names] of ciphertexts)
      for (const value of [n, ...nonUnits(n * n, p.n)]) {
        assert.equal(holds({ [committed]: value }), false, committed)
        for (const name of names) {
          const altered = { ...statement, [name]: value }
          assert.equal(holds({}, altered), false, name)
          assert.equal(holds({}, publicly(altered)), false, name)
        }
      }
  })

  test('zeros, which solve each Paillier equation, are refused', () => {
    for (const name of ['receiverKey', 'proverKey'] as const) {
      const zeroing = zeroKey(statement[name])
      const zeros = name === 'receiverKey' ? { D: 0n } : { Y: 0n }
      const untrue = { ...statement, ...zeros, [name]: zeroing }
      const witness = { ...claim.witness, [name === 'receiverKey' ? 'nonce' : 'nonceY']: 0n }
      // Zero has no negative power: the forger tries until its challenge is positive.
      const forged = untilItWorks((seed) =>
        proveAffG(setup, untrue, witness, seededRandom(`${name} ${seed}`)),
      )
      assert.equal(name === 'receiverKey' ? forged.A | forged.w : forged.By | forged.wY, 0n)
      assert.equal(verifyAffG(setup, { ...statement, ...zeros }, forged), false, name)
    }
  })

  test('a forger whose commitments are too large by their modulus fails', () => {
    const forge = (forging: () => Partial<AffGStatement>): AffGProof =>
      untilItWorks((seed) =>
        proveAffG(setup, { ...statement, ...forging() }, claim.witness, seededRandom(seed)),
      )
    for (const [number, name] of (['E', 'S', 'F', 'T'] as const).entries()) {
      const { verifierParameters: R } = statement
      const forged = forge(() => ({ verifierParameters: looseParameters(R, number) }))
      assert.ok(forged[name] > R.n)
      assert.equal(holds(forged), false, name)
    }
    for (const [name, committed] of [
      ['receiverKey', 'A'],
      ['proverKey', 'By'],
    ] as const) {
      const key = looseKey(statement[name])
      const forged = forge(() => ({ [name]: key }))
      assert.ok(forged[committed] > key.square.n)
      assert.equal(holds(forged), false, committed)
    }
    for (const name of ['D', 'Y'] as const) {
      const { square } = statement[name === 'D' ? 'receiverKey' : 'proverKey']
      const { untrue, forged } = untilItWorks((seed) => {
        const honest = claimOf(TESTED, 5n, 7n, `loose ${seed}`)
        const untrue = { ...honest.statement, [name]: honest.statement[name] + square.n }
        toUnsignedBytes(untrue[name], 512)
        return { untrue, forged: prove(TESTED, { ...honest, statement: untrue }) }
      })
      assert.equal(verifyAffG(setup, untrue, forged), false, name)
    }
  })

  test('batches collect the Paillier equations and nothing else', () => {
    const second = claimOf(TESTED, -HALF, 3n, 'second')
    const secondProof = prove(TESTED, second)
    const good = collecting()
    assert.ok(verifyAffG(setup, statement, proof, good.batches))
    assert.ok(verifyAffG(setup, second.statement, secondProof, good.batches))
    const refused = [{ z3: proof.z3 + 1n }, { w: 0n }, { z2: 1n << 1900n }, { By: 0n }]
    for (const change of refused)
      assert.equal(verifyAffG(setup, statement, { ...proof, ...change }, good.batches), false)
    assert.ok(good.hold(), 'refused proofs leave no trace')

    for (const change of [{ w: proof.w + 1n }, { wY: proof.wY + 1n }]) {
      const bad = collecting()
      assert.ok(verifyAffG(setup, second.statement, secondProof, bad.batches))
      assert.ok(verifyAffG(setup, statement, { ...proof, ...change }, bad.batches))
      assert.equal(bad.hold(), false)
    }
  })

  test('has the sizes of its level, every field of one length', () => {
    const complete = claimOf(L128, 1n, 1n)
    const wide = assertWireForm(affGProof(L128), prove(L128, complete), 5157)
    assert.ok(verifyAffG(setupOf(L128), complete.statement, wide))
    assert.ok(verifyAffG(setup, statement, assertWireForm(affGProof(TESTED), proof, 3621)))
  })
})
