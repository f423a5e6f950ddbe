import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encode, isFault } from '@quorate/base'
import { secp256k1 } from '@quorate/math'
import type { Level } from '#src/cggmp24/level.js'
import {
  type EncElgProof,
  type EncElgStatement,
  type EncElgWitness,
  encElgProof,
  proveEncElg,
  verifyEncElg,
} from '#src/cggmp24/proofs/enc-elg.js'
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
  Q,
  secretsOf,
  setupOf,
  TESTED,
  untilItWorks,
  widened,
  zeroKey,
} from './alterations.js'

const G = secp256k1.generator

/** A true statement of party 1 to party 2, with everybody's secret keys in it. */
function claimOf(level: Level, x: bigint, seed = 'claim', b = 11n) {
  const random = seededRandom(seed)
  const { paillier: key } = secretsOf(1, level)
  const nonce = key.randomNonce(random)
  const A = secp256k1.mulBase(secp256k1.randomScalar(random))
  const statement: EncElgStatement = {
    instance: 0,
    verifierParameters: secretsOf(2, level).ringPedersen,
    key,
    C: key.encrypt(x, nonce),
    A,
    B: secp256k1.mulBase(b),
    X: secp256k1.add(secp256k1.mulSecret(b, A), secp256k1.mulBase(x)),
  }
  const witness: EncElgWitness = { x, nonce, b }
  return { statement, witness }
}

const prove = (
  level: Level,
  { statement, witness }: ReturnType<typeof claimOf>,
  seed = 'proof',
): EncElgProof => proveEncElg(setupOf(level), statement, witness, seededRandom(seed))

const setup = setupOf(TESTED)
const claim = claimOf(TESTED, 123456789n)
const { statement } = claim
const proof = prove(TESTED, claim)
const holds = (altered: Partial<EncElgProof>, of: EncElgStatement = statement): boolean =>
  verifyEncElg(setup, of, { ...proof, ...altered })

describe('Π^enc-elg', () => {
  test('holds for every witness, with secret keys and with public ones', () => {
    for (const level of [TESTED, L128]) {
      const witnesses = level === TESTED ? [0n, 1n, -1n, HALF, -HALF] : [HALF, -2n]
      for (const x of witnesses) {
        const made = claimOf(level, x, `complete ${x}`)
        const complete = prove(level, made, `complete ${x}`)
        assert.ok(verifyEncElg(setupOf(level), made.statement, complete))
        assert.ok(verifyEncElg(setupOf(level), publicly(made.statement), complete))
      }
    }
  })

  test('a prover with public keys makes the same proof', () => {
    const made = proveEncElg(setup, publicly(statement), claim.witness, seededRandom('proof'))
    assert.deepEqual(encode(encElgProof(TESTED), made), encode(encElgProof(TESTED), proof))
  })

  test('fails when one field differs, with secret keys and with public ones', () => {
    const otherClaim = claimOf(TESTED, -5n, 'other', 12n)
    const { paillier: key, ringPedersen: verifierParameters } = secretsOf(3, TESTED)
    const other = { ...otherClaim.statement, instance: 1 as const, key, verifierParameters }
    for (const [what, altered] of alterations(statement, other)) {
      assert.equal(verifyEncElg(setup, altered, proof), false, what)
      assert.equal(verifyEncElg(setup, publicly(altered), proof), false, what)
    }
    for (const [what, altered] of alterations(proof, prove(TESTED, otherClaim, 'other'))) {
      assert.equal(holds(altered), false, what)
      assert.equal(holds(altered, publicly(statement)), false, what)
    }
  })

  test('fails for another prover, verifier or context', () => {
    for (const [what, other] of otherSetups(setup))
      assert.equal(verifyEncElg(other, statement, proof), false, what)
  })

  test('each equation is checked: a prover that is honest but for one value fails', () => {
    const wrong: readonly Partial<EncElgStatement>[] = [
      { C: statement.key.encrypt(claim.witness.x + 1n, claim.witness.nonce) },
      { X: secp256k1.add(statement.X, G) },
      { B: secp256k1.add(statement.B, G) },
    ]
    for (const change of wrong) {
      const untrue = { ...statement, ...change }
      const made = prove(TESTED, { ...claim, statement: untrue })
      assert.equal(verifyEncElg(setup, untrue, made), false, Object.keys(change)[0])
    }
    // No challenge depends on these: whatever fails is the one equation they stand in.
    for (const change of [{ z2: proof.z2 + 1n }, { z3: proof.z3 + 1n }, { w: proof.w + 1n }])
      assert.equal(holds(change), false, Object.keys(change)[0])
  })

  test('a plaintext of 2^769 and an honest proof: out of range, and for nothing else', () => {
    for (const level of [TESTED, L128])
      for (const x of [1n << 769n, -(1n << 769n)]) {
        const made = claimOf(level, x)
        const wide = prove(level, made)
        assert.equal(verifyEncElg(setupOf(level), made.statement, wide), false)
        assert.equal(verifyEncElg(widened(setupOf(level)), made.statement, wide), true)
        assert.throws(
          () => encode(encElgProof(level), wide),
          (error) => isFault(error, 'math/out-of-range'),
        )
      }
  })

  test('responses have one form each', () => {
    const { totient } = secretsOf(2, TESTED).ringPedersen.factors
    const { n } = statement.key
    // These solve every equation, as a wider range would show.
    for (const change of [
      { z1: proof.z1 + n * Q * totient },
      { z3: proof.z3 + (totient << 800n) },
    ]) {
      assert.equal(holds(change), false)
      assert.equal(verifyEncElg(widened(setup), statement, { ...proof, ...change }), true)
    }
    for (const change of [{ z2: proof.z2 + n }, { z2: proof.z2 - n }, { w: proof.w + Q }])
      assert.equal(holds(change), false, Object.keys(change)[0])
  })

  test('what is no canonical unit is refused, with secret keys and with public ones', () => {
    const { factors: own } = secretsOf(1, TESTED).paillier
    const { factors: peer } = secretsOf(2, TESTED).ringPedersen
    for (const value of nonUnits(peer.n, peer.p.n))
      for (const name of ['S', 'T'] as const) {
        assert.equal(holds({ [name]: value }), false, name)
        assert.equal(holds({ [name]: value }, publicly(statement)), false, name)
      }
    for (const z2 of nonUnits(own.n, own.p.n)) {
      assert.equal(holds({ z2 }), false)
      assert.equal(holds({ z2 }, publicly(statement)), false)
    }
    for (const value of [own.n, ...nonUnits(own.n * own.n, own.p.n)]) {
      const altered = { ...statement, C: value }
      assert.equal(holds({ D: value }), false)
      assert.equal(holds({ D: value }, publicly(statement)), false)
      assert.equal(holds({}, altered), false)
      assert.equal(holds({}, publicly(altered)), false)
    }
    for (const C of [0n, own.n, own.p.n * 7n, own.n * own.n]) {
      const untrue = { ...statement, C }
      const made = prove(TESTED, { ...claim, statement: untrue })
      assert.equal(verifyEncElg(setup, untrue, made), false)
    }
  })

  test('zeros, which solve the Paillier equation, are refused', () => {
    const untrue = { ...statement, key: zeroKey(statement.key), C: 0n }
    const witness = { ...claim.witness, nonce: 0n }
    // Zero has no negative power: the forger tries until its challenge is positive.
    const forged = untilItWorks((seed) => proveEncElg(setup, untrue, witness, seededRandom(seed)))
    assert.equal(forged.D | forged.z2, 0n)
    assert.equal(verifyEncElg(setup, { ...statement, C: 0n }, forged), false)
  })

  test('a forger whose commitments are too large by their modulus fails', () => {
    const forge = (forging: () => Partial<EncElgStatement>): EncElgProof =>
      untilItWorks((seed) =>
        proveEncElg(setup, { ...statement, ...forging() }, claim.witness, seededRandom(seed)),
      )
    for (const number of [0, 1]) {
      const { verifierParameters: R } = statement
      const forged = forge(() => ({ verifierParameters: looseParameters(R, number) }))
      assert.ok(forged[number === 0 ? 'S' : 'T'] > R.n)
      assert.equal(holds(forged), false)
    }
    const key = looseKey(statement.key)
    const forged = forge(() => ({ key }))
    assert.ok(forged.D > key.square.n)
    assert.equal(holds(forged), false)
    const C = statement.C + key.square.n
    assert.equal(
      holds(
        forge(() => ({ C })),
        { ...statement, C },
      ),
      false,
    )
  })

  test('a batch collects the Paillier equation and nothing else', () => {
    const second = claimOf(TESTED, -HALF, 'second')
    const secondProof = prove(TESTED, second)
    const good = collecting()
    assert.ok(verifyEncElg(setup, statement, proof, good.batches))
    assert.ok(verifyEncElg(setup, second.statement, secondProof, good.batches))
    for (const refused of [{ z3: proof.z3 + 1n }, { z2: 0n }, { z1: 1n << 800n }, { w: Q }])
      assert.equal(verifyEncElg(setup, statement, { ...proof, ...refused }, good.batches), false)
    assert.ok(good.hold(), 'refused proofs leave no trace')

    const bad = collecting()
    assert.ok(verifyEncElg(setup, second.statement, secondProof, bad.batches))
    assert.ok(verifyEncElg(setup, statement, { ...proof, z2: proof.z2 + 1n }, bad.batches))
    assert.equal(bad.hold(), false)
  })

  test('has the sizes of its level, every field of one length', () => {
    for (const [level, size] of [
      [L128, 2596],
      [TESTED, 1828],
    ] as const) {
      const made = claimOf(level, 1n)
      const complete = level === TESTED ? proof : prove(level, made)
      const of = level === TESTED ? statement : made.statement
      const read = assertWireForm(encElgProof(level), complete, size)
      assert.ok(verifyEncElg(setupOf(level), of, read))
    }
  })
})
